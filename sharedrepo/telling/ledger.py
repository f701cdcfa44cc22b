"""The ledger read: balances of streams, and the proof that its states equal what the repository holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sharedrepo.models import OUTCOMES, TABLES


def balances(engine: sa.Engine, source: str | None = None) -> list[dict[str, Any]]:
    """Return the balance of each stream, in source and stream order."""
    query = """SELECT * FROM ledger.balance WHERE CAST(:source AS text) IS NULL OR source = :source
               ORDER BY source, stream_id"""
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(sa.text(query), {"source": source}).mappings()]
    for row in rows:
        row |= {name: int(row[name]) for name in ("batches", "read", *OUTCOMES, "absent")}
        row["balanced"] = row["read"] == sum(row[outcome] for outcome in OUTCOMES)
    return rows


def states(engine: sa.Engine, source: str | None = None) -> dict[str, int]:
    """Count the source records by state."""
    query = """
        SELECT r.state, count(*) FROM ledger.source_record AS r
        JOIN ledger.stream AS s ON s.stream_id = r.stream_id
        JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
        WHERE CAST(:source AS text) IS NULL OR ss.code = :source GROUP BY r.state"""
    with engine.connect() as connection:
        found = {state: int(count) for state, count in connection.execute(sa.text(query), {"source": source})}
    return {state: found.get(state, 0) for state in ("kept", "quarantined", "parked", "deleted", "excluded")}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A place where the ledger and the contents disagree: what was looked for, how many, and some record ids."""

    check: str
    count: int
    examples: tuple[int, ...]


_CHECKS: dict[str, str] = {
    "a kept record has no row in core": """
        SELECT record_id FROM ledger.source_record AS r WHERE r.state = 'kept'
        AND NOT EXISTS (SELECT FROM owned AS o WHERE o.record_id = r.record_id)""",
    "a record that is not kept has rows in core": """
        SELECT DISTINCT o.record_id FROM owned AS o
        LEFT JOIN ledger.source_record AS r ON r.record_id = o.record_id
        WHERE r.state IS DISTINCT FROM 'kept'""",
    "a quarantined record does not wait": """
        SELECT record_id FROM ledger.source_record AS r WHERE r.state = 'quarantined' AND NOT EXISTS (
            SELECT FROM ledger.waiting AS w
            WHERE w.record_id = r.record_id AND w.status = 'open' AND w.kind = 'quarantined')""",
    "a parked record does not wait": """
        SELECT record_id FROM ledger.source_record AS r WHERE r.state = 'parked' AND NOT EXISTS (
            SELECT FROM ledger.waiting AS w
            WHERE w.record_id = r.record_id AND w.status = 'open' AND w.kind = 'parked')""",
    "a waiting record is not in the register": """
        SELECT w.record_id FROM ledger.waiting AS w WHERE NOT EXISTS (
            SELECT FROM ledger.source_record AS r WHERE r.record_id = w.record_id)""",
    "a parked record's case is here": """
        SELECT w.record_id FROM ledger.waiting AS w
        JOIN ledger.stream AS s ON s.stream_id = w.stream_id
        JOIN core.approval_case AS c ON c.source_system_id = s.source_system_id AND c.case_number = w.case_number
        WHERE w.status = 'open' AND w.kind = 'parked'""",
    "a case has no overview": """
        SELECT record_id FROM core.approval_case AS c
        WHERE NOT EXISTS (SELECT FROM core.case_overview AS o WHERE o.case_id = c.record_id)""",
    "an overview has no case": """
        SELECT case_id FROM core.case_overview AS o
        WHERE NOT EXISTS (SELECT FROM core.approval_case AS c WHERE c.record_id = o.case_id)""",
    "an overview counts other events": """
        SELECT o.case_id FROM core.case_overview AS o
        LEFT JOIN (SELECT case_id, count(*) AS events FROM core.stage_event GROUP BY case_id) AS e USING (case_id)
        WHERE o.events <> coalesce(e.events, 0)""",
    "a refusing finding has no waiting record": """
        SELECT f.record_id FROM quality.finding AS f WHERE f.state = 'open' AND (f.effect = 'refuse' OR f.waits)
        AND f.record_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM ledger.waiting AS w
            WHERE w.record_id = f.record_id AND w.status = 'open' AND w.kind = 'quarantined')""",
    "a batch does not balance": f"""
        SELECT batch_id FROM ledger.batch WHERE read <> {" + ".join(OUTCOMES)}""",
}


def check(engine: sa.Engine) -> list[Disagreement]:
    """Prove that the states of the register equal the contents of the repository; return where they do not."""
    owned = " UNION ALL ".join(f"SELECT record_id FROM core.{name}" for name in TABLES)
    out: list[Disagreement] = []
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TEMP TABLE owned ON COMMIT DROP AS SELECT DISTINCT record_id FROM ({owned}) AS t"
        )
        connection.exec_driver_sql("CREATE UNIQUE INDEX ON owned (record_id)")
        connection.exec_driver_sql("ANALYZE owned")
        for name, query in _CHECKS.items():
            ids = [row[0] for row in connection.exec_driver_sql(f"SELECT * FROM ({query}) AS q ORDER BY 1")]
            if ids:
                out.append(Disagreement(name, len(ids), tuple(ids[:5])))
    return out
