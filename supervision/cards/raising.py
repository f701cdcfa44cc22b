"""Raises cards: every rule judged by its statement, then new cards, held ones and contradictions in a few statements.

All works on sets: a run over a province's cases is as many statements as a run over one. Nothing is raised twice: a
card is one of its subject, clock and level for ever, and a second rule that speaks of the same becomes a further
ground of it. Who runs holds a lock, so that two runs come one after the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from supervision.cards import addressing, evidence, settling
from supervision.rules import service as rules
from supervision.rules.scope import Scope
from supervision.rules.service import Rule

LOCK: Final = "hashtext('supervision.cards')"

_BEGIN: Final = (
    "CREATE TEMP TABLE sup_scope (case_id bigint PRIMARY KEY) ON COMMIT DROP",
    """CREATE TEMP TABLE sup_hit (
        code text, version int, level text, kind text, lasting boolean, subject text, clock text, case_id bigint,
        stage text, round int, organ text, region text, item_code text, moment timestamptz, facts jsonb,
        parent bigint, past boolean) ON COMMIT DROP""",
)
_CLOCKS: Final = (
    """CREATE TEMP TABLE sup_case ON COMMIT DROP AS
       SELECT * FROM supervision.clock_now
       WHERE (closed_at IS NULL OR verdict = 'late' OR notice_verdict = 'late' OR delivery_verdict = 'late'
              OR (delivery_due_at IS NOT NULL AND delivered_at IS NULL))
         AND IN_SCOPE(case_id)""",
    """CREATE TEMP TABLE sup_stage ON COMMIT DROP AS
       SELECT s.* FROM supervision.stage_now AS s JOIN supervision.clock AS c ON c.case_id = s.case_id
       WHERE (s.verdict = 'late' OR (s.finished_at IS NULL AND c.closed_at IS NULL))
         AND c.state NOT IN ('not_computable', 'not_accepted')
         AND IN_SCOPE(s.case_id) AND IN_SCOPE(c.case_id)""",
    "ANALYZE sup_case",
    "ANALYZE sup_stage",
)

# The sources of the cases that are looked at, and of those whose cards are held.
_SOURCES: Final = """s.source_system_id IN (
    SELECT a.source_system_id FROM sup_scope JOIN core.approval_case AS a ON a.record_id = case_id
    UNION SELECT a.source_system_id FROM supervision.card AS c JOIN core.approval_case AS a ON a.record_id = c.case_id
    WHERE c.state = 'held')"""

# Which stages each source reports: what once was told of a case. A run over all forgets what no case tells any more.
_TELLS: Final = """
SELECT DISTINCT c.source_system_id, t.stage
FROM core.case_overview AS o JOIN core.approval_case AS c ON c.record_id = o.case_id
CROSS JOIN LATERAL (VALUES
    ('accept', o.accept_first IS NOT NULL OR o.accepted_at IS NOT NULL), ('undertake', o.undertake_first IS NOT NULL),
    ('review', o.review_first IS NOT NULL), ('approve', o.approve_first IS NOT NULL),
    ('complete', o.complete_first IS NOT NULL)) AS t (stage, told)
WHERE t.told AND IN_SCOPE(o.case_id)"""
_TOLD: Final = f"INSERT INTO supervision.told_stage (source_system_id, stage) {_TELLS} ON CONFLICT DO NOTHING"
_TOLD_ALL: Final = f"""
WITH told AS MATERIALIZED ({_TELLS}),
gone AS (
    DELETE FROM supervision.told_stage AS s
    WHERE NOT EXISTS (SELECT FROM told AS t WHERE (t.source_system_id, t.stage) = (s.source_system_id, s.stage)))
INSERT INTO supervision.told_stage (source_system_id, stage) SELECT source_system_id, stage FROM told
ON CONFLICT DO NOTHING"""

_READY: Final = """
INSERT INTO sup_scope
SELECT c.case_id FROM supervision.card AS c
JOIN core.approval_case AS a ON a.record_id = c.case_id
JOIN sup_source AS f ON f.source_system_id = a.source_system_id
WHERE c.state = 'held' AND f.through >= c.moment
ON CONFLICT DO NOTHING
"""

_INTO: Final = """INSERT INTO sup_hit (code, version, level, kind, lasting, subject, clock, case_id, stage, round,
    organ, region, item_code, moment, facts, parent, past)
