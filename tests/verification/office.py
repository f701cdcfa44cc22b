"""A department that issues licences: a real table, a source folder that lets it be asked live, a hub that pulls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from connectors.loading import load_sources
from connectors.source import Source
from pipeline.pulls.exchange import exchange
from pipeline.runtime import Runtime
from tests.connectors.conftest import Department
from tests.verification.registry import FIRM, FIRM_NAME, ISSUER, LICENCE

CODE, STREAM = "market", "S"  # the feed of `Registry.behind`
FIELDS = ("ID", "CERT_NO", "CERT_TYPE", "HOLDER", "HOLDER_NO", "FROM_DAY", "TO_DAY", "STATE", "CHANGED")
GOOD = {
    "ID": "L-1", "CERT_NO": "JY-001", "CERT_TYPE": LICENCE, "HOLDER": FIRM_NAME, "HOLDER_NO": FIRM,
    "FROM_DAY": "2025-01-01", "TO_DAY": "2035-12-31", "STATE": "1", "CHANGED": "2026-03-02 09:00:00",
}  # fmt: skip
LOOK_UP = {"credential": "CERT_NO", "holder": "HOLDER_NO"}
_COLUMNS = {
    "issuer": {"source": "organ"}, "credential_type": "CERT_TYPE", "number": "CERT_NO", "holder_name": "HOLDER",
    "holder_number": "HOLDER_NO", "valid_from": "FROM_DAY", "valid_to": "TO_DAY",
    "status": {"from": "STATE", "codes": "state"},
}  # fmt: skip


class Office:
    """The department: `put` writes a row as it would, `pull` has the hub pull it."""

    def __init__(
        self, sources: Path, database: Department, runtime: Runtime, *, code: str = CODE, organ: str = ISSUER
    ) -> None:
        self.folder, self.database, self.runtime = sources / code, database, runtime
        self.code, self.organ = code, organ
        self.folder.mkdir(parents=True)
        columns = ", ".join(f'"{name}" varchar(200)' for name in FIELDS)
        self._run(f'CREATE TABLE licence ({columns}, PRIMARY KEY ("ID"))')
        self._run('CREATE INDEX licence_number ON licence ("CERT_NO")')
        self._run('CREATE INDEX licence_holder ON licence ("HOLDER_NO")')
        properties = {name: {"type": ["string", "null"], "maxLength": 200} for name in FIELDS}
        schema = {"type": "object", "properties": properties, "required": ["ID"]}
        (self.folder / "licence.schema.json").write_text(json.dumps(schema), encoding="utf-8")
        (self.folder / "codes").mkdir()
        (self.folder / "codes" / "state.csv").write_text(
            "code,value,label_zh\n1,valid,有效\n2,revoked,吊销\n", encoding="utf-8"
        )
        self.mapping(key=["ID"])
        self.declare()

    def mapping(self, **over: Any) -> None:
        stream = {
            "schema": "licence.schema.json", "order": {"time": "CHANGED"}, "reported_at": "CHANGED",
            "yields": [{"table": "credential", "columns": _COLUMNS}], **over,
        }  # fmt: skip
        self._write("mapping.yml", {"version": 1, "streams": {STREAM: stream}})

    def declare(self, **over: Any) -> None:
        options = {"table": "licence", **self.database.options}
        stream = {
            "options": options, "cursor": {"field": "CHANGED"}, "look_up": LOOK_UP,
            **over.pop("stream", {}),
        }  # fmt: skip
        stream = {name: said for name, said in stream.items() if said is not None}
        self._write("source.yml", {
            "version": 1, "code": self.code, "title": {"zh": "证照库"}, "legal_basis": "a test", "organ": self.organ,
            "owner": {"organ": self.organ, "name": "市场监管局", "contact": "office 0571-0000"}, "kind": "database",
            "mapping": "mapping.yml", "connection": self.code, "streams": {STREAM: stream}, **over,
        })  # fmt: skip

    def put(self, **over: Any) -> None:
        """Write a row, in the place of one of the same key."""
        row = {name: value.replace("'", "''") for name, value in {**GOOD, **over}.items()}
        self._run(f"""DELETE FROM licence WHERE "ID" = '{row["ID"]}'""")
        names, values = ", ".join(f'"{name}"' for name in row), ", ".join(f"'{value}'" for value in row.values())
        self._run(f"INSERT INTO licence ({names}) VALUES ({values})")

    def slow(self) -> None:
        """Put a view in the place of the table that takes ten seconds."""
        self.put()
        self._run("ALTER TABLE licence RENAME TO licence_kept")
        sleeping = "sleep(10) = 0" if self.database.backend == "mysql" else "(SELECT pg_sleep(10)) IS NOT NULL"
        self._run(f"CREATE VIEW licence AS SELECT * FROM licence_kept WHERE {sleeping}")

    def source(self) -> Source:
        (found,) = load_sources([self.folder])
        return found

    def pull(self, **more: Any) -> dict[str, Any]:
        """Pull, and return the counts."""
        report = exchange(self.source(), runtime=self.runtime, connections=lambda _: self.database.url, **more)
        assert report.balanced
        (told,) = report.as_dict()["streams"]
        return dict(told)

    def _run(self, statement: str) -> None:
        self.database.run(statement.replace('"', "`") if self.database.backend == "mysql" else statement)

    def _write(self, name: str, said: Any) -> None:
        (self.folder / name).write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
