"""How many checks a client may ask: a bucket a client that fills at a steady rate, in each process."""

from __future__ import annotations

import time
from collections.abc import Callable

from hub.refusals import TooMany

BURST_SECONDS = 2.0


class Rates:
    """Bounds the checks a second of each client; 0 bounds nothing. A bulk of a hundred counts as a hundred."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = per_second, clock
        self._left: dict[int, tuple[float, float]] = {}

    def mind(self, client_id: int, checks: int = 1) -> None:
        """Count some checks of a client; a large bulk may take the bucket below nothing, and the next one waits.

        Raises:
            TooMany: the client asks more often than it may; the error says how long to wait.
        """
        if not self._rate:
            return
        now, most = self._clock(), max(1.0, self._rate * BURST_SECONDS)
        left, at = self._left.get(client_id, (most, now))
        left = min(most, left + (now - at) * self._rate)
        if left < 1:
            self._left[client_id] = (left, now)
            wait = (1 - left) / self._rate
            raise TooMany(f"more than {self._rate:g} checks a second", hint="Wait.", after_seconds=wait)
        self._left[client_id] = (left - checks, now)