SELECT :code, :version, :level, :kind, :lasting, """
# What was over before supervision began, or before the rule held, is counted and raises nothing: there is nothing left
# to put right.
_PAST: Final = "coalesce(h.over < CAST(:begin AS date)::timestamp AT TIME ZONE 'Asia/Shanghai', FALSE)"
_SINCE: Final = (
    "CAST(:since AS date) IS NULL OR h.happened >= CAST(:since AS date)::timestamp AT TIME ZONE 'Asia/Shanghai'"
)
_OF_CASE: Final = f"""{_INTO}'case:' || h.case_id, :clock, h.case_id, h.stage, h.round,
    coalesce(k.organ, c.handling_organ), coalesce(k.region, c.region), c.item_code, h.moment, h.facts, NULL, {_PAST}
FROM ({{statement}}) AS h
JOIN core.approval_case AS c ON c.record_id = h.case_id
LEFT JOIN supervision.clock AS k ON k.case_id = h.case_id
WHERE {_SINCE}"""
_OF_STAGE: Final = _OF_CASE.replace(":clock", "h.stage || '#' || h.round")
_OF_MONTH: Final = f"""{_INTO}'organ:' || h.organ, 'month:' || h.month || '!' || CAST(:code AS text), NULL, NULL, NULL,
    h.organ, (SELECT g.region FROM core.organ AS g WHERE g.code = h.organ ORDER BY g.valid_from DESC LIMIT 1), NULL,
    h.moment, h.facts, NULL, {_PAST}
FROM ({{statement}}) AS h
WHERE {_SINCE}"""
_OF_CARD: Final = f"""{_INTO}c.subject, c.clock, c.case_id, c.stage, c.round, c.organ, c.region, c.item_code, NULL,
    h.facts, c.card_id, {_PAST}
FROM ({{statement}}) AS h
JOIN supervision.card AS c ON c.card_id = h.card_id
WHERE {_SINCE}"""
_WRAPPED: Final = {"case": _OF_CASE, "stage": _OF_STAGE, "month": _OF_MONTH, "card": _OF_CARD}

# How far the feeds of a subject are complete: a case's by its source, an organ's by all sources of its cases.
_SUBJECTS: Final = """
CREATE TEMP TABLE sup_complete ON COMMIT DROP AS
SELECT DISTINCT h.subject, f.through, f.organ AS feed_organ, f.code AS source
FROM sup_hit AS h JOIN core.approval_case AS a ON a.record_id = h.case_id
JOIN sup_source AS f ON f.source_system_id = a.source_system_id
UNION ALL
SELECT h.subject, CASE WHEN bool_and(f.through IS NOT NULL) THEN min(f.through) END, h.organ, NULL
FROM (SELECT DISTINCT subject, organ FROM sup_hit WHERE case_id IS NULL) AS h
JOIN (SELECT DISTINCT handling_organ AS organ, source_system_id FROM core.approval_case) AS a ON a.organ = h.organ
JOIN sup_source AS f ON f.source_system_id = a.source_system_id
GROUP BY h.subject, h.organ
"""

# Sources whose first load has not come to its end: what looks open may have been closed long ago, in a stream that is
# still to come or in a delivery that was set aside. It begins with the pull that brought the first records. Whoever has
# not got through in some days is judged like all others.
FIRST_LOAD_DAYS: Final = 3
_UNREAD: Final = f"""
CREATE TEMP TABLE sup_unread ON COMMIT DROP AS
SELECT y.source_system_id FROM core.source_system AS y
CROSS JOIN LATERAL (
    SELECT b.read_at AS began FROM ledger.batch AS b
    WHERE b.source_system_id = y.source_system_id AND b.kind = 'pull' AND b.new > 0 ORDER BY b.seq LIMIT 1) AS f
WHERE y.kind <> 'push' AND f.began > CAST(:as_of AS timestamptz) - INTERVAL '{FIRST_LOAD_DAYS} days'
  AND EXISTS (
    SELECT FROM sup_stream AS s WHERE s.source_system_id = y.source_system_id
      AND (s.last_success_at IS NULL OR s.last_success_at < f.began OR s.held))
