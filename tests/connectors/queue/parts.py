"""A stream of a queue, and what tests do with it."""

from __future__ import annotations

from typing import Any

from connectors.kinds.queue import QueueConnector
from connectors.seam import Connector, Receipt
from connectors.source import StreamSpec
from hub.records import Record, Slice
from tests.connectors.parts import opened, stream
from tests.servers import amqp_url

QUICK = {"linger": 0.1}


def of(queue: str, **options: Any) -> StreamSpec:
    return stream("s", **{"queue": queue, **QUICK, **options})


def connector_of(one: StreamSpec, url: str | None = None) -> QueueConnector:
    made = opened("queue", amqp_url() if url is None else url, one)
    assert isinstance(made, QueueConnector)
    return made


def read(connector: Connector, one: StreamSpec, *, size: int = 100, state: Record | None = None) -> list[Slice]:
    slices = list(connector.read(one, state or {}, slice_size=size, full=False))
    assert [piece.last for piece in slices] == [False] * (len(slices) - 1) + [True]
    for piece in slices:
        assert len(piece.tokens) == piece.read
        assert len(piece.rows) == len(piece.records)
        assert piece.read <= size
    return slices


def tell(connector: QueueConnector, one: StreamSpec, piece: Slice, outcome: str = "new") -> None:
    connector.acknowledge(one, [Receipt(token, outcome) for token in piece.tokens])


def taken(slices: list[Slice]) -> list[Any]:
    return [record for piece in slices for record in piece.records]
