"""Months frozen when they are due: once each, some days after their end, whatever the hub missed in between.

The grace gives late feeds time to come. What has not come by then is said and not waited for: the departments concerned
stand unranked, with the reason, and the month may be frozen anew when it has come.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from hub.workdays import local_day
from supervision.appraisal import freezing, moments
from supervision.appraisal.freezing import Frozen
from supervision.appraisal.inputs import Row

log = logging.getLogger("hub")
GRACE_DAY: Final = 5
"""The day of the next month from which on a month is frozen, where nothing else is set."""


@dataclass(frozen=True, slots=True)
class Due:
    """A month that was due and is frozen now, with the feeds that were not complete through its end."""

    frozen: Frozen
    behind: Sequence[Row]

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs: each feed as source.stream, once, however many organs it speaks for."""
        feeds = sorted({f"{row['source']}.{row['stream']}" for row in self.behind})
        return {"month": self.frozen.month, "frozen": self.frozen.number, "formula": self.frozen.formula,
                "inputs_sha256": self.frozen.digest, "feeds_behind": feeds}  # fmt: skip


def due(engine: sa.Engine, today: date, grace: int) -> list[str]:
    """Return the months that are to be frozen on a day: over, past their grace, not frozen, the oldest first.

    Where no month was frozen yet it is the newest of them only: what lies before the hub's own work is nobody's month.
    """
    newest = _before(today if today.day >= grace else today.replace(day=1) - timedelta(days=1))
    with engine.connect() as connection:
        last = connection.scalar(sa.text("SELECT max(month) FROM supervision.frozen_month"))
    if last is None:
        return [newest]
    found = []
    while newest > last:
        found.append(newest)
        newest = _before(date.fromisoformat(f"{newest}-01"))
    return found[::-1]


def freeze_due(
    engine: sa.Engine, *, grace: int = GRACE_DAY, formula: str = "full/v1", actor: str = "hub",
    now: datetime | None = None,
) -> list[Due]:  # fmt: skip
    """Freeze every month that is due, under a formula; return them. Again, it finds nothing to do.

    Raises:
        ConfigError: there is no such formula, or it is wrong.
    """
    moment = now or moments.now()
    made = []
    for month in due(engine, local_day(moment), grace):
        frozen = freezing.freeze(engine, month, actor=actor, formula=formula, now=moment)
        made.append(Due(frozen, behind(engine, frozen)))
        log.info("appraisal: %s is frozen, inputs %s", month, frozen.digest)
        for feed in made[-1].as_dict()["feeds_behind"]:
            log.warning("appraisal: %s: %s was not complete through the end of the month", month, feed)
    return made


def behind(engine: sa.Engine, frozen: Frozen) -> list[Row]:
    """Return the feeds of frozen inputs that were not complete through the month's end, a row an organ."""
    return [row for row in freezing.rows(engine, frozen, "feeds.csv") if row["behind"] == "1"]


def _before(day: date) -> str:
    """Return the month before the one of a day."""
    return f"{day.replace(day=1) - timedelta(days=1):%Y-%m}"
