"""The one query of a check of credentials: who asks, what it may see, whether its case is real, and what is held.

It answers one question or a thousand: the questions go in as arrays. Each connection prepares it once, so that a check
costs its execution only. Beside the present it can read what the hub knew at an earlier instant, out of the history.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

import orjson
import psycopg2.extensions

from verification.questions import CredentialCheck
from verification.rights.callers import Caller
from verification.rules.comparing import Held
from verification.rules.freshness import Feed
from verification.rules.names import number_forms
from verification.rules.validity import VALID, Period, Times

Cursor = psycopg2.extensions.cursor
_BETWEEN: Final = "\x1f"
MOST_FOUND: Final = 20
"""So many credentials under one number are looked at; more is ambiguous in any case."""

_ALLOWED = """
LEFT JOIN access.sharing AS s ON s.kind = '{kind}' AND s.code = q.code AND s.ended_at IS NULL
LEFT JOIN LATERAL (
    SELECT g.grant_id, g.stale_allowed FROM access."grant" AS g
    WHERE g.organ = $1 AND g.kind = '{kind}' AND g.code = q.code AND g.purpose = q.purpose AND g.state = 'granted'
        AND g.valid_from <= $2 AND (g.valid_to IS NULL OR $2 <= g.valid_to)
    ORDER BY g.stale_allowed DESC, g.grant_id LIMIT 1
) AS g ON TRUE"""

_OWN_CASE = """
LEFT JOIN LATERAL (
    SELECT count(c.record_id) AS cases,
        string_agg(encode(p.number_hash, 'hex'), ',') AS numbers, string_agg(encode(p.name_hash, 'hex'), ',') AS names
    FROM core.source_system AS ss
    JOIN core.approval_case AS c ON c.source_system_id = ss.source_system_id AND c.case_number = q.own_case
    LEFT JOIN core.case_party AS p ON p.case_id = c.record_id
    WHERE $1 IN (c.handling_organ, c.reporting_organ)
) AS o ON TRUE"""

_FEEDS = """
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(st.stream_id, {through}, {basis})) AS feeds
    FROM (SELECT DISTINCT f.stream_id FROM access.feed AS f
          WHERE f.kind = '{kind}' AND f.code = q.code AND (q.issuer IS NULL OR f.issuer IN (q.issuer, ''))) AS f
    JOIN ledger.stream AS st ON st.stream_id = f.stream_id
) AS w ON TRUE"""

_QUERY = """
SELECT q.n, s.class, s.fresh_hours, s.stale_allowed, g.grant_id, g.stale_allowed, o.cases, o.numbers, o.names,
    f.found::text, w.feeds::text,
    (SELECT k.revoked_at IS NULL AND k.expires_at > now() FROM access.client AS k WHERE k.client_id = $8)
FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
    WITH ORDINALITY AS q(code, forms, issuer, purpose, own_case, n)
{allowed}
{own_case}
LEFT JOIN LATERAL (
    SELECT json_agg(k) AS found FROM (
        SELECT c.record_id, c.issuer, c.number, c.version, c.valid_from, c.valid_to,
            (c.issued_at AT TIME ZONE 'Asia/Shanghai')::date AS issued, c.status,
            encode(c.holder_number_hash, 'hex') AS number_hash, encode(c.holder_name_hash, 'hex') AS name_hash,
            (coalesce(c.reported_at, b.recorded_at) AT TIME ZONE 'Asia/Shanghai')::date AS reported,
            st.stream_id, {through} AS through, {basis} AS basis,
            (SELECT json_agg(json_build_array(z.status, (z.since AT TIME ZONE 'Asia/Shanghai')::date))
             FROM {statuses} AS z WHERE z.record_id = c.record_id) AS periods,
            (SELECT min((d.decided_at AT TIME ZONE 'Asia/Shanghai')::date) FROM core.decision AS d
             WHERE d.source_system_id = c.source_system_id AND d.case_number = c.case_number
                AND d.decision_kind = 'appeal' AND d.outcome = 'other') AS objection,
            (SELECT array_agg(DISTINCT x.pointer) FROM quality.finding AS x
             WHERE x.record_id = c.record_id AND x.state = 'open' AND x.rule = 'value_mended') AS mended
        FROM (
            SELECT m.record_id, m.part FROM {credentials} AS m WHERE m.number = ANY(string_to_array(q.forms, E'\\x1f'))
            UNION
            SELECT m.record_id, m.part FROM core.credential_number AS a JOIN {credentials} AS m
                ON m.record_id = a.record_id
            WHERE a.number = ANY(string_to_array(q.forms, E'\\x1f'))
        ) AS m
        JOIN {credentials} AS c ON c.record_id = m.record_id AND c.part = m.part AND c.credential_type = q.code
        JOIN ledger.source_record AS r ON r.record_id = c.record_id
        JOIN ledger.stream AS st ON st.stream_id = r.stream_id
        JOIN ledger.batch AS b ON b.batch_id = c.batch_id
        ORDER BY c.record_id, c.part LIMIT 21
    ) AS k
    WHERE s.class = 'unconditional' OR (s.class = 'conditional' AND g.grant_id IS NOT NULL)
) AS f ON TRUE
{feeds}
ORDER BY q.n"""

_CREDENTIAL = (
    "record_id, part, source_system_id, case_number, issuer, credential_type, number, version, valid_from, valid_to, "
    "issued_at, status, holder_number_hash, holder_name_hash, reported_at, batch_id"
)


def _then(table: str, columns: str, instant: str) -> str:
    """Return a table as the hub knew it at an instant: rows that were recorded by then and not replaced by then."""
    return f"""(
        SELECT {columns} FROM core.{table} AS t WHERE EXISTS (
            SELECT FROM ledger.batch AS b WHERE b.batch_id = t.batch_id AND b.recorded_at <= {instant})
        UNION ALL
        SELECT {columns} FROM core_history.{table} AS t
        WHERE EXISTS (SELECT FROM ledger.batch AS b WHERE b.batch_id = t.batch_id AND b.recorded_at <= {instant})
            AND EXISTS (SELECT FROM ledger.batch AS b WHERE b.batch_id = t.closed_by AND b.recorded_at > {instant})
    )"""


def _query(*, then: str | None = None) -> str:
    """Return the query for now, or for an earlier instant."""
    if then is None:
        parts = {
            "credentials": "core.credential", "statuses": "core.credential_status",
            "through": "st.complete_through", "basis": "st.complete_basis",
        }  # fmt: skip
    else:
        newest = "max(y.newest_report), st.complete_through"
        batches = (
            f"FROM ledger.batch AS y WHERE y.stream_id = st.stream_id AND y.recorded_at <= {then} "
            "HAVING max(y.newest_report) IS NOT NULL"
        )
        parts = {
            "credentials": _then("credential", _CREDENTIAL, then),
            "statuses": _then("credential_status", "record_id, status, since", then),
            # How far a feed was said to be complete at that time is not kept; what it had brought by then is.
            "through": f"(SELECT least({newest}) {batches} AND st.complete_through IS NOT NULL)", "basis": "'inferred'",
        }  # fmt: skip
    kind = "credential_type"
    return _QUERY.format(
        allowed=_ALLOWED.format(kind=kind), own_case=_OWN_CASE, feeds=_FEEDS.format(kind=kind, **parts), **parts
    )


_TYPES: Final = "text, date, text[], text[], text[], text[], text[], int"
PREPARED: Final = {
    "hub_credentials": f"PREPARE hub_credentials ({_TYPES}) AS {_query()}",
    "hub_credentials_then": f"PREPARE hub_credentials_then ({_TYPES}, timestamptz) AS {_query(then='$9')}",
}


@dataclass(frozen=True, slots=True)
class Looked:
    """What the query says of one question; `found` is None where the asker may not see it."""

    sharing: str | None
    fresh_hours: int
    stale_allowed: bool
    grant_id: int | None
    cases: int
    party_numbers: frozenset[bytes]
    party_names: frozenset[bytes]
    found: tuple[Held, ...]
    feeds: tuple[Feed, ...]
    admitted: bool
    """Whether the client still has its rights."""

    @property
    def allowed(self) -> bool:
        """Say whether the asker may see credentials of this type for its purpose."""
        return self.sharing == "unconditional" or (self.sharing == "conditional" and self.grant_id is not None)


def look(
    cursor: Cursor, asked: Sequence[CredentialCheck], *, caller: Caller, today: date, known_at: datetime | None
) -> list[Looked]:
    """Run the query for some questions, all as known at one instant."""
    columns: list[list[str | None]] = [
        [one.credential.type for one in asked],
        [_BETWEEN.join(number_forms(one.credential.number)) for one in asked],
        [one.credential.issuer for one in asked],
        [one.purpose for one in asked],
        [one.case for one in asked],
    ]
    values = [caller.organ, today, *columns, caller.client_id]
    if known_at is None:
        cursor.execute("EXECUTE hub_credentials(%s, %s, %s, %s, %s, %s, %s, %s)", values)
    else:
        cursor.execute("EXECUTE hub_credentials_then(%s, %s, %s, %s, %s, %s, %s, %s, %s)", [*values, known_at])
    rows = [_looked(row) for row in cursor.fetchall()]
    return rows if known_at is not None else _with_past(cursor, rows, [one.on or today for one in asked])


_PAST = """
SELECT h.record_id, json_agg(json_build_array(h.status, (h.since AT TIME ZONE 'Asia/Shanghai')::date)
    ORDER BY h.closed_at)::text
