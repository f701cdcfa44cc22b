"""Changes of a calendar together with the deadlines that they move: in one transaction, each move logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from hub.workdays import DayKind
from supervision.calendar import service
from supervision.calendar.errors import BadDay
from supervision.calendar.service import NATION, Change, Filled
from supervision.clock.service import recount

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change did: its number (None: it said what was so), days set, cases looked at, deadlines moved."""

    filling: int | None
    changed: int
    recounted: int = 0
    moved: int = 0


def change(
    connection: sa.Connection, calendar: str, wanted: Sequence[Change], *, source: str, reason: str, actor: str
) -> Changed:
    """Set days of a calendar and recompute every clock that reaches beyond the first of them.

    Raises:
        BadDay: as `service.change` says.
    """
    done = service.change(connection, calendar, wanted, source=source, reason=reason, actor=actor)
    if done.filling is None:
        return Changed(None, 0)
    return _recounted(connection, calendar, min(one.day for one in wanted), done)


def publish(
    connection: sa.Connection, calendar: str, year: int, named: Sequence[Change], *, source: str, actor: str
) -> Changed:
    """Take in a year's notice: named days as it says, all others as weekdays and weekends; the year is published then.

    Raises:
        BadDay: a named day lies in another year (a notice names days of late December and early January of its own
            year only), or as `service.change` says.
    """
    astray = [one.day.isoformat() for one in named if one.day.year != year]
    if astray:
        raise BadDay(
            f"{', '.join(astray)} is not of {year}. Set days of other years with `hub supervise calendar set`."
        )
    said = {one.day: one for one in named}
    if len(said) != len(named):
        raise BadDay("a day is named twice. Name each day once.")
    first = date(year, 1, 1).toordinal()
    all_days = [date.fromordinal(first + one) for one in range(date(year, 12, 31).toordinal() - first + 1)]
    wanted = [
        said.get(one, Change(one, DayKind.REST if one.weekday() >= _SATURDAY else DayKind.WORK)) for one in all_days
    ]
    return change(connection, calendar, wanted, source=source, reason=f"notice for {year}", actor=actor)


def recount_of(connection: sa.Connection, region: str) -> int:
    """Recompute the clocks of a region and what lies in it: it has a calendar of its own now. Return how many."""
    prefix = region[:2] if region.endswith("0000") else region[:4] if region.endswith("00") else region
    cases = connection.execute(
        sa.text("SELECT record_id FROM core.approval_case WHERE region LIKE :prefix || '%'"), {"prefix": prefix}
    ).scalars()
    found = [int(one) for one in cases]
    recount(connection, found)
    return len(found)


def moved(connection: sa.Connection, filling: int | None = None) -> list[dict[str, Any]]:
    """Return the deadlines that changes of the calendar moved, the newest first."""
    return [
        dict(row) for row in connection.execute(
            sa.text(
                """SELECT m.*, c.case_number FROM supervision.due_move AS m
                   LEFT JOIN core.approval_case AS c ON c.record_id = m.case_id
                   WHERE m.cause = 'calendar' AND (CAST(:filling AS bigint) IS NULL OR m.filling = :filling)
                   ORDER BY m.move_id DESC"""
            ),
            {"filling": filling},
        ).mappings()
    ]  # fmt: skip


def _recounted(connection: sa.Connection, calendar: str, since: date, done: Filled) -> Changed:
    """Recompute the clocks of a calendar whose limits, deliveries or ends lie on or after a day, or are not known.

    A change of the nation's days is one of the regions' calendars, too.
    """
    cases = connection.execute(
        sa.text(
            """SELECT case_id FROM supervision.clock
               WHERE (calendar = :calendar OR :nation) AND state <> 'not_accepted' AND (
                   closed_at IS NULL OR due_at IS NULL
                   OR (greatest(due_at, legal_due_at, delivery_due_at, notice_due_at, closed_at)
                       AT TIME ZONE 'Asia/Shanghai')::date >= :since)"""
        ),
        {"calendar": calendar, "nation": calendar == NATION, "since": since},
    ).scalars()
    counted = recount(connection, [int(one) for one in cases], filling=done.filling)
    return Changed(done.filling, done.changed, counted.cases, counted.moved)
