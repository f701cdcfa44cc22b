"""Reads what a Singer tap writes: lines of messages, of which those of one stream are handed over.

The messages are SCHEMA, RECORD, STATE, ACTIVATE_VERSION and BATCH (https://hub.meltano.com/singer/spec). A record is
held against the last SCHEMA of its stream only as far as to say that a key or required property is missing; its shape
is judged by the source's own schema, as that of every record. STATE is left alone: it is the tap's bookmark, and the
hub has its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from connectors.kinds.files.jsonfile import checked
from connectors.kinds.files.text import choose_encoding, declared_encodings, read_lines
from connectors.kinds.files.where import Where
from connectors.limits import Limits
from connectors.pointer import JsonFault, has_nul, read_json
from connectors.slices import Row
from hub.errors import RefuseUnit
from hub.records import BrokenRecord, Record

_TYPES = ("SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION", "BATCH")
_SHOWN, _NAME = 20, 100


@dataclass(frozen=True, slots=True)
class _Schema:
    """What the last SCHEMA of the stream demands of each record."""

    keys: tuple[str, ...]
    required: tuple[str, ...]

    def missing(self, record: Mapping[str, Any]) -> str:
        """Say which properties a record lacks; empty where none."""
        keys = [f"{name!r} of key_properties" for name in self.keys if record.get(name) is None]
        others = [repr(name) for name in self.required if name not in record and name not in self.keys]
        return ", ".join((keys + others)[:_SHOWN])


class SingerReader:
    """Reads the records of one Singer stream out of a file; a record's row is its line."""

    def __init__(self, handle: BinaryIO, options: Mapping[str, Any], limits: Limits, where: Where) -> None:
        self.handle, self.options, self.limits, self.where = handle, options, limits, where
        self.declared: dict[str, int] = {}
        self.name = str(options.get("stream_name", where.stream))
        self._schema: _Schema | None = None
        self._streams: dict[str, None] = {}

    def rows(self) -> Iterator[Row]:
        """Yield each record of the stream with its line.

        Raises:
            RefuseUnit: a message is none of Singer's, a record comes before its SCHEMA, a SCHEMA is none, the stream
                does not occur, or the last line is cut off.
        """
        with self.handle:
            encoding = choose_encoding(self.handle, declared_encodings(self.options), self.where, self.limits)
            for number, line in enumerate(read_lines(self.handle, encoding, self.where, self.limits), 1):
                if text := line.strip():
                    held = self._held(number, text, ends=line.endswith(("\n", "\r")))
                    if held is not None:
                        yield number, held
        if self._schema is None:
            raise self.where.refused(
                f"the file has no SCHEMA of stream {self.name!r}", known=", ".join(self._streams) or "no stream at all",
                hint="Compare `stream_name` with the tap's catalogue.",
            )  # fmt: skip

    def _held(self, number: int, text: str, *, ends: bool) -> Record | BrokenRecord | None:
        """Return what a line holds for this stream; None where it is for another or for nobody."""
        try:
            message = read_json(text, self.limits.depth)
        except JsonFault as fault:
            return self._unreadable(fault, number, text, ends=ends)
        kind = message.get("type") if isinstance(message, dict) else None
        if kind not in _TYPES:
            raise self.where.refused(f"line {number} is no message of Singer's", known=", ".join(_TYPES))
        if kind == "STATE" or self._is_of_another(message, number):
            return None
        if kind == "SCHEMA":
            self._schema = self._read_schema(message, number)
            return None
        if kind == "RECORD":
            return self._record(message, number, text)
        self._refuse(kind, number)
        return None

    def _is_of_another(self, message: Mapping[str, Any], number: int) -> bool:
        name = message.get("stream")
        if not isinstance(name, str) or not name:
            raise self.where.refused(f"line {number}: the message names no stream")
        if len(self._streams) < _SHOWN:
            self._streams[name[:_NAME]] = None
        return name != self.name

    def _unreadable(self, fault: JsonFault, number: int, text: str, *, ends: bool) -> BrokenRecord | None:
        """Return a broken record; of a line that is no JSON nobody can say whose it is, so it is every stream's."""
        if fault.unsafe:
            raise self.where.hostile(f"line {number}: {fault}", known="limit `depth`") from None
        if fault.cut and not ends:
            raise self.where.truncated(f"the file ends within line {number}") from None
        if has_nul(text) and _is_told_to_be_of_another(text, self.name):
            return None
        return BrokenRecord(number, "unreadable_record", f"line {number}: {fault}", text)

    def _record(self, message: Mapping[str, Any], number: int, text: str) -> Record | BrokenRecord:
        if self._schema is None:
            raise self.where.refused(
                f"line {number}: a RECORD comes before the SCHEMA of its stream",
                hint="Ask for a file that the tap wrote from its beginning on.",
            )
        record = checked(message.get("record"), number, text, self.limits, self.where)
        if isinstance(record, BrokenRecord):
            return record
        if missing := self._schema.missing(record):
            return BrokenRecord(number, "schema_violation", f"line {number}: the record has no {missing}", text)
        return record

    def _read_schema(self, message: Mapping[str, Any], number: int) -> _Schema:
        schema, keys = message.get("schema"), message.get("key_properties") or []
        if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
            raise self._no_schema(number, "it has no `properties`")
        required = schema.get("required") or []
        if not _are_names(keys) or not _are_names(required):
            raise self._no_schema(number, "`key_properties` and `required` are no lists of names")
        if "object" not in _types(schema):
            raise self._no_schema(number, "it describes no object")
        if strange := [name for name in keys if name not in schema["properties"]]:
            raise self._no_schema(number, f"key property {strange[0]!r} is none of its properties")
        return _Schema(tuple(keys), tuple(required))

    def _no_schema(self, number: int, why: str) -> RefuseUnit:
        return self.where.refused(f"line {number}: the SCHEMA is invalid: {why}", hint="Mend the tap or its catalogue.")

    def _refuse(self, kind: str, number: int) -> None:
        """Refuse what is not carried out, unless a person said in source.yml that it means nothing here."""
        if kind == "BATCH":
            raise self.where.refused(
                f"line {number}: a BATCH message points to files elsewhere, which are not read",
                hint="Let the tap write RECORD messages: take `batch_config` out of its configuration.",
            )
        if self.options.get("activate_version") != "ignore":
            raise self.where.refused(
                f"line {number}: ACTIVATE_VERSION deletes all records of earlier versions, which is not carried out",
                hint="If what is absent from a file is not gone, say `activate_version: ignore` in source.yml.",
            )


def _is_told_to_be_of_another(text: str, name: str) -> bool:
    """Say whether a line that holds a NUL, and is JSON otherwise, is for nobody or for another stream."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return isinstance(message, dict) and (message.get("type") == "STATE" or message.get("stream", name) != name)


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _types(schema: Mapping[str, Any]) -> list[Any]:
    """Return the types that a schema states; one with properties and without a type describes an object."""
    stated = schema.get("type", "object")
    return stated if isinstance(stated, list) else [stated]


def open_singer(handle: BinaryIO, options: Mapping[str, Any], limits: Limits, where: Where) -> SingerReader:
    """Return the reader of one file of a Singer tap."""
    return SingerReader(handle, options, limits, where)
