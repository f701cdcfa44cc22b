"""A repository with the cases of a month, written straight into its tables: what a freeze gathers from.

The clocks and cards are written as the clock's and the cards' own runs leave them.
"""

from __future__ import annotations

import json

import sqlalchemy as sa

ORGAN, OTHER, LATE, IDLE = "11330000002482285J", "11330000002482293D", "11330000002482307B", "11330000002482315X"
NAMES = {ORGAN: "人力资源和社会保障厅", OTHER: "自然资源厅", LATE: "建设厅", IDLE: "文化和旅游厅"}
COUNTY = "330102"

_PLACES = """
INSERT INTO core.organ (record_id, part, code, name, level, region, valid_from, batch_id, content_hash)
SELECT 9000000 + row_number() OVER (), 0, o.code, o.name, 'province', '330000', '2020-01-01', 1, '\\x00'
FROM jsonb_each_text(CAST(:names AS jsonb)) AS o (code, name);
INSERT INTO core.region (record_id, part, code, name, level, valid_from, batch_id, content_hash) VALUES
    (9100001, 0, '330100', '杭州市', 'city', '2000-01-01', 1, '\\x00'),
    (9100002, 0, '330102', '上城区', 'county', '2000-01-01', 1, '\\x00');
INSERT INTO core.source_system (code, title, organ, kind)
SELECT 'sys' || row_number() OVER (ORDER BY o.code), o.name, o.code, 'database'
FROM jsonb_each_text(CAST(:names AS jsonb)) AS o (code, name);
INSERT INTO ledger.stream (source_system_id, name, complete_through, complete_basis)
SELECT source_system_id, 'cases', CASE WHEN organ = :late THEN timestamptz '2026-10-20 00:00+08'
    ELSE timestamptz '2026-11-01 00:00+08' END, 'declared'
FROM core.source_system;
INSERT INTO supervision.day (calendar, day, works, kind, ordinal, published)
SELECT '', d::date, extract(isodow FROM d) < 6, CASE WHEN extract(isodow FROM d) < 6 THEN 'work' ELSE 'rest' END,
    count(*) FILTER (WHERE extract(isodow FROM d) < 6) OVER (ORDER BY d), TRUE
FROM generate_series(timestamp '2026-08-01', '2026-12-31', interval '1 day') AS d
ON CONFLICT DO NOTHING;
"""

_ITEM = """
WITH made AS (INSERT INTO catalog.item (code, organ) VALUES (:code, :organ) RETURNING item_id)
INSERT INTO catalog.item_version
    (item_id, version, state, status, change, reason, content, effective_on, drafted_by, published_by, published_at)
SELECT item_id, 1, 'published', 'in_force', 'new', 'test', CAST(:content AS jsonb), '2026-01-01', 'a', 'b', now()
FROM made RETURNING version_id
"""

# Keys lie far above those of records that are pulled.
# Case n of an organ: received on the third working day, due ten days later, closed after n mod 9 days, every 9th late.
_CASES = """
WITH made AS (
    INSERT INTO core.approval_case (record_id, part, source_system_id, case_number, handling_organ, region, item_code,
        case_kind, entry_mode, applied_at, applied_at_precision, batch_id, content_hash)
    SELECT 70000000 + :base + n, 0, (SELECT max(source_system_id) FROM core.source_system WHERE organ = :organ),
        'C-' || :base + n, :organ, CASE WHEN n % 2 = 0 THEN :county END, :item, 'promised', 'live',
        timestamptz '2026-10-09 09:00+08', 's', 1, '\\x00'
    FROM generate_series(1, :cases) AS n RETURNING record_id),
shown AS (
    INSERT INTO core.case_overview (case_id, state, events, applied_at, accepted_at, closed_at, closing_outcome,
        pauses_open, last_reported_at)
    SELECT record_id, 'closed', CASE WHEN (record_id - 70000000) % 50 = 0 THEN 0 ELSE 4 END,
        timestamptz '2026-10-09 09:00+08',
        timestamptz '2026-10-09 10:00+08', timestamptz '2026-10-15 16:00+08', 'granted', 0,
        timestamptz '2026-10-15 17:30+08'
    FROM made RETURNING case_id),
worked AS (
    INSERT INTO core.stage_event (record_id, part, case_id, stage, handler_hash, handler_mask, handler_post, unit_name,
        started_at, finished_at, batch_id, content_hash)
    SELECT 50000000 + m.record_id, s.part, m.record_id, s.stage,
        decode(md5(:organ || ((m.record_id - 70000000) % 3)::text), 'hex'), '周*', '科员', '审批处',
        timestamptz '2026-10-09 10:00+08', timestamptz '2026-10-14 10:00+08', 1, '\\x00'
    FROM made AS m CROSS JOIN (VALUES (1, 'undertake'), (2, 'review')) AS s (part, stage) RETURNING 1)
INSERT INTO supervision.clock (case_id, organ, region, item_code, version_id, kind, state, basis, started_at,
    promised_value, promised_unit, legal_value, legal_unit, paused_days, extended_days, due_at, provisional, closed_at,
    used_days, verdict, calendar, computed_at)
SELECT m.record_id, :organ, CASE WHEN (m.record_id - 70000000 - :base) % 2 = 0 THEN :county END, :item, :version,
    'promised',
    'closed', 'acceptance', timestamptz '2026-10-09 10:00+08', 10, 'working_day', 20, 'working_day', 0, 0,
    timestamptz '2026-10-23 23:59:59+08', FALSE, timestamptz '2026-10-15 16:00+08', ((m.record_id - 70000000) % 9)::int,
    CASE WHEN (m.record_id - 70000000) % 9 = 0 THEN 'late' ELSE 'early' END, '', now()
FROM made AS m
"""


