"""Gathers the inputs of a month out of the repository: a query a file, all rows as texts, nothing decided here.

Days are the province's. What happened after the month is in no cohort; a case that was closed later keeps the day, so
that it counts as open at the month's end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import sqlalchemy as sa

from hub.workdays import ZONE, local_day
from supervision.appraisal.counting import Span

_CITY: Final = "CASE WHEN {r} ~ '^[0-9]{{6}}' AND substr({r}, 3, 2) <> '00' THEN left({r}, 4) || '00' ELSE '' END"
_COUNTY: Final = "CASE WHEN {r} ~ '^[0-9]{{6}}' AND substr({r}, 5, 2) <> '00' THEN left({r}, 6) ELSE '' END"
_ORGAN: Final = """LEFT JOIN LATERAL (
    SELECT o.name, o.level, o.region FROM core.organ AS o WHERE o.code = {code}
    ORDER BY (o.valid_from <= :last) DESC, o.valid_from DESC, o.record_id LIMIT 1) AS o ON TRUE"""
_PSEUDONYM: Final = """left(encode(sha256(CAST(:salt AS bytea)
    || convert_to({source} || '/' || {number}, 'UTF8')), 'hex'), 20)"""


def _day(instant: str) -> str:
    return f"coalesce(to_char({instant} AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD'), '')"


def _limit(name: str, value: str, unit: str) -> str:
    return f"CASE WHEN {unit} = 'working_day' THEN ({value})::text ELSE '' END AS {name}"


# One row a case of any cohort of the month: received, accepted, due or closed in it, or open past its limit at its end.
_COHORT: Final = f"""
CREATE TEMP TABLE appraised ON COMMIT DROP AS
SELECT k.case_id, coalesce(k.organ, '') AS organ, coalesce(k.region, o.region, '') AS region, ss.code AS source,
    a.case_number, k.item_code, coalesce(v.status = 'in_force', FALSE) AS in_force, k.kind,
    coalesce(w.applied_at, w.accepted_at, k.started_at) AS received_at,
    coalesce(w.accepted_at, CASE WHEN k.basis = 'acceptance' THEN k.started_at END) AS accepted_at,
    CASE WHEN k.runs THEN k.due_at END AS due_at, k.closed_at, k.verdict, k.legal_value, k.legal_unit, k.promised_value,
    k.promised_unit, k.used_days,
    w.events, w.accepted_at AS accepted_said, w.closing_outcome, w.last_reported_at, a.entry_mode,
    {_PSEUDONYM.format(source="ss.code", number="a.case_number")} AS "case"
FROM supervision.clock_now AS k
JOIN core.approval_case AS a ON a.record_id = k.case_id
JOIN core.source_system AS ss ON ss.source_system_id = a.source_system_id
JOIN core.case_overview AS w ON w.case_id = k.case_id
LEFT JOIN catalog.item_version AS v ON v.version_id = k.version_id
{_ORGAN.format(code="k.organ")}
WHERE coalesce(w.applied_at, w.accepted_at, k.started_at) < :next AND (
    coalesce(w.applied_at, w.accepted_at, k.started_at) >= :first
    OR (coalesce(w.accepted_at, k.started_at) >= :first AND coalesce(w.accepted_at, k.started_at) < :next)
    OR (k.runs AND k.due_at >= :first AND k.due_at < :next)
    OR (k.closed_at >= :first AND k.closed_at < :next)
    OR (k.runs AND k.due_at < :next AND (k.closed_at IS NULL OR k.closed_at >= :next)))
"""

_CASES: Final = f"""
SELECT "case", organ, {_CITY.format(r="region")} AS city, {_COUNTY.format(r="region")} AS county,
    coalesce(item_code, '') AS item, in_force::int::text, coalesce(kind, '') AS kind,
    {_day("received_at")}, {_day("accepted_at")}, {_day("due_at")}, {_day("closed_at")}, coalesce(verdict, ''),
    {_limit("legal", "legal_value", "legal_unit")}, {_limit("promised", "promised_value", "promised_unit")},
    coalesce(used_days::text, ''),
    CASE WHEN closed_at IS NULL THEN '' ELSE concat_ws(' ',
        CASE WHEN accepted_said IS NULL THEN 'acceptance' END, CASE WHEN events = 0 THEN 'stages' END,
        CASE WHEN closing_outcome IS NULL THEN 'outcome' END) END,
    coalesce(round(greatest(extract(epoch FROM last_reported_at - closed_at), 0) / 3600, 2)::text, ''),
    coalesce(entry_mode = 'back_entered', FALSE)::int::text
