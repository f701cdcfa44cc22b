"""Brings the issues to what is wrong now: opens, counts, closes and reopens them, in one transaction."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from hub.workdays import local_day
from quality import places
from quality.issues import faults, terms
from quality.issues.faults import FeedFault

LOCK = "hashtext('quality.issue')"
"""Held while issues are written: people's deeds share it among themselves, and wait moments for the hub's steps."""
_PATIENCE = "15min"
"""So long one run waits for another: gathering what is wrong among millions of records takes its time."""

_STEPS = """
CREATE TEMP TABLE step ON COMMIT DROP AS
SELECT f.*, i.issue_id, coalesce(r.severity, CAST(:fallback AS jsonb) ->> 'severity') AS severity,
    coalesce(r.owner, CAST(:fallback AS jsonb) ->> 'owner') AS owner,
    coalesce(r.due, (CAST(:fallback AS jsonb) ->> 'due')::date) AS due,
    coalesce(r.provisional, (CAST(:fallback AS jsonb) ->> 'provisional')::boolean) AS provisional,
    coalesce(r.step, (CAST(:fallback AS jsonb) ->> 'step')::date) AS climbs,
    CASE WHEN i.issue_id IS NULL THEN 'opened'
         WHEN i.closed_at IS NOT NULL THEN 'reopened'
         WHEN i.status = 'accepted' AND f.records > coalesce(i.accepted_records, 0) THEN 'grown'
         WHEN i.status = 'snoozed' AND i.snoozed_until <= :today THEN 'woke' END AS what
FROM fault AS f
LEFT JOIN quality.issue AS i USING (organ, stream_id, rule, field)
LEFT JOIN jsonb_to_recordset(CAST(:rules AS jsonb))
    AS r (rule text, severity text, owner text, due date, provisional boolean, step date) ON r.rule = f.rule
"""

_NEW = """
SELECT t.organ, coalesce(ss.code, '') AS source, coalesce(s.name, '') AS stream, t.stream_id, t.rule, t.field
FROM step AS t
LEFT JOIN ledger.stream AS s USING (stream_id) LEFT JOIN core.source_system AS ss USING (source_system_id)
WHERE t.what = 'opened' ORDER BY 1, 2, 3, 5, 6
"""

_OPEN = """
INSERT INTO quality.issue (code, organ, stream_id, rule, field, severity, owner, records, of_records, first_seen,
    last_seen, due_on, due_provisional, climbs_on)
SELECT c.code, t.organ, t.stream_id, t.rule, t.field, t.severity, t.owner, t.records, t.of_records, t.first_seen,
    t.last_seen, t.due, t.provisional, t.due
FROM step AS t JOIN jsonb_to_recordset(CAST(:codes AS jsonb))
    AS c (code text, organ text, stream_id int, rule text, field text) USING (organ, stream_id, rule, field)
"""

# What begins anew is due anew and has climbed nowhere; what wakes is known already, and its due date stays.
_GO_ON = """
UPDATE quality.issue AS i SET
    records = t.records, of_records = t.of_records, last_seen = t.last_seen, severity = t.severity, owner = t.owner,
    status = CASE WHEN t.what IN ('reopened', 'grown') THEN 'new' WHEN t.what = 'woke' THEN 'acknowledged'
                  ELSE i.status END,
    level = CASE WHEN t.what IN ('reopened', 'grown') THEN 0 ELSE i.level END,
    due_on = CASE WHEN t.what IN ('reopened', 'grown') THEN t.due ELSE i.due_on END,
    due_provisional = CASE WHEN t.what IN ('reopened', 'grown') THEN t.provisional ELSE i.due_provisional END,
    climbs_on = CASE WHEN t.what IN ('reopened', 'grown') THEN t.due WHEN t.what = 'woke' THEN t.climbs
                     ELSE i.climbs_on END,
    snoozed_until = CASE WHEN t.what IS NULL THEN i.snoozed_until END,
    accepted_records = CASE WHEN t.what IS NULL THEN i.accepted_records END,
    reason = CASE WHEN t.what IS NULL THEN i.reason END,
    closed_at = NULL
FROM step AS t
WHERE i.issue_id = t.issue_id AND (
    t.what IS NOT NULL
    OR (i.records, i.of_records, i.last_seen, i.severity, i.owner)
       IS DISTINCT FROM (t.records, t.of_records, t.last_seen, t.severity, t.owner))
"""

# A pull that has not come to its end closes nothing: what it has not read yet may show the fault still. A source that
# posts has no pulls; each of its batches is whole. Who hands faults over says when it has looked, too.
_CLOSE = """
UPDATE quality.issue AS i SET status = 'fixed', closed_at = :now, climbs_on = NULL, snoozed_until = NULL,
    accepted_records = NULL
WHERE i.closed_at IS NULL
  AND NOT EXISTS (SELECT FROM fault AS f WHERE (f.organ, f.stream_id, f.rule, f.field)
                  = (i.organ, i.stream_id, i.rule, i.field))
  AND CASE
        WHEN i.rule = ANY(:handed_rules) THEN EXISTS (
            SELECT FROM quality.handed_look AS h WHERE h.rule = i.rule AND h.at > i.last_seen)
        WHEN i.rule = ANY(:feed_rules) THEN EXISTS (
            SELECT FROM ledger.stream AS s JOIN core.source_system AS ss USING (source_system_id)
            JOIN jsonb_to_recordset(CAST(:looked AS jsonb)) AS w (source text, stream text)
              ON w.source = ss.code AND w.stream = s.name
            WHERE s.stream_id = i.stream_id)
        WHEN i.rule = ANY(:set_rules) THEN EXISTS (
            SELECT FROM quality.set_result AS r WHERE r.stream_id = i.stream_id AND r.latest AND r.at > i.last_seen)
        ELSE EXISTS (
            SELECT FROM ledger.stream AS s JOIN core.source_system AS ss USING (source_system_id)
            WHERE s.stream_id = i.stream_id AND (ss.kind = 'push' OR NOT EXISTS (
                SELECT FROM ledger.batch AS b WHERE b.stream_id = i.stream_id AND b.kind = 'pull'
                  AND b.recorded_at > coalesce(s.last_success_at, '-infinity')))) END
