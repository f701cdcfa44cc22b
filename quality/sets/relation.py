"""The rows that a suite looks at: one SQL file a canonical document, with its facts as columns.

Each file selects `organ`, `stream_id` and facts from the rows of `:streams` (of one batch, where `:batch` is given);
`:zone` is the source's time zone, `:as_of` the instant up to which the set is judged, `:nothing` the words
that say nothing, `:five_stages` the source systems whose mapping tells the five stages. A fact is NULL where its
question does not apply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

_FOLDER = Path(__file__).with_name("relations")
SUITES = Path(__file__).resolve().parents[2] / "validation" / "suites"
ROWS = "set_rows"
_MEMORY = "64MB"
_NOTHING = (
    *("无", "暂无", "没有", "无此项", "不详", "不明", "未知", "未填", "待定", "待补", "待补充", "空", "略", "测试"),
    *("null", "NULL", "Null", "none", "None", "NONE", "nil", "n/a", "N/A", "na", "NA", "test", "TEST", "Test"),
    *("-", "--", "---", "—", "——", "－", "/", "//", ".", "..", "...", "。", "*", "**", "***", "?", "??", "？"),
)
"""What people type where a text must stand. A single 无 may be honest; in a large share of a set it is a habit."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows are judged, and as they stood when: streams of one time zone, all of their rows or one batch's."""

    streams: Sequence[int]
    zone: str
    as_of: datetime
    five_stages: Sequence[int] = ()
    batch: int | None = None

    def bound(self) -> Mapping[str, Any]:
        """Return the scope as the names that relations bind."""
        return {
            "streams": list(self.streams),
            "zone": self.zone,
            "as_of": self.as_of,
            "five_stages": list(self.five_stages),
            "batch": self.batch,
            "nothing": list(_NOTHING),
        }


@cache
def relations() -> Mapping[str, str]:
    """Return the SQL of every relation by the name of its document."""
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(_FOLDER.glob("*.sql"))}


def suite_names(folder: Path = SUITES) -> list[str]:
    """Return the names of all suites: each is that of its file and of its canonical document."""
    return sorted(file.stem for file in folder.glob("*.json"))


@contextmanager
def laid_out(connection: sa.Connection, document: str, scope: Scope) -> Iterator[int]:
    """Lay the rows of a document out in the temporary table `ROWS` while the body runs; gives their number.

    The tables of the repository are read once, however many expectations there are, and nothing of this is kept.
    """
    with connection.begin() as transaction:
        limits = "SELECT set_config('work_mem', :memory, TRUE), set_config('hash_mem_multiplier', '4', TRUE)"
        connection.execute(sa.text(limits), {"memory": _MEMORY})
        made = sa.text(f"CREATE TEMPORARY TABLE {ROWS} ON COMMIT DROP AS {relations()[document]}")
        found = connection.execute(made, scope.bound()).rowcount
        connection.execute(sa.text(f"ANALYZE {ROWS}"))
        yield found
        transaction.rollback()
