"""What a card rests on, as it was known when it was raised: gathered by SQL for all new cards, and sealed one by one.

The seal is a signature (JWS) over the digest of the evidence and over what the card says, by the key that receipts are
signed with: whoever has the hub's published keys proves years later that nothing of either was changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import orjson
import sqlalchemy as sa

from sharedrepo.keyring.signing import BadSignature, Signer, opened, publish

KIND: Final = "hub-card+jws"
SEALED: Final = ("number", "subject", "clock", "level", "rule", "rule_version", "organ")
"""What a card says of itself that its seal covers beside the evidence."""

_FIRST: Final = """EXISTS (
    SELECT FROM (SELECT record_id FROM ledger.source_record WHERE stream_id = s.stream_id AND state = 'kept' LIMIT 50)
        AS r WHERE {holds})"""
"""A stream is told by its first kept records: those of items or organs say nothing of cases."""


def _holding(*tables: str) -> str:
    some = " OR ".join(f"EXISTS (SELECT FROM core.{one} AS e WHERE e.record_id = r.record_id)" for one in tables)
    return _FIRST.format(holds=some)


# How far the streams are, noted before anybody asks what changed. A batch moves its stream on in the transaction that
# writes its records: what is noted so never runs ahead of the clocks that are computed after it.
_STREAMS: Final = """
CREATE TEMP TABLE IF NOT EXISTS sup_stream ON COMMIT DROP AS
SELECT s.*, EXISTS (SELECT FROM ledger.batch AS b WHERE b.stream_id = s.stream_id AND b.status = 'held') AS held
FROM ledger.stream AS s
"""

# How far each source is complete. Every case has acceptance, stages and a decision, so a stream that brings these is as
# far as its newest reports say. What few cases have (a suspension, a supplement) is silent for months: a stream of
# these alone is as far as it was last read with success, unless its source says how far it is.
FEEDS: Final = f"""
CREATE TEMP TABLE sup_source ON COMMIT DROP AS
SELECT ss.source_system_id, ss.code, ss.organ,
    CASE WHEN bool_and(s.through IS NOT NULL) THEN min(s.through) END AS through,
    jsonb_agg(jsonb_build_object('stream', s.name, 'complete_through', s.complete_through,
        'basis', s.complete_basis, 'last_success_at', s.last_success_at,
        'clock_ahead_seconds', (
            SELECT round(extract(EPOCH FROM max(b.newest_report - b.read_at)))::bigint FROM (
                SELECT newest_report, read_at FROM ledger.batch
                WHERE stream_id = s.stream_id AND newest_report IS NOT NULL ORDER BY batch_id DESC LIMIT 100) AS b
            -- A report from before the reading says nothing of the source's clock: only one from the future does.
            WHERE b.newest_report > b.read_at)
        ) ORDER BY s.name) AS streams
