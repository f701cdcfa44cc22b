"""The present state of the cases that a batch touched, and the rules that are judged on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sharedrepo.models import TABLES
from sharedrepo.models.overview import STAGES
from sharedrepo.staging import stage

OF_CASE = tuple(name for name, table in TABLES.items() if "case_id" in table.columns)
"""Tables whose rows hang on a case."""
BY_NUMBER = ("decision", "credential")
"""Tables whose rows name a case by its number, and stand without it."""


def begin(cursor: stage.Cursor) -> None:
    """Make the list of touched cases and the table of their facts."""
    stage.make(cursor, "stage_touched", columns="case_id bigint")


def touch(cursor: stage.Cursor, source_system_id: int, *, cases: Iterable[int], numbers: Iterable[str]) -> None:
    """Note cases by their ids, and by the numbers under which this source's documents name them."""
    stage.copy(cursor, "stage_touched", {"case_id": stage.integers(sorted(set(cases)))})
    wanted = sorted(set(numbers))
    if wanted:
        cursor.execute(
            """INSERT INTO stage_touched
               SELECT record_id FROM core.approval_case WHERE source_system_id = %s AND case_number = ANY(%s)""",
            (source_system_id, wanted),
        )


def touch_changed(cursor: stage.Cursor) -> None:
    """Note the cases that the rows of `stage_changed` spoke about so far."""
    parts = [f"SELECT t.case_id FROM core.{name} AS t JOIN stage_changed USING (record_id)" for name in OF_CASE]
    parts.append("SELECT record_id FROM core.approval_case JOIN stage_changed USING (record_id)")
    parts += [
        f"""SELECT c.record_id FROM core.{name} AS t JOIN stage_changed USING (record_id) JOIN core.approval_case AS c
            ON c.source_system_id = t.source_system_id AND c.case_number = t.case_number"""
        for name in BY_NUMBER
    ]
    cursor.execute("INSERT INTO stage_touched " + " UNION ".join(parts))


def refresh(cursor: stage.Cursor) -> None:
    """Gather the facts of the touched cases and write their overview."""
    cursor.execute(f"CREATE TEMP TABLE IF NOT EXISTS case_facts ON COMMIT DELETE ROWS AS {_FACTS} WITH NO DATA")
    cursor.execute(f"DELETE FROM case_facts; INSERT INTO case_facts {_FACTS}")
    cursor.execute(
        """DELETE FROM core.case_overview AS o USING stage_touched AS t
           WHERE o.case_id = t.case_id AND NOT EXISTS (SELECT FROM case_facts AS f WHERE f.case_id = t.case_id)"""
    )
    cursor.execute(_OVERVIEW)


def judge(
    cursor: stage.Cursor, rules: Mapping[str, str], *, batch_id: int, first_batch_id: int, zone: str, five_stages: bool
) -> None:
    """Judge the touched cases; open what is new, close what no longer holds.

    A finding that this very pull opened and a later slice of it settled was never seen by anyone: it is taken away.
    """
    stage.make(cursor, "stage_case_finding", columns="case_id bigint, rule text, field text")
    facts = {"zone": zone, "five_stages": five_stages}
    # One message to the server instead of one a rule; a line's own comment may end a query.
    judged = [f"SELECT case_id, '{code}', field FROM ({query}\n) AS found" for code, query in rules.items()]
    if judged:
        cursor.execute(";".join(f"INSERT INTO stage_case_finding {query}" for query in judged), facts)
    still = "EXISTS (SELECT FROM stage_case_finding AS s WHERE s.case_id = f.case_id AND s.rule = f.rule)"
    over = "f.state = 'open' AND f.case_id IN (SELECT case_id FROM stage_touched)"
    cursor.execute(
        f"DELETE FROM quality.finding AS f WHERE {over} AND f.batch_id >= %s AND NOT {still}", (first_batch_id,)
    )
    cursor.execute(
        f"UPDATE quality.finding AS f SET state = 'closed', closed_by = %s WHERE {over} AND NOT {still}", (batch_id,)
    )
    cursor.execute(
        """
        INSERT INTO quality.finding (stream_id, record_id, case_id, unit, row, rule, effect, field, batch_id)
        SELECT r.stream_id, r.record_id, s.case_id, NULL, r.row, s.rule, 'flag', s.field, %s
        FROM stage_case_finding AS s JOIN ledger.source_record AS r ON r.record_id = s.case_id
        WHERE NOT EXISTS (
            SELECT FROM quality.finding AS f WHERE f.state = 'open' AND f.case_id = s.case_id AND f.rule = s.rule)
        ORDER BY s.case_id, s.rule
        """,
        (batch_id,),
    )


