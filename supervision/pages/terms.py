"""The closed sets of words of the supervisor's pages, and how a light is told from a clock."""

from __future__ import annotations

from typing import Final

from sharedrepo.models.overview import STAGES

__all__ = ["LEVELS", "LIGHTS", "NEAR", "SOON", "STAGES", "STOPPED", "light"]

LIGHTS: Final = ("red", "yellow", "warning", "green", "grey")
"""红: past the limit. 黄: most of the limit is used. 预警: the last days. 绿: within. 灰: no clock can be computed."""
LEVELS: Final = ("province", "city", "county")
"""省、市、县: the level of the region that a case belongs to."""
STOPPED: Final = ("paused", "waiting_applicant")
"""States in which the clock stands still."""
NEAR: Final = 90
"""Share of the limit in percent from which on the light is yellow, where no rule of that kind is in force."""
SOON: Final = 1
"""Working days left from which on it warns, where no rule of that kind is in force."""


def light(clock: str = "c") -> str:
    """Return the expression of the light of a row of `supervision.clock_now`; it needs `:near` and `:soon`.

    An application that was not yet answered has the clock of its notice (行政许可法 art. 32): green until it is past.
    """
    return f"""CASE
        WHEN {clock}.state = 'not_computable' THEN 'grey'
        WHEN NOT coalesce({clock}.runs, FALSE) THEN
            CASE WHEN supervision.instant() > {clock}.notice_due_at THEN 'yellow' ELSE 'green' END
        WHEN {clock}.overdue THEN 'red'
        WHEN {clock}.used_percent >= :near THEN 'yellow'
        WHEN {clock}.left_days <= :soon THEN 'warning'
        ELSE 'green' END"""