FROM core_history.credential_status AS h WHERE h.record_id = ANY(%s) AND h.since IS NOT NULL GROUP BY h.record_id
"""


def _with_past(cursor: Cursor, rows: Sequence[Looked], days: Sequence[date]) -> list[Looked]:
    """Add the statuses that were replaced since to what is asked for a day before the present one began: by one query.

    A replaced status counts only for the days before the present one: that one is the source's own word since its day.
    """
    early = [
        {held.record_id: held.times for held in one.found if _before(held.times, day)}
        for one, day in zip(rows, days, strict=True)
    ]
    past = _past_of(cursor, {record_id: times for some in early for record_id, times in some.items()})
    return [_joined_to(one, times, past) if times else one for one, times in zip(rows, early, strict=True)]


def _joined_to(looked: Looked, early: Container[int], past: Mapping[int, Times]) -> Looked:
    found = (replace(one, times=past[one.record_id]) if one.record_id in early else one for one in looked.found)
    return replace(looked, found=tuple(found))


def past_of(cursor: Cursor, times: Mapping[int, Times], on: date) -> dict[int, Times]:
    """Return the times of those records for which a day lies before the present status, with the replaced ones."""
    return _past_of(cursor, {record_id: one for record_id, one in times.items() if _before(one, on)})


def _before(times: Times, on: date) -> bool:
    """Say whether a day lies before the present status, so that a replaced one may have held on it."""
    first = _first(times.periods)
    return first is not None and on < first


def _past_of(cursor: Cursor, early: Mapping[int, Times]) -> dict[int, Times]:
    if not early:
        return {}
    cursor.execute(_PAST, (list(early),))
    found = {record_id: [Period(s, day(since)) for s, since in orjson.loads(text)] for record_id, text in cursor}
    return {record_id: _joined(times, found.get(record_id, [])) for record_id, times in early.items()}


def _first(periods: Sequence[Period]) -> date | None:
    return min((one.since for one in periods if one.since is not None), default=None)


def _joined(times: Times, past: Sequence[Period]) -> Times:
    first = _first(times.periods)
    # Of two images with one beginning the later replaced the earlier: it was put right.
    by_day = {one.since: one for one in past if one.since is not None and first is not None and one.since < first}
    return replace(times, periods=(*by_day.values(), *times.periods))


def _looked(row: Sequence[Any]) -> Looked:
    _, sharing, hours, stale, grant_id, grant_stale, cases, numbers, names, found, feeds, admitted = row
    return Looked(
        sharing, hours or 24, bool(grant_stale if grant_id is not None else stale), grant_id, cases or 0,
        _hashes(numbers), _hashes(names), tuple(_held(one) for one in orjson.loads(found)) if found else (),
        feeds_of(feeds), bool(admitted),
    )  # fmt: skip


def feeds_of(text: str | None) -> tuple[Feed, ...]:
    """Read feeds as the query tells them."""
    return tuple(Feed(one, instant(through), basis) for one, through, basis in orjson.loads(text)) if text else ()


def _hashes(text: str | None) -> frozenset[bytes]:
    return frozenset(bytes.fromhex(one) for one in text.split(",")) if text else frozenset()


def _held(row: dict[str, Any]) -> Held:
    feed = Feed(row["stream_id"], instant(row["through"]), row["basis"])
    return Held(
        row["record_id"], row["issuer"], row["number"], row["version"], times_of(row),
        _hash(row["number_hash"]), _hash(row["name_hash"]), feed, day(row["objection"]), tuple(row["mended"] or ()),
    )  # fmt: skip


def times_of(row: dict[str, Any]) -> Times:
    """Read what a row says of a credential's times: its statuses by their days, its own one where that is another."""
    periods = [Period(status, day(since)) for status, since in row["periods"] or ()]
    dated = [one for one in periods if one.since is not None]
    last = max(dated, key=lambda one: (one.since or date.min, one.status != VALID)).status if dated else None
    if row["status"] is not None and row["status"] != last and not (row["status"] == VALID and last is None):
        periods = [*dated, Period(row["status"], None)]
    return Times(day(row["valid_from"]), day(row["valid_to"]), day(row["issued"]), tuple(periods), day(row["reported"]))


def _hash(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


def day(text: str | None) -> date | None:
    """Read a day as the server's JSON writes it."""
    return None if text is None else date.fromisoformat(text)


def instant(text: str | None) -> datetime | None:
    """Read an instant as the server's JSON writes it."""
    return None if text is None else datetime.fromisoformat(text)
