"""Checks of reading: complete, repeatable, ordered by the cursor, and able to go on from any state."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.marks import back, believable, moment_of
from connectors.seam import KeepsUnits
from connectors.source import Cursor, StreamSpec
from hub.records import Record
from kit.suite.pulls import Pulled, each, pull
from kit.suite.result import Check, Result, cannot, failed, passed, together
from kit.suite.stand import Stand
from normalization.apply import Occurrences, identify
from normalization.model import Field, StreamMapping

_FAR = timedelta(days=36_525)
_FAR_COUNT = 10**12
_STATES = 5


def full_reads_equal(stand: Stand) -> Result:
    """Read everything twice."""

    def work(spec: StreamSpec) -> Result:
        one, other = (pull(stand, stand.connect(), spec, {}, size=stand.most, full=True) for _ in range(2))
        if one.all != other.all or one.refused != other.refused:
            changed = ((one.all - other.all) + (other.all - one.all)).total()
            return failed(
                f"two full reads differ in {changed} records; read again at a quiet hour, and if they still differ "
                "find out which field changes by itself"
            )
        bound = "" if one.ended else f" of the first {stand.most:,}"
        return passed(f"{one.count} records{bound}, twice the same")

    return together(each(stand, work))


def paging_stops(stand: Stand) -> Result:
    """Read everything in small slices: just the last one says that it is the last."""

    def work(spec: StreamSpec) -> Result:
        got = _in_slices(stand, spec)
        if not got.ended:
            return cannot(f"more than {stand.most:,} records; ask for more with --most")
        if not got.lasts or got.lasts.count(True) != 1:
            return failed(f"{got.lasts.count(True)} of {len(got.lasts)} slices say that they are the last")
        return passed(f"{len(got.lasts)} slices, the last one says so")

    return together(each(stand, work))


def nothing_before_cursor(stand: Stand) -> Result:
    """Pull again from where a full read ended: nothing older than the cursor less its lookback comes."""

    def work(spec: StreamSpec) -> Result:
        connector = stand.connect()
        if spec.cursor is None and not isinstance(connector, KeepsUnits):
            return cannot("it has no cursor: each pull reads everything")
        got = pull(stand, connector, spec, {}, size=stand.most)
        if not got.ended:
            return cannot(f"more than {stand.most:,} records; ask for more with --most")
        again = pull(stand, connector, spec, got.state, size=stand.most)
        if spec.cursor is None:
            return _read_again(again)
        return _since(stand, spec, got.state.get("cursor"), again)

    return together(each(stand, work))


def _read_again(again: Pulled) -> Result:
    if again.count:
        return failed(f"{again.count} records of files that were read already come again")
    return passed("files that were read are not read again")


def _since(stand: Stand, spec: StreamSpec, stood: Any, again: Pulled) -> Result:
    if stood is None or spec.cursor is None:
        return cannot("no record has a cursor value")
    limit = back(stood, spec.cursor, source=stand.code, stream=spec.name)
    older = [one for one in again.cursors if _is_older(one, limit, stand.there.source.time_zone)]
    if older:
        return failed(f"{len(older)} of {again.count} records lie before the cursor less its lookback")
    return passed(f"{again.count} records from the lookback, none older")


def _is_older(value: Any, limit: Any, zone: str) -> bool:
    """Say whether a cursor value lies before the limit; none, and one beyond tomorrow, are read at every pull."""
    if value in (None, "") or not believable(value, zone):
        return False
    one, other = moment_of(value, zone), moment_of(limit, zone)
    if one is not None and other is not None:
        return one < other
    try:
        return Decimal(str(value)) < Decimal(str(limit))
    except InvalidOperation:
        return str(value) < str(limit)


def resume_from_each_state(stand: Stand) -> Result:
    """Go on from the state after each slice: all that came behind it comes."""

    def work(spec: StreamSpec) -> Result:
        got = _in_slices(stand, spec)
        if not got.ended:
            return cannot(f"more than {stand.most:,} records; ask for more with --most")
        for place, state in list(enumerate(got.states))[:_STATES]:
            wanted = sum(got.marks[place + 1 :], Counter())
            rest = pull(stand, stand.connect(), spec, state, size=stand.most)
            missing = wanted - rest.all
            if missing:
                return failed(f"from the state after slice {place + 1}, {missing.total()} records never come")
        return passed(f"nothing is lost from {min(len(got.states), _STATES)} states")

    return together(each(stand, work))


def _in_slices(stand: Stand, spec: StreamSpec) -> Pulled:
    """Read everything in about four slices."""
    size = max(1, pull(stand, stand.connect(), spec, {}, size=stand.most, full=True).count // 4)
    return pull(stand, stand.connect(), spec, {}, size=size)


def future_state(stand: Stand) -> Result:
    """Pull from a state a hundred years ahead: nothing comes but rows without a believable cursor value."""

    def work(spec: StreamSpec) -> Result:
        if spec.cursor is None:
            return cannot("it has no cursor")
        stood = pull(stand, stand.connect(), spec, {}, size=stand.most).state.get("cursor")
        if stood is None:
            return cannot("no record has a cursor value")
        instant = moment_of(stood, stand.there.source.time_zone) is not None
        ahead = Cursor(spec.cursor.field, -_FAR if instant else -_FAR_COUNT)
        future = back(stood, ahead, source=stand.code, stream=spec.name)
        got = pull(stand, stand.connect(), spec, {"cursor": future}, size=stand.most)
        zone = stand.there.source.time_zone
        led = [one for one in got.cursors if one not in (None, "") and believable(one, zone)]
        if led:
            return failed(f"{len(led)} records come though the state lies a century ahead")
        return passed("nothing comes")

    return together(each(stand, work))


def deletions_arrive(stand: Stand) -> Result:
    """Delete a record in the system of examples, as the department would: its mark comes with the next pull."""
    declared = [spec for spec in stand.there.source.streams.values() if spec.deletion == "operation"]
    if not declared:
        return cannot("no stream declares that records say themselves that they are deleted")
    if stand.there.add is None:
        return cannot("nothing is deleted in a department's own system for a test")
    return together({spec.name: _deletion(stand, spec) for spec in declared})


def _deletion(stand: Stand, spec: StreamSpec) -> Result:
    mapped = stand.ready.mapping.streams[spec.name]
    examples = stand.samples.of(spec.name, valid=True)
    add = stand.there.add
    if not examples or mapped.operation is None or add is None:
        return cannot("it has no valid example")
    before = pull(stand, stand.connect(), spec, {}, size=stand.most)
    add(spec.name, _deleted(mapped, spec, examples[-1].record, before.state.get("cursor")))
    records: list[Record] = []
    for piece in stand.connect().read(spec, before.state, slice_size=stand.most, full=False):
        records += list(piece.records)
    gone = identify(mapped, records, stand.ready.context(), Occurrences()).deleted
    if not gone.any():
        return failed("a record that was marked as deleted does not come with the next pull as such")
    return passed("a deletion comes with the next pull")


def _deleted(mapped: StreamMapping, spec: StreamSpec, record: Record, stood: Any) -> Record:
    """Return a record as its department deletes it: marked, newer, and with the newest cursor value."""
    assert mapped.operation is not None  # noqa: S101  # the caller looked
    code = min(mapped.operation.delete)
    out = _set(record, mapped.operation.field, _typed(mapped, mapped.operation.field, code))
    if mapped.order is not None and not mapped.order.time:
        said = _get(record, mapped.order.field)
        if str(said).isdecimal():
            out = _set(out, mapped.order.field, type(said)(int(said) + 1))
    if spec.cursor is not None and stood is not None:
        out = _set(out, Field.of(spec.cursor.field), stood)
    return out


def _typed(mapped: StreamMapping, field: Field, code: str) -> Any:
    said = mapped.schema["properties"].get(field.path[0], {}).get("type", "string")
    kinds = {said} if isinstance(said, str) else set(said)
    if "boolean" in kinds:
        return code.lower() in {"true", "1"}
    return int(code) if "integer" in kinds and "string" not in kinds and code.isdecimal() else code


def _get(record: Record, field: Field) -> Any:
    value: Any = record
    for part in field.path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _set(record: Record, field: Field, value: Any) -> Record:
    head, *rest = field.path
    inner = record.get(head)
    below = _set(inner if isinstance(inner, dict) else {}, Field("", tuple(rest)), value) if rest else value
    return {**record, head: below}


CHECKS = (
    Check("full-reads-equal", "two full reads give the same records", "system", full_reads_equal),
    Check("paging-stops", "reading comes to its end, and only the last slice says so", "system", paging_stops),
    Check(
        "nothing-before-cursor", "a second pull brings nothing older than the cursor less its lookback", "system",
        nothing_before_cursor,
    ),
    Check("resume-from-each-state", "going on from any state loses nothing", "system", resume_from_each_state),
    Check("future-state", "a state in the future yields nothing", "system", future_state),
    Check("deletions-arrive", "where deletions are declared, they arrive", "system", deletions_arrive),
)  # fmt: skip
