"""Everything that the repository holds of an applicant (and its project) that may meet the prerequisites of an item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

import orjson
import psycopg2.extensions

from hub.workdays import ZONE
from verification.evidence import looking
from verification.rules.freshness import Feed, Freshness
from verification.rules.prerequisites import Credential, Decision, Evidence, Group, OpenCase, Option, option_of

Cursor = psycopg2.extensions.cursor
_DAY: Final = "({} AT TIME ZONE 'Asia/Shanghai')::date"

_ITEM = """
SELECT f.code, f.version, f.status, f.content -> 'name', coalesce(f.content -> 'requirements', '[]')
FROM catalog.in_force AS f
WHERE f.item_id = coalesce(
        (SELECT item_id FROM catalog.item WHERE code = %(code)s),
        (SELECT item_id FROM catalog.item_number WHERE number = %(code)s))
    AND f.valid_from <= %(day)s AND (f.valid_to IS NULL OR %(day)s < f.valid_to)
"""
_KNOWN_ITEM = """SELECT EXISTS (SELECT FROM catalog.item WHERE code = %(code)s)
                     OR EXISTS (SELECT FROM catalog.item_number WHERE number = %(code)s)"""

_CODES = """
SELECT q.code, array_agg(DISTINCT n.number) FROM unnest(%(codes)s::text[]) AS q(code)
JOIN catalog.item AS i ON q.code IN (i.code, i.base_code)
    OR EXISTS (SELECT FROM catalog.item_number AS m WHERE m.item_id = i.item_id AND m.number = q.code)
CROSS JOIN LATERAL (
    SELECT i.code AS number UNION SELECT i.base_code WHERE i.base_code IS NOT NULL
    UNION SELECT m.number FROM catalog.item_number AS m WHERE m.item_id = i.item_id
) AS n
GROUP BY q.code
"""
"""Every number under which a case may name an item: items of one base require and give the same."""

_GIVING = """
SELECT n.number, array_agg(DISTINCT r ->> 'type') FROM catalog.in_force AS f
CROSS JOIN LATERAL jsonb_array_elements(coalesce(f.content -> 'results', '[]')) AS r
CROSS JOIN LATERAL (
    SELECT f.code AS number UNION SELECT m.number FROM catalog.item_number AS m WHERE m.item_id = f.item_id
    UNION SELECT f.base_code WHERE f.base_code IS NOT NULL
) AS n
WHERE r ->> 'type' = ANY(%(types)s::text[]) GROUP BY n.number
"""

_ACCESS = """
SELECT q.kind, q.code, s.class, s.fresh_hours, s.stale_allowed, g.grant_id, g.stale_allowed,
    (SELECT json_agg(json_build_array(st.stream_id, st.complete_through, st.complete_basis))::text
     FROM (SELECT DISTINCT f.stream_id FROM access.feed AS f
           WHERE f.kind = q.kind AND f.code = ANY(string_to_array(q.also, E'\\x1f'))
             AND (q.issuer = '' OR f.issuer IN (q.issuer, ''))) AS f
     JOIN ledger.stream AS st ON st.stream_id = f.stream_id)
FROM unnest(%(kinds)s::text[], %(codes)s::text[], %(also)s::text[], %(issuers)s::text[])
    WITH ORDINALITY AS q(kind, code, also, issuer, n)
LEFT JOIN access.sharing AS s ON s.kind = q.kind AND s.code = q.code AND s.ended_at IS NULL
LEFT JOIN LATERAL (
    SELECT g.grant_id, g.stale_allowed FROM access."grant" AS g
    WHERE g.organ = %(organ)s AND g.kind = q.kind AND g.code = q.code AND g.purpose = %(purpose)s
        AND g.state = 'granted' AND g.valid_from <= %(today)s AND (g.valid_to IS NULL OR %(today)s <= g.valid_to)
    ORDER BY g.stale_allowed DESC, g.grant_id LIMIT 1
) AS g ON TRUE
ORDER BY q.n
"""

_OWN = """
SELECT count(c.record_id), array_agg(DISTINCT encode(p.number_hash, 'hex')),
    array_agg(DISTINCT encode(p.name_hash, 'hex')), min(a.applied_at), min(a.accepted_at)
