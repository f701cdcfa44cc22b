"""A folder with the examples in files, written as the streams declare them, in every form that `files` reads."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors.debezium import CHANGED_AT, OPERATION, ORDER
from connectors.envelopes.sealing import seal
from connectors.source import Source, StreamSpec
from hub.records import Record
from kit.samples import Samples
from kit.subject import Subject
from kit.suite.standins.base import StandIn
from kit.suite.standins.document import document, fault_of


def make_folder(subject: Subject, samples: Samples, place: Path, _stack: ExitStack) -> StandIn | str:
    """Make the folder, or say which stream's files cannot be written from examples."""
    source = unsigned(subject.source)
    schemas = {name: one.schema for name, one in subject.mapping.streams.items()}
    for name, spec in source.streams.items():
        if spec.options["format"] == "csv" and _trailer(spec, 1) is None:
            return f"no last line can be written for the trailer of stream {name}"
    folder = _Folder(place, source.code, _placed(source), schemas)
    for name in source.streams:
        folder.records[name] = [one.record for one in samples.of(name, valid=True)]
    for path in {str(one.options["path"]) for one in source.streams.values() if one.options["format"] == "xml"}:
        if why := fault_of(folder.sharing(path), folder.records, schemas):
            return why
    folder.deliver(source.streams, 1)
    return StandIn(source, str(place), folder.add)


def _placed(source: Source) -> dict[str, StreamSpec]:
    """Return the streams with the whole path of each XSD: it lies in the source's folder, or beside its mapping."""
    out = {}
    for name, spec in source.streams.items():
        found = [one / str(spec.options.get("xsd")) for one in (source.folder, source.mapping.parent)]
        file = next((str(one) for one in found if one.is_file()), None)
        out[name] = replace(spec, options={**spec.options, "xsd": file}) if file else spec
    return out


class _Folder:
    """Writes deliveries; a path without wildcards is one file, which is written anew with all its records."""

    def __init__(
        self, place: Path, source: str, streams: Mapping[str, StreamSpec], schemas: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self.place, self.source, self.streams, self.schemas = place, source, streams, schemas
        self.records: dict[str, list[Record]] = {name: [] for name in streams}
        self.count = 1

    def add(self, stream: str, record: Record) -> None:
        """Deliver one more record."""
        spec = self.streams[stream]
        self.count += 1
        if re.search(r"[*?\[]", str(spec.options["path"])):
            fellows = self.sharing(str(spec.options["path"]))
            self._write({name: [record] if name == stream else [] for name in fellows}, self.count)
        else:
            self.records[stream].append(record)
            self.deliver({stream: spec}, self.count)

    def deliver(self, streams: Mapping[str, StreamSpec], number: int) -> None:
        """Write all records of these streams; streams that share a path share a file."""
        paths = {str(one.options["path"]): None for one in streams.values()}
        for path in paths:
            self._write({name: self.records[name] for name in self.sharing(path)}, number)

    def sharing(self, path: str) -> dict[str, StreamSpec]:
        """Return the streams whose records come in the same files."""
        return {name: one for name, one in self.streams.items() if one.options["path"] == path}

    def _write(self, records: Mapping[str, Sequence[Record]], number: int) -> None:
        specs = {name: self.streams[name] for name in records}
        spec = next(iter(specs.values()))
        file = self.place / instance(str(spec.options["path"]), number)
        file.parent.mkdir(parents=True, exist_ok=True)
        form = spec.options["format"]
        said = [record for each in records.values() for record in each]
        if form == "xlsx":
            _workbook(file, specs, records, self.schemas)
        elif form == "xml":
            file.write_bytes(document(specs, records, self.schemas))
        elif form == "singer":
            file.write_bytes(_singer(specs, records, self.schemas))
        else:
            fields = list(self.schemas[spec.name]["properties"])
            file.write_bytes(_csv(spec, fields, said) if form == "csv" else _json(spec, said))
        if spec.envelope is not None:
            number = spec.envelope.first + number - 1
            seal(file, {"source": self.source, "stream": spec.name, "number": number, "records": len(said)})


def unsigned(source: Source) -> Source:
    """Return the source with envelopes that need no signature: nobody but the department can sign as it does."""
    streams = {
        name: one if one.envelope is None else replace(one, envelope=replace(one.envelope, signed=False, keys=()))
        for name, one in source.streams.items()
    }
    return replace(source, streams=streams)


def instance(pattern: str, number: int) -> str:
    """Return a name that a glob takes: `cases_*.csv` gives `cases_0001.csv`."""
    pattern = re.sub(r"\[([^\]!])[^\]]*\]", r"\1", pattern.replace("**/", ""))
    return pattern.replace("?", "1").replace("*", f"{number:04d}")


def _csv(spec: StreamSpec, fields: Sequence[str], records: Sequence[Record]) -> bytes:
    options = spec.options
    out = io.StringIO()
    quote = options.get("quote", '"')
    writer = csv.writer(
        out, delimiter=options.get("delimiter", ","), quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE, lineterminator="\r\n",
    )  # fmt: skip
    table = _table(spec, fields, records)
    writer.writerows(table)
    if "trailer" in options:
        out.write(f"{_trailer(spec, len(records))}\r\n")
    said = options.get("encoding", "utf-8-sig")
    return out.getvalue().encode(said if isinstance(said, str) else said[0])


def _table(spec: StreamSpec, fields: Sequence[str], records: Sequence[Record]) -> list[list[str]]:
    """Write records as rows of text below the declared title lines and header."""
    header = spec.options.get("header", {})
    absent = set(spec.options.get("absent", ()))
    columns = list(spec.options.get("columns") or [name for name in fields if name not in absent])
    skipped = int(header.get("skip", 0)) if isinstance(header, dict) else 0
    title = [["样例 examples"]] * skipped + ([] if header == "none" else [columns])
    return title + [[_cell(record.get(name)) for name in columns] for record in records]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool) else str(value)