"""
_OF_UNREAD: Final = """EXISTS (
    SELECT FROM core.approval_case AS a JOIN sup_unread AS u ON u.source_system_id = a.source_system_id
    WHERE a.record_id = h.case_id)"""
_STANDS: Final = """EXISTS (
    SELECT FROM supervision.card AS c
    WHERE c.subject = h.subject AND c.clock = h.clock AND c.level = h.level AND c.state <> 'lapsed')"""
_WAITING: Final = f"""SELECT count(*) FROM (
    SELECT DISTINCT h.subject, h.clock, h.level FROM sup_hit AS h
    WHERE NOT h.past AND {_OF_UNREAD} AND NOT {_STANDS}) AS w"""

_INDEX: Final = "CREATE INDEX ON sup_hit (subject, clock)"

_FRESH: Final = f"""
CREATE TEMP TABLE sup_fresh ON COMMIT DROP AS
SELECT DISTINCT ON (h.subject, h.clock, h.level) h.*, p.through, p.feed_organ, p.source,
    h.level <> 'warning' AND h.moment IS NOT NULL AND (p.through IS NULL OR p.through < h.moment) AS waits
FROM sup_hit AS h LEFT JOIN sup_complete AS p ON p.subject = h.subject
WHERE NOT h.past AND NOT {_STANDS} AND NOT {_OF_UNREAD}
ORDER BY h.subject, h.clock, h.level, h.code
"""

_NUMBERS: Final = """
INSERT INTO supervision.card_series AS s (prefix, year, last)
SELECT CASE level WHEN 'warning' THEN 'W' WHEN 'yellow' THEN 'Y' ELSE 'R' END,
    extract(YEAR FROM CAST(:as_of AS timestamptz) AT TIME ZONE 'Asia/Shanghai')::int, count(*)
FROM sup_fresh GROUP BY level
ON CONFLICT (prefix, year) DO UPDATE SET last = s.last + excluded.last
"""

_RAISE: Final = f"""
WITH counted AS (
    SELECT h.*, row_number() OVER (PARTITION BY h.level ORDER BY h.subject, h.clock) AS place,
        count(*) OVER (PARTITION BY h.level) AS fellows
    FROM sup_fresh AS h
)
INSERT INTO supervision.card (number, subject, clock, level, kind, rule, rule_version, case_id, organ, region,
    item_code, stage, round, state, raised_at, moment, sent_at, due_at, escalated_from, evidence)
SELECT n.prefix || '-' || n.year || '-' || lpad((n.last - h.fellows + h.place)::text, 6, '0'),
    h.subject, h.clock, h.level, h.kind, h.code, h.version, h.case_id, h.organ, h.region, h.item_code, h.stage,
    h.round, CASE WHEN h.waits THEN 'held' ELSE 'sent' END, :as_of, h.moment,
    CASE WHEN NOT h.waits THEN CAST(:as_of AS timestamptz) END,
    CASE WHEN NOT h.waits THEN {settling.DUE.format(days="r.feedback_days", region="h.region")} END,
    h.parent, {evidence.EVIDENCE}
FROM counted AS h
JOIN supervision.rule AS r ON r.code = h.code AND r.version = h.version
JOIN supervision.card_series AS n ON n.year = extract(YEAR FROM CAST(:as_of AS timestamptz)
    AT TIME ZONE 'Asia/Shanghai')
    AND n.prefix = CASE h.level WHEN 'warning' THEN 'W' WHEN 'yellow' THEN 'Y' ELSE 'R' END
{evidence.JOINS}
ORDER BY h.level, h.place
"""

_RAISED: Final = """
INSERT INTO supervision.card_deed (card_id, at, actor, what, ground, detail)
SELECT c.card_id, :as_of, 'hub', CASE WHEN h.waits THEN 'held' ELSE 'sent' END, h.code,
    jsonb_strip_nulls(jsonb_build_object('version', h.version, 'needed_through', CASE WHEN h.waits THEN h.moment END,
        'complete_through', CASE WHEN h.waits THEN h.through END, 'source', CASE WHEN h.waits THEN h.source END,
        'feed_organ', CASE WHEN h.waits THEN h.feed_organ END,
        'escalated_from', (SELECT p.number FROM supervision.card AS p WHERE p.card_id = h.parent)))
