"""The store behind a department's service: one row a record, under its endpoint, in the order of the last change."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType

from demo.shapes.record import Entry, Values

STORE = "service.sqlite"
"""The store's name in the department's folder."""

_EPOCH = datetime(1970, 1, 1) + timedelta(hours=8)  # noqa: DTZ001  # the epoch on the departments' clocks


def milliseconds(moment: datetime | None) -> int | None:
    """Return an instant of the departments' clocks in epoch milliseconds."""
    return None if moment is None else round((moment - _EPOCH).total_seconds() * 1000)


class RecordStore:
    """The records of a service; one of the same id is replaced. `more` are fields that a new release added."""

    def __init__(self, file: Path, *, fresh: bool, more: Mapping[str, Values] | None = None) -> None:
        self._file, self._fresh, self._more = file, fresh, more or {}
        self._rows: list[tuple[str, str, int | None, str]] = []
        self._serial = 0

    def __enter__(self) -> RecordStore:
        if self._fresh:
            self._file.unlink(missing_ok=True)
        self._connection = sqlite3.connect(self._file, timeout=30)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS record (endpoint TEXT, id TEXT, updated_at INTEGER, body TEXT,"
            " PRIMARY KEY (endpoint, updated_at, id)) WITHOUT ROWID"
        )
        self._connection.execute("CREATE INDEX IF NOT EXISTS record_id ON record (endpoint, id)")
        return self

    def put(self, entry: Entry, values: Values) -> None:
        """Keep one record."""
        self._serial += 1
        key = entry.key or f"?{self._serial}"
        if not self._fresh:
            self._connection.execute("DELETE FROM record WHERE endpoint = ? AND id = ?", (entry.stream, key))
        whole = {**values, **self._more.get(entry.stream, {})}
        body = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
        self._rows.append((entry.stream, key, milliseconds(entry.at), body))
        if len(self._rows) >= 5_000:
            self._flush()

    def _flush(self) -> None:
        self._connection.executemany("INSERT INTO record VALUES (?, ?, ?, ?)", self._rows)
        self._rows.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
                self._connection.commit()
        finally:
            self._connection.close()


def read_page(store: Path, endpoint: str, after: int, page: int, size: int) -> tuple[int, list[str]]:
    """Return how many records changed after an instant, and the JSON of those on a page, oldest change first."""
    if not store.is_file():
        return 0, []
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=30)) as connection:
        asked = (endpoint, after)
        row = connection.execute("SELECT count(*) FROM record WHERE endpoint = ? AND updated_at > ?", asked).fetchone()
        found = connection.execute(
            "SELECT body FROM record WHERE endpoint = ? AND updated_at > ? ORDER BY updated_at, id LIMIT ? OFFSET ?",
            (*asked, size, (page - 1) * size),
        )
        return int(row[0]), [body for (body,) in found]