FROM core.source_system AS ss
JOIN core.approval_case AS c ON c.source_system_id = ss.source_system_id AND c.case_number = %(own_case)s
LEFT JOIN core.case_overview AS a ON a.case_id = c.record_id
LEFT JOIN core.case_party AS p ON p.case_id = c.record_id
WHERE %(organ)s IN (c.handling_organ, c.reporting_organ)
"""

_CASES = """
WITH mine AS (
    SELECT DISTINCT p.case_id, 'applicant' AS holder FROM core.case_party AS p
    WHERE p.number_hash = ANY(%(hashes)s::bytea[]) AND p.role = 'applicant'
    UNION SELECT DISTINCT i.case_id, 'project' FROM core.case_identifier AS i
    WHERE i.scheme = 'project' AND i.number = %(project)s
)"""
_FEED = "st.stream_id, st.complete_through AS through, st.complete_basis AS basis"
_STREAM = """JOIN ledger.source_record AS r ON r.record_id = {0}.record_id
JOIN ledger.stream AS st ON st.stream_id = r.stream_id"""
_MENDED = """(SELECT array_agg(DISTINCT x.pointer) FROM quality.finding AS x
    WHERE x.record_id = {0}.record_id AND x.state = 'open' AND x.rule = 'value_mended') AS mended"""
_OBJECTION = f"""(SELECT min({_DAY.format("j.decided_at")}) FROM core.decision AS j
    WHERE j.source_system_id = {{0}}.source_system_id AND j.case_number = {{0}}.case_number
        AND j.decision_kind = 'appeal' AND j.outcome = 'other') AS objection"""

_CREDENTIALS = f"""{_CASES}
SELECT coalesce(json_agg(k), '[]')::text FROM (
    SELECT c.record_id, c.credential_type AS type, c.issuer, h.holder, c.valid_from, c.valid_to,
        {_DAY.format("c.issued_at")} AS issued, c.status, {_DAY.format("coalesce(c.reported_at, b.recorded_at)")}
        AS reported, {_FEED}, {_MENDED.format("c")}, {_OBJECTION.format("c")},
        (SELECT json_agg(json_build_array(z.status, {_DAY.format("z.since")}))
         FROM core.credential_status AS z WHERE z.record_id = c.record_id) AS periods
    FROM (
        SELECT c.record_id, c.part, 'applicant' AS holder FROM core.credential AS c
        WHERE c.holder_number_hash = ANY(%(hashes)s::bytea[])
        UNION SELECT c.record_id, c.part, 'project' FROM mine AS m
        JOIN core.approval_case AS a ON a.record_id = m.case_id
        JOIN core.credential AS c ON c.source_system_id = a.source_system_id AND c.case_number = a.case_number
        WHERE m.holder = 'project'
    ) AS h
    JOIN core.credential AS c ON c.record_id = h.record_id AND c.part = h.part
        AND c.credential_type = ANY(%(types)s::text[])
    JOIN ledger.batch AS b ON b.batch_id = c.batch_id
    {_STREAM.format("c")}
    ORDER BY c.record_id LIMIT 500
) AS k"""

_DECISIONS = f"""{_CASES}
SELECT coalesce(json_agg(k), '[]')::text FROM (
    SELECT d.record_id, a.item_code AS item, coalesce(d.organ, a.handling_organ) AS organ, m.holder, d.outcome,
        {_DAY.format("d.decided_at")} AS decided, {_FEED}, {_MENDED.format("d")}, {_OBJECTION.format("a")},
        (SELECT min({_DAY.format("j.decided_at")}) FROM core.decision AS j
         WHERE j.source_system_id = a.source_system_id AND j.case_number = a.case_number
            AND (j.decision_kind = 'revocation' OR j.outcome IN ('void', 'lapsed'))
            AND (d.decided_at IS NULL OR j.decided_at >= d.decided_at)) AS taken_back
    FROM mine AS m JOIN core.approval_case AS a ON a.record_id = m.case_id AND a.item_code = ANY(%(items)s::text[])
    JOIN core.decision AS d ON d.source_system_id = a.source_system_id AND d.case_number = a.case_number
        AND d.decision_kind = 'decision'
    {_STREAM.format("d")}
    ORDER BY d.record_id LIMIT 500
) AS k"""

_OPEN = f"""{_CASES}
SELECT coalesce(json_agg(k), '[]')::text FROM (
    SELECT a.record_id, a.item_code AS item, a.handling_organ AS organ, m.holder, o.due_at AS due,
        CASE WHEN o.state = 'suspended' THEN o.state WHEN o.approve_first IS NOT NULL THEN 'approve'
            WHEN o.review_first IS NOT NULL THEN 'review' WHEN o.undertake_first IS NOT NULL THEN 'undertake'
            WHEN coalesce(o.accepted_at, o.accept_first) IS NOT NULL THEN 'accept' ELSE o.state END AS stage,
        {_DAY.format("o.applied_at")} AS applied, {_FEED}
    FROM mine AS m JOIN core.approval_case AS a ON a.record_id = m.case_id AND a.item_code = ANY(%(items)s::text[])
    JOIN core.case_overview AS o ON o.case_id = a.record_id AND o.state NOT IN ('closed', 'not_accepted')
    {_STREAM.format("a")}
    ORDER BY a.record_id LIMIT 500
) AS k"""


@dataclass(frozen=True, slots=True)
class ItemFound:
    """The version of an item that is in force on a day, with its requirements."""

    code: str
    version: int
    status: str
    name: str
    requirements: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class OwnCase:
    """The asker's own case as the hub knows it."""

    cases: int
    party_numbers: frozenset[bytes]
    party_names: frozenset[bytes]
    applied: date | None
    accepted: date | None


