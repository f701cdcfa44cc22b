"""Kind `queue`: the rows as persistent messages of the RabbitMQ on this machine, acknowledged after the commit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.kinds.feeds import STREAMS, Feed, Ground, Kind, Missing, declared
from tests.rabbit import Broker, broker_or_skip


@contextmanager
def queue(ground: Ground) -> Iterator[Feed]:
    """Two queues a stream with the same messages: one for the floor, one for the hub."""
    try:
        with broker_or_skip() as broker:
            plain, ours = ({stream: broker.queue(durable=True) for stream in STREAMS} for _ in range(2))
            for stream in STREAMS:
                bodies = [json.dumps(row, ensure_ascii=False).encode() for row in ground.rows(stream)]
                for name in (plain[stream], ours[stream]):
                    broker.send(name, *bodies, delivery_mode=2, content_type="application/json")
            streams = {stream: {"options": {"queue": ours[stream], "linger": 0.2}} for stream in STREAMS}
            feed = Feed(
                declared("queue", streams), broker.url, ["queue", broker.url, *plain.values()], ground.size.records
            )
            feed.proof = lambda: _emptied(broker, ours)
            yield feed
    except pytest.skip.Exception as why:
        raise Missing(str(why)) from None


def _emptied(broker: Broker, queues: dict[str, str]) -> None:
    left = {stream: broker.ready(name) for stream, name in queues.items()}
    assert not any(left.values()), f"messages that were not acknowledged: {left}"


KINDS = (Kind("queue", "queue (RabbitMQ)", queue),)
