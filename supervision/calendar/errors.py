"""What a person did wrong with a calendar, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from hub.errors import HubError


class BadDay(HubError):
    """A day cannot be set so; nothing was changed."""

    exit_status = 65


class NoSuchCalendar(BadDay):
    """No calendar has this code."""

    def __init__(self, calendar: str, known: Sequence[str]) -> None:
        self.calendar, self.known = calendar, tuple(known)
        named = ", ".join(one or "'' (the nation)" for one in known) or "none yet"
        super().__init__(
            f"no calendar {calendar!r} (known: {named}). Give a region its own with `hub supervise calendar add`."
        )