def _stage_facts() -> str:
    return ",\n".join(
        f"min(started_at) FILTER (WHERE stage = '{stage_name}') AS {stage_name}_first" for stage_name in STAGES
    )


# 'd' < 'm' < 's': min() over precisions is the coarsest; one for all events of a case can only compare more coarsely.
_FACTS = f"""
SELECT
    c.record_id AS case_id, c.case_kind, c.applied_at, c.applied_at_precision AS applied_precision,
    a.accepted_at, a.accepted_precision, a.due_at, a.due_precision, a.not_accepted,
    e.*,
    least(d.closed_at, e.complete_first) AS closed_at,
    least(d.closed_precision, e.stage_precision) AS closed_precision,
    d.closing_outcome, d.closing_outcomes, d.grants_without_document,
    a.refusals_without_reason + d.refusals_without_reason AS refusals_without_reason,
    p.pauses_open, p.pauses_without_start, p.extensions_without_approver
FROM (SELECT DISTINCT case_id FROM stage_touched) AS t
JOIN core.approval_case AS c ON c.record_id = t.case_id
CROSS JOIN LATERAL (
    SELECT
        min(accepted_at) FILTER (WHERE outcome = 'accepted') AS accepted_at,
        min(accepted_at_precision) FILTER (WHERE outcome = 'accepted') AS accepted_precision,
        max(due_at) AS due_at,
        min(due_at_precision) AS due_precision,
        coalesce(bool_or(outcome = 'not_accepted'), FALSE) AS not_accepted,
        count(*) FILTER (WHERE outcome = 'not_accepted' AND coalesce(reason, '') = '') AS refusals_without_reason
    FROM core.acceptance WHERE case_id = c.record_id
) AS a
CROSS JOIN LATERAL (
    SELECT
        count(*) AS events,
        count(reported_at) AS events_reported,
        min(reported_at) AS first_reported_at,
        max(reported_at) AS last_reported_at,
        max(greatest(started_at, finished_at)) AS last_event_at,
        min(started_at_precision) AS stage_precision,
        {_stage_facts()}
    FROM core.stage_event WHERE case_id = c.record_id
) AS e
CROSS JOIN LATERAL (
    SELECT
        min(decided_at) FILTER (WHERE closing) AS closed_at,
        min(decided_at_precision) FILTER (WHERE closing) AS closed_precision,
        min(outcome) FILTER (WHERE closing) AS closing_outcome,
        count(DISTINCT outcome) FILTER (WHERE closing) AS closing_outcomes,
        count(*) FILTER (WHERE outcome = 'refused' AND coalesce(reason, '') = '') AS refusals_without_reason,
        count(*) FILTER (
            WHERE closing AND expects_document AND outcome = 'granted' AND document_number IS NULL
              AND NOT EXISTS (SELECT FROM core.credential AS k
                              WHERE k.source_system_id = c.source_system_id AND k.case_number = c.case_number)
        ) AS grants_without_document
    FROM core.decision AS d WHERE d.source_system_id = c.source_system_id AND d.case_number = c.case_number
) AS d
CROSS JOIN LATERAL (
    SELECT
        -- A pause may come as one row or as two, one for its start and one for its end: ends are paired with starts.
        greatest(count(started_at) - count(ended_at), 0) AS pauses_open,
        greatest(count(ended_at) - count(started_at), 0) AS pauses_without_start,
        count(*) FILTER (WHERE suspension_kind = 'extension' AND approver_hash IS NULL) AS extensions_without_approver
    FROM core.suspension WHERE case_id = c.record_id
) AS p
"""

_WRITTEN = (
    "case_id", "state", "events", "applied_at", "accepted_at", "due_at", *(f"{name}_first" for name in STAGES),
    "closed_at", "closing_outcome", "pauses_open", "last_reported_at",
)  # fmt: skip

_STATE = """
    CASE
        WHEN closed_at IS NOT NULL THEN 'closed'
        WHEN not_accepted AND accepted_at IS NULL THEN 'not_accepted'
        WHEN pauses_open > 0 THEN 'suspended'
        WHEN undertake_first IS NOT NULL OR review_first IS NOT NULL OR approve_first IS NOT NULL THEN 'in_progress'
        WHEN accepted_at IS NOT NULL OR accept_first IS NOT NULL THEN 'accepted'
        ELSE 'applied'
    END"""

_OVERVIEW = f"""
INSERT INTO core.case_overview AS o ({", ".join(_WRITTEN)})
SELECT {", ".join(_STATE if name == "state" else name for name in _WRITTEN)}
FROM case_facts ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _WRITTEN[1:])}
"""
