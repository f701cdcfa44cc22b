"""Loads rows that are ready, from the files that `bench.ready` wrote, with nothing but COPY and SQL.

`merge`: each slice in one transaction, by COPY into staging tables and one `INSERT … SELECT … ORDER BY … ON CONFLICT`
a table, into the production tables with all their constraints and indexes. `copy`: the same files by COPY straight
into the tables, which have no index and no constraint then.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import psycopg2


def main() -> None:
    """Load all slices in the way that was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--way", choices=("merge", "copy"), required=True)
    for name in ("url", "ready"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    folder = Path(options.ready)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    connection = psycopg2.connect(options.url)
    started = time.perf_counter()
    slices: list[float] = []
    for number in manifest["slices"]:
        with connection, connection.cursor() as cursor:
            for table in manifest["tables"]:
                file = folder / f"{number}.{table['name']}"
                if file.exists():
                    (_merge if options.way == "merge" else _copy)(cursor, table, file)
        slices.append(time.perf_counter() - started)
    print(json.dumps({"work": time.perf_counter() - started, "slices": slices}))


def _merge(cursor: Any, table: dict[str, Any], file: Path) -> None:
    name, columns, key = table["name"], ", ".join(table["columns"]), ", ".join(table["key"])
    stage = "stage_" + name.replace(".", "_")
    cursor.execute(f"CREATE TEMP TABLE IF NOT EXISTS {stage} (LIKE {name} INCLUDING DEFAULTS) ON COMMIT DELETE ROWS")
    _copy(cursor, {**table, "name": stage}, file)
    updates = ", ".join(f"{one} = excluded.{one}" for one in table["columns"] if one not in table["key"])
    cursor.execute(
        f"INSERT INTO {name} AS t ({columns}) SELECT {columns} FROM {stage} ORDER BY {key}"
        f" ON CONFLICT ({key}) DO UPDATE SET {updates}"
    )


def _copy(cursor: Any, table: dict[str, Any], file: Path) -> None:
    with file.open("rb") as rows:
        cursor.copy_expert(f"COPY {table['name']} ({', '.join(table['columns'])}) FROM STDIN", rows, size=1 << 20)


if __name__ == "__main__":
    main()
