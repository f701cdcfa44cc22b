"""A quality run: sets are checked, issues brought up to date, scores written, silence escalated, people told.

Each step is a function of its own, so that Airflow runs, repeats and shows it alone; `run` does all of them.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from connectors.source import Source
from hub.errors import RepositoryError
from hub.findings import RULES, Effect
from hub.sentences import sentence
from hub.workdays import local_day
from pipeline.afterwards import replay
from pipeline.runtime import Runtime
from quality.alerts import service as alerts
from quality.issues import service as issues
from quality.scores.service import record_day
from sharedrepo.telling import lists

log = logging.getLogger("hub")

_BOUNDS: Final = frozenset({"volume_below", "fill_below", "error_budget"})
"""Rules by which a delivery that could be read is held; the others that refuse one say that it could not."""


@dataclass(frozen=True, slots=True)
class Held:
    """A delivery that was not published and waits for a person: its first batch, and what it counted."""

    source: str
    stream: str
    batch: int
    unit: str
    read: int
    rules: tuple[str, ...]


def check_sets(runtime: Runtime, sources: Sequence[Source], codes: Collection[str] | None = None) -> dict[str, int]:
    """Run the suites over what is held of these sources (None: of all); return how much was checked and failed.

    All of them are judged in one scan a document (decision 39): a set is an organ's rows of one stream, so that what is
    found of one does not depend on which others are looked at.

    Raises:
        HubError: a suite did not load whole or did not run to its end.
    """
    from quality.sets.service import NothingToCheck, check  # noqa: PLC0415  # great_expectations comes with it: seconds

    try:
        report = check(runtime.engine, sources, runtime.documents, source=codes)
    except NothingToCheck as nothing:
        log.info("sets: %s", nothing)
        return {"expectations": 0, "failed": 0}
    return {"expectations": len(report.results), "failed": len(report.failed)}


def refresh(runtime: Runtime, sources: Sequence[Source], now: datetime) -> dict[str, int]:
    """Bring the issues up to date, with what the clock says of the feeds; return the counts."""
    feeds = issues.look(runtime.engine, sources, now)
    return asdict(issues.refresh(runtime.engine, now, feeds))


def record(runtime: Runtime, now: datetime) -> dict[str, int]:
    """Write today's scores; return how many."""
    return {"scores": record_day(runtime.engine, local_day(now))}


def escalate(runtime: Runtime, sources: Sequence[Source], now: datetime) -> dict[str, int]:
    """Let silent issues climb; return how many reached which level."""
    steps = issues.escalate(runtime.engine, now, sources)
    for step in steps:
        log.info("issue %s: no answer, %s is told", step.code, step.recipient.role)
    return {
        f"level_{level}": sum(one.level == level for one in steps) for level in sorted({one.level for one in steps})
    }


def alert(runtime: Runtime, sources: Sequence[Source], now: datetime) -> dict[str, int]:
    """Tell people what is new; return the counts, those that were not delivered among them."""
    return asdict(alerts.send(runtime.engine, runtime.settings, now, sources))


def run(
    runtime: Runtime, sources: Sequence[Source], now: datetime, *, sets: bool = True, tell: bool = True
) -> dict[str, Any]:  # fmt: skip
    """Do a whole quality run; return what each step counted."""
    return {
        "sets": check_sets(runtime, sources) if sets else None,
        "issues": refresh(runtime, sources, now),
        "scores": record(runtime, now),
        "escalated": escalate(runtime, sources, now),
        "alerts": alert(runtime, sources, now) if tell else None,
    }


def held(engine: sa.Engine) -> list[Held]:
    """Return the deliveries that a person may publish after all, each by its first batch.

    What could not be read at all can only be sent again: nobody is asked about it.
    """
    query = """
        SELECT ss.code AS source, s.name AS stream, min(b.batch_id) AS batch, coalesce(b.unit, '') AS unit,
            sum(b.read)::int AS read,
            ARRAY(SELECT DISTINCT f.rule FROM quality.finding AS f
                  WHERE f.stream_id = b.stream_id AND f.unit = b.unit AND f.record_id IS NULL AND f.state = 'open'
                  ORDER BY f.rule) AS rules
        FROM ledger.batch AS b
        JOIN ledger.stream AS s USING (stream_id)
        JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
        WHERE b.status = 'held' GROUP BY ss.code, s.name, b.stream_id, b.unit ORDER BY 3"""
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query)).mappings()
        found = [Held(**{**row, "rules": tuple(row["rules"])}) for row in rows]
    return [one for one in found if not unreadable(one.read, one.rules)]


def unreadable(read: int, rules: Collection[str]) -> bool:
    """Say whether a held delivery could not be read at all, so that there is nothing in it to publish."""
    return read == 0 and any(RULES[one].effect is Effect.REFUSE for one in rules if one in RULES and one not in _BOUNDS)


def release(
    runtime: Runtime, sources: Sequence[Source], *, source: str, batch: int, actor: str, reason: str
) -> dict[str, int]:
    """Publish a held delivery on a person's word; nothing where it waits no longer.

    Raises:
        RepositoryError: no reason, no such source, or its unit could not be read at all.
    """
    if not lists.held_unit(runtime.engine, source, batch):
        log.info("batch %d of %s is held no longer: a new delivery came, or it was accepted elsewhere", batch, source)
        return {}
    mine = [one for one in sources if one.code == source]
    if not mine:
        raise RepositoryError(
            sentence(
                "no source {source!r} is declared any more, so its batch {batch} cannot be taken in.",
                source=source,
                batch=batch,
            )
        )
    return replay.accept(runtime, mine[0], batch, reason, actor=actor).counts