def places(connection: sa.Connection) -> None:
    """Write organs, regions, sources with their streams, and working days."""

    connection.execute(sa.text(_PLACES), {"names": json.dumps(NAMES), "late": LATE})


def item(connection: sa.Connection, code: str, organ: str) -> int:
    """Write an item that is in force; return its version's key."""

    limits = {
        "legal_limit": {"value": 20, "unit": "working_day"},
        "promised_limit": {"value": 10, "unit": "working_day"},
    }
    said = {"code": code, "organ": organ, "content": json.dumps({"name": code, **limits})}
    return int(connection.execute(sa.text(_ITEM), said).scalar_one())


def cases(connection: sa.Connection, organ: str, count: int, base: int, code: str = "X1") -> None:
    """Write cases of an organ, with their clocks."""
    said = {"organ": organ, "cases": count, "base": base, "county": COUNTY, "item": code,
            "version": item(connection, code, organ)}  # fmt: skip
    connection.execute(sa.text(_CASES), said)


def month(connection: sa.Connection) -> None:
    """Write October 2026: two departments with cases, one whose feed stopped on the 20th, one without cases."""
    places(connection)
    for place, (organ, count) in enumerate(((ORGAN, 40), (OTHER, 60), (LATE, 20)), 1):
        cases(connection, organ, count, place * 1000, f"X{place}")
    item(connection, "X9", IDLE)
    connection.execute(sa.text("DELETE FROM supervision.touched"))  # the clocks stand as a run has left them


def card(connection: sa.Connection, number: str, case_id: int, organ: str, level: str = "yellow", **said: str) -> None:
    """Write a card on a case."""
    row = {"number": number, "case_id": 70_000_000 + case_id, "organ": organ, "level": level, "kind": "time",
           "state": "sent", "raised_at": "2026-10-20 09:00+08", "due_at": "2026-10-27 23:59+08", **said}  # fmt: skip
    connection.execute(
        sa.text("""INSERT INTO supervision.card (number, subject, clock, level, kind, rule, rule_version, case_id,
                       organ, state, raised_at, sent_at, due_at, ended_at, evidence)
                   VALUES (:number, :number, 'case', :level, :kind, 'overdue', 1, :case_id, :organ, :state,
                       CAST(:raised_at AS timestamptz),
                       CASE WHEN :state IN ('held', 'lapsed') THEN NULL ELSE CAST(:raised_at AS timestamptz) END,
                       CAST(:due_at AS timestamptz),
                       CASE WHEN :state IN ('upheld', 'withdrawn', 'lapsed') THEN CAST(:due_at AS timestamptz) END,
                       '{}')"""),
        row,
    )


def answered(connection: sa.Connection, number: str, at: str) -> None:
    """Write that the department answered a card."""
    connection.execute(
        sa.text("""INSERT INTO supervision.card_deed (card_id, at, actor, what)
                   SELECT card_id, CAST(:at AS timestamptz), 'account:x', 'answered' FROM supervision.card
                   WHERE number = :number"""),
        {"number": number, "at": at},
    )