RETURNING i.issue_id, i.records
"""

_EVENTS = """
INSERT INTO quality.issue_event (issue_id, at, actor, what, detail)
SELECT i.issue_id, :now, 'hub', t.what, jsonb_build_object('records', t.records)
FROM step AS t JOIN quality.issue AS i USING (organ, stream_id, rule, field)
WHERE t.what IS NOT NULL ORDER BY i.issue_id
"""

_CLOSED_EVENTS = """
INSERT INTO quality.issue_event (issue_id, at, actor, what, detail)
SELECT n.issue_id, :now, 'hub', 'fixed', jsonb_build_object('records', n.records)
FROM jsonb_to_recordset(CAST(:closed AS jsonb)) AS n (issue_id bigint, records bigint) ORDER BY n.issue_id
"""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How many issues a refresh opened, reopened, closed, and let speak again (grown beyond acceptance, woken)."""

    opened: int = 0
    reopened: int = 0
    grown: int = 0
    woke: int = 0
    fixed: int = 0


def refresh(engine: sa.Engine, now: datetime, feeds: Sequence[FeedFault] | None = None) -> Refreshed:
    """Bring the issues to what is wrong now; return what changed.

    Findings that are open, expectations whose latest run failed, what supervision handed over, and feeds that break the
    clock's rules are grouped by organ, stream, rule and field. A group without an issue opens one, a closed one reopens
    under its code; an issue whose group is gone closes, unless nobody looked: its stream's pull has not come to its
    end, its suite has not run since, supervision has not looked since, or `feeds` does not speak of its feed. Without
    `feeds` nothing of feeds is opened or closed.

    An accepted issue stays accepted while no more records show it than were accepted; a snoozed one sleeps until its
    day. Running it again with nothing changed changes nothing; two at once run one after the other.
    """
    today = local_day(now)
    feeds = [] if feeds is None else list(feeds)
    rules = terms.of_rules(today)
    with engine.begin() as connection:
        alone(connection)
        places.gather(connection)
        faults.gather(connection, now, feeds)
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        connection.execute(sa.text(_STEPS), {
            "today": today, "rules": orjson.dumps(rules).decode(),
            "fallback": orjson.dumps(terms.fallback(today)).decode(),
        })  # fmt: skip
        _open(connection)
        connection.execute(sa.text(_GO_ON))
        closed = _close(connection, now, feeds, rules)
        connection.execute(sa.text(_EVENTS), {"now": now})
        rows = connection.execute(sa.text("SELECT what, count(*) FROM step WHERE what IS NOT NULL GROUP BY what"))
        counts: dict[str, int] = {row[0]: row[1] for row in rows}
    return Refreshed(**counts, fixed=closed)


def alone(connection: sa.Connection) -> None:
    """Let one run at a time gather and write, without holding up the deeds of people meanwhile."""
    connection.execute(sa.text("SELECT set_config('lock_timeout', :patience, true)"), {"patience": _PATIENCE})
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('quality.refresh'))")


def _open(connection: sa.Connection) -> None:
    new = [dict(row) for row in connection.execute(sa.text(_NEW)).mappings()]
    if not new:
        return
    taken = set(connection.execute(sa.text("SELECT code FROM quality.issue")).scalars())
    codes = [{**one, "code": code} for one, code in zip(new, _codes(new, taken), strict=True)]
    connection.execute(sa.text(_OPEN), {"codes": orjson.dumps(codes).decode()})


def _close(
    connection: sa.Connection, now: datetime, feeds: Sequence[FeedFault], rules: Sequence[Mapping[str, Any]]
) -> int:
    looked = orjson.dumps([{"source": one.source, "stream": one.stream} for one in feeds]).decode()
    rows = connection.execute(sa.text(_CLOSE), {
        "now": now, "looked": looked, "feed_rules": list(terms.FEED_RULES),
        "set_rules": [one["rule"] for one in rules if one["scope"] == "set"],
        "handed_rules": [one["rule"] for one in rules if one["scope"] == "watch"],
    }).mappings().all()  # fmt: skip
    if rows:
        closed = orjson.dumps([dict(row) for row in rows]).decode()
        connection.execute(sa.text(_CLOSED_EVENTS), {"now": now, "closed": closed})
    return len(rows)


def _codes(new: Iterable[dict[str, Any]], taken: set[str]) -> Iterator[str]:
    for one in new:
        code = next(code for code in _candidates(one) if code not in taken)
        taken.add(code)
        yield code


def _candidates(one: dict[str, Any]) -> Iterator[str]:
    """Yield the codes of a fault, shortest first: 40 bits of BLAKE2b, and more of them where two faults share these."""
    key = "\0".join((one["organ"], one["source"], one["stream"], one["rule"], one["field"]))
    whole = base64.b32encode(hashlib.blake2b(key.encode(), digest_size=20).digest()).decode()
    yield from (f"Q-{whole[:length]}" for length in range(8, len(whole) + 1, 8))
