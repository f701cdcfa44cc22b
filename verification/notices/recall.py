"""Recall: who relied on a credential or a decision is told when it is taken back, or corrected, afterwards.

What changed is found in the history, where each replaced image stands with the time at which it was replaced; which
checks relied on it, by the log. Looking twice tells nothing twice.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import orjson
import psycopg2.extensions
import sqlalchemy as sa

from hub.protect import Protector
from hub.protect.keys import KeyTrouble
from hub.workdays import local_day
from verification.audit import log
from verification.evidence import looking
from verification.rules import validity

Cursor = psycopg2.extensions.cursor
BACK: Final = timedelta(days=2)
"""So far back each look goes: a look that failed for two days leaves no gap."""
CORRECTED: Final = "corrected"
_DAY: Final = "({} AT TIME ZONE 'Asia/Shanghai')::date"

CHANGED: Final = """
WITH changed AS (
    SELECT record_id, max(closed_at) AS at FROM (
        SELECT record_id, closed_at FROM core_history.credential WHERE closed_at > %(since)s
        UNION ALL SELECT record_id, closed_at FROM core_history.credential_status WHERE closed_at > %(since)s
    ) AS h GROUP BY record_id
)
"""
"""The records of credentials that changed, as `changed`."""
STANDS: Final = f"""(
    SELECT json_build_object('valid_from', c.valid_from, 'valid_to', c.valid_to, 'status', c.status,
        'issued', {_DAY.format("c.issued_at")}, 'reported', {_DAY.format("coalesce(c.reported_at, b.recorded_at)")},
        'periods', (SELECT json_agg(json_build_array(z.status, {_DAY.format("z.since")}))
                    FROM core.credential_status AS z WHERE z.record_id = c.record_id))::text
    FROM core.credential AS c JOIN ledger.batch AS b ON b.batch_id = c.batch_id
    WHERE c.record_id = g.record_id ORDER BY c.part LIMIT 1)"""
"""How the credential of the changed record `g` stands now; NULL where it is gone."""
_CHANGED = f"""{CHANGED}
SELECT DISTINCT ON (e.check_id, g.record_id) e.check_id::text, e.organ, g.record_id, {STANDS}
FROM changed AS g JOIN audit.entry AS e ON e.relied @> ARRAY[g.record_id] AND e.recorded_at < g.at
WHERE e.organ IS NOT NULL
ORDER BY e.check_id, g.record_id, e.entry_id DESC
"""
_DECISIONS = f"""
WITH changed AS (
    SELECT record_id, max(at) AS at FROM (
        SELECT record_id, closed_at AS at FROM core_history.decision WHERE closed_at > %(since)s
        UNION ALL
        SELECT d.record_id, b.recorded_at FROM ledger.batch AS b
        JOIN core.decision AS j ON j.batch_id = b.batch_id
            AND (j.decision_kind = 'revocation' OR j.outcome IN ('void', 'lapsed'))
        JOIN core.decision AS d ON d.source_system_id = j.source_system_id AND d.case_number = j.case_number
            AND d.record_id <> j.record_id AND d.decision_kind = 'decision'
        WHERE b.recorded_at > %(since)s
    ) AS h GROUP BY record_id
)
SELECT DISTINCT ON (e.check_id, g.record_id) e.check_id::text, e.organ, g.record_id,
    coalesce(t.status, CASE WHEN d.outcome IS NULL THEN 'deleted' WHEN d.outcome <> 'granted' THEN d.outcome
        ELSE '{CORRECTED}' END),
    CASE WHEN t.status IS NOT NULL THEN t.since WHEN d.outcome <> 'granted' THEN d.decided END
FROM changed AS g JOIN audit.entry AS e ON e.relied @> ARRAY[g.record_id] AND e.recorded_at < g.at
LEFT JOIN LATERAL (
    SELECT k.outcome, k.source_system_id, k.case_number, k.decided_at, {_DAY.format("k.decided_at")} AS decided
    FROM core.decision AS k WHERE k.record_id = g.record_id AND k.decision_kind = 'decision' ORDER BY k.part LIMIT 1
) AS d ON TRUE
LEFT JOIN LATERAL (
    SELECT CASE WHEN j.decision_kind = 'revocation' THEN 'revoked' ELSE j.outcome END AS status,
        {_DAY.format("j.decided_at")} AS since
    FROM core.decision AS j
    WHERE j.source_system_id = d.source_system_id AND j.case_number = d.case_number AND j.record_id <> g.record_id
        AND (j.decision_kind = 'revocation' OR j.outcome IN ('void', 'lapsed'))
        AND (d.decided_at IS NULL OR j.decided_at >= d.decided_at)
    ORDER BY j.decided_at, j.record_id LIMIT 1
) AS t ON TRUE
WHERE e.organ IS NOT NULL
ORDER BY e.check_id, g.record_id, e.entry_id DESC
"""
"""Decisions that changed, were taken back by a later one, or are gone, with the checks that relied on them."""
_TELL = """INSERT INTO audit.recall (check_id, record_id, organ, status, since) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT DO NOTHING"""
_TOLD = """
SELECT r.recall_id AS number, r.check_id::text AS check, r.record_id AS evidence, r.status, r.since, r.told_at,
    (SELECT e.personal FROM audit.entry AS e WHERE e.check_id = r.check_id AND e.personal IS NOT NULL
     ORDER BY e.entry_id DESC LIMIT 1) AS personal
FROM audit.recall AS r WHERE r.organ = %s AND r.recall_id > %s ORDER BY r.recall_id LIMIT %s
"""


def look(engine: sa.Engine, *, now: datetime | None = None, back: timedelta = BACK) -> int:
    """Find checks whose evidence changed after they were answered; return how many are newly told."""
    at = now or datetime.now(UTC)
    raw = engine.raw_connection()
    try:
        with closing(raw.cursor()) as cursor:
            cursor.execute(_CHANGED, {"since": at - back})
            told = 0
            for check_id, organ, record_id, row in cursor.fetchall():
                status, since = stands(row, local_day(at))
                cursor.execute(_TELL, (check_id, record_id, organ, status, since))
                told += cursor.rowcount
            cursor.execute(_DECISIONS, {"since": at - back})
            for check_id, organ, record_id, status, since in cursor.fetchall():
                cursor.execute(_TELL, (check_id, record_id, organ, status, since))
                told += cursor.rowcount
        raw.commit()
        return told
    finally:
        raw.close()


def stands(row: str | None, today: date) -> tuple[str, date | None]:
    """Return the status that a credential (`STANDS`) has and since when; where it is valid still, it was corrected."""
    if row is None:  # it is gone: its source took it back
        return "deleted", None
    standing = validity.standing(looking.times_of(orjson.loads(row)), today)
    return (CORRECTED, None) if standing.valid else (standing.status, standing.since)


def told(cursor: Cursor, protector: Protector, organ: str, *, after: int, limit: int) -> list[dict[str, Any]]:
    """Return what an organ was told, by number, with the case of its own that relied on it."""
    cursor.execute(_TOLD, (organ, after, limit))
    names = [column.name for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [{"case": _case(protector, row.pop("personal")), **row} for row in rows]


def _case(protector: Protector, personal: Any) -> str | None:
    """Return the asker's own case; None where the personal parts of the log were erased."""
    if personal is None:
        return None
    try:
        return str(orjson.loads(protector.unseal(personal, context=log.CONTEXT))["asked"]["case"])
    except KeyTrouble:
        return None
