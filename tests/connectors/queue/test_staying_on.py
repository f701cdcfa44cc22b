"""Kind `queue` with a real RabbitMQ: a pull that stays on, and loads that take long."""

from __future__ import annotations

import threading
import time

from tests.connectors.queue.parts import connector_of, of, read, tell
from tests.rabbit import Broker, broker_or_skip, within


def test_a_pull_that_stays_on_hands_over_what_comes_and_acknowledges_meanwhile(broker: Broker) -> None:
    queue = broker.queue()
    one = of(queue, stay=3, linger=0.2)
    connector = connector_of(one)
    waits: list[float] = []

    def publish() -> None:
        time.sleep(0.3)
        with broker_or_skip() as other:
            for _ in range(3):
                other.send(queue, {"sent": time.monotonic()})
                time.sleep(0.6)

    thread = threading.Thread(target=publish)
    thread.start()
    for piece in connector.read(one, {}, slice_size=100, full=False):
        waits += [time.monotonic() - record["sent"] for record in piece.records]
        tell(connector, one, piece)
    thread.join()
    assert len(waits) == 3
    assert max(waits) < 5
    assert broker.comes_to(queue, 0)


def test_acknowledgements_do_not_wait_for_the_reader(broker: Broker) -> None:
    queue = broker.queue()
    broker.send(queue, {"n": 1})
    one = of(queue, stay=20)
    connector = connector_of(one)
    slices = connector.read(one, {}, slice_size=100, full=False)
    first = next(slices)
    reading = threading.Thread(target=lambda: next(slices, None))
    reading.start()
    began = time.monotonic()
    tell(connector, one, first)
    took = time.monotonic() - began
    assert reading.is_alive(), "the reader waits for the next message still"
    assert took < 5
    assert len(connector._sessions["s"].outstanding) == 0
    broker.send(queue, {"n": 2})
    reading.join(10)
    assert not reading.is_alive()
    slices.close()  # type: ignore[attr-defined]  # it is a generator


def test_a_load_longer_than_the_heartbeat_cuts_nothing(broker: Broker) -> None:
    queue = broker.queue()
    broker.send(queue, {"n": 1})
    one = of(queue)
    connector = connector_of(one, f"{broker.url}?heartbeat=1")
    slices = read(connector, one)
    time.sleep(4)  # the broker gives up after two missed heartbeats
    tell(connector, one, slices[0])
    assert broker.comes_to(queue, 0)
    assert within(5, lambda: not connector._sessions["s"].alive)
