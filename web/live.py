"""Asks departments' systems live for who answers checks, which itself reads no source."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, get_args

from connectors.source import Source
from hub.errors import ConfigError, Fault
from pipeline.pulls import live
from pipeline.runtime import Runtime
from verification.checks.sources import Brought, By, Place

WAIT_SECONDS: Final = 5.0
"""So long others who work on a source are waited for."""
LOOK_SECONDS: Final = 15.0
"""So long the source folders are taken as they were."""


class LiveSources:
    """The sources that may be asked, as their folders say now (`verification.checks.sources.Sources`)."""

    def __init__(self, runtime: Runtime, clock: Callable[[], float] = time.monotonic) -> None:
        self._runtime, self._clock, self._lock = runtime, clock, threading.Lock()
        self._declared: dict[tuple[str, str], Source] = {}
        self._looked = float("-inf")

    def places(self) -> Sequence[Place]:
        """Return the streams that declare that they may be asked."""
        with self._lock:
            if self._clock() - self._looked >= LOOK_SECONDS:
                self._declared = live.declared(self._runtime.settings.sources)
                self._looked = self._clock()
            return [
                Place(code, stream, source.organ, frozenset(get_args(By)).intersection(source.stream(stream).look_up))
                for (code, stream), source in self._declared.items()
            ]

    def look_up(self, place: Place, numbers: Sequence[str], by: By) -> Brought:
        """Ask for a number and take in what comes; see `verification.checks.sources.Sources`."""
        with self._lock:
            source = self._declared.get((place.source, place.stream))
        if source is None:
            raise ConfigError([Fault(place.source, 1, f"stream {place.stream} may no longer be asked live")])
        brought = live.look_up(
            self._runtime, source, place.stream, numbers, by=by,
            seconds=self._runtime.settings.check_live_seconds, wait=WAIT_SECONDS,
        )  # fmt: skip
        return Brought(brought.read, brought.kept, brought.refused)
