"""How often a client may ask: a bucket of tokens each, filled at a steady rate, that holds some seconds' worth."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from hub.refusals import TooMany

BURST_SECONDS = 2.0


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Rate:
    """Bounds the requests a second of each client, in this process; 0 bounds nothing."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = per_second, clock
        self._buckets: dict[int, _Bucket] = {}

    def mind(self, client: int) -> None:
        """Count one request of a client.

        Raises:
            TooMany: it asks more often than it may; the error says how long to wait.
        """
        if not self._rate:
            return
        now, most = self._clock(), max(1.0, self._rate * BURST_SECONDS)
        bucket = self._buckets.setdefault(client, _Bucket(most, now))
        bucket.left = min(most, bucket.left + (now - bucket.at) * self._rate)
        bucket.at = now
        if bucket.left < 1:
            raise TooMany(
                f"more than {self._rate:g} requests a second",
                hint="Send several records in one post.", after_seconds=(1 - bucket.left) / self._rate,
            )  # fmt: skip
        bucket.left -= 1
