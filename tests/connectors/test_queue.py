"""Kind `queue` with a real RabbitMQ: what is taken stays the broker's until it is acknowledged, and nothing blocks."""

from __future__ import annotations

import gc
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

import connectors.kinds.queue.pull as pulling
import connectors.kinds.queue.session as sessions
from connectors.debezium import PLACEHOLDER
from connectors.kinds.queue import QueueConnector
from connectors.kinds.queue.deliveries import Outstanding, Token
from connectors.seam import Acknowledges, Connector, KeepsUnits, Receipt
from connectors.source import StreamSpec, load_sources
from hub.errors import (
    ConfigError,
    RetrySource,
    SourceTrouble,
    SourceUnreachable,
    StopSource,
    StreamMissing,
    WrongCredentials,
)
from hub.records import Record, Slice
from tests.connectors.parts import opened, source, stream
from tests.departments import Department
from tests.rabbit import URL, Broker, Line, broker_or_skip, within

QUICK = {"linger": 0.1}


@pytest.fixture
def broker() -> Iterator[Broker]:
    with broker_or_skip() as made:
        yield made


@pytest.fixture
def line(broker: Broker) -> Iterator[Line]:
    made = Line()
    yield made
    made.close()


def of(queue: str, **options: Any) -> StreamSpec:
    return stream("s", **{"queue": queue, **QUICK, **options})


def connector_of(one: StreamSpec, url: str = URL) -> QueueConnector:
    made = opened("queue", url, one)
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


# --- taking and acknowledging ---


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


# --- staying on ---


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
    connector = connector_of(one, f"{URL}?heartbeat=1")
    slices = read(connector, one)
    time.sleep(4)  # the broker gives up after two missed heartbeats
    tell(connector, one, slices[0])
    assert broker.comes_to(queue, 0)
    assert within(5, lambda: not connector._sessions["s"].alive)


# --- answers and messages that are moved ---


def test_each_message_is_answered_before_it_is_acknowledged(broker: Broker) -> None:
    queue, answers = broker.queue(), broker.queue()
    broker.send(queue, [{"n": 1}, {"n": 2}], message_id="m1", correlation_id="c1")
    broker.send(queue, [{"n": 3}], message_id="m2")
    broker.send(queue, [], message_id="m3")
    one = of(queue, body="records", receipts=answers)
    connector = connector_of(one)
    piece = read(connector, one)[0]
    connector.acknowledge(one, [Receipt(piece.tokens[0], "new")])
    assert [body["message_id"] for _, body in broker.take(answers)] == ["m3"], "m1 is told in part only"
    connector.acknowledge(
        one, [Receipt(piece.tokens[1], "quarantined", ("refused: a reason",)), Receipt(piece.tokens[2], "unchanged")]
    )
    found = broker.take(answers)
    assert [body for _, body in found] == [
        {"queue": queue, "message_id": "m1", "correlation_id": "c1", "records": [
            {"record": 1, "outcome": "new", "errors": []},
            {"record": 2, "outcome": "quarantined", "errors": ["refused: a reason"]},
        ]},
        {"queue": queue, "message_id": "m2", "correlation_id": None, "records": [
            {"record": 1, "outcome": "unchanged", "errors": []},
        ]},
    ]  # fmt: skip
    assert [properties.correlation_id for properties, _ in found] == ["c1", "m2"]
    assert {properties.content_type for properties, _ in found} == {"application/json"}
    assert broker.comes_to(queue, 0)


def test_an_answer_is_owed_though_the_session_is_gone(broker: Broker) -> None:
    queue, answers = broker.queue(), broker.queue()
    broker.send(queue, {"n": 1}, message_id="m1")
    one = of(queue, receipts=answers)
    first = connector_of(one)
    owed = read(first, one)[0]
    del first
    gc.collect()
    second = connector_of(one)
    second.acknowledge(one, [Receipt(owed.tokens[0], "quarantined", ("a reason",))])
    assert [body["records"] for _, body in broker.take(answers)] == [
        [{"record": 1, "outcome": "quarantined", "errors": ["a reason"]}]
    ]
    assert broker.comes_to(queue, 1), "the message itself is delivered again"


def test_without_the_queue_of_answers_nothing_is_taken(broker: Broker) -> None:
    queue = broker.queue()
    broker.send(queue, {"n": 1})
    one = of(queue, receipts="hub-test-missing")
    with pytest.raises(StreamMissing, match="no queue 'hub-test-missing'"):
        read(connector_of(one), one)
    assert broker.comes_to(queue, 1)


