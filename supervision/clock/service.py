"""Computes the clocks: of all cases, or of those that changed; both give the same rows.

`core.case_overview` is written for each case that a batch touches, inside the batch's transaction; a trigger there
notes the case in `supervision.touched`, another does where a version of an item is published. So whatever changes a
case, by whatever way, its clock is computed anew by the next run, and nothing is noted before it is committed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from sharedrepo.models import clock, clock_stage
from supervision.calendar import service as calendars
from supervision.clock import cases as of_cases
from supervision.clock import facts, pauses, stages
from supervision.clock.explaining import Explained, explain

__all__ = ["Explained", "Recount", "explain", "recount"]

MEMORY: Final = "256MB"
"""What one sort or hash of a recount may take; the server's own setting is meant for many sessions at once."""
SHARES: Final = 2
"""Sessions that compute the clocks of all cases together."""
_SCOPE: Final = "CREATE TEMP TABLE clock_scope (case_id BIGINT PRIMARY KEY) ON COMMIT DROP"
# With the clocks of cases that are no more, which then go; without the cases that the database refused.
_ALL: Final = """INSERT INTO clock_scope
    SELECT record_id FROM core.approval_case WHERE record_id %% {shares} = {share}
    UNION SELECT case_id FROM supervision.clock WHERE case_id %% {shares} = {share}
    EXCEPT SELECT case_id FROM supervision.clock WHERE why = 'refused' ORDER BY 1"""
_TABLES: Final = {"clock": (clock, ("case_id",)), "clock_stage": (clock_stage, ("case_id", "stage", "round"))}


@dataclass(frozen=True, slots=True)
class Recount:
    """What a recount did: cases looked at, clocks and stages that came out otherwise than they stood, and why not."""

    cases: int
    changed: int
    stages_changed: int
    moved: int
    not_computable: dict[str, int] = field(default_factory=dict)


def recount(connection: sa.Connection, cases: Collection[int] | None = None, *, filling: int | None = None) -> Recount:
    """Compute the clocks of some cases, or of all (None), and write what differs from what stands.

    Deadlines that move are logged in `supervision.due_move`; `filling` names the change of a calendar that moves them.
    The caller owns the transaction.
    """
    calendars.ensure(connection)
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('supervision.recount'))")
    connection.exec_driver_sql(_SCOPE)
    if cases is None:
        connection.exec_driver_sql(_ALL.format(share=0, shares=1))
    elif cases:
        connection.execute(
            sa.text("INSERT INTO clock_scope SELECT DISTINCT unnest(CAST(:cases AS bigint[]))"), {"cases": list(cases)}
        )
    return _compute(connection, filling)


def recount_all(engine: sa.Engine, shares: int = SHARES) -> Recount:
    """Compute the clocks of all cases, each share of them in a session of its own, so that two processors work.

    Each share is committed for itself: the clock of a case rests on no other case.
    """
    with engine.begin() as connection:
        calendars.ensure(connection)

    def one(share: int) -> Recount:
        with engine.begin() as connection:
            # Shared among the shares; a change of the calendar, which computes clocks too, waits for them all.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock_shared(hashtext('supervision.recount'))")
            connection.exec_driver_sql(_SCOPE)
            connection.exec_driver_sql(_ALL.format(share=share, shares=shares))
            return _compute(connection, None)

    with ThreadPoolExecutor(shares, thread_name_prefix="recount") as workers:
        done = list(workers.map(one, range(shares)))
    why: Counter[str] = Counter()
    for each in done:
        why.update(each.not_computable)
    sums = {name: sum(getattr(each, name) for each in done) for name in ("cases", "changed", "stages_changed", "moved")}
    return Recount(**sums, not_computable=dict(sorted(why.items())))


def _compute(connection: sa.Connection, filling: int | None) -> Recount:
    """Compute the clocks of the cases of `clock_scope` and write what differs."""
    run = connection.exec_driver_sql
    run(f"SET LOCAL work_mem = '{MEMORY}'")
    run("SET LOCAL jit = off")
    run("ANALYZE clock_scope")
    for statement in (*facts.STATEMENTS, *pauses.STATEMENTS, *of_cases.STATEMENTS, *stages.STATEMENTS, stages.NEW):
        run(statement)
    moved = _log_moves(connection, filling)
    changed = _write(connection, "clock")
    stages_changed = _write(connection, "clock_stage")
    why = run("SELECT why, count(*) FROM clock_new WHERE why IS NOT NULL GROUP BY 1 ORDER BY 1")
    done = Recount(
        int(run("SELECT count(*) FROM clock_scope").scalar_one()), changed, stages_changed, moved,
        {str(row[0]): int(row[1]) for row in why},
    )  # fmt: skip
    _drop(connection)
    return done


def _log_moves(connection: sa.Connection, filling: int | None) -> int:
    return connection.execute(
        sa.text(
            """INSERT INTO supervision.due_move
                   (case_id, cause, filling, due_before, due_at, provisional_before, provisional)
               SELECT n.case_id, CASE WHEN :filling IS NULL THEN 'case' ELSE 'calendar' END, :filling, o.due_at,
                   n.due_at, o.provisional, n.provisional
               FROM clock_new AS n JOIN supervision.clock AS o USING (case_id)
               WHERE o.due_at IS DISTINCT FROM n.due_at
                  OR (o.due_at IS NOT NULL AND o.provisional <> n.provisional)
               ORDER BY n.case_id"""
        ),
        {"filling": filling},
    ).rowcount


def _write(connection: sa.Connection, name: str) -> int:
    """Write the rows that differ, take away those that are no more; return how many both were."""
    table, keys = _TABLES[name]
    columns = [c.name for c in table.columns if c.name != "computed_at"]
    values = [one for one in columns if one not in keys]
    on = " AND ".join(f"o.{key} = n.{key}" for key in keys)
    gone = connection.exec_driver_sql(
        f"""DELETE FROM supervision.{name} AS o USING clock_scope AS s WHERE s.case_id = o.case_id
            AND NOT EXISTS (SELECT FROM {name}_new AS n WHERE {on})"""
    ).rowcount
    stamp = ", computed_at = now()" if "computed_at" in table.columns else ""
    empty = not connection.exec_driver_sql(f"SELECT EXISTS (SELECT FROM supervision.{name})").scalar_one()
    update = f"DO UPDATE SET {', '.join(f'{one} = excluded.{one}' for one in values)}{stamp}"
    conflict = "" if empty else f"ON CONFLICT ({', '.join(keys)}) {update}"
    written = connection.exec_driver_sql(
        f"""INSERT INTO supervision.{name} AS o ({", ".join(columns)})
            SELECT {", ".join(f"n.{one}" for one in columns)} FROM {name}_new AS n
            LEFT JOIN supervision.{name} AS o ON {on}
            WHERE o.case_id IS NULL
               OR ({", ".join(f"o.{one}" for one in values)})
                  IS DISTINCT FROM ({", ".join(f"n.{one}" for one in values)})
            {conflict}"""
    ).rowcount
    return gone + written


def _drop(connection: sa.Connection) -> None:
    """Take the temporary tables away, so that one transaction can recount more than once."""
    found = connection.exec_driver_sql(
        r"""SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'
            AND relname LIKE 'clock\_%%'"""
    ).scalars()
    if names := ", ".join(f"pg_temp.{name}" for name in found):
        connection.exec_driver_sql(f"DROP TABLE {names}")
