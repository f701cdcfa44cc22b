"""Hostile messages: each is a broken record with its reason, quickly, in bounded memory, and none blocks its queue."""

from __future__ import annotations

import base64
import functools
import gzip
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

import connectors.kinds.queue.session as sessions
from connectors.kinds.queue import QueueConnector
from connectors.seam import Receipt
from hub.errors import RetrySource
from tests.connectors.parts import opened, stream
from tests.hostile.probe import read_apart
from tests.rabbit import Broker, broker_or_skip
from tests.servers import amqp_url

SECONDS, MIB = 15.0, 500.0
"""What reading a hostile message may take at most; most take a tenth of it."""


@pytest.fixture
def broker() -> Iterator[Broker]:
    with broker_or_skip() as made:
        yield made


@dataclass(frozen=True)
class Case:
    """One hostile message: its body, what its properties say, how it is read, and what is said of it."""

    body: Callable[[], bytes]
    words: str
    properties: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


@functools.cache
def a_million_fields() -> bytes:
    return b"{" + b", ".join(b'"%d": null' % number for number in range(1_000_000)) + b"}"


MANY = {"body": "records"}
DEBEZIUM = {"envelope": "debezium"}
CASES = {
    "a_hundred_thousand_nested_arrays": Case(lambda: b"[" * 100_000 + b"]" * 100_000, "deeper than 64 levels"),
    "a_hundred_thousand_nested_objects": Case(lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "deeper than 64"),
    "one_level_too_many": Case(
        lambda: b'{"a":' * 4 + b"1" + b"}" * 4, "than 3 levels", options={"limits": {"depth": 3}}
    ),
    "never_closed": Case(lambda: b"[" * 100_000, "JSON"),
    "not_utf_8": Case(lambda: '{"a": "办件"}'.encode("gb18030"), "not UTF-8 (byte 0xb0)"),
    "utf_16": Case(lambda: '{"a": 1}'.encode("utf-16"), "not UTF-8 (byte 0xff)"),
    "random_bytes": Case(lambda: bytes(range(256)) * 100, "not UTF-8"),
    "a_hundred_mb_against_a_small_limit": Case(
        lambda: b'{"a": "' + b"x" * 100_000_000 + b'"}', "100,000,009 bytes (limit `body_bytes`: 1,000)",
        options={"limits": {"body_bytes": 1000}},
    ),
    "no_body": Case(lambda: b"", "has no body"),
    "blanks": Case(lambda: b" \n" * 1000, "JSON"),
    "no_json": Case("<case>办件</case>".encode, "no JSON"),
    "cut_off": Case(lambda: b'{"a": "1', "JSON"),
    "two_documents": Case(lambda: b'{"a": 1}{"a": 2}', "no JSON"),
    "a_nul_character": Case(lambda: b'{"a": "\\u0000"}', "NUL character"),
    "half_a_surrogate": Case(lambda: b'{"a": "\\ud800"}', "no JSON"),
    "a_number_of_a_hundred_thousand_digits": Case(lambda: b'{"a": ' + b"9" * 100_000 + b"}", "no JSON"),
    "xml_by_its_content_type": Case(lambda: b'{"a": 1}', "content type", {"content_type": "application/xml"}),
    "a_picture_by_its_content_type": Case(lambda: b'{"a": 1}', "content type", {"content_type": "image/png"}),
    "gbk_by_its_content_type": Case(lambda: b'{"a": 1}', "UTF-8", {"content_type": "application/json; charset=GBK"}),
    "packed": Case(lambda: gzip.compress(b'{"a": 1}'), "packed", {"content_encoding": "gzip"}),
    "packed_without_saying_so": Case(lambda: gzip.compress(b'{"a": 1}'), "not UTF-8"),
    "a_text": Case(lambda: b'"text"', "no JSON object"),
    "null": Case(lambda: b"null", "no JSON object"),
    "an_array_where_a_record_is_due": Case(lambda: b'[{"a": 1}]', "no JSON object"),
    "a_record_where_an_array_is_due": Case(lambda: b'{"a": 1}', "no array", options=MANY),
    "a_million_records": Case(
        lambda: b"[" + b"{}," * 999_999 + b"{}]", "1,000,000 records (limit `rows`: 10,000)", options=MANY
    ),
    "a_million_fields": Case(a_million_fields, "1,000,000 fields"),
    "an_event_of_a_million_fields": Case(
        lambda: b'{"op": "c", "after": ' + a_million_fields() + b"}", "1,000,003 fields", options=DEBEZIUM
    ),
    "an_event_of_nothing": Case(lambda: b'{"op": "c"}', "without its row", options=DEBEZIUM),
    "an_event_within_events": Case(lambda: b'{"payload": {"payload": {"op": "c"}}}', "no `op`", options=DEBEZIUM),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_message_is_told_and_blocks_nothing(broker: Broker, name: str) -> None:
    case = CASES[name]
    body, queue = case.body(), broker.queue()
    good: Any = {"op": "c", "after": {"n": 1}} if case.options == DEBEZIUM else {"n": 1}
    broker.send(queue, body, **case.properties)
    broker.send(queue, [good] if case.options == MANY else good)
    one = stream("s", queue=queue, linger=0.1, **case.options)
    connector = opened("queue", amqp_url(), one)
    assert isinstance(connector, QueueConnector)
    began, read, broken = time.process_time(), [], []
    for piece in connector.read(one, {}, slice_size=100, full=False):
        read += piece.records
        broken += piece.broken
        connector.acknowledge(one, [Receipt(token, "quarantined") for token in piece.tokens])
    assert time.process_time() - began < SECONDS
    assert [record["n"] for record in read] == [1], "what stands behind it is read"
    assert [(found.row, found.rule) for found in broken] == [(1, "unreadable_record")]
    assert case.words in broken[0].message
    assert kept(broken[0].raw) == body, "nothing of it is lost"
    assert broker.comes_to(queue, 0), "and it does not come again"


def kept(raw: str) -> bytes:
    """What the quarantine keeps, as the bytes that came."""
    prefix, _, rest = raw.partition("base64:")
    return raw.encode() if prefix or not rest else base64.b64decode(rest)


@pytest.mark.parametrize("name", ["a_hundred_thousand_nested_arrays", "a_million_records", "a_million_fields"])
def test_hostile_messages_are_read_in_bounded_memory(broker: Broker, name: str) -> None:
    case, queue = CASES[name], broker.queue()
    body = case.body()
    broker.send(queue, *([body] * 3))
    found = read_apart("queue", amqp_url(), stream("s", queue=queue, linger=0.3, **case.options))
    assert (found["error"], found["read"], found["broken"]) == ("", 0, 3), found
    assert found["peak_mib"] < MIB, found
    assert found["seconds"] < SECONDS, found


def test_what_waits_to_be_read_is_bounded_in_bytes(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_WAITING_BYTES", 1_000_000)
    queue, size = broker.queue(), 300_000
    broker.send(queue, *([{"x": "y" * size}] * 40))
    one = stream("s", queue=queue, linger=0.5)
    connector = opened("queue", amqp_url(), one)
    assert isinstance(connector, QueueConnector)
    slices = connector.read(one, {}, slice_size=1, full=False)
    count = len(next(slices).records)
    session = connector._sessions["s"]
    until = time.monotonic() + 10
    while session._waiting_bytes < 1_000_000 and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.3)  # in which the rest, twelve megabytes, would come
    assert session._waiting_bytes < 2_500_000, "the rest stays at the broker, though it may be under way"
    assert session.alive
    for piece in slices:
        count += len(piece.records)
        connector.acknowledge(one, [Receipt(token, "new") for token in piece.tokens])
    assert count == 40


def test_a_broker_that_never_answers_is_given_up(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = broker.queue()
    one = stream("s", queue=queue, linger=0.1, stay=30)
    connector = opened("queue", amqp_url(), one)
    assert isinstance(connector, QueueConnector)
    slices = connector.read(one, {}, slice_size=1, full=False)
    broker.send(queue, {"n": 1})
    next(slices)
    session = connector._sessions["s"]
    monkeypatch.setattr(sessions, "_ANSWER", 0.3)
    monkeypatch.setattr(session._channels, "ready", lambda _done: None)
    with pytest.raises(RetrySource, match="did not answer"):
        session.waiting()
    session.close()
    assert not session._thread.is_alive()
    assert broker.comes_to(queue, 1)