FROM sup_fresh AS h
JOIN supervision.card AS c ON c.subject = h.subject AND c.clock = h.clock AND c.level = h.level AND c.state <> 'lapsed'
ORDER BY c.card_id
"""

# Another rule that speaks of the same clock at the same level: no second card, one ground more.
_GROUNDS: Final = """
INSERT INTO supervision.card_deed (card_id, at, actor, what, ground, detail)
SELECT DISTINCT ON (c.card_id, h.code) c.card_id, CAST(:as_of AS timestamptz), 'hub', 'ground', h.code,
    jsonb_build_object('version', h.version, 'facts', h.facts)
FROM sup_hit AS h
JOIN supervision.card AS c ON c.subject = h.subject AND c.clock = h.clock AND c.level = h.level AND c.state <> 'lapsed'
WHERE NOT h.past
  AND NOT EXISTS (SELECT FROM supervision.card_deed AS d WHERE d.card_id = c.card_id AND d.ground = h.code)
ORDER BY c.card_id, h.code
ON CONFLICT DO NOTHING
"""


_COUNTS: Final = "SELECT code, count(*) AS raised, count(*) FILTER (WHERE waits) AS held FROM sup_fresh GROUP BY code"
_PASTS: Final = "SELECT code, count(*) AS past FROM sup_hit WHERE past GROUP BY code"
_LOG: Final = """
INSERT INTO supervision.rule_run (run, code, version, as_of, scope, cases, found, past, raised, held,
    milliseconds)
SELECT :run, r.code, r.version, :as_of, :scope, :cases, r.found, r.past, r.raised, r.held, r.milliseconds
FROM jsonb_to_recordset(CAST(:rules AS jsonb))
    AS r (code text, version int, found bigint, past bigint, raised bigint, held bigint, milliseconds int)
