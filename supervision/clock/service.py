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

LISTED: Final = 10_000
"""So many cases are named one by one where what stands of them is looked up."""
MEMORY: Final = "256MB"
"""What one sort or hash of a recount may take; the server's own setting is meant for many sessions at once."""
SHARES: Final = 2
"""Sessions that compute the clocks of all cases together."""
PIECE: Final = 40_000
"""Cases that one session computes at once. Three times as many take a quarter more processor time for each."""
_SCOPE: Final = "CREATE TEMP TABLE clock_scope (case_id BIGINT PRIMARY KEY) ON COMMIT DROP"
# With the clocks of cases that are no more, which then go; without the cases that the database refused.
_ALL: Final = """INSERT INTO clock_scope
    SELECT record_id FROM core.approval_case WHERE record_id > {after} AND record_id <= {through}
    UNION SELECT case_id FROM supervision.clock WHERE case_id > {after} AND case_id <= {through}
    EXCEPT SELECT case_id FROM supervision.clock WHERE why = 'refused' ORDER BY 1"""
_FIRST, _LAST = -1, 2**63 - 1
_BOUNDS: Final = """SELECT percentile_disc(CAST(:parts AS float8[])) WITHIN GROUP (ORDER BY record_id)
    FROM core.approval_case"""
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
        connection.exec_driver_sql(_ALL.format(after=_FIRST, through=_LAST))
    elif cases:
        connection.execute(
            sa.text("INSERT INTO clock_scope SELECT DISTINCT unnest(CAST(:cases AS bigint[]))"), {"cases": list(cases)}
        )
    return _compute(connection, filling)


def recount_all(engine: sa.Engine, shares: int = SHARES) -> Recount:
    """Compute the clocks of all cases, in pieces, by as many sessions at once, so that two processors work.

    Each piece is committed for itself: the clock of a case rests on no other case. A piece is of cases whose numbers
    lie together, as their rows do.
    """
    with engine.begin() as connection:
        calendars.ensure(connection)
        pieces = _pieces(connection, shares)

    def one(piece: tuple[int, int]) -> Recount:
        with engine.begin() as connection:
            # Shared among the pieces; a change of the calendar, which computes clocks too, waits for them all.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock_shared(hashtext('supervision.recount'))")
            connection.exec_driver_sql(_SCOPE)
            connection.exec_driver_sql(_ALL.format(after=piece[0], through=piece[1]))
            return _compute(connection, None)

    with ThreadPoolExecutor(shares, thread_name_prefix="recount") as workers:
        done = list(workers.map(one, pieces))
    why: Counter[str] = Counter()
    for each in done:
        why.update(each.not_computable)
    sums = {name: sum(getattr(each, name) for each in done) for name in ("cases", "changed", "stages_changed", "moved")}
    return Recount(**sums, not_computable=dict(sorted(why.items())))


def _pieces(connection: sa.Connection, shares: int) -> list[tuple[int, int]]:
    """Part the cases by their numbers into pieces of like size, as many as there are sessions or more."""
    cases = int(connection.exec_driver_sql("SELECT count(*) FROM core.approval_case").scalar_one())
    count = max(shares, -(-cases // PIECE))
    parts = [place / count for place in range(1, count)]
    bounds = connection.execute(sa.text(_BOUNDS), {"parts": parts}).scalar_one() if parts else []
    ends = [*sorted({int(one) for one in bounds or ()}), _LAST]
    return list(zip([_FIRST, *ends[:-1]], ends, strict=True))


def _compute(connection: sa.Connection, filling: int | None) -> Recount:
    """Compute the clocks of the cases of `clock_scope` and write what differs."""
    run = connection.exec_driver_sql
    run(f"SET LOCAL work_mem = '{MEMORY}'")
    run("SET LOCAL jit = off")
    run("ANALYZE clock_scope")
    cases, within = _within(connection)
    for statement in (*facts.STATEMENTS, *pauses.STATEMENTS, *of_cases.STATEMENTS, *stages.STATEMENTS):
        run(statement.replace("{within}", within))
    of_case = _Writing(connection, "clock", within)
    run(f"CREATE TEMP TABLE clock_new ON COMMIT DROP AS {of_case.differing(of_cases.CLOCKS)}")
    moved = _log_moves(connection, filling)
    changed = of_case.write("SELECT * FROM clock_new", "clock_base")
    of_stage = _Writing(connection, "clock_stage", within)
    stages_changed = of_stage.write(of_stage.differing(stages.CLOCKS), "clock_round")
    why = run(
        """SELECT c.why, count(*) FROM supervision.clock AS c JOIN clock_scope USING (case_id)
           WHERE c.why IS NOT NULL GROUP BY 1 ORDER BY 1"""
    )
    done = Recount(cases, changed, stages_changed, moved, {str(row[0]): int(row[1]) for row in why})
    _drop(connection)
    return done


def _within(connection: sa.Connection) -> tuple[int, str]:
    """Return how many cases are computed, and the condition by which what stands of them is looked at.

    It tells the planner how few they are: a list of numbers, and for long ones the first and the last.
    """
    numbers = connection.exec_driver_sql("SELECT case_id FROM clock_scope ORDER BY 1").scalars().all()
    if len(numbers) <= LISTED:
        return len(numbers), f"o.case_id = ANY ('{{{','.join(map(str, numbers))}}}'::bigint[])"
    return len(numbers), f"o.case_id BETWEEN {numbers[0]} AND {numbers[-1]}"


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


class _Writing:
    """Writes what was computed into a table of clocks, as far as it does not stand so.

    The rows are never laid down in between: they are compared as they are computed.
    """

    def __init__(self, connection: sa.Connection, name: str, within: str) -> None:
        table, self._keys = _TABLES[name]
        self._connection, self._name, self._within = connection, name, within
        self._columns = [c.name for c in table.columns if c.name != "computed_at"]
        self._values = [one for one in self._columns if one not in self._keys]
        self._on = " AND ".join(f"o.{key} = n.{key}" for key in self._keys)
        self._stamp = ", computed_at = now()" if "computed_at" in table.columns else ""
        stands = f"SELECT EXISTS (SELECT FROM supervision.{name} AS o WHERE {within})"
        self._stands = bool(connection.exec_driver_sql(stands).scalar_one())

    def differing(self, computed: str) -> str:
        """Return the query of those computed rows that do not stand so."""
        said = f"SELECT {', '.join(f'n.{one}' for one in self._columns)} FROM ({computed}) AS n"
        if not self._stands:
            return said
        o, n = (", ".join(f"{row}.{one}" for one in self._values) for row in "on")
        return f"""{said} LEFT JOIN supervision.{self._name} AS o ON {self._on} AND {self._within}
            WHERE o.case_id IS NULL OR ({o}) IS DISTINCT FROM ({n})"""

    def write(self, differing: str, alive: str) -> int:
        """Write the rows that differ, take away those whose keys `alive` lacks; return how many both were."""
        gone, conflict = 0, ""
        if self._stands:
            gone = self._connection.exec_driver_sql(
                f"""DELETE FROM supervision.{self._name} AS o USING clock_scope AS s WHERE s.case_id = o.case_id
                    AND {self._within} AND NOT EXISTS (SELECT FROM {alive} AS n WHERE {self._on})"""
            ).rowcount
            values = ", ".join(f"{one} = excluded.{one}" for one in self._values)
            conflict = f"ON CONFLICT ({', '.join(self._keys)}) DO UPDATE SET {values}{self._stamp}"
        written = self._connection.exec_driver_sql(
            f"INSERT INTO supervision.{self._name} ({', '.join(self._columns)}) {differing} {conflict}"
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
