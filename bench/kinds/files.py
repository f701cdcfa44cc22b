"""Kinds that read files: formats of `files`, change events of Debezium, event logs, and files of an SFTP server."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import openpyxl
import pytest
import yaml

from bench.department import PROFILE
from bench.kinds.feeds import STREAMS, Feed, Ground, Kind, Missing, Row, declared
from connectors.kinds.workbook.sheets import FIRST, NAMES
from connectors.kinds.workbook.template import make
from connectors.loading import load_sources
from tests.connectors.sshd import running

Write = Callable[[Path, list[str], Iterable[Row]], None]
ROOT = Path(__file__).resolve().parents[2]


def _csv(file: Path, columns: list[str], rows: Iterable[Row]) -> None:
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, columns)
        writer.writeheader()
        writer.writerows(rows)


def _jsonl(file: Path, _columns: list[str], rows: Iterable[Row]) -> None:
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _debezium(file: Path, columns: list[str], rows: Iterable[Row]) -> None:
    """Write each row as the event of its insertion, in the order of a PostgreSQL log."""
    events = (
        {"op": "c", "before": None, "after": row, "source": {"connector": "postgresql", "lsn": number, "ts_ms": 1}}
        for number, row in enumerate(rows, 1)
    )
    _jsonl(file, columns, events)


def _xlsx(file: Path, columns: list[str], rows: Iterable[Row]) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(columns)
    for row in rows:
        sheet.append([row[name] for name in columns])
    book.save(file)


def _xml(file: Path, columns: list[str], rows: Iterable[Row]) -> None:
    with file.open("w", encoding="utf-8") as lines:
        lines.write("<?xml version='1.0' encoding='utf-8'?>\n<records>\n")
        for row in rows:
            said = "".join(f"<{name}>{escape(str(row[name]))}</{name}>" for name in columns if row[name] is not None)
            lines.write(f"<record>{said}</record>\n")
        lines.write("</records>\n")


def of_format(ending: str, write: Write, floor: str, **options: Any) -> Callable[[Ground], Any]:
    """Return what offers the rows as one file a stream."""

    @contextmanager
    def opened(ground: Ground) -> Iterator[Feed]:
        folder = _written(ground, ending, write)
        files = [str(folder / f"{stream}.{ending}") for stream in STREAMS]
        more = [part for file in files for part in (file, "record")] if floor == "xml" else files
        streams = {stream: {"options": {"path": f"{stream}.{ending}", **options}} for stream in STREAMS}
        yield Feed(declared("files", streams), folder.as_uri(), [floor, *more], ground.size.records)
        shutil.rmtree(folder)

    return opened


def _written(ground: Ground, ending: str, write: Write) -> Path:
    folder = ground.folder / f"files-{ending}-{write.__name__}"
    folder.mkdir()
    for stream in STREAMS:
        write(folder / f"{stream}.{ending}", ground.columns[stream], ground.rows(stream))
    return folder


@contextmanager
def debezium(ground: Ground) -> Iterator[Feed]:
    """The rows as change events; their schemas and mapping have three fields more than the profile's."""
    with of_format("jsonl", _debezium, "jsonl", format="jsonl", envelope="debezium")(ground) as feed:
        mapping = yaml.safe_load((PROFILE / "mapping.yml").read_text(encoding="utf-8"))
        mapping["streams"] = {name: mapping["streams"][name] for name in STREAMS}
        for stream in mapping["streams"].values():
            stream["order"] = "__order"
            stream["operation"] = {"field": "__op", "delete": ["d"], "keep": ["c", "u", "r"]}
            said = dict.fromkeys(("DATAVERSION", "SYNC_STATUS"), "the event says it")
            stream["ignore"] = {**stream.get("ignore", {}), "__ts_ms": "the row says when it was reported", **said}
            schema = json.loads((PROFILE / stream["schema"]).read_text(encoding="utf-8"))
            schema["properties"] |= {
                "__op": {"type": "string"}, "__ts_ms": {"type": ["integer", "null"]},
                "__order": {"type": ["integer", "null"]},
            }  # fmt: skip
            feed.files[stream["schema"]] = json.dumps(schema, ensure_ascii=False)
        feed.files["mapping.yml"] = yaml.safe_dump(mapping, allow_unicode=True, sort_keys=False)
        feed.files |= {f"codes/{file.name}": file.read_text(encoding="utf-8") for file in (PROFILE / "codes").iterdir()}
        feed.declare = declared("files", feed.declare["streams"], mapping="mapping.yml")
        yield feed


@contextmanager
def sftp(ground: Ground) -> Iterator[Feed]:
    """The files of JSON lines on an OpenSSH server."""
    home = ground.folder / "sftp"
    home.mkdir()
    written = _written(ground, "jsonl", _jsonl)
    try:
        with running(home) as server:
            for stream in STREAMS:
                shutil.move(written / f"{stream}.jsonl", server.drop / f"{stream}.jsonl")
            streams = {stream: {"options": {"path": f"{stream}.jsonl", "format": "jsonl"}} for stream in STREAMS}
            floor = ["sftp", server.url(), str(home / "user_key"), *(f"{stream}.jsonl" for stream in STREAMS)]
            yield Feed(declared("files", streams), server.url(), floor, ground.size.records)
    except pytest.skip.Exception as why:
        raise Missing(str(why)) from None
    finally:
        shutil.rmtree(written)