FROM appraised
"""

_ORGANS: Final = f"""
WITH there AS (
    SELECT organ FROM appraised UNION SELECT organ FROM catalog.item
    UNION SELECT organ FROM core.source_system WHERE organ IS NOT NULL
    UNION SELECT organ FROM supervision.rating WHERE rated_on BETWEEN :first_day AND :last)
SELECT t.organ,
    coalesce(o.name, (SELECT min(coalesce(title_zh, title)) FROM core.source_system WHERE organ = t.organ), ''),
    CASE WHEN o.level IN ('city', 'county') THEN o.level ELSE 'province' END,
    {_CITY.format(r="coalesce(o.region, '')")}, {_COUNTY.format(r="coalesce(o.region, '')")}
FROM there AS t {_ORGAN.format(code="t.organ")}
WHERE t.organ <> ''
"""

_REGIONS: Final = """
SELECT DISTINCT ON (left(code, 6)) left(code, 6), name,
    CASE WHEN substr(code, 5, 2) = '00' THEN 'city' ELSE 'county' END
FROM core.region
WHERE code ~ '^[0-9]{6}' AND substr(code, 3, 2) <> '00' AND length(code) IN (6, 12)
    AND (length(code) = 6 OR code LIKE '%000000')
    AND valid_from <= :last AND (cancelled_on IS NULL OR cancelled_on > :last)
ORDER BY left(code, 6), valid_from DESC, record_id
"""

_ITEMS: Final = f"""
SELECT f.organ, f.code,
    {_limit("legal", "f.content -> 'legal_limit' ->> 'value'", "f.content -> 'legal_limit' ->> 'unit'")},
    {_limit("promised", "f.content -> 'promised_limit' ->> 'value'", "f.content -> 'promised_limit' ->> 'unit'")},
    (c.item_id IS NOT NULL)::int::text
FROM catalog.in_force AS f
LEFT JOIN (
    SELECT DISTINCT v.item_id FROM supervision.clock AS k JOIN catalog.item_version AS v ON v.version_id = k.version_id
    WHERE k.started_at < :next) AS c ON c.item_id = f.item_id
WHERE f.status = 'in_force' AND f.valid_from <= :last AND (f.valid_to IS NULL OR :last < f.valid_to)
"""

_CARDS: Final = f"""
SELECT c.number, coalesce({_PSEUDONYM.format(source="ss.code", number="a.case_number")}, ''), coalesce(c.organ, ''),
    {_CITY.format(r="coalesce(c.region, '')")}, {_COUNTY.format(r="coalesce(c.region, '')")}, c.kind, c.level, c.rule,
    {_day("c.raised_at")}, c.state, (c.sent_at IS NOT NULL AND c.due_at < :next AND NOT EXISTS (
        SELECT FROM supervision.card_deed AS d
        WHERE d.card_id = c.card_id AND d.what IN ('answered', 'appealed') AND d.at <= c.due_at))::int::text
FROM supervision.card AS c
LEFT JOIN core.approval_case AS a ON a.record_id = c.case_id
LEFT JOIN core.source_system AS ss ON ss.source_system_id = a.source_system_id
WHERE c.raised_at >= :first AND c.raised_at < :next
"""

_RATINGS: Final = f"""
SELECT r.number, coalesce((
        SELECT {_PSEUDONYM.format(source="ss.code", number="a.case_number")} FROM core.approval_case AS a
        JOIN core.source_system AS ss ON ss.source_system_id = a.source_system_id
        WHERE a.case_number = r.case_number AND a.handling_organ = r.organ ORDER BY a.record_id LIMIT 1), ''),
    r.organ, {_CITY.format(r="coalesce(o.region, '')")}, {_COUNTY.format(r="coalesce(o.region, '')")},
    r.channel::text, r.satisfaction::text, r.rated_on::text,
    CASE WHEN r.satisfaction >= :good THEN ''
         WHEN least(r.mended_on, :today) IS NULL OR rated.ordinal IS NULL OR mended.ordinal IS NULL THEN ''
         WHEN mended.ordinal - rated.ordinal > :within THEN '0'
         WHEN r.mended_on IS NOT NULL THEN '1' ELSE '' END