def test_a_queue_of_answers_that_vanishes_leaves_the_messages_unacknowledged(broker: Broker) -> None:
    queue, answers = broker.queue(), broker.queue()
    broker.send(queue, {"n": 1})
    one = of(queue, receipts=answers)
    connector = connector_of(one)
    piece = read(connector, one)[0]
    broker.drop(answers)
    with pytest.raises(StreamMissing, match=f"queue '{answers}'"):
        tell(connector, one, piece)
    assert broker.comes_to(queue, 1)


def test_a_message_that_is_too_large_is_moved_whole_and_told(broker: Broker) -> None:
    queue, large = broker.queue(), broker.queue()
    broker.send(queue, {"n": "x" * 2_000}, {"n": 1}, message_id="m1", headers={"from": "labour"})
    one = of(queue, reject_to=large, limits={"body_bytes": 1_000})
    connector = connector_of(one)
    piece = read(connector, one)[0]
    assert piece.records == [{"n": 1}]
    assert "2,009 bytes (limit `body_bytes`: 1,000)" in piece.broken[0].message
    assert json.loads(piece.broken[0].raw) == {"moved_to": large, "bytes": 2_009, "message_id": "m1"}
    tell(connector, one, piece)
    properties, body = broker.take(large)[0]
    assert (properties.headers, len(body["n"])) == ({"from": "labour"}, 2_000)
    assert broker.comes_to(queue, 0)


# --- only looking ---


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


# --- troubles ---


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
    assert "name or password" in _trouble("amqp://guest:geheim@127.0.0.1:5672/%2F", WrongCredentials)


def test_an_unknown_virtual_host(broker: Broker) -> None:
    assert "virtual host" in _trouble("amqp://guest:guest@127.0.0.1:5672/geheim", SourceUnreachable)


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
    refused = connector_of(one, "amqp://guest:geheim@127.0.0.1:5672/%2F")
    with pytest.raises(WrongCredentials):
        read(refused, one)
    queue = broker.queue()
    broker.send(queue, {"n": "王晓岚"})
    one = of(queue)
    read(connector_of(one), one)
    assert [record for record in caplog.records if record.name.startswith("pika")] == []


# --- change events ---


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


# --- what is noted of deliveries ---


def test_acknowledgements_are_put_together() -> None:
    outstanding = Outstanding()
    for tag in range(1, 7):
        outstanding.came(tag)
        outstanding.holds(tag, 1)
    assert outstanding.close([2, 1, 4]) == (2, [4])
    assert outstanding.close([5]) == (0, [5])
    assert outstanding.close([3, 6, 99]) == (6, [])
    assert len(outstanding) == 0


def test_a_token_is_read_as_it_was_written() -> None:
    token = Token("ab", 7, 3, 'm"1', None)
    assert Token.read(str(token)) == token


# --- what is declared ---


def _faults(department: Department, streams: dict[str, Any], **over: Any) -> list[str]:
    department.declare(kind="queue", **over)
    file = department.folder / "source.yml"
    body = {**yaml.safe_load(file.read_text(encoding="utf-8")), "streams": streams}
    file.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
    try:
        load_sources([department.folder.parent])
    except ConfigError as error:
        return [fault.message for fault in error.faults]
    return []


def test_what_does_not_fit_a_queue_is_told(tmp_path: Any) -> None:
    department = Department(tmp_path / "sources")
    good: dict[str, Any] = {"PRE_NODE": {"options": {"queue": "n", "receipts": "r", "stay": 60}}, "PRE_ACCEPT": {}}
    assert _faults(department, good) == []
    wrong = {
        "PRE_NODE": {"options": {"queue": "n", "receipts": "n"}, "cursor": {"field": "CREATE_TIME"}},
        "PRE_ACCEPT": {"options": {"queue": "n", "reject_to": "n"}, "deletion": "snapshot", "budget": {"records": 1}},
        "PRE_TRANSACT": {"options": {"prefetch": 70_000, "envelope": "canal"}},
    }
    said = "\n".join(_faults(department, wrong))
    for words in (
        "receipts 'n' is the queue", "reject_to 'n' is the queue", "has no cursor", "needs whole deliveries",
        "has no budget", "two streams would take", "70000", "canal",
    ):  # fmt: skip
        assert words in said, said


def test_a_source_of_queues_is_opened_by_its_kind() -> None:
    one = of("q")
    assert source("queue", one).kind == "queue"
    assert isinstance(opened("queue", URL, one), QueueConnector)