@contextmanager
def workbook(ground: Ground) -> Iterator[Feed]:
    """The rows typed into the template that the hub makes for a department without a system."""
    folder = ground.folder / "workbook"
    home, drop = folder / "bench-department", folder / "drop"
    home.mkdir(parents=True)
    drop.mkdir()
    declare = declared("workbook", {stream: {"options": {"path": "filled.xlsx"}} for stream in STREAMS})
    (home / "source.yml").write_text(yaml.safe_dump(declare, allow_unicode=True), encoding="utf-8")
    [source] = load_sources([home])
    book = openpyxl.load_workbook(io.BytesIO(make(source)))
    for stream in STREAMS:
        sheet = book[stream]
        places = {cell.value: place for place, cell in enumerate(sheet[NAMES], 1)}
        for number, row in enumerate(ground.rows(stream), FIRST):
            for name, value in row.items():
                if value is not None:
                    sheet.cell(number, places[name], str(value))
    book.save(drop / "filled.xlsx")
    yield Feed(declare, drop.as_uri(), ["workbook", str(drop / "filled.xlsx"), *STREAMS], ground.size.records)
    shutil.rmtree(folder)


def _log(file: Path, cases: Iterable[Row], events: Iterable[Row]) -> None:
    """Write cases and their events as an event log (IEEE 1849)."""
    of_case: dict[str, list[Row]] = {}
    for event in events:
        of_case.setdefault(event["PROJID"], []).append(event)
    with file.open("w", encoding="utf-8") as lines:
        lines.write('<?xml version="1.0" encoding="UTF-8"?>\n<log xmlns="http://www.xes-standard.org/">\n')
        for case in cases:
            lines.write(f"<trace>{_attributes(_trace(case))}")
            lines.writelines(f"<event>{_attributes(_event(one))}</event>" for one in of_case[case["PROJID"]])
            lines.write("</trace>\n")
        lines.write("</log>\n")


def _trace(case: Row) -> Row:
    return {
        "concept:name": case["PROJID"], "item:code": case["SERVICECODE"], "item:name": case["SERVICENAME"],
        "case:kind": "2", "channel": "web", "title": case["PROJECTNAME"], "applicant:kind": "person",
        "applicant:name": case["APPLYNAME"], "applicant:idtype": "rid", "applicant:id": case["APPLY_CARDNUMBER"],
        "applicant:phone": case["TELPHONE"], "applicant:address": case["ADDRESS"],
        "time:applied": _instant(case["RECEIVETIME"]), "time:reported": _instant(case["CREATE_TIME"]),
    }  # fmt: skip


def _event(event: Row) -> Row:
    return {
        "concept:name": ACTIVITIES[event["PHASE_CODE"]], "lifecycle:transition": "complete",
        "org:resource": event["NAME"], "org:group": event["HANDER_DEPTNAME"],
        "time:start": _instant(event["START_TIME"]),
        "time:timestamp": _instant(event["END_TIME"]), "time:reported": _instant(event["CREATE_TIME"]),
        "outcome": "pass", "opinion": event["OPINION"],
    }  # fmt: skip


ACTIVITIES = {"ACCEPT": "受理", "UNDERTAKE": "承办", "REVIEW": "审核", "APPROVE": "批准", "COMPLETE": "办结"}


def _instant(text: str) -> str:
    return text.replace(" ", "T") + "+08:00"


def _attributes(values: Row) -> str:
    return "".join(
        f"<{'date' if name.startswith('time:') else 'string'} key={quoteattr(name)} value={quoteattr(value)}/>"
        for name, value in values.items()
    )


@contextmanager
def xes(ground: Ground) -> Iterator[Feed]:
    """The cases as traces, with the mapping of the demonstration's workflow engine."""
    folder = ground.folder / "xes"
    folder.mkdir()
    _log(folder / "log.xes", ground.rows("PRE_APASINFO"), ground.rows("PRE_NODE"))
    engine = ROOT / "demo" / "sources" / "event-log"
    said = [engine / "mapping.yml", *engine.glob("*.schema.json"), *engine.glob("codes/*.csv")]
    streams = {
        name: {"options": {"level": level, "path": "log.xes"}}
        for name, level in (("traces", "trace"), ("events", "event"))
    }
    yield Feed(
        declared("xes", streams, mapping="mapping.yml"), folder.as_uri(), ["xml", str(folder / "log.xes"), "event"],
        ground.size.records, {file.relative_to(engine).as_posix(): file.read_text(encoding="utf-8") for file in said},
    )  # fmt: skip
    shutil.rmtree(folder)


KINDS = (
    Kind("csv", "files: CSV", of_format("csv", _csv, "csv", format="csv", encoding="utf-8")),
    Kind("jsonl", "files: JSON lines", of_format("jsonl", _jsonl, "jsonl", format="jsonl")),
    Kind("xlsx", "files: Excel", of_format("xlsx", _xlsx, "xlsx", format="xlsx")),
    Kind("xml", "files: XML", of_format("xml", _xml, "xml", format="xml", record="record")),
    Kind("sftp", "files: JSON lines by SFTP", sftp),
    Kind("debezium", "files: Debezium's change events", debezium),
    Kind("workbook", "workbook", workbook),
    Kind("xes", "xes", xes),
)
