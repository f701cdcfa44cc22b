"""Issues as people and programs read them; the deeds on them stand in `deeds`, the hub's own steps in `refreshing`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from hub.findings import RULES
from quality.issues.deeds import accept, acknowledge, assign, note, send_to_department, snooze
from quality.issues.errors import DeedDoesNotFit, NoSuchIssue
from quality.issues.escalating import Step, bulletin, escalate, silence
from quality.issues.faults import FeedFault
from quality.issues.feeds import look
from quality.issues.refreshing import Refreshed, refresh

__all__ = [
    "DeedDoesNotFit", "Event", "FeedFault", "Issue", "NoSuchIssue", "Refreshed", "Sample", "Step", "accept",
    "acknowledge", "assign", "bulletin", "escalate", "events", "found", "listed", "look", "masked", "note", "refresh",
    "samples", "send_to_department", "silence", "snooze",
]  # fmt: skip


SHORT = 6
"""Keys of at most so many characters are shown whole: no number of a person is so short."""


@dataclass(frozen=True, slots=True)
class Issue:
    """问题单: one fault of one organ's stream with its life; `records` of `of_records` show it.

    `organ` is empty where neither record nor source names one, source and stream where supervision found it; `level` is
    how far silence has climbed (0 nobody, 1 the contact, 2 the division head, 3 the leader in charge, 4 the monthly
    bulletin). `due_provisional` says that the working-day calendar does not reach the due date yet. `accepted_records`
    is how many are borne.
    """

    code: str
    organ: str
    source: str
    stream: str
    rule: str
    field: str
    status: str
    severity: str
    dimension: str
    records: int
    of_records: int
    first_seen: datetime
    last_seen: datetime
    owner: str
    assignee: str | None
    due_on: date | None
    due_provisional: bool
    snoozed_until: date | None
    reason: str | None
    accepted_records: int | None
    level: int
    alerted_at: datetime | None
    closed_at: datetime | None

    @property
    def rate(self) -> float | None:
        """Return the share of the organ's records that show it; None where there are none to show it."""
        return min(self.records / self.of_records, 1.0) if self.of_records else None

    @property
    def page(self) -> str:
        """Return where the rule is explained, below docs/."""
        return f"steward/rules/{self.rule}.md"

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs, with its rate, the rule's words and the page that explains it."""
        rule = RULES.get(self.rule)
        words = {name: getattr(rule, name, "") for name in ("title", "title_zh", "hint", "hint_zh")}
        return {**asdict(self), "rate": self.rate, **words, "page": self.page}


@dataclass(frozen=True, slots=True)
class Event:
    """One step in the life of an issue."""

    at: datetime
    actor: str
    what: str
    reason: str | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """One place that shows an issue: keys are masked; `entry` is the record's number in quarantine."""

    finding: int | None
    entry: int | None
    key: str | None
    case: str | None
    unit: str | None
    row: int | None
    pointer: str | None
    shown: str | None
    since: datetime | None
    detail: Mapping[str, Any]


_ISSUE = """
SELECT i.code, i.organ, coalesce(ss.code, '') AS source, coalesce(s.name, '') AS stream, i.rule, i.field, i.status,
    i.severity, i.records, i.of_records, i.first_seen, i.last_seen, i.owner, i.assignee, i.due_on, i.due_provisional,
    i.snoozed_until, i.reason, i.accepted_records, i.level, i.alerted_at, i.closed_at
FROM quality.issue AS i
LEFT JOIN ledger.stream AS s USING (stream_id) LEFT JOIN core.source_system AS ss USING (source_system_id)
"""

_LISTED = f"""{_ISSUE}
WHERE (CAST(:organ AS text) IS NULL OR i.organ = :organ) AND (CAST(:source AS text) IS NULL OR ss.code = :source)
  AND (CAST(:rule AS text) IS NULL OR i.rule = :rule) AND (CAST(:status AS text) IS NULL OR i.status = :status)
  AND (i.closed_at IS NULL OR :closed)
ORDER BY i.closed_at IS NOT NULL, array_position(ARRAY['high', 'medium', 'low'], i.severity), i.due_on, i.code
"""

