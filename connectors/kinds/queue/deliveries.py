"""Deliveries: what a record's token says of its message, and which messages the broker waits to hear of.

A delivery is known by its number within one session, which dies with its connection. The broker then delivers the
message again under a number of another session: a token of a session that is gone stands for nothing any more.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.seam import Receipt


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the broker delivered it; `body` is empty where `moved` says that it was moved elsewhere whole."""

    tag: int
    body: bytes
    content_type: str | None = None
    content_encoding: str | None = None
    message_id: str | None = None
    correlation_id: str | None = None
    moved: str | None = None
    size: int = 0
    envelope: Any = None
    """The header `envelope`, whatever stands there."""


@dataclass(frozen=True, slots=True)
class Token:
    """Knows one record: by its session, the delivery in it, and its place in the message (from 1).

    The message's own names travel with it, so that an answer can be given after the session is gone.
    """

    session: str
    tag: int
    place: int
    message_id: str | None
    correlation_id: str | None
    enveloped: bool = False
    """Whether its message is answered as a whole, by the receipt of its envelope."""

    def __str__(self) -> str:
        return json.dumps([self.session, self.tag, self.place, self.message_id, self.correlation_id, self.enveloped])

    @classmethod
    def read(cls, text: str) -> Token:
        """Read what `str` wrote."""
        return cls(*json.loads(text))


@dataclass(frozen=True, slots=True)
class Settled:
    """A message of which all is told: what became of its records, by place."""

    first: Token
    outcomes: Mapping[int, Receipt]


@dataclass(slots=True)
class _Open:
    """A message that the broker waits to hear of; `expected` is unknown until its body is read."""

    expected: int | None = None
    outcomes: dict[int, Receipt] = field(default_factory=dict)
    done: bool = False


class Outstanding:
    """The messages of one session that are not acknowledged, in the order in which they came.

    The session's thread, the one that reads and the one that writes all ask it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[int, _Open] = {}

    def __len__(self) -> int:
        with self._lock:
            return len(self._open)

    def came(self, tag: int) -> None:
        """Note a delivery."""
        with self._lock:
            self._open[tag] = _Open()

    def holds(self, tag: int, records: int) -> None:
        """Note of how many records a message is made."""
        with self._lock:
            if tag in self._open:
                self._open[tag].expected = records

    def told(self, receipts: Sequence[tuple[Token, Receipt]]) -> list[Settled]:
        """Note what became of records; return the messages of which all records are told now."""
        settled = []
        with self._lock:
            for token, receipt in receipts:
                message = self._open.get(token.tag)
                if message is None or message.done:
                    continue
                message.outcomes[token.place] = receipt
                if len(message.outcomes) == message.expected:
                    message.done = True
                    settled.append(Settled(token, message.outcomes))
        return settled

    def close(self, tags: Iterable[int]) -> tuple[int, list[int]]:
        """Take messages out; return the delivery up to which none is left open before it, and the others of them."""
        going = set(tags)
        with self._lock:
            going &= self._open.keys()
            through = 0
            for tag in self._open:
                if tag not in going:
                    break
                through = tag
            for tag in going:
                del self._open[tag]
        return through, sorted(tag for tag in going if tag > through)


def by_message(receipts: Sequence[tuple[Token, Receipt]]) -> list[Settled]:
    """Put receipts of deliveries together that no session knows any more."""
    found: dict[tuple[str, int], Settled] = {}
    gathered: dict[tuple[str, int], dict[int, Receipt]] = {}
    for token, receipt in receipts:
        name = (token.session, token.tag)
        gathered.setdefault(name, {})[token.place] = receipt
        found.setdefault(name, Settled(token, gathered[name]))
    return list(found.values())
