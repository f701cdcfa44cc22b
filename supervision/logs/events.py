"""What happened in cases, as one stream of events in order: what a process-mining tool reads.

Handlers are pseudonyms under a key of the hub's, with the masked name beside them; applicants, opinions and reasons are
in no log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa

from hub.protect import Protector

AT_ONCE: Final = 5_000
"""Rows that are fetched at once: what a log of any length takes in memory."""

NAMES: Final = {
    "apply": ("申请", "apply"), "accepted": ("受理决定", "acceptance decided"),
    "not_accepted": ("不予受理", "not accepted"), "supplement_required": ("要求补正", "supplement required"),
    "accept": ("受理", "accept"), "undertake": ("承办", "undertake"), "review": ("审核", "review"),
    "approve": ("批准", "approve"), "complete": ("办结", "complete"), "other": ("其他环节", "other step"),
    "suspend": ("特别程序开始", "suspend"), "resume": ("特别程序结束", "resume"),
    "ask_papers": ("补正告知", "papers asked for"), "papers_came": ("补正收到", "papers came"),
    "decide": ("作出决定", "decide"), "issue": ("制发证照", "issue"), "deliver": ("送达", "deliver"),
    "card": ("发出监察牌", "card sent"), "card_ended": ("监察牌了结", "card ended"),
}  # fmt: skip
"""Every activity of a log, in Chinese and English; the first five stages are those of e-supervision."""

_EVENTS = """
SELECT s.case_id, 'apply' AS activity, o.applied_at AS at, NULL::timestamptz AS began, TRUE AS done, 0 AS rank,
    s.case_id AS record_id, 0::smallint AS part, NULL::text AS detail, NULL::bytea AS handler,
    NULL::text AS handler_mask, NULL::text AS post, NULL::text AS node, a.applied_at_precision AS precision
FROM log_scope AS s JOIN core.case_overview AS o USING (case_id)
JOIN core.approval_case AS a ON a.record_id = s.case_id
UNION ALL SELECT case_id, outcome, accepted_at, NULL, TRUE, 3, record_id, part, NULL, handler_hash, handler_mask, NULL,
    NULL, accepted_at_precision
FROM log_scope JOIN core.acceptance USING (case_id)
UNION ALL SELECT case_id, stage, coalesce(finished_at, started_at),
    CASE WHEN finished_at IS NOT NULL THEN started_at END, finished_at IS NOT NULL,
    2 * array_position(ARRAY['accept', 'undertake', 'review', 'approve', 'complete', 'other'], stage),
    record_id, part, outcome, handler_hash, handler_mask, handler_post, local_node,
    CASE WHEN finished_at IS NOT NULL THEN finished_at_precision ELSE started_at_precision END
FROM log_scope JOIN core.stage_event USING (case_id)
UNION ALL SELECT case_id, 'suspend', started_at, NULL, TRUE, 20, record_id, part, suspension_kind, NULL, NULL, NULL,
    NULL, started_at_precision FROM log_scope JOIN core.suspension USING (case_id)
UNION ALL SELECT case_id, 'resume', ended_at, NULL, TRUE, 21, record_id, part, suspension_kind, NULL, NULL, NULL,
    NULL, ended_at_precision FROM log_scope JOIN core.suspension USING (case_id)
UNION ALL SELECT case_id, 'ask_papers', told_at, NULL, TRUE, 22, record_id, part, NULL, handler_hash, handler_mask,
    NULL, NULL, told_at_precision FROM log_scope JOIN core.supplement USING (case_id)
UNION ALL SELECT case_id, 'papers_came', received_at, NULL, TRUE, 23, record_id, part, NULL, NULL, NULL, NULL, NULL,
    received_at_precision FROM log_scope JOIN core.supplement USING (case_id)
UNION ALL SELECT s.case_id, 'decide', d.decided_at, NULL, TRUE, 24, d.record_id, d.part, d.outcome, d.handler_hash,
    d.handler_mask, NULL, NULL, d.decided_at_precision
FROM log_scope AS s JOIN core.approval_case AS a ON a.record_id = s.case_id
JOIN core.decision AS d ON d.source_system_id = a.source_system_id AND d.case_number = a.case_number
UNION ALL SELECT s.case_id, 'issue', c.issued_at, NULL, TRUE, 25, c.record_id, c.part, c.credential_type, NULL, NULL,
    NULL, NULL, c.issued_at_precision