FROM supervision.rating AS r {_ORGAN.format(code="r.organ")}
LEFT JOIN supervision.day AS rated ON rated.calendar = '' AND rated.day = r.rated_on
LEFT JOIN supervision.day AS mended ON mended.calendar = '' AND mended.day = least(r.mended_on, :today)
WHERE r.valid AND r.rated_on BETWEEN :first_day AND :last
"""

_ENTRIES: Final = f"""
SELECT merit_id::text, level, unit, head, unit_value::text, quantity::text, reason, entered_by, {_day("entered_at")}
FROM supervision.merit WHERE month = :month AND withdrawn_at IS NULL
"""

# Of an organ are all streams of the systems that ever brought cases of it, and of the systems that are its own. What is
# declared or vouched for holds to the letter. What is only inferred from the newest report proves nothing about a quiet
# stream: there it is enough that all the source had was pulled after the month, and that nobody found the feed silent.
_FEEDS: Final = f"""
WITH of_organ AS (
    SELECT DISTINCT k.organ, a.source_system_id FROM supervision.clock AS k
    JOIN core.approval_case AS a ON a.record_id = k.case_id WHERE k.organ IS NOT NULL
    UNION SELECT organ, source_system_id FROM core.source_system WHERE organ IS NOT NULL)
SELECT f.organ, ss.code, s.name, {_day("s.complete_through")}, coalesce(s.complete_basis, ''),
    {_day("s.last_success_at")},
    (coalesce(s.complete_through < CAST(:next AS timestamptz) - interval '1 second', TRUE) AND NOT (
        coalesce(s.complete_basis, 'inferred') = 'inferred' AND coalesce(s.last_success_at >= :next, FALSE)
        AND NOT EXISTS (SELECT FROM quality.finding AS g
                        WHERE g.stream_id = s.stream_id AND g.rule = 'silent_feed' AND g.state = 'open')
    ))::int::text
FROM of_organ AS f
JOIN core.source_system AS ss ON ss.source_system_id = f.source_system_id
JOIN ledger.stream AS s ON s.source_system_id = f.source_system_id
"""

_CASE_NUMBERS: Final = 'SELECT "case", source, case_number FROM appraised'

_STAFF: Final = """
SELECT t.organ, t."case",
    'p' || left(encode(sha256(CAST(:salt AS bytea) || e.handler_hash), 'hex'), 12),
    coalesce(max(e.handler_mask), ''), coalesce(max(e.handler_post), ''), coalesce(max(e.unit_name), ''),
    string_agg(DISTINCT e.stage, ' ')
FROM appraised AS t JOIN core.stage_event AS e ON e.case_id = t.case_id
WHERE e.handler_hash IS NOT NULL AND t.organ <> '' AND e.started_at < :next
    AND coalesce(e.finished_at, e.started_at) >= :first
GROUP BY t.organ, t."case", e.handler_hash
"""

_QUERIES: Final[Mapping[str, str]] = {
    "organs.csv": _ORGANS, "regions.csv": _REGIONS, "cases.csv": _CASES, "items.csv": _ITEMS, "cards.csv": _CARDS,
    "ratings.csv": _RATINGS, "entries.csv": _ENTRIES, "feeds.csv": _FEEDS,
}  # fmt: skip


def values_of(month: str, salt: bytes, now: datetime) -> dict[str, Any]:
    """Return what the queries are asked with."""
    span = Span.of(month)
    first, last = date.fromisoformat(span.first), date.fromisoformat(span.last)
    return {
        "month": month, "salt": salt, "first_day": first, "last": last, "today": local_day(now),
        "first": datetime.combine(first, time.min, tzinfo=ZONE),
        "next": datetime.combine(last + timedelta(days=1), time.min, tzinfo=ZONE),
    }  # fmt: skip


def begin(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """Gather the cases of the month's cohorts; what is open counts as at the end of the month."""
    connection.execute(sa.text("SELECT set_config('hub.now', CAST(:next AS text), TRUE)"), values)
    connection.execute(sa.text(_COHORT), values)


def public(connection: sa.Connection, values: Mapping[str, Any]) -> Iterator[tuple[str, Iterator[Sequence[str]]]]:
    """Yield each file that is published, with its rows."""
    for name, query in _QUERIES.items():
        yield name, _rows(connection, query, values)


def case_numbers(connection: sa.Connection, values: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    """Yield which case stands under which pseudonym."""
    return _rows(connection, _CASE_NUMBERS, values)


def staff(connection: sa.Connection, values: Mapping[str, Any]) -> dict[str, list[Sequence[str]]]:
    """Return, for each organ, who worked on which case of the month."""
    found: dict[str, list[Sequence[str]]] = {}
    for organ, *row in _rows(connection, _STAFF, values):
        found.setdefault(organ, []).append(row)
    return found


def _rows(connection: sa.Connection, query: str, values: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    statement = sa.text(query)
    names = statement.compile().params
    for row in connection.execute(statement, {name: values[name] for name in names}):
        yield tuple(row)