def _trailer(spec: StreamSpec, count: int) -> str | None:
    """Return a last line that the declared trailer takes; empty where none is declared, None where none is found."""
    pattern = spec.options.get("trailer")
    if pattern is None:
        return ""
    line = re.sub(r"\((?:\?P<\w+>)?(?:\[0-9\]|\\d)[+*]\)", str(count), str(pattern).strip("^$"))
    return line if re.search(str(pattern), line) else None


def event_of(record: Record) -> Record:
    """Write a record as the change event of Debezium that it was read from."""
    row = {name: value for name, value in record.items() if name not in {OPERATION, CHANGED_AT, ORDER}}
    gone, at = record.get(OPERATION) == "d", record.get(CHANGED_AT)
    source = {"ts_ms": at, "lsn": record.get(ORDER)}
    return {
        "before": row if gone else None, "after": None if gone else row, "op": record.get(OPERATION), "ts_ms": at,
        "source": source,
    }  # fmt: skip


def _singer(
    specs: Mapping[str, StreamSpec], records: Mapping[str, Sequence[Record]], schemas: Mapping[str, Mapping[str, Any]]
) -> bytes:
    """Write the messages of a tap: of each stream its SCHEMA and its records."""
    out: list[Record] = []
    for name, spec in specs.items():
        said = str(spec.options.get("stream_name", name))
        known = {"type": "object", "properties": {field: {} for field in schemas[name]["properties"]}}
        out.append({"type": "SCHEMA", "stream": said, "schema": known, "key_properties": []})
        out += [{"type": "RECORD", "stream": said, "record": one} for one in records[name]]
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in out).encode()


def _json(spec: StreamSpec, records: Sequence[Record]) -> bytes:
    """Write one document, or a line a record; what is JSON is YAML as well."""
    if spec.options.get("envelope") == "debezium":
        records = [event_of(one) for one in records]
    if spec.options["format"] == "jsonl":
        return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records).encode()
    made: Any = list(records)
    for part in reversed([one for one in str(spec.options.get("record", "")).split("/") if one]):
        made = {part.replace("~1", "/").replace("~0", "~"): made}
    return json.dumps(made, ensure_ascii=False, indent=1).encode()


def _workbook(
    file: Path,
    specs: Mapping[str, StreamSpec],
    records: Mapping[str, Sequence[Record]],
    schemas: Mapping[str, Mapping[str, Any]],
) -> None:
    """Write a workbook with a sheet for each stream."""
    from openpyxl import Workbook  # noqa: PLC0415  # only where sheets are written

    book = Workbook()
    for sheet in list(book.worksheets):
        book.remove(sheet)
    for name, spec in specs.items():
        sheet = book.create_sheet(str(spec.options.get("sheet", name)))
        for row in _table(spec, list(schemas[name]["properties"]), records[name]):
            sheet.append(row)
    book.save(file)
