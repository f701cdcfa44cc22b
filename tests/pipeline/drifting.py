"""Small systems of unlike kinds whose records change their shape, for tests of a stream's contract."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import yaml

from connectors.loading import load_sources
from connectors.source import Source
from kit.suite.loopback import Quiet, serving

ORGAN = "11330000002482285J"
FIELDS = ("number", "item", "version", "changed_at")
TEXT, NUMBER = ["string", "null"], ["integer", "null"]


def row(number: int, **over: Any) -> dict[str, Any]:
    """A record as it was agreed upon; a field that is `...` is left out."""
    said = {
        "number": f"C{number}",
        "item": "许可",
        "version": 7,
        "changed_at": f"2026-03-{number:02d} 09:00:00",
        **over,
    }
    return {name: value for name, value in said.items() if value is not ...}


class System:
    """One system; `deliver` hands over further records, `url` is where it is read."""

    kind = ""
    url = ""
    options: dict[str, Any] = {}  # noqa: RUF012  # each kind states its own
    version: list[str] = NUMBER

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.schema: dict[str, Any] = {name: {"type": TEXT} for name in FIELDS} | {"version": {"type": self.version}}
        self.schema["number"] = {"type": "string", "minLength": 1}

    def deliver(self, records: list[dict[str, Any]]) -> None:
        """Hand over further records."""
        raise NotImplementedError

    def source(self, contract: Any, **over: Any) -> Source:
        """Write the source folder and load it."""
        home = self.folder / "sources" / "drifting"
        home.mkdir(parents=True, exist_ok=True)
        stream = {"options": self.options, "contract": contract, **over}
        if self.kind in ("database", "rest"):
            stream["cursor"] = {"field": "changed_at"}
        (home / "source.yml").write_text(
            yaml.safe_dump(
                {
                    "version": 2, "code": "drifting", "title": {"zh": "测试"},
                    "owner": {"organ": ORGAN, "name": "测试", "contact": "office"}, "legal_basis": "a test",
                    "organ": ORGAN, "kind": self.kind, "mapping": "mapping.yml", "connection": "drifting",
                    "streams": {"cases": stream},
                },
                allow_unicode=True,
            ),
            encoding="utf-8",
        )  # fmt: skip
        schema = {"type": "object", "required": ["number"], "properties": self.schema}
        (home / "cases.schema.json").write_text(json.dumps(schema), encoding="utf-8")
        more = sorted(set(self.schema) - set(FIELDS))
        columns = {"reporting_organ": {"source": "organ"}, "handling_organ": {"source": "organ"}, "item_name": "item"}
        columns |= {"item_version_said": "version"} if "version" in self.schema else {}
        mapping = {
            "schema": "cases.schema.json", "key": ["number"], "case": "number", "reported_at": "changed_at",
            "yields": [{"table": "approval_case", "columns": columns}],
            "ignore": dict.fromkeys(more, "of no use to the hub"),
        }  # fmt: skip
        (home / "mapping.yml").write_text(
            yaml.safe_dump({"version": 1, "streams": {"cases": mapping}}, allow_unicode=True), encoding="utf-8"
        )
        return load_sources([home])[0]


class Tables(System):
    """A table of PostgreSQL."""

    kind, options = "database", {"table": "cases"}

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self.url = url
        self.run("DROP TABLE IF EXISTS cases")
        self.run("CREATE TABLE cases (number text PRIMARY KEY, item text, version integer, changed_at text)")

    def run(self, statement: str, *values: Any) -> None:
        with closing(psycopg2.connect(self.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement, values)

    def deliver(self, records: list[dict[str, Any]]) -> None:
        present = {name for record in records for name in record}
        for name in present - set(FIELDS):
            self.run(f"ALTER TABLE cases ADD COLUMN {name} text")
        for name in set(FIELDS) - present:
            self.run(f"ALTER TABLE cases DROP COLUMN {name}")
        if any(isinstance(record.get("version"), str) for record in records):
            self.run("ALTER TABLE cases ALTER COLUMN version TYPE text")
        for record in records:
            marks = ", ".join(["%s"] * len(record))
            self.run(f"INSERT INTO cases ({', '.join(record)}) VALUES ({marks})", *record.values())


class Sheets(System):
    """CSV files with a header."""

    kind, options, version = "files", {"path": "*.csv", "format": "csv"}, TEXT

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "drop").mkdir()
        self.url = str(folder / "drop")

    def deliver(self, records: list[dict[str, Any]]) -> None:
        names = list(dict.fromkeys(name for record in records for name in record))
        file = Path(self.url) / f"{len(list(Path(self.url).iterdir())):03d}.csv"
        with file.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, names)
            writer.writeheader()
            writer.writerows(records)


class Lines(Sheets):
    """Files of JSON lines."""

    options, version = {"path": "*.jsonl", "format": "jsonl"}, NUMBER

    def deliver(self, records: list[dict[str, Any]]) -> None:
        file = Path(self.url) / f"{len(list(Path(self.url).iterdir())):03d}.jsonl"
        file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


class Service(System):
    """A service that gives JSON."""

    kind = "rest"
    options = {"path": "cases", "records": "/data", "since": {"param": "since"}, "auth": {"style": "none"}}  # noqa: RUF012  # a constant of the kind

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.records: list[dict[str, Any]] = []

    def handler(self, own: str) -> type[Quiet]:
        """Return what answers at `own`."""
        system = self
        system.url = f"http://{own}"

        class Handler(Quiet):
            def do_GET(self) -> None:
                since = self.path.partition("since=")[2].replace("%20", " ").replace("+", " ").replace("%3A", ":")
                found = [one for one in system.records if not since or one["changed_at"] > since]
                self.say(200, {"Content-Type": "application/json"}, json.dumps({"data": found}).encode())

        return Handler

    def deliver(self, records: list[dict[str, Any]]) -> None:
        self.records += records


def made(kind: str, folder: Path, database: str) -> Iterator[System]:
    """Make the system of one kind, and take it down at the end."""
    if kind == "rest":
        service = Service(folder)
        with serving(service.handler):
            yield service
    else:
        yield {"csv": Sheets, "jsonl": Lines}[kind](folder) if kind != "database" else Tables(folder, database)
