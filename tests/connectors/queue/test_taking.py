"""Kind `queue` with a real RabbitMQ: what is taken stays the broker's until it is acknowledged."""

from __future__ import annotations

import gc
import time

import pytest

import connectors.kinds.queue.pull as pulling
import connectors.kinds.queue.session as sessions
from connectors.debezium import PLACEHOLDER
from connectors.seam import Acknowledges, KeepsUnits, Receipt
from tests.connectors.parts import stream
from tests.connectors.queue.parts import QUICK, connector_of, of, read, taken, tell
from tests.rabbit import Broker, within


def test_messages_stay_the_brokers_until_their_records_are_told(broker: Broker) -> None:
    queue = broker.queue()
    broker.send(queue, {"n": 1}, {"n": 2})
    one = of(queue)
    connector = connector_of(one)
    assert isinstance(connector, Acknowledges)
    assert not isinstance(connector, KeepsUnits)
    slices = read(connector, one, state={"kept": 1})
    assert taken(slices) == [{"n": 1}, {"n": 2}]
    assert slices[-1].state == {"kept": 1}, "the queue itself keeps where the stream stands"
    tell(connector, one, slices[0])
    assert within(5, lambda: not connector._sessions["s"].alive), "the session ends when all is told"
    assert broker.comes_to(queue, 0)
    assert taken(read(connector_of(one), one)) == []


def test_an_empty_queue_is_an_empty_pull(broker: Broker) -> None:
    one = of(broker.queue())
    began = time.monotonic()
    slices = read(connector_of(one), one)
    assert [(piece.read, piece.last) for piece in slices] == [(0, True)]
    assert time.monotonic() - began < 5


def test_the_queue_is_named_like_the_stream_where_no_option_says_otherwise(broker: Broker) -> None:
    queue = broker.queue()
    broker.send(queue, {"n": 1})
    one = stream(queue, **QUICK)
    assert taken(read(connector_of(one), one)) == [{"n": 1}]


def test_a_message_with_several_records_is_acknowledged_with_its_last_one(broker: Broker) -> None:
    queue = broker.queue()
    broker.send(queue, [{"n": 1}, {"n": 2}, "no record", {"n": 3}], [{"n": 4}])
    one = of(queue, body="records")
    connector = connector_of(one)
    slices = read(connector, one, size=3)
    assert [[record["n"] for record in piece.records] for piece in slices] == [[1, 2], [3, 4]]
    assert slices[0].rows == [1, 2]
    assert [(broken.row, broken.raw) for broken in slices[0].broken] == [(3, '"no record"')]
    assert slices[1].rows == [4, 1], "a record's place in its message"
    connector.acknowledge(one, [Receipt(token, "new") for token in slices[0].tokens])
    connector.acknowledge(one, [Receipt(token, "new") for token in slices[0].tokens])  # receipts may come twice
    connector.acknowledge(one, [Receipt(slices[1].tokens[1], "new")])
    del connector
    gc.collect()
    assert broker.comes_to(queue, 1), "the second message was told, the first only in part"
    connector = connector_of(one)
    again = read(connector, one)
    assert [record["n"] for record in taken(again)] == [1, 2, 3]
    tell(connector, one, again[0])
    assert broker.comes_to(queue, 0)


def test_what_nobody_can_acknowledge_any_more_is_the_brokers_again(broker: Broker) -> None:
    queue = broker.queue()
    broker.send(queue, {"n": 1}, {"n": 2})
    one = of(queue)
    connector = connector_of(one)
    read(connector, one)
    assert broker.ready(queue) == 0
    del connector
    gc.collect()
    assert broker.comes_to(queue, 2)


def test_a_pull_that_is_given_up_gives_its_messages_back(broker: Broker) -> None:
    queue = broker.queue()
    broker.send(queue, *({"n": n} for n in range(10)))
    one = of(queue)
    connector = connector_of(one)
    slices = connector.read(one, {}, slice_size=3, full=False)
    assert len(next(slices).records) == 3
    slices.close()  # type: ignore[attr-defined]  # it is a generator
    assert broker.comes_to(queue, 10)
    assert len(taken(read(connector, one))) == 10, "the same connector reads again"


