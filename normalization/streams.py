"""Reading of one stream of a mapping: key, order, operation, yields, and the audit that no field is left over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hub.documents import Documents
from normalization.codelists import CodeLine
from normalization.columns import Reading, read_formats, read_when, read_yield
from normalization.marked import Faults, Mark, suggestion
from normalization.model import Field, Key, Operation, StreamMapping, TimeField, When, Yield
from normalization.rawschema import RawSchema, read_raw_schema
from normalization.values.code import key_of
from normalization.values.common import text_of

_PARTS = (
    "schema",
    "key",
    "case",
    "order",
    "operation",
    "reported_at",
    "organ_from",
    "process",
    "exclude",
    "yields",
    "ignore",
)
_PROCESSES = ("five_stages",)
_CHILDREN = {"credential_number": "credential", "credential_status": "credential"}
_PRIVATE = ("personal", "sensitive")

Made = TypeVar("Made")


def read_stream(
    name: str, mark: Mark, faults: Faults, documents: Documents, lists: dict[str, tuple[CodeLine, ...]]
) -> StreamMapping | None:
    """Read one stream; None and faults where it lacks what nothing can be checked without."""
    parts = faults.table(mark, f"stream {name}", known=_PARTS, required=("schema", "key", "yields"))
    named = faults.text(parts["schema"], "schema") if "schema" in parts else None
    schema = read_raw_schema(faults.file.parent / named, parts["schema"].line, faults) if named else None
    if schema is None:
        return None
    reading = Reading(faults, schema, documents, faults.file.parent, lists)
    reading.case = _if_there(parts, "case", lambda found: reading.field(found, "case"))
    key = _key(parts["key"], reading) if "key" in parts else None
    yields = _yields(parts["yields"], reading) if "yields" in parts else ()
    stream = StreamMapping(
        name=name,
        line=mark.line,
        schema_path=schema.path,
        schema=schema.content,
        key=key or Key((), fingerprint=False, line=mark.line),
        yields=yields,
        case=reading.case,
        order=_if_there(parts, "order", lambda found: _time(found, reading, "order", bare=False)),
        operation=_if_there(parts, "operation", lambda found: _operation(found, reading)),
        reported_at=_if_there(parts, "reported_at", lambda found: _time(found, reading, "reported_at", bare=True)),
        organ_from=_if_there(parts, "organ_from", lambda found: reading.field(found, "organ_from")),
        process=_if_there(parts, "process", lambda found: _process(found, faults)),
        exclude=_if_there(parts, "exclude", lambda found: _exclude(found, reading)) or (),
        ignore=_ignore(parts.get("ignore"), schema, faults),
        personal=_personal(yields),
    )
    _audit(stream, schema, mark, faults)
    return stream


def _if_there(parts: dict[str, Mark], name: str, make: Callable[[Mark], Made]) -> Made | None:
    return make(parts[name]) if name in parts else None


def _key(mark: Mark, reading: Reading) -> Key | None:
    fingerprint = isinstance(mark.value, dict)
    members = mark
    if fingerprint:
        parts = reading.faults.table(mark, "a key", known=("fingerprint",), required=("fingerprint",))
        if "fingerprint" not in parts:
            return None
        members = parts["fingerprint"]
    if not isinstance(members.value, list) or not members.value:
        reading.faults.add(mark.line, "`key` is [FIELD, …] or {fingerprint: [FIELD, …]}")
        return None
    found = [_time(member, reading, "key", bare=False) for member in members.value]
    return Key(tuple(part for part in found if part is not None), fingerprint, mark.line)


def _time(mark: Mark, reading: Reading, what: str, *, bare: bool) -> TimeField | None:
    """Read `FIELD` (a time where `bare`) or `{time: FIELD, formats: […]}`."""
    if not isinstance(mark.value, dict):
        found = reading.field(mark, what)
        return None if found is None else TimeField(found, time=bare)
    parts = reading.faults.table(mark, what, known=("time", "formats"), required=("time",))
    found = reading.field(parts["time"], what) if "time" in parts else None
    formats = read_formats(parts["formats"], reading.faults) if "formats" in parts else ()
    return None if found is None else TimeField(found, time=True, formats=formats)


def _operation(mark: Mark, reading: Reading) -> Operation | None:
    faults = reading.faults
    parts = faults.table(mark, "operation", known=("field", "delete", "keep"), required=("field", "delete"))
    found = reading.field(parts["field"], "operation") if "field" in parts else None
    if found is None or "delete" not in parts:
        return None
    delete = frozenset(filter(None, map(key_of, faults.texts(parts["delete"], "delete"))))
    keep = frozenset(filter(None, map(key_of, faults.texts(parts["keep"], "keep")))) if "keep" in parts else None
    if keep is None:
        enum = reading.schema.enum(found)
        keep = frozenset(filter(None, (key_of(text_of(value) or "") for value in enum or ()))) - delete
        if enum is None:
            faults.add(
                mark.line,
                f"the codes of {found.name} are not closed: list the others as `keep`, or as `enum` in its schema",
            )
    if delete & keep:
        faults.add(mark.line, f"both deleted and kept: {', '.join(sorted(delete & keep))}")
    return Operation(found, delete, keep, mark.line)


def _process(mark: Mark, faults: Faults) -> str | None:
    if mark.text not in _PROCESSES:
        faults.add(mark.line, f"there is no process {mark.text!r}{suggestion(mark.text, _PROCESSES)}")
        return None
    return mark.text


def _exclude(mark: Mark, reading: Reading) -> tuple[tuple[When, ...], ...]:
    """Read `exclude`: a list, each member of which excludes the records that it holds for."""
    members = mark.value if isinstance(mark.value, list) else [mark]
    return tuple(found for member in members if (found := read_when(member, reading)))


def _yields(mark: Mark, reading: Reading) -> tuple[Yield, ...]:
    if not isinstance(mark.value, list) or not mark.value:
        reading.faults.add(mark.line, "`yields` is a list of canonical rows: - table: …")
        return ()
    found = tuple(made for member in mark.value if (made := read_yield(member, reading)) is not None)
    tables = {made.table for made in found}
    for made in found:
        parent = _CHILDREN.get(made.table)
        if parent is not None and parent not in tables:
            reading.faults.add(
                made.line, f"{made.table} belongs to the {parent} of the same record, which is not yielded"
            )
    return found


def _ignore(mark: Mark | None, schema: RawSchema, faults: Faults) -> dict[str, str]:
    if mark is None or (mark.value is None and not mark.text):
        return {}
    if not isinstance(mark.value, dict):
        faults.add(mark.line, "`ignore` is a mapping from a field to the reason why it is not read")
        return {}
    reasons: dict[str, str] = {}
    for name, member in mark.items():
        found = schema.look_up(name, member.line, faults)
        reason = faults.text(member, f"the reason why {name!r} is ignored")
        if found is not None and reason is not None:
            reasons[name] = reason
            if found.path in schema.used:
                faults.add(member.line, f"{name!r} is ignored, but used in line {schema.used[found.path]}")
    return reasons


def _audit(stream: StreamMapping, schema: RawSchema, mark: Mark, faults: Faults) -> None:
    """Note what is left over or contradicts itself once all parts are read."""
    ignored = {Field.of(name).path for name in stream.ignore}
    for name in schema.unread(ignored):
        faults.add(mark.line, f"stream {stream.name} neither uses nor ignores the field {name!r} of {schema.path.name}")
    for made in stream.yields:
        for column in made.columns:
            if column.column.name == "case_number" and stream.case and column.fields != (stream.case,):
                faults.add(column.line, f"case_number is not the stream's case ({stream.case.name})")


def _personal(yields: tuple[Yield, ...]) -> frozenset[Field]:
    return frozenset(
        read
        for made in yields
        for column in made.columns
        if column.column.personal or column.column.privacy in _PRIVATE
        for read in column.fields
    )
