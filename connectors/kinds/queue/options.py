"""What a stream of kind `queue` declares, and what a schema cannot say against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.limits import MIB, Limits
from connectors.source import StreamSpec

_OWN_LIMITS = {"body_bytes": 16 * MIB, "rows": 10_000}
"""A message is smaller than an HTTP answer, and holds fewer records than a file."""


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """The options of one stream; docs/integrate/kinds/queue.md says what each does."""

    queue: str
    many: bool = False
    debezium: bool = False
    linger: float = 0.5
    stay: float = 0
    prefetch: int = 6_000
    messages: int = 100_000
    receipts: str | None = None
    reject_to: str | None = None
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def of(cls, stream: StreamSpec) -> QueueOptions:
        """Return what a stream's options say."""
        said = stream.options
        named = ("linger", "stay", "prefetch", "messages", "receipts", "reject_to")
        return cls(
            queue=str(said.get("queue", stream.name)),
            many=said.get("body") == "records",
            debezium=said.get("envelope") == "debezium",
            limits=Limits.of({"limits": {**_OWN_LIMITS, **said.get("limits", {})}}),
            **{name: said[name] for name in named if name in said},
        )

    @property
    def others(self) -> tuple[str, ...]:
        """Name the queues that the stream writes to."""
        return tuple(name for name in (self.receipts, self.reject_to) if name is not None)

    @property
    def share(self) -> int:
        """Say of how many messages a slice is made: three are under way at once, read, prepared and written."""
        return max(1, self.prefetch // 3)


def stream_faults(name: str, streams: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with one stream of a queue's source, with the part that it is about (`options/…`).

    `streams` are all streams as declared: two that take from one queue would take each other's messages.
    """
    body = _parts(streams.get(name))
    said = {**defaults, **_parts(body.get("options"))}
    queue = said.get("queue", name)
    for part, words in _UNFIT.items():
        if part in body and (part != "deletion" or body[part] == "snapshot"):
            yield part, words
    for option in ("receipts", "reject_to"):
        if said.get(option) == queue:
            yield f"options/{option}", f"{option} {queue!r} is the queue that the stream takes from"
    for other, parts in streams.items():
        if other == name:
            return  # the later of the two is told
        if {**defaults, **_parts(_parts(parts).get("options"))}.get("queue", other) == queue:
            yield (
                "options/queue",
                f"queue {queue!r} is stream {other!r}'s; two streams would take each other's messages",
            )


_UNFIT = {
    "cursor": "kind queue has no cursor: a message stays in its queue until it is committed",
    "deletion": "deletion 'snapshot' needs whole deliveries; a queue brings changes: use none or operation",
    "budget": "kind queue has no budget: a message that is held back would come again at every pull",
}


def _parts(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