def test_a_delivery_of_a_session_that_is_gone_is_passed_over(broker: Broker) -> None:
    queue = broker.queue()
    broker.send(queue, {"n": 1})
    one = of(queue)
    first = connector_of(one)
    owed = read(first, one)[0]
    del first
    gc.collect()
    second = connector_of(one)
    tell(second, one, owed)  # as after a kill: the receipts are owed still, the delivery is not
    slices = read(second, one)
    assert taken(slices) == [{"n": 1}]
    assert slices[0].tokens != owed.tokens
    tell(second, one, owed)
    tell(second, one, slices[0])
    assert within(5, lambda: not second._sessions["s"].alive)
    assert broker.comes_to(queue, 0)


def test_messages_cut_into_slices_are_taken_while_others_are_under_way(broker: Broker) -> None:
    queue = broker.queue()
    broker.send(queue, *({"n": n} for n in range(50)))
    one = of(queue, prefetch=6)
    connector = connector_of(one)
    seen: list[int] = []
    for piece in connector.read(one, {}, slice_size=100, full=False):
        assert len(piece.records) <= 2, "three slices share the prefetch"
        seen += [record["n"] for record in piece.records]
        tell(connector, one, piece)
    assert seen == list(range(50))
    assert broker.comes_to(queue, 0)


def test_a_pull_that_is_never_told_ends(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "_UNHEARD", 0.5)
    queue = broker.queue()
    broker.send(queue, *({"n": n} for n in range(10)))
    one = of(queue, prefetch=6)
    connector = connector_of(one)
    assert len(taken(read(connector, one))) == 6
    del connector
    gc.collect()
    assert broker.comes_to(queue, 10)


def test_a_session_that_is_never_told_gives_its_messages_back(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_HELD", 0.5)
    queue = broker.queue()
    broker.send(queue, {"n": 1})
    one = of(queue)
    connector = connector_of(one)
    read(connector, one)
    assert broker.comes_to(queue, 1)
    assert not connector._sessions["s"].alive


def test_a_pull_takes_at_most_so_many_messages(broker: Broker) -> None:
    queue = broker.queue()
    broker.send(queue, *({"n": n} for n in range(10)))
    one = of(queue, messages=4)
    connector = connector_of(one)
    slices = read(connector, one)
    assert [record["n"] for record in taken(slices)] == [0, 1, 2, 3]
    assert broker.comes_to(queue, 6), "what was fetched ahead is given back"
    tell(connector, one, slices[0])
    assert [record["n"] for record in taken(read(connector_of(one), one))] == [4, 5, 6, 7]


def test_change_events_come_as_rows_and_tombstones_hold_nothing_up(broker: Broker) -> None:
    queue = broker.queue()
    facts = {"source": {"lsn": 1, "ts_ms": 5}, "ts_ms": 9}
    broker.send(
        queue,
        {"op": "c", "before": None, "after": {"id": 1}, **facts},
        {"schema": {}, "payload": {"op": "d", "before": {"id": 1}, "after": None, **facts}},
        b"default",
        {"op": "u", "before": None, "after": {"id": 2, "x": PLACEHOLDER}, **facts},
        b"",
    )
    one = of(queue, envelope="debezium")
    connector = connector_of(one)
    piece = read(connector, one)[0]
    assert [(record["id"], record["__op"]) for record in piece.records] == [(1, "c"), (1, "d")]
    assert [broken.row for broken in piece.broken] == [1, 1]
    assert "REPLICA IDENTITY FULL" in piece.broken[0].message
    assert "tombstone" in piece.broken[1].message
    tell(connector, one, piece)
    assert broker.comes_to(queue, 0)