def item(cursor: Cursor, code: str, day: date) -> ItemFound | None:
    """Return the version of an item that is in force on a day; None where none is."""
    cursor.execute(_ITEM, {"code": code, "day": day})
    row = cursor.fetchone()
    return None if row is None else ItemFound(*row)


def known_item(cursor: Cursor, code: str) -> bool:
    """Say whether an item has this number."""
    cursor.execute(_KNOWN_ITEM, {"code": code})
    (known,) = cursor.fetchone() or (False,)
    return bool(known)


def own_case(cursor: Cursor, number: str, organ: str) -> OwnCase:
    """Return what is known of the asker's own case."""
    cursor.execute(_OWN, {"own_case": number, "organ": organ})
    cases, numbers, names, applied, accepted = cursor.fetchone() or (0, None, None, None, None)
    return OwnCase(cases, _hashes(numbers), _hashes(names), _local(applied), _local(accepted))


def groups(
    cursor: Cursor, requirements: Sequence[Mapping[str, Any]], *, days: Mapping[str, date], organ: str, purpose: str,
    now: datetime, today: date,
) -> list[Group]:  # fmt: skip
    """Read requirements, each option with the feeds that could meet it and whether the asker may see them."""
    options = [option for group in requirements for option in group["any_of"]]
    codes = codes_of(cursor, sorted({option["item"] for option in options if "item" in option}))
    known = iter(_access(cursor, options, codes, organ=organ, purpose=purpose, today=today))
    made = []
    for group in requirements:
        day = days[group["valid_on"]]
        any_of = tuple(_option(option, codes, next(known), day, now) for option in group["any_of"])
        made.append(Group(group["name"], group["holder"], day, any_of))
    return made


