"""Kind `queue` with a real RabbitMQ: answers to messages, and messages that are moved."""

from __future__ import annotations

import gc
import json

import pytest

from connectors.seam import Receipt
from hub.errors import (
    StreamMissing,
)
from tests.connectors.queue.parts import connector_of, of, read, tell
from tests.rabbit import Broker


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
