"""Spoils one record of a case, as a `Case.defect` of level *record* asks: a stable value outside every list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from demo.model import KINDS, Defect
from demo.shapes.record import Entry, Stream, Values, key_of

UNLISTED = "Q7"
UNREADABLE = "待定"
"""No date, no number, no code of any list: what clerks write who do not know."""


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A record as it was spoiled: `entry.values` are changed, `order` stands in place of its version."""

    entry: Entry
    rule: str
    refused: bool
    order: str | None = None


def spoil(entries: Sequence[Entry], defect: Defect, streams: Mapping[str, Stream]) -> dict[int, Spoiled]:
    """Choose the record that the defect names, or else the first that can be spoiled so, and spoil it.

    Raises:
        LookupError: no record of the case can carry this defect; the generator asked a shape that does not carry it.
    """
    for index in _preferred(entries, defect):
        done = _spoiled(entries[index], defect.kind, streams[entries[index].stream])
        if done is not None:
            return {index: done}
    raise LookupError(f"no record of case {defect.case} can carry the defect {defect.kind}")


def orphan(entries: Sequence[Entry], streams: Mapping[str, Stream]) -> Entry:
    """Return an extra child record of a case that never comes: a copy of the last one under another number.

    Raises:
        LookupError: the case has no child record.
    """
    for entry in reversed(entries):
        stream = streams[entry.stream]
        named = entry.role in {"case", "decision", "certificate"}  # these bear a number that only one record may have
        if entry.hangs and stream.hangs and stream.case is not None and not named and stream.key:
            number = f"{entry.case}X"
            values = {**entry.values, stream.case: number}
            for name in stream.key if stream.case not in stream.key else ():  # a part beside the case may be a code
                if isinstance(values[name], str):
                    values[name] = f"{values[name]}X"
            return replace(entry, values=values, case=number, key=key_of(stream, values), faults=())
    raise LookupError(f"case {entries[0].case} has no child record")


def _preferred(entries: Sequence[Entry], defect: Defect) -> Iterator[int]:
    wanted = [index for index, entry in enumerate(entries) if entry.role == (defect.target or "case")]
    yield from wanted
    yield from (index for index in range(len(entries)) if index not in wanted)


def _spoiled(entry: Entry, kind: str, stream: Stream) -> Spoiled | None:
    field, value, refused = _change(kind, stream, entry.values)
    if kind == "unreadable_version":
        return None if stream.order is None else Spoiled(entry, KINDS[kind].rule, refused=True, order=UNREADABLE)
    if field is None or entry.values.get(field) is None:
        return None
    values = {**entry.values, field: value}
    key = key_of(stream, values) if kind == "missing_key" else entry.key
    return Spoiled(replace(entry, values=values, key=key), KINDS[kind].rule, refused)


def _change(kind: str, stream: Stream, values: Values) -> tuple[str | None, str | None, bool]:
    """Return which field becomes what, and whether the hub must refuse the record."""
    if kind == "too_long":
        field, longest = stream.text or (None, 0)
        return field, (str(values.get(field or "") or "") + "详见附件。" * longest)[: longest + 1], True
    changes: dict[str, tuple[str | None, str | None, bool]] = {
        "unknown_code_deciding": (stream.decides, UNLISTED, True),
        "unknown_code_other": (stream.other, UNLISTED, False),
        "required_missing": (stream.required, None, True),
        "missing_key": (stream.key[-1] if stream.key else None, None, True),
        "unreadable_date": (stream.moment, UNREADABLE, False),
    }
    return changes.get(kind, (None, None, True))
