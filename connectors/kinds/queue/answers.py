"""Answers: one message for each message that was committed, which tells its department what became of the records."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.kinds.queue.deliveries import Settled
from hub import jsontext

TYPE = "approval-exchange-hub.receipt"
"""What an answer's property `type` says."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `correlation_id` is the message's own, so that a client finds it without opening the body."""

    body: bytes
    correlation_id: str | None


def answer(settled: Settled, queue: str) -> Answer:
    """Write the answer to one message."""
    token = settled.first
    records = [
        {"record": place, "outcome": receipt.outcome, "errors": list(receipt.errors)}
        for place, receipt in sorted(settled.outcomes.items())
    ]
    body = {
        "queue": queue, "message_id": token.message_id, "correlation_id": token.correlation_id, "records": records,
    }  # fmt: skip
    return Answer(jsontext.dumps(body), token.correlation_id or token.message_id)
