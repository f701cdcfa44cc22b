"""A run of supervision: clocks, then all that rests on them, in one transaction; nothing is half done.

Each part hangs its step in here, in the order in which one rests on the other. A step gets the connection, the moment
for which the run speaks, and the cases that changed (None: any may have), and returns what it counted. What fails takes
the whole run back, so that the cases it was about are looked at again by the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from hub.protect import Protector
from sharedrepo.keyring.signing import Ed25519Signer
from supervision import handing, refused
from supervision.cards import evidence, raising, texting
from supervision.clock import reminders
from supervision.clock import service as clock

log = logging.getLogger("hub")

Step = Callable[[sa.Connection, datetime, Sequence[int] | None], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Run:
    """What a run did: its kind, the moment it speaks for, and what each step counted."""

    run_id: int
    kind: str
    as_of: datetime
    counts: dict[str, dict[str, Any]]


def _clocks(connection: sa.Connection, _now: datetime, cases: Sequence[int] | None) -> dict[str, Any]:
    done = clock.recount_all(connection.engine) if cases is None else clock.recount(connection, cases)
    counts = {name: getattr(done, name) for name in ("cases", "changed", "stages_changed", "moved")}
    return {**counts, "not_computable": done.not_computable}


STEPS: Final[tuple[tuple[str, Step], ...]] = (
    ("clock", _clocks),
    ("reminders", reminders.make),
    ("cards", raising.step),
    ("findings", handing.step),
)
"""What a run does, in order; parts of this package add their step as one line."""


def run(
    engine: sa.Engine, *, as_of: datetime | None = None, full: bool = False, protector: Protector | None = None
) -> Run:  # fmt: skip
    """Bring supervision up to date: for the cases that changed since the last run, or for all of them (`full`).

    `protector` holds the keys by which new cards are sealed and their recipients told; without it the next run that has
    them does both. A case that the database refuses is set aside (`supervision.refused`), the others run.

    `as_of` makes the run speak for another moment than the present: days left are counted from it.
    """

    def once(only: Sequence[int] | None) -> Run:
        return _once(engine, as_of=as_of, full=full and only is None, protector=protector, only=only)

    if full:
        # What was set aside is tried by itself: it may have been mended without a batch, by a newer hub.
        _apart(engine, refused.listed(engine), once)
    try:
        return once(None)
    except refused.REFUSALS:
        with engine.connect() as connection:
            found = connection.execute(sa.text(_ALL if full else _TOUCHED)).scalars().all()
    done = _apart(engine, [int(one) for one in found], once)
    return once(None) if full or not done else _added(done)


_ALL: Final = """SELECT o.case_id FROM core.case_overview AS o WHERE NOT EXISTS (
    SELECT FROM supervision.clock AS c WHERE c.case_id = o.case_id AND c.why = 'refused') ORDER BY 1"""
_TOUCHED: Final = "SELECT DISTINCT case_id FROM supervision.touched ORDER BY 1"


def _apart(engine: sa.Engine, cases: Sequence[int], once: Callable[[Sequence[int] | None], Run]) -> list[Run]:
    """Run cases in halves, and set aside those that are refused; return the runs of the others."""
    if not cases:
        return []
    done, by = refused.apart(cases, once)
    for case, what in by.items():
        refused.set_aside(engine, case, what)
    return done


def _added(runs: Sequence[Run]) -> Run:
    """Return several runs as one: the last one's number, with the counts of all."""
    counts: dict[str, dict[str, Any]] = {}
    for one in runs:
        for step, said in one.counts.items():
            into = counts.setdefault(step, {})
            for name, count in said.items():
                into[name] = into[name] + count if isinstance(count, int) and name in into else count
    return replace(runs[-1], counts=counts)


def _once(
    engine: sa.Engine, *, as_of: datetime | None, full: bool, protector: Protector | None,
    only: Sequence[int] | None,
) -> Run:  # fmt: skip
    """Run all steps in one transaction: over all cases, over what was touched, or over some of that (`only`)."""
    began = datetime.now(UTC)
    with engine.begin() as connection:
        # One at a time: two runs would raise the same card twice.
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('supervision.run'))"))
        now = at(connection, as_of)
        mark = handing.mark(connection)
        evidence.note_feeds(connection)
        changed = take_touched(connection, only)
        cases = None if full else changed if only is None else only
        counts = {name: step(connection, now, cases) for name, step in STEPS}
        if full:
            # What came out otherwise than it stood, though nothing had changed it, was missed by an earlier run.
            clocks = counts["clock"]
            clocks["differing"] = handing.differing(
                connection, mark, changed=changed, cases=clocks["cases"], now=now,
                found=clocks["changed"] + clocks["stages_changed"],
            )  # fmt: skip
        if protector is not None:
            evidence.seal(connection, Ed25519Signer.of(protector.ring))
            counts["texts"] = {"queued": texting.queue(connection, protector, now=now, full=full)}
        run_id = connection.execute(
            sa.text(
                """INSERT INTO supervision.run (kind, as_of, began_at, counts)
                   VALUES (:kind, :as_of, :began, CAST(:counts AS jsonb)) RETURNING run_id"""
            ),
            {"kind": "full" if full else "touched", "as_of": as_of, "began": began,
             "counts": orjson.dumps(counts).decode()},
        ).scalar_one()  # fmt: skip
    done = Run(int(run_id), "full" if full else "touched", now, counts)
    clock = counts["clock"]
    log.info(
        "supervision: run %d (%s): %d cases, %d clocks and %d stages changed, %d not computable",
        done.run_id, done.kind, clock["cases"], clock["changed"], clock["stages_changed"],
        sum(clock["not_computable"].values()),
    )  # fmt: skip
    return done


def at(connection: sa.Connection, as_of: datetime | None) -> datetime:
    """Let the views of this transaction speak for a moment (None: the present); return it."""
    connection.execute(
        sa.text("SELECT set_config('hub.now', :now, true)"), {"now": "" if as_of is None else as_of.isoformat()}
    )
    return connection.execute(sa.text("SELECT supervision.instant()")).scalar_one()  # type: ignore[no-any-return]  # a timestamptz


def take_touched(connection: sa.Connection, only: Sequence[int] | None = None) -> list[int]:
    """Take the cases that changed since they were last taken, or some of them; they come back where this fails."""
    query = """DELETE FROM supervision.touched
               WHERE CAST(:only AS bigint[]) IS NULL OR case_id = ANY (:only) RETURNING case_id"""
    values = {"only": None if only is None else list(only)}
    return sorted({int(one) for one in connection.execute(sa.text(query), values).scalars()})
