"""Kind `queue` with a real RabbitMQ: every trouble ends in an error that says what to do."""

from __future__ import annotations

import logging
import socket
import threading
import time

import pytest

from hub.errors import (
    RetrySource,
    SourceTrouble,
    SourceUnreachable,
    StopSource,
    StreamMissing,
    WrongCredentials,
)
from kit.suite import amqpproxy
from tests.connectors.queue.parts import connector_of, of, read, taken, tell
from tests.rabbit import Broker, Line


def _trouble(url: str, kind: type[SourceTrouble], queue: str = "hub-test-missing") -> str:
    one = of(queue)
    connector = connector_of(one, url)
    with pytest.raises(kind) as caught:
        read(connector, one)
    assert type(caught.value) is kind
    report = connector.check()
    assert not report.ok
    with pytest.raises(kind):
        connector.discover()
    said = " ".join([str(caught.value), *(f"{item.message} {item.hint}" for item in report.items)])
    assert "127.0.0.1" not in said
    assert "geheim" not in said
    return str(caught.value)


def test_nothing_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "nothing answers" in _trouble(f"amqp://guest:geheim@127.0.0.1:{port}/", SourceUnreachable)


def test_what_answers_never_speaks() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        url = f"amqp://guest:geheim@127.0.0.1:{port}/?stack_timeout=1&socket_timeout=1"
        assert "did not answer in time" in _trouble(url, SourceUnreachable)


def test_what_answers_is_no_broker() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for _ in range(3):
                end, _ = server.accept()
                end.recv(8)
                end.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                end.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        _trouble(f"amqp://guest:geheim@127.0.0.1:{server.getsockname()[1]}/", SourceUnreachable)
        thread.join(5)


def test_an_unknown_name() -> None:
    assert "name is not known" in _trouble("amqp://guest:geheim@nowhere.invalid/", SourceUnreachable)


def test_a_wrong_password(broker: Broker) -> None:
    assert "name or password" in _trouble(broker.url.replace("guest@", "geheim@"), WrongCredentials)


def test_an_unknown_virtual_host(broker: Broker) -> None:
    assert "virtual host" in _trouble(broker.url.replace("%2F", "geheim"), SourceUnreachable)


def test_a_missing_queue(broker: Broker) -> None:
    one = of("hub-test-missing")
    with pytest.raises(StreamMissing, match="there is no queue 'hub-test-missing'"):
        read(connector_of(one), one)


def test_a_queue_of_another_alone(broker: Broker) -> None:
    one = of(broker.queue(exclusive=True))
    with pytest.raises(StopSource, match="belongs to another program alone"):
        read(connector_of(one), one)


@pytest.mark.parametrize("url", ["http://user:geheim@host/", "/geheim", "amqp://user:geheim@host:port/", ""])
def test_an_address_that_cannot_be_used_is_told_without_showing_it(url: str) -> None:
    with pytest.raises(StopSource, match="URL cannot be used") as caught:
        connector_of(of("q"), url)
    assert "geheim" not in str(caught.value)


def test_a_connection_that_is_cut_in_the_middle_is_tried_again(broker: Broker, line: Line) -> None:
    queue = broker.queue()
    broker.send(queue, *({"n": n} for n in range(4)))
    one = of(queue, stay=30)
    connector = connector_of(one, line.url)
    slices = connector.read(one, {}, slice_size=2, full=False)
    first = next(slices)
    line.cut()
    with pytest.raises(RetrySource, match="come again"):
        list(slices)
    tell(connector, one, first)  # committed, but the delivery died with the connection: passed over in silence
    assert broker.comes_to(queue, 4)
    rest = read(connector, one := of(queue))
    assert len(taken(rest)) == 4
    tell(connector, one, rest[0])
    assert broker.comes_to(queue, 0)


@pytest.mark.long
def test_a_broker_that_falls_silent_in_the_middle_of_a_message_is_given_up(broker: Broker) -> None:
    """The heartbeat tells: what was on its way lies in the queue again."""
    queue = broker.queue()
    broker.send(queue, *({"n": n} for n in range(4)))

    def silent(one: amqpproxy.Frame, line: amqpproxy.Line) -> bytes:
        if line.messages > 2:
            line.over.wait(60)
        return bytes(one)

    one, began = of(queue), time.monotonic()
    with amqpproxy.proxied(f"{broker.url}?heartbeat=1", silent) as url, pytest.raises(RetrySource):
        read(connector_of(one, url), one)
    assert time.monotonic() - began < 30
    assert broker.comes_to(queue, 4)


def test_a_connection_that_is_cut_before_the_answers_leaves_them_owed(broker: Broker, line: Line) -> None:
    queue, answers = broker.queue(), broker.queue()
    broker.send(queue, {"n": 1})
    one = of(queue, receipts=answers)
    connector = connector_of(one, line.url)
    piece = read(connector, one)[0]
    line.close()
    with pytest.raises(SourceTrouble):
        tell(connector, one, piece)
    assert broker.take(answers) == []
    assert broker.comes_to(queue, 1)


def test_a_queue_that_is_deleted_while_it_is_read(broker: Broker) -> None:
    queue = broker.queue()
    broker.send(queue, {"n": 1})
    one = of(queue, stay=30)
    slices = connector_of(one).read(one, {}, slice_size=1, full=False)
    next(slices)
    broker.drop(queue)
    with pytest.raises(StreamMissing, match="was deleted"):
        list(slices)


def test_the_client_tells_nothing_in_its_own_words(caplog: pytest.LogCaptureFixture, broker: Broker) -> None:
    caplog.set_level(logging.DEBUG)
    one = of("q")
    refused = connector_of(one, broker.url.replace("guest@", "geheim@"))
    with pytest.raises(WrongCredentials):
        read(refused, one)
    queue = broker.queue()
    broker.send(queue, {"n": "王晓岚"})
    one = of(queue)
    read(connector_of(one), one)
    assert [record for record in caplog.records if record.name.startswith("pika")] == []
