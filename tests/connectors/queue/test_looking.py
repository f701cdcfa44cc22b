"""Kind `queue` with a real RabbitMQ: looking, checking and discovering take nothing."""

from __future__ import annotations

from tests.connectors.queue.parts import connector_of, of, read, taken, tell
from tests.rabbit import Broker


def test_only_looking_leaves_every_message_where_it_is(broker: Broker) -> None:
    queue, answers, large = broker.queue(), broker.queue(), broker.queue()
    broker.send(queue, {"n": 1}, {"n": "x" * 200}, {"n": 2})
    one = of(queue, receipts=answers, reject_to=large, limits={"body_bytes": 100})
    connector = connector_of(one)
    connector.only_look()
    slices = read(connector, one)
    assert [record["n"] for record in taken(slices)] == [1, 2]
    tell(connector, one, slices[0])
    assert broker.comes_to(queue, 3)
    assert (broker.ready(answers), broker.ready(large)) == (0, 0)


def test_looking_ends_at_what_may_be_under_way(broker: Broker) -> None:
    queue = broker.queue()
    broker.send(queue, *({"n": n} for n in range(10)))
    one = of(queue, prefetch=6)
    connector = connector_of(one)
    connector.only_look()
    assert len(taken(read(connector, one))) == 6
    assert broker.comes_to(queue, 10)


def test_check_asks_for_every_queue_and_takes_nothing(broker: Broker) -> None:
    queue, answers = broker.queue(), broker.queue()
    broker.send(queue, {"n": 1}, {"n": 2})
    report = connector_of(of(queue, receipts=answers)).check()
    assert report.ok
    assert [item.message for item in report.items] == [
        "connected to the broker", f"queue '{queue}': 2 messages ready", f"queue '{answers}': 0 messages ready",
    ]  # fmt: skip
    missing = connector_of(of(queue, reject_to="hub-test-missing")).check()
    assert [item.ok for item in missing.items] == [True, True, False]
    assert "hub-test-missing" in missing.items[2].hint
    assert broker.ready(queue) == 2


def test_check_tells_of_others_that_take(broker: Broker) -> None:
    queue = broker.queue()
    one = of(queue, stay=30)
    other = connector_of(one)
    reading = other.read(one, {}, slice_size=1, full=False)
    broker.send(queue, {"n": 1})
    next(reading)
    assert "1 others take from it" in connector_of(one).check().items[1].message
    reading.close()  # type: ignore[attr-defined]  # it is a generator


def test_discover_counts_and_says_no_more_than_it_knows(broker: Broker) -> None:
    queue = broker.queue()
    broker.send(queue, {"n": 1})
    found = connector_of(of(queue)).discover()
    assert [(one.name, one.fields, one.rows) for one in found] == [(queue, (), 1)]