FROM (
    SELECT s.*, CASE WHEN s.complete_basis IS DISTINCT FROM 'inferred' OR f.frequent THEN s.complete_through
        ELSE greatest(s.complete_through, s.last_success_at) END AS through
    FROM sup_stream AS s
    CROSS JOIN LATERAL (SELECT {_holding("acceptance", "stage_event", "decision")} AS frequent) AS f
    WHERE {{of}} AND (f.frequent OR {_holding("suspension", "supplement", "delivery", "credential")})
) AS s
JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
GROUP BY ss.source_system_id, ss.code, ss.organ
"""

_RECORDS: Final = """
SELECT jsonb_agg(one ORDER BY one ->> 'at', one ->> 'record') FROM (
    SELECT jsonb_build_object('table', 'acceptance', 'record', record_id::text, 'batch', batch_id, 'what', outcome,
        'at', accepted_at, 'reported_at', reported_at) AS one
    FROM core.acceptance WHERE case_id = h.case_id
    UNION ALL
    SELECT jsonb_build_object('table', 'stage_event', 'record', record_id::text, 'batch', batch_id, 'what', stage,
        'at', started_at, 'until', finished_at, 'reported_at', reported_at)
    FROM core.stage_event WHERE case_id = h.case_id
    UNION ALL
    SELECT jsonb_build_object('table', 'suspension', 'record', record_id::text, 'batch', batch_id,
        'what', suspension_kind, 'at', started_at, 'until', ended_at, 'reported_at', reported_at)
    FROM core.suspension WHERE case_id = h.case_id
    UNION ALL
    SELECT jsonb_build_object('table', 'supplement', 'record', record_id::text, 'batch', batch_id,
        'at', told_at, 'until', received_at, 'reported_at', reported_at)
    FROM core.supplement WHERE case_id = h.case_id
    UNION ALL
    SELECT jsonb_build_object('table', 'decision', 'record', d.record_id::text, 'batch', d.batch_id, 'what', d.outcome,
        'at', d.decided_at, 'reported_at', d.reported_at)
    FROM core.decision AS d
    WHERE d.source_system_id = a.source_system_id AND d.case_number = a.case_number
) AS records"""

# Everything that is known of a case's times stands side by side: when things happened as the source says, when it
# reported them, when the hub had them, how its clock differs, and up to when it is complete.
EVIDENCE: Final = f"""
jsonb_strip_nulls(jsonb_build_object(
    'as_of', CAST(:as_of AS timestamptz), 'known_through_batch', (SELECT max(batch_id) FROM ledger.batch),
    'rule', jsonb_build_object('code', r.code, 'version', r.version, 'basis', r.basis, 'title_zh', r.title_zh,
        'title_en', r.title_en, 'source_zh', r.source_zh, 'source_en', r.source_en),
    'facts', h.facts,
    'case', CASE WHEN h.case_id IS NOT NULL THEN jsonb_build_object('number', a.case_number, 'source', f.code,
        'organ', h.organ, 'region', h.region, 'item_code', h.item_code, 'item_name', a.item_name,
        'kind', a.case_kind) END,
    'item', CASE WHEN v.version_id IS NOT NULL THEN jsonb_build_object('version', v.version,
        'version_id', v.version_id, 'effective_on', v.effective_on,
        'promised_limit', v.content -> 'promised_limit', 'legal_limit', v.content -> 'legal_limit',
        'counted_from', v.content -> 'counted_from', 'stages', v.content -> 'stages') END,
    'clock', CASE WHEN k.case_id IS NOT NULL THEN to_jsonb(k) || jsonb_build_object(
        'used_percent', k.used_percent::text, 'left_hours', k.left_hours::text) END,
    'stage', CASE WHEN g.case_id IS NOT NULL THEN to_jsonb(g) || jsonb_build_object(
        'used_percent', g.used_percent::text, 'left_hours', g.left_hours::text) END,
    'calendar', CASE WHEN k.case_id IS NOT NULL THEN jsonb_build_object('calendar', k.calendar,
        'version', (SELECT max(change_id) FROM supervision.day_change WHERE calendar = k.calendar),
        'days_not_counted', (
            SELECT jsonb_agg(jsonb_build_object('day', d.day, 'kind', d.kind) ORDER BY d.day)
            FROM supervision.day AS d WHERE d.calendar = k.calendar AND d.kind <> 'work'
              AND d.day BETWEEN (k.started_at AT TIME ZONE 'Asia/Shanghai')::date
                  AND least((coalesce(k.closed_at, supervision.instant()) AT TIME ZONE 'Asia/Shanghai')::date,
                      (k.started_at AT TIME ZONE 'Asia/Shanghai')::date + 400))) END,
    'records', CASE WHEN h.case_id IS NOT NULL THEN ({_RECORDS}) END,
    'findings', (SELECT jsonb_agg(jsonb_build_object('finding', q.finding_id, 'rule', q.rule, 'field', q.field)
        ORDER BY q.finding_id) FROM quality.finding AS q WHERE q.state = 'open' AND q.case_id = h.case_id),
    'feed', CASE WHEN f.source_system_id IS NOT NULL THEN jsonb_build_object('source', f.code, 'organ', f.organ,
        'needed_through', h.moment, 'complete_through', f.through, 'streams', f.streams,
        'last_event_at', t.event_at, 'last_reported_at', t.reported_at, 'last_recorded_at', t.recorded_at,
        'reporting_lag_seconds', round(extract(EPOCH FROM t.recorded_at - t.event_at))::bigint) END
))"""

JOINS: Final = """
LEFT JOIN core.approval_case AS a ON a.record_id = h.case_id
LEFT JOIN sup_source AS f ON f.source_system_id = a.source_system_id
LEFT JOIN supervision.clock_now AS k ON k.case_id = h.case_id
LEFT JOIN supervision.stage_now AS g ON g.case_id = h.case_id AND g.stage = h.stage AND g.round = h.round
LEFT JOIN catalog.item_version AS v ON v.version_id = k.version_id
LEFT JOIN LATERAL (
    SELECT max(e.at) AS event_at, max(e.reported_at) AS reported_at, max(b.recorded_at) AS recorded_at FROM (
        SELECT greatest(started_at, finished_at) AS at, reported_at, batch_id FROM core.stage_event
        WHERE case_id = h.case_id
        UNION ALL SELECT accepted_at, reported_at, batch_id FROM core.acceptance WHERE case_id = h.case_id
        UNION ALL SELECT d.decided_at, d.reported_at, d.batch_id FROM core.decision AS d
        WHERE d.source_system_id = a.source_system_id AND d.case_number = a.case_number
    ) AS e LEFT JOIN ledger.batch AS b ON b.batch_id = e.batch_id
) AS t ON h.case_id IS NOT NULL
"""

_UNSEALED: Final = f"""SELECT card_id, evidence, {", ".join(SEALED)} FROM supervision.card
                      WHERE seal IS NULL ORDER BY card_id LIMIT :most"""
_SEAL: Final = """UPDATE supervision.card AS c SET seal = s.seal
                  FROM jsonb_to_recordset(CAST(:seals AS jsonb)) AS s (card_id bigint, seal text)
                  WHERE c.card_id = s.card_id"""
_AT_ONCE: Final = 5_000


def canonical(value: Any) -> bytes:
    """Write JSON in its one form, names sorted; evidence holds texts, whole numbers and truth values only."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def note_feeds(connection: sa.Connection) -> None:
    """Note how far the feeds are, for the rest of the transaction or until cards are raised (`raising.run`).

    Who computes clocks first notes the feeds before, and then takes what changed: a decision that comes in between is
    then unknown to both, and no card says that its feed was complete without it.
    """
    connection.execute(sa.text(_STREAMS))


def seal(connection: sa.Connection, signer: Signer) -> int:
    """Seal the cards that were raised in this transaction; return how many."""
    publish(connection, signer)
    sealed = 0
    while rows := connection.execute(sa.text(_UNSEALED), {"most": _AT_ONCE}).mappings().all():
        seals = [{"card_id": row["card_id"], "seal": signer.sign(canonical(_claims(dict(row))), KIND)} for row in rows]
        connection.execute(sa.text(_SEAL), {"seals": orjson.dumps(seals).decode()})
        sealed += len(rows)
    return sealed


def _claims(card: Mapping[str, Any]) -> dict[str, Any]:
    digest = hashlib.sha256(canonical(card["evidence"])).hexdigest()
    return {**{name: card[name] for name in SEALED}, "evidence_sha256": digest}


def verify(card: Mapping[str, Any], jwks: dict[str, Any]) -> str | None:
    """Say what is wrong with a card's seal by published keys; None where it proves the card and its evidence."""
    try:
        claims = opened(str(card["seal"]), jwks, KIND)
    except BadSignature as error:
        return str(error)
    if claims != _claims(card):
        return "the card or its evidence is not what was sealed"
    return None
