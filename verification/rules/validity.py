"""Whether a credential is valid on a day: pure, on what its source says.

A status holds from the day on which it began, that day included. A credential is valid from its beginning until a
status says otherwise: that is what granting it means. What is not said is not guessed: a status without a day says
nothing of the days before it was reported, and an unknown kind of status says nothing at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

VALID: Final = "valid"
EXPIRED: Final = "expired"
NOT_YET: Final = "not_yet_valid"
UNKNOWN: Final = "unknown"
_ONE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """A status and the first day on which it held; None: the source does not say since when."""

    status: str
    since: date | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a credential stands on a day: status, since when, and why it cannot be told where it cannot."""

    status: str
    since: date | None = None
    why: str | None = None

    @property
    def valid(self) -> bool:
        """Say whether it may be relied on."""
        return self.status == VALID


@dataclass(frozen=True, slots=True)
class Times:
    """What a source says of a credential's times; `reported` is the day on which it last said so."""

    valid_from: date | None
    valid_to: date | None
    issued: date | None
    periods: tuple[Period, ...]
    reported: date | None


def standing(times: Times, day: date) -> Standing:
    """Tell how a credential stands on a day; status `unknown` where nothing that was said decides it."""
    begin = times.valid_from or times.issued
    if begin is not None and day < begin:
        return Standing(NOT_YET, begin)
    said = _said(_unexplained(times), times.reported, day)
    over = times.valid_to is not None and day > times.valid_to
    if said is not None and said.status != VALID and not (over and said.status in (EXPIRED, UNKNOWN)):
        return said
    if over and times.valid_to is not None:
        return Standing(EXPIRED, times.valid_to + _ONE)
    if begin is None and (times.reported is None or day < times.reported) and (said is None or said.since is None):
        return Standing(UNKNOWN, why="begin_unknown")
    return Standing(VALID, said.since if said is not None and said.since is not None else begin)


def _unexplained(times: Times) -> tuple[Period, ...]:
    """Leave out a status `expired` without a day where the end of validity had passed when it was reported."""
    ended = times.valid_to is not None and (times.reported is None or times.valid_to < times.reported)
    return tuple(one for one in times.periods if not (ended and one.status == EXPIRED and one.since is None))


def _said(periods: Sequence[Period], reported: date | None, day: date) -> Standing | None:
    """Return what the statuses say of a day; None: nothing."""
    late = reported is not None and day >= reported
    undated = {one.status for one in periods if one.since is None}
    begun = [one for one in periods if one.since is not None and one.since <= day]
    # Of two that began on one day the one that takes the credential away counts.
    last = max(begun, key=lambda one: (one.since or date.min, one.status != VALID), default=None)
    taken = sorted(undated - {VALID, EXPIRED})
    if "other" in taken or (not taken and last is not None and last.status == "other"):
        return Standing(UNKNOWN, why="status_unclear")
    if taken:
        return Standing(taken[0]) if late else Standing(UNKNOWN, why="since_unknown")
    if last is not None and (last.status == VALID or VALID not in undated):
        return Standing(last.status, last.since)
    if last is not None:  # its own status says valid, its last dated one does not: nobody says since when, or which
        return Standing(UNKNOWN, why="statuses_disagree")
    if EXPIRED in undated:
        return Standing(EXPIRED) if late else Standing(UNKNOWN, why="since_unknown")
    return None