_SAMPLES = """
SELECT f.finding_id AS finding, w.waiting_id AS entry, r.source_key AS key,
    coalesce(c.case_number, w.case_number) AS case, f.unit, f.row, f.pointer, f.shown, b.recorded_at AS since, f.detail
FROM quality.finding AS f
JOIN quality.issue AS i ON i.stream_id = f.stream_id AND i.rule = f.rule AND i.field = coalesce(f.field, '')
JOIN ledger.stream AS s ON s.stream_id = f.stream_id
JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
LEFT JOIN ledger.source_record AS r ON r.record_id = f.record_id
LEFT JOIN quality.record_organ AS o ON o.record_id = f.record_id
LEFT JOIN core.approval_case AS c ON c.record_id = coalesce(f.case_id, f.record_id)
LEFT JOIN ledger.batch AS b ON b.batch_id = f.batch_id
LEFT JOIN LATERAL (SELECT waiting_id, case_number FROM ledger.waiting
                   WHERE record_id = f.record_id AND kind = 'quarantined' AND status = 'open' LIMIT 1) AS w ON TRUE
WHERE i.code = :code AND f.state = 'open' AND coalesce(o.organ, ss.organ, '') = i.organ
ORDER BY f.finding_id DESC LIMIT :limit
"""

_SET_SAMPLES = """
SELECT NULL AS finding, NULL AS entry, NULL AS key, NULL AS case, r.suite AS unit, NULL AS row,
    r.expectation AS pointer, r.unexpected || ' / ' || r.elements AS shown, r.at AS since, r.detail
FROM quality.set_result AS r JOIN quality.issue AS i USING (organ, stream_id, rule, field)
WHERE i.code = :code AND r.latest AND NOT r.success ORDER BY r.result_id LIMIT :limit
"""

_HANDED_SAMPLES = """
SELECT NULL AS finding, NULL AS entry, NULL AS key, p.place ->> 'case' AS case, p.place ->> 'what' AS unit, NULL AS row,
    NULL AS pointer, NULL AS shown, (p.place ->> 'since')::timestamptz AS since, p.place - '{case,what,since}'::text[]
    AS detail
FROM quality.handed_fault AS h JOIN quality.issue AS i USING (organ, rule)
CROSS JOIN LATERAL jsonb_array_elements(h.places) WITH ORDINALITY AS p (place, rank)
WHERE i.code = :code ORDER BY p.rank LIMIT :limit
"""


def listed(
    engine: sa.Engine, *, organ: str | None = None, source: str | None = None, rule: str | None = None,
    status: str | None = None, closed: bool = False,
) -> list[Issue]:  # fmt: skip
    """Return the open issues, with `closed` the closed ones after them: the most severe first, then by due date."""
    values = {"organ": organ, "source": source, "rule": rule, "status": status, "closed": closed or status == "fixed"}
    return [_issue(row) for row in _rows(engine, _LISTED, **values)]


def open_by_rule(engine: sa.Engine, *, organ: str | None = None) -> dict[str, int]:
    """Return how many open issues there are of each rule: of one organ, or of all."""
    query = """SELECT rule, count(*) AS issues FROM quality.issue
               WHERE closed_at IS NULL AND (CAST(:organ AS text) IS NULL OR organ = :organ) GROUP BY rule"""
    return {row["rule"]: row["issues"] for row in _rows(engine, query, organ=organ)}


def found(engine: sa.Engine, code: str) -> Issue:
    """Return one issue.

    Raises:
        NoSuchIssue: there is none with this code.
    """
    rows = _rows(engine, f"{_ISSUE} WHERE i.code = :code", code=code)
    if not rows:
        raise NoSuchIssue(code)
    return _issue(rows[0])


def events(engine: sa.Engine, code: str) -> list[Event]:
    """Return the life of an issue, the oldest step first.

    Raises:
        NoSuchIssue: there is none with this code.
    """
    found(engine, code)
    query = """SELECT e.at, e.actor, e.what, e.reason, e.detail FROM quality.issue_event AS e
               JOIN quality.issue AS i USING (issue_id) WHERE i.code = :code ORDER BY e.event_id"""
    return [Event(**row) for row in _rows(engine, query, code=code)]


def samples(engine: sa.Engine, code: str, limit: int = 20) -> list[Sample]:
    """Return places that show an issue, the newest first: keys masked, values only where they are of no person.

    Raises:
        NoSuchIssue: there is none with this code.
    """
    found(engine, code)
    queries = (_SAMPLES, _SET_SAMPLES, _HANDED_SAMPLES)
    rows = next((rows for query in queries if (rows := _rows(engine, query, code=code, limit=limit))), [])
    return [Sample(**{**row, "key": masked(row["key"]), "case": masked(row["case"])}) for row in rows]


def masked(text: str | None) -> str | None:
    """Return a key as reports may show it: its first and last quarter, at most four characters each; short ones whole.

    A department's own key may be made of a person's number; who works on the record opens it and sees the whole.
    """
    if text is None or len(text) <= SHORT:
        return text
    keep = min(4, len(text) // 4)
    return f"{text[:keep]}…{text[-keep:]}"


def _issue(row: dict[str, Any]) -> Issue:
    rule = RULES.get(row["rule"])
    return Issue(**row, dimension="" if rule is None else rule.dimension)


def _rows(engine: sa.Engine, query: str, **values: Any) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(query), values).mappings()]