def evidence(cursor: Cursor, asked: Sequence[Group], *, hashes: Sequence[bytes], project: str | None) -> Evidence:
    """Gather what is held of the applicant and the project, as far as the asker may see it."""
    seen = [option for group in asked for option in group.any_of if option.allowed]
    types = sorted({one.credential for one in seen if one.credential is not None})
    items = sorted({code for one in seen for code in one.items})
    cursor.execute(_GIVING, {"types": types})
    gives = {number: frozenset(types) for number, types in cursor.fetchall()}
    facts = {
        "hashes": [psycopg2.Binary(one) for one in hashes], "project": project, "types": types,
        "items": sorted({*items, *gives}),
    }  # fmt: skip
    credentials = [_credential(one) for one in _rows(cursor, _CREDENTIALS, facts)]
    days = [group.day for group in asked]
    if credentials and days:
        past = looking.past_of(cursor, {one.record_id: one.times for one in credentials}, min(days))
        credentials = [replace(one, times=past.get(one.record_id, one.times)) for one in credentials]
    return Evidence(
        tuple(credentials),
        tuple(_decision(one) for one in _rows(cursor, _DECISIONS, facts)),
        tuple(_open(one, gives) for one in _rows(cursor, _OPEN, facts)),
    )


def codes_of(cursor: Cursor, codes: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return for each code every number under which a case may name that item."""
    cursor.execute(_CODES, {"codes": list(codes)})
    found = {code: frozenset(numbers) for code, numbers in cursor.fetchall()}
    return {code: found.get(code, frozenset()) | {code} for code in codes}


def _access(
    cursor: Cursor, options: Sequence[Mapping[str, Any]], codes: Mapping[str, frozenset[str]], *, organ: str,
    purpose: str, today: date,
) -> list[tuple[Any, ...]]:  # fmt: skip
    kinds = ["credential_type" if "credential" in one else "item" for one in options]
    named = [str(one.get("credential", one.get("item"))) for one in options]
    also = ["\x1f".join(sorted(codes.get(name, {name}))) for name in named]
    issuers = [str(one.get("issued_by", "")) for one in options]
    cursor.execute(
        _ACCESS, {"kinds": kinds, "codes": named, "also": also, "issuers": issuers, "organ": organ,
                  "purpose": purpose, "today": today},
    )  # fmt: skip
    return list(cursor.fetchall())


def _option(
    said: Mapping[str, Any], codes: Mapping[str, frozenset[str]], access: Sequence[Any], day: date, now: datetime
) -> Option:
    _, _, sharing, hours, stale, grant_id, grant_stale, feeds = access
    allowed = sharing == "unconditional" or (sharing == "conditional" and grant_id is not None)
    return option_of(
        said, items=codes[said["item"]] if "item" in said else frozenset(), allowed=allowed,
        feeds=looking.feeds_of(feeds), freshness=Freshness.of(on=day, now=now, hours=hours or 24),
        stale_allowed=bool(grant_stale if grant_id is not None else stale),
    )  # fmt: skip


def _rows(cursor: Cursor, query: str, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    cursor.execute(query, facts)
    (text,) = cursor.fetchone() or ("[]",)
    rows: list[dict[str, Any]] = orjson.loads(text)
    return rows


def _feed(row: Mapping[str, Any]) -> Feed:
    return Feed(row["stream_id"], looking.instant(row["through"]), row["basis"])


def _credential(row: dict[str, Any]) -> Credential:
    return Credential(
        row["record_id"], row["type"], row["issuer"], row["holder"], looking.times_of(row), _feed(row),
        looking.day(row["objection"]), tuple(row["mended"] or ()),
    )  # fmt: skip


def _decision(row: dict[str, Any]) -> Decision:
    return Decision(
        row["record_id"], row["item"], row["organ"], row["holder"], row["outcome"], looking.day(row["decided"]),
        _feed(row), looking.day(row["taken_back"]), looking.day(row["objection"]), tuple(row["mended"] or ()),
    )  # fmt: skip


def _open(row: dict[str, Any], gives: Mapping[str, frozenset[str]]) -> OpenCase:
    return OpenCase(
        row["record_id"], row["item"], gives.get(row["item"], frozenset()), row["organ"], row["holder"], row["stage"],
        looking.instant(row["due"]), looking.day(row["applied"]), _feed(row),
    )  # fmt: skip


def _hashes(found: Sequence[str | None] | None) -> frozenset[bytes]:
    return frozenset(bytes.fromhex(one) for one in found or () if one is not None)


def _local(at: datetime | None) -> date | None:
    return None if at is None else at.astimezone(ZONE).date()
