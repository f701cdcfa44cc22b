"""The queues of one department at the demonstration's broker, kept in the department's store."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class VirtualHost:
    """The queues of one department: what lies ready, in order; what is on its way is in nobody's reach."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, timeout=30, isolation_level=None)
        self._ready: dict[str, deque[int]] = {}
        self._through: dict[str, int] = {}

    def close(self) -> None:
        """Let go of the store."""
        self._connection.close()

    @contextmanager
    def at_once(self) -> Iterator[sqlite3.Connection]:
        """Keep all of a change, or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def has(self, queue: str) -> bool:
        """Say whether there is such a queue."""
        return self._connection.execute("SELECT 1 FROM queue WHERE name = ?", (queue,)).fetchone() is not None

    def ready(self, queue: str) -> deque[int]:
        """Return the messages that lie ready, with those that came since the last look."""
        ready = self._ready.setdefault(queue, deque())
        came = self._connection.execute(
            "SELECT id FROM message WHERE queue = ? AND id > ? ORDER BY id", (queue, self._through.get(queue, 0))
        ).fetchall()
        if came:
            self._through[queue] = came[-1][0]
            ready.extend(number for (number,) in came)
        return ready

    def back(self, queue: str, numbers: Iterable[int]) -> None:
        """Put messages back where they lay."""
        self._ready[queue] = deque(sorted([*numbers, *self._ready.get(queue, ())]))

    def take(self, numbers: list[int]) -> list[tuple[str, bool, bytes]]:
        """Return messages for delivery: name, whether they were delivered before, body."""
        with self.at_once() as connection:
            found = [
                connection.execute("SELECT message_id, delivered, body FROM message WHERE id = ?", (one,)).fetchone()
                for one in numbers
            ]
            connection.executemany("UPDATE message SET delivered = 1 WHERE id = ?", ((one,) for one in numbers))
        return [(name, bool(before), bytes(body)) for name, before, body in found]

    def drop(self, numbers: Iterable[int]) -> None:
        """Forget messages: they were acknowledged."""
        with self.at_once() as connection:
            connection.executemany("DELETE FROM message WHERE id = ?", ((one,) for one in numbers))

    def keep(self, messages: Iterable[Publishing]) -> None:
        """Keep published messages."""
        with self.at_once() as connection:
            connection.executemany(
                "INSERT INTO message (queue, message_id, body) VALUES (?, ?, ?)",
                ((one.queue, one.message_id, one.body) for one in messages),
            )


@dataclass(slots=True)
class Publishing:
    """A message that a client is sending, frame by frame."""

    queue: str
    mandatory: bool
    properties: Any = None
    size: int = 0
    body: bytes = b""

    @property
    def message_id(self) -> str | None:
        """Return the message's own name."""
        found: str | None = self.properties.message_id or self.properties.correlation_id
        return found
