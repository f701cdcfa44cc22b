"""Takes the ready rows out of a repository that the hub filled: one file a slice and table, as COPY reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.server import Server

GIVEN = ("core.source_system", "ledger.stream")
"""Rows that name the source: they stand before the first slice, in the hub as by hand."""
BESIDE = ("ledger.key_fingerprint",)
"""Written once when the hub opens, not slice by slice."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The ready rows on disk."""

    folder: Path
    given: str
    rows: dict[str, int]


def dump(server: Server, database: str, folder: Path) -> Ready:
    """Write the rows of every table that the hub wrote, a slice a batch that brought anything new, and the manifest."""
    folder.mkdir()
    with server.connect(database) as cursor:
        tables = [_table(cursor, name) for name in _written(cursor)]
        cursor.execute("SELECT batch_id FROM ledger.batch WHERE new > 0 ORDER BY seq")
        slices = [row[0] for row in cursor.fetchall()]
        rows: dict[str, int] = {}
        for table in tables:
            if "batch_id" in table["columns"]:
                cursor.execute(f"CREATE INDEX ON {table['name']} (batch_id)")
        for number in slices:
            for table in tables:
                rows[table["name"]] = rows.get(table["name"], 0) + _dump(cursor, table, number, folder)
        given = _given(cursor)
    manifest = {"slices": slices, "tables": tables}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return Ready(folder, given, rows)


def _written(cursor: Any) -> list[str]:
    """Return the tables that hold rows, parents first."""
    cursor.execute(
        """SELECT format('%I.%I', n.nspname, c.relname)
           FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
           WHERE relkind = 'r' AND nspname IN ('core', 'core_history', 'ledger', 'quality')
           ORDER BY c.relname <> 'batch', c.relname <> 'source_record', c.relname <> 'approval_case', 1"""
    )
    found = []
    for (name,) in cursor.fetchall():
        cursor.execute(f"SELECT EXISTS (SELECT FROM {name})")
        if cursor.fetchone()[0] and name not in (*GIVEN, *BESIDE):
            found.append(name)
    return found


def _table(cursor: Any, name: str) -> dict[str, Any]:
    cursor.execute(
        """SELECT quote_ident(a.attname), a.attnum = ANY(i.indkey) FROM pg_attribute AS a
           JOIN pg_index AS i ON i.indrelid = a.attrelid AND i.indisprimary
           WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum""",
        (name,),
    )
    columns = cursor.fetchall()
    return {"name": name, "columns": [one for one, _ in columns], "key": [one for one, is_key in columns if is_key]}


def _dump(cursor: Any, table: dict[str, Any], number: int, folder: Path) -> int:
    name = table["name"]
    if "batch_id" in table["columns"]:
        rows = f"SELECT {', '.join(table['columns'])} FROM {name} WHERE batch_id = {number}"
    else:  # the overview of a case goes with the slice that brought the case
        listed = ", ".join(f"t.{one}" for one in table["columns"])
        rows = f"SELECT {listed} FROM {name} AS t JOIN core.approval_case AS c ON c.record_id = t.case_id"
        rows += f" WHERE c.batch_id = {number}"
    file = folder / f"{number}.{name}"
    with file.open("wb") as out:
        cursor.copy_expert(f"COPY ({rows} ORDER BY {', '.join(table['key'])}) TO STDOUT", out)
    written = int(cursor.rowcount)
    if not written:
        file.unlink()
    return written


def _given(cursor: Any) -> str:
    """Return the statements that write the rows which name the source."""
    statements = []
    for name in GIVEN:
        cursor.execute(
            f"SELECT format('INSERT INTO {name} OVERRIDING SYSTEM VALUE SELECT *"
            f" FROM json_populate_record(NULL::{name}, %L)', row_to_json(t)) FROM {name} AS t"
        )
        statements += [row[0] for row in cursor.fetchall()]
    return ";\n".join(statements)
