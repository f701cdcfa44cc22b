"""Spares a department's system: no more requests, rows or bytes in a second than its stream declares."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any, BinaryIO, TypeVar

from connectors.source import StreamSpec

Run = TypeVar("Run", bound=Sequence[Any])
Fetch = Callable[[Any, int], Generator[Run, None, None]]
"""What reads a statement in runs of a size."""

UNITS = {
    "database": "rows", "exchange_table": "rows", "files": "bytes", "xes": "bytes", "rest": "requests",
    "soap": "requests", "workbook": "bytes",
}  # fmt: skip
"""What is counted of each kind. A queue hands over by itself, as many at once as its option `share` says."""


class Throttle:
    """Lets at most `per_second` pass in a second: what was let through is paid for before the next may go.

    Without a rate nothing ever waits.
    """

    def __init__(
        self,
        per_second: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate, self._clock, self._sleep = per_second, clock, sleep
        self._free = clock()

    @classmethod
    def of(cls, stream: StreamSpec, unit: str) -> Throttle:
        """Return the throttle that a stream declares for this unit."""
        return cls(stream.rate.get(unit))

    @property
    def slows(self) -> bool:
        """Say whether there is a rate."""
        return self._rate is not None

    def take(self, count: float = 1) -> None:
        """Wait until all that passed before is paid for, then let `count` pass."""
        if self._rate is None:
            return
        wait = self._free - self._clock()
        if wait > 0:
            self._sleep(wait)
        self._free = max(self._free, self._clock()) + count / self._rate

    def portion(self, size: int) -> int:
        """Return how many to ask for at once: no more than pass in a second."""
        return size if self._rate is None else max(1, min(size, int(self._rate)))


def slowed(fetch: Fetch[Run], throttle: Throttle) -> Fetch[Run]:
    """Return a reader of statements that asks for no more rows in a second than is declared."""
    if not throttle.slows:
        return fetch

    def read(statement: Any, size: int) -> Generator[Run]:
        with closing(fetch(statement, throttle.portion(size))) as runs:
            for run in runs:
                throttle.take(len(run))
                yield run

    return read


def slowed_file(handle: BinaryIO, throttle: Throttle) -> BinaryIO:
    """Return a file that is read no faster than is declared."""
    return io.BufferedReader(_Slow(handle, throttle)) if throttle.slows else handle


class _Slow(io.RawIOBase):
    """A file whose bytes wait for those before them."""

    def __init__(self, handle: BinaryIO, throttle: Throttle) -> None:
        self._handle, self._throttle = handle, throttle

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes: a workbook is read from its end."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what passes at once."""
        view = memoryview(buffer)
        data = self._handle.read(self._throttle.portion(len(view)))
        self._throttle.take(len(data))
        view[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; that costs nothing."""
        return self._handle.seek(offset, whence)

    def tell(self) -> int:
        """Tell the place."""
        return self._handle.tell()

    def close(self) -> None:
        """Close the file."""
        self._handle.close()
        super().close()