FROM log_scope AS s JOIN core.approval_case AS a ON a.record_id = s.case_id
JOIN core.credential AS c ON c.source_system_id = a.source_system_id AND c.case_number = a.case_number
UNION ALL SELECT case_id, 'deliver', delivered_at, NULL, TRUE, 26, record_id, part, way, NULL, NULL, NULL, NULL,
    delivered_at_precision FROM log_scope JOIN core.delivery USING (case_id)
UNION ALL SELECT case_id, 'card', sent_at, NULL, TRUE, 27, card_id, 0::smallint, level, NULL, NULL, NULL, stage, NULL
FROM log_scope JOIN supervision.card USING (case_id) WHERE sent_at IS NOT NULL
UNION ALL SELECT case_id, 'card_ended', ended_at, NULL, TRUE, 28, card_id, 0::smallint, state, NULL, NULL, NULL, stage,
    NULL FROM log_scope JOIN supervision.card USING (case_id) WHERE sent_at IS NOT NULL AND ended_at IS NOT NULL
"""
_ORDERED = f"""SELECT e.*, a.item_code, a.handling_organ FROM ({_EVENTS}) AS e
    JOIN core.approval_case AS a ON a.record_id = e.case_id
    WHERE e.at IS NOT NULL ORDER BY e.case_id, e.at, e.rank, e.record_id, e.part"""
_TIMELESS = f"""SELECT activity, count(*) FROM ({_EVENTS}) AS e WHERE at IS NULL AND activity NOT IN
    ('resume', 'papers_came', 'apply') GROUP BY 1 ORDER BY 1"""
_CASES = """
SELECT a.record_id AS case_id, ss.code AS source, a.case_number, a.item_code, a.item_name, a.handling_organ AS organ,
    a.region, a.case_kind AS kind, a.channel, o.state, o.closing_outcome AS outcome, c.verdict, c.due_at, c.used_days,
    c.paused_days
FROM log_scope AS s JOIN core.approval_case AS a ON a.record_id = s.case_id
JOIN core.case_overview AS o ON o.case_id = s.case_id
JOIN core.source_system AS ss USING (source_system_id)
LEFT JOIN supervision.clock AS c ON c.case_id = s.case_id ORDER BY a.record_id
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a case. `began` is there where it took time; `done` is False for a stage that is under way."""

    case_id: int
    activity: str
    at: datetime
    began: datetime | None
    done: bool
    rank: int
    record_id: int
    part: int
    detail: str | None
    handler: bytes | None
    handler_mask: str | None
    post: str | None
    node: str | None
    precision: str | None
    """`d` where only the day is known: the time of day then says nothing."""
    item: str | None
    organ: str | None

    @property
    def number(self) -> str:
        """Return the event's own name within the hub: its record and what of it."""
        return f"{self.record_id}-{self.part}-{self.activity}"


class Log:
    """The events and cases of `log_scope`, read in one snapshot, some rows at a time."""

    def __init__(self, connection: sa.Connection, protector: Protector) -> None:
        self._connection = connection
        self.pseudonym = lru_cache(maxsize=65_536)(lambda hashed: pseudonym(protector, hashed))

    def events(self) -> Iterator[Event]:
        """Yield every event that has a time, by case and time."""
        for row in self._rows(_ORDERED):
            yield Event(*row)

    def cases(self) -> Iterator[dict[str, Any]]:
        """Yield every case, by its number in the hub."""
        names = ("case_id", "source", "case_number", "item", "item_name", "organ", "region", "kind", "channel", "state",
                 "outcome", "verdict", "due_at", "used_days", "paused_days")  # fmt: skip
        for row in self._rows(_CASES):
            yield dict(zip(names, row, strict=True))

    def timeless(self) -> dict[str, int]:
        """Count the events that have no time, by activity; they stand in no log."""
        return {str(name): int(count) for name, count in self._connection.exec_driver_sql(_TIMELESS)}

    def distinct(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of another query over `log_scope`."""
        yield from self._rows(query)

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        raw: Any = self._connection.connection.driver_connection
        name = f"log_{abs(hash(query))}"
        with raw.cursor(name=name) as cursor:
            cursor.itersize = AT_ONCE
            cursor.execute(query)
            yield from cursor


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection that sees one state of the repository throughout."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        yield connection


def pseudonym(protector: Protector, hashed: bytes) -> str:
    """Make a handler's name in a log: keyed once more, so that what finds a person in the hub never leaves it."""
    return "h-" + protector.content_hash(b"handler in a log:" + bytes(hashed)).hex()[:16]
