"""Reads JSON lines (one object a line), and JSON documents with an array of objects; Debezium's events in both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from connectors.debezium import Events
from connectors.kinds.files.text import choose_encoding, declared_encodings, read_lines
from connectors.kinds.files.where import Where
from connectors.limits import Limits
from connectors.pointer import JsonFault, find, read_json
from connectors.sizes import fields_of_record
from connectors.slices import Row
from hub.records import BrokenRecord


class JsonLinesReader:
    """Reads one JSON-lines file; a line that is no object is a broken record."""

    def __init__(self, handle: BinaryIO, options: Mapping[str, Any], limits: Limits, where: Where) -> None:
        self.handle, self.options, self.limits, self.where = handle, options, limits, where
        self.declared: dict[str, int] = {}
        self._events = events_of(options)

    def rows(self) -> Iterator[Row]:
        """Yield each line's object with the line's number.

        Raises:
            RefuseUnit: the encoding is another, the last line is cut off, or a line breaks a limit.
        """
        with self.handle:
            encoding = choose_encoding(self.handle, declared_encodings(self.options), self.where, self.limits)
            for number, line in enumerate(read_lines(self.handle, encoding, self.where, self.limits), 1):
                text = line.strip()
                if text and (held := self._record(number, text, ends=line.endswith(("\n", "\r")))) is not None:
                    yield number, held

    def _record(self, number: int, text: str, *, ends: bool) -> dict[str, Any] | BrokenRecord | None:
        try:
            value = read_json(text, self.limits.depth)
        except JsonFault as fault:
            if fault.unsafe:
                raise self.where.hostile(f"line {number}: {fault}", known="limit `depth`") from None
            if fault.cut and not ends:
                raise self.where.truncated(f"the file ends within line {number}") from None
            return BrokenRecord(number, "unreadable_record", f"line {number}: {fault}", text)
        if self._events is not None and (value := self._events.read(value, number, text)) is None:
            return None
        return checked(value, number, text, self.limits, self.where)


class JsonReader:
    """Reads one JSON document: the array of records that option `record` points to, the whole document by default."""

    def __init__(self, handle: BinaryIO, options: Mapping[str, Any], limits: Limits, where: Where) -> None:
        self.handle, self.options, self.limits, self.where = handle, options, limits, where
        self.declared: dict[str, int] = {}
        self._events = events_of(options)

    def rows(self) -> Iterator[Row]:
        """Yield each object of the array with its place in it.

        Raises:
            RefuseUnit: the document is cut off, no JSON, too large, or has no such array.
        """
        with self.handle:
            encoding = choose_encoding(self.handle, declared_encodings(self.options), self.where, self.limits)
            data = self.handle.read(self.limits.body_bytes + 1)
        if len(data) > self.limits.body_bytes:
            raise self.where.hostile("the document is too large", known=f"at most {self.limits.body_bytes:,} bytes")
        try:
            document = read_json(data.decode(encoding), self.limits.depth)
            records = find(document, str(self.options.get("record", "")))
        except UnicodeDecodeError:
            raise self.where.encoding(f"the bytes are no text in {encoding}") from None
        except JsonFault as fault:
            raise self._fault(fault) from None
        except KeyError as error:
            raise self.where.refused(f"the document has nothing at {error}", hint="Mend `record`.") from None
        if not isinstance(records, list):
            raise self.where.refused("the records are no array", hint="Let `record` point to the array of records.")
        for number, value in enumerate(records, 1):
            if self._events is not None and (value := self._events.read(value, number, str(value))) is None:
                continue
            yield number, checked(value, number, str(value), self.limits, self.where)

    def _fault(self, fault: JsonFault) -> Exception:
        if fault.unsafe:
            return self.where.hostile(str(fault), known="limit `depth`")
        return self.where.truncated(str(fault)) if fault.cut else self.where.refused(str(fault))


def checked(value: Any, number: int, raw: str, limits: Limits, where: Where) -> dict[str, Any] | BrokenRecord:
    """Return a record that is an object within the limits; anything else is, or was already, a broken record.

    Raises:
        HostileInput: it has more fields than any honest record.
    """
    if isinstance(value, BrokenRecord):
        return value
    if not isinstance(value, dict):
        return BrokenRecord(number, "unreadable_record", f"record {number} is no JSON object", raw)
    if (count := fields_of_record(value, limits.columns)) > limits.columns:
        known = f"at most {limits.columns:,}, those within fields included"
        raise where.hostile(f"record {number} has {count:,} fields or more", known=known)
    return value


def events_of(options: Mapping[str, Any]) -> Events | None:
    """Return the reader of Debezium's change events where the stream's records are such."""
    return Events() if options.get("envelope") == "debezium" else None


def open_json(
    handle: BinaryIO, options: Mapping[str, Any], limits: Limits, where: Where
) -> JsonLinesReader | JsonReader:
    """Return the reader of one file of format jsonl or json."""
    kind = JsonReader if options.get("format") == "json" else JsonLinesReader
    return kind(handle, options, limits, where)
