"""How much one sender may say to proposals: counted in memory by a hash that stands for it, written down nowhere."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from hub.refusals import TooMany

MOST, WITHIN_SECONDS = 5, 600.0
"""So many comments are taken of one sender within so many seconds, in each process."""
MOST_SENDERS = 20_000
"""Senders that are counted at once; where there are more, those who were silent longest are forgotten."""


class Senders:
    """Counts what senders say; one instance serves all threads of a process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: OrderedDict[bytes, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def mind(self, sender: bytes) -> None:
        """Count a comment of a sender.

        Raises:
            TooMany: it has said as much as it may within ten minutes; the error says how long to wait.
        """
        now = self._clock()
        with self._lock:
            times = self._said.setdefault(sender, deque())
            self._said.move_to_end(sender)
            while times and times[0] <= now - WITHIN_SECONDS:
                times.popleft()
            if len(times) >= MOST:
                wait = times[0] + WITHIN_SECONDS - now
                raise TooMany("you have said much within a few minutes", hint="Wait.", after_seconds=wait)
            times.append(now)
            while len(self._said) > MOST_SENDERS:
                self._said.popitem(last=False)
