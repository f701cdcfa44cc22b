"""Refuses new checks where the log was not sealed for too long, or nobody looks any more whether it is."""

from __future__ import annotations

import time
from collections.abc import Callable

from hub.refusals import Unavailable


class Watch:
    """Knows since when an entry has been waiting for its seal, as the process last looked."""

    def __init__(self, most_seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._most, self._clock = most_seconds, clock
        self._oldest: float | None = None
        self._looked: float | None = None

    def saw(self, oldest_unsealed: float | None) -> None:
        """Note when the oldest entry without a seal was written, in seconds since 1970; None: all are sealed."""
        self._oldest, self._looked = oldest_unsealed, self._clock()

    def mind(self) -> None:
        """Refuse a check.

        Raises:
            Unavailable: an entry has been waiting for its seal longer than the deployment allows, or for so long
                nobody has looked.
        """
        now = self._clock()
        since = [one for one in (self._oldest, self._looked) if one is not None]
        if since and now - min(since) > self._most:
            raise Unavailable(
                "the log of checks has not been sealed for too long",
                hint="The hub's operators see why in `hub audit status`.", after_seconds=60,
            )  # fmt: skip