ORDER BY r.code
"""


@dataclass(slots=True)
class Raised:
    """What a run of the rules did, by counts of cards; `rules` has a row a rule.

    `past` were over before supervision began or the rule held, and raised nothing. `unread` are of sources that are
    being read for the first time; their cases are judged when that has come to its end.
    """

    run: int = 0
    as_of: datetime | None = None
    cases: int = 0
    past: int = 0
    unread: int = 0
    raised: int = 0
    held: int = 0
    released: int = 0
    lapsed: int = 0
    contradicted: int = 0
    reminded: int = 0
    unaddressed: int = 0
    rules: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return asdict(self)


def step(connection: sa.Connection, _now: datetime, cases: Sequence[int] | None) -> dict[str, Any]:
    """Do the part of cards in a run of supervision (`supervision.running`); return what it counted."""
    done = run(connection, cases=cases).as_dict()
    return {name: done[name] for name in done if name not in ("rules", "as_of")}


def run(connection: sa.Connection, *, cases: Iterable[int] | None = None) -> Raised:
    """Judge all enabled rules as of `hub.now`, over all cases or over some, and do what follows for cards.

    Rules on months and orders are judged only over all; cases whose cards were held and whose feed has come far enough
    since are looked at in any run. The clocks are taken as they stand: recount them before. New cards have no seal yet
    (`evidence.seal`). What is said of cards that reach nobody is of those that the run looked at (`addressing`).
    """
    connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    done = Raised(as_of=rules.instant_of(connection))
    at = {"as_of": done.as_of}
    done.cases, scope = _begin(connection, cases)
    enabled = [one for one in rules.current(connection) if one.enabled]
    begin = rules.began(connection)
    counts = [_judge(connection, one, begin, scope) for one in enabled]
    connection.execute(sa.text(_UNREAD), at)
    done.unread = int(connection.execute(sa.text(_WAITING)).scalar_one())
    for statement in (_INDEX, "ANALYZE sup_hit", _SUBJECTS, "ANALYZE sup_complete", _FRESH, "ANALYZE sup_fresh"):
        connection.execute(sa.text(statement))
    connection.execute(sa.text(_NUMBERS), at)
    done.raised = connection.execute(sa.text(_RAISE), at).rowcount
    connection.execute(sa.text(_RAISED), at)
    connection.execute(sa.text(_GROUNDS), at)
    settled = settling.settle(connection, enabled, at, scope)
    done.released, done.lapsed, done.contradicted, done.reminded = settled
    done.unaddressed = addressing.address(connection, at, full=scope.full)
    _log(connection, done, enabled, counts, full=scope.full)
    connection.execute(sa.text("DROP TABLE sup_stream"))
    return done


def _begin(connection: sa.Connection, cases: Iterable[int] | None) -> tuple[int, Scope]:
    """Make the tables of a run: its scope, the feeds, the clocks as they stand; return how many cases are looked at."""
    for name in (
        "sup_scope",
        "sup_hit",
        "sup_case",
        "sup_stage",
        "sup_source",
        "sup_complete",
        "sup_unread",
        "sup_fresh",
        "sup_card",
    ):
        connection.execute(sa.text(f"DROP TABLE IF EXISTS pg_temp.{name}"))
    evidence.note_feeds(connection)
    for statement in _BEGIN:
        connection.execute(sa.text(statement))
    if cases is None:
        looked, scope = connection.execute(sa.text("SELECT count(*) FROM supervision.clock")).scalar_one(), Scope(None)
        connection.execute(sa.text(evidence.FEEDS.format(of="TRUE")))
    else:
        query = "INSERT INTO sup_scope SELECT DISTINCT unnest(CAST(:cases AS bigint[]))"
        looked = connection.execute(sa.text(query), {"cases": list(cases)}).rowcount
        connection.execute(sa.text("ANALYZE sup_scope"))
        connection.execute(sa.text(evidence.FEEDS.format(of=_SOURCES)))
        connection.execute(sa.text(_READY))
        connection.execute(sa.text("ANALYZE sup_scope"))
        scope = Scope(connection.execute(sa.text("SELECT case_id FROM sup_scope ORDER BY 1")).scalars().all())
    connection.execute(scope.text(_TOLD_ALL if scope.full else _TOLD))
    for statement in _CLOCKS:
        connection.execute(scope.text(statement))
    return int(looked), scope


def _judge(connection: sa.Connection, rule: Rule, begin: date, scope: Scope) -> tuple[int, int]:
    """Judge one rule; return how many it found, also of the past, and the milliseconds it took."""
    began = time.perf_counter()
    values = {
        "code": rule.code, "version": rule.version, "level": rule.level, "kind": rule.kind, "lasting": rule.lasting,
        "since": rule.since, "clock": clock_of(rule), "full": scope.full,
        "begin": begin if rule.holds_from is None else max(begin, rule.holds_from),
        **{name: said for name, said in rule.basis.items() if name != "measure"},
    }  # fmt: skip
    query = scope.text(_WRAPPED[rule.scope].replace("{statement}", rule.statement))
    found = connection.execute(query, {name: values[name] for name in query._bindparams}).rowcount  # noqa: SLF001  # no other way to ask a statement what it binds
    return found, round(1000 * (time.perf_counter() - began))


def clock_of(rule: Rule) -> str:
    """Return the clock that a rule on whole cases speaks of: the case's own for time rules, else one of the rule."""
    if rule.kind != "time":
        return f"!{rule.code}"
    return {"notice_overdue": "notice", "delivery_overdue": "delivery"}.get(rule.measure, "case")


def _log(
    connection: sa.Connection, done: Raised, enabled: Sequence[Rule], counts: Sequence[tuple[int, int]], *, full: bool
) -> None:
    """Write down what each rule was judged over and what it found, under one number for the whole run."""
    raised = {row.code: row for row in connection.execute(sa.text(_COUNTS))}
    done.run = connection.execute(sa.text("SELECT coalesce(max(run), 0) + 1 FROM supervision.rule_run")).scalar_one()
    past = {str(row.code): int(row.past) for row in connection.execute(sa.text(_PASTS))}
    done.past = sum(past.values())
    done.held = sum(row.held for row in raised.values())
    done.rules = [
        {"code": one.code, "version": one.version, "found": found, "milliseconds": milliseconds,
         "past": past.get(one.code, 0),
         "raised": raised[one.code].raised if one.code in raised else 0,
         "held": raised[one.code].held if one.code in raised else 0}
        for one, (found, milliseconds) in zip(enabled, counts, strict=True)
    ]  # fmt: skip
    connection.execute(sa.text(_LOG), {
        "run": done.run, "as_of": done.as_of, "scope": "full" if full else "touched", "cases": done.cases,
        "rules": orjson.dumps(done.rules).decode(),
    })  # fmt: skip
