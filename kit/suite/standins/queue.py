"""Queues with the examples at a small broker on loopback: a message each, as the department would send it."""

from __future__ import annotations

import dataclasses
import json
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.envelopes import digest_of
from connectors.kinds.queue.enveloped import HEADER
from connectors.kinds.queue.options import QueueOptions
from connectors.source import Source, StreamSpec
from hub import jsontext
from hub.records import Record
from kit.samples import Samples
from kit.subject import Subject
from kit.suite.standins.base import SECRET, USER, StandIn, filling
from kit.suite.standins.broker import Broker
from kit.suite.standins.files import event_of, unsigned

_LINGER = 0.02
"""Seconds: from loopback all messages come at once."""


def make_queues(subject: Subject, samples: Samples, _place: Path, stack: ExitStack) -> StandIn:
    """Start the broker with the declared queues; `stack` stops it."""
    source = _hasty(unsigned(subject.source))
    options = {name: QueueOptions.of(spec) for name, spec in source.streams.items()}
    names = {queue for one in options.values() for queue in (one.queue, *one.others)}
    broker = stack.enter_context(Broker(names, user=USER, secret=SECRET))
    threading.Thread(target=broker.serve_forever, args=(0.02,), daemon=True).start()
    stack.callback(broker.shutdown)
    numbers = dict.fromkeys(source.streams, 0)

    def add(stream: str, record: Record) -> None:
        body, headers = _body(options[stream], record), {}
        spec = source.streams[stream]
        if spec.envelope is not None:
            headers[HEADER] = _envelope(source.code, spec, numbers[stream], body)
        numbers[stream] += 1
        broker.put(options[stream].queue, body, headers)

    for name, spec in source.streams.items():
        for record in filling(samples, spec):
            add(name, record)
    return StandIn(source, f"amqp://{USER}:{SECRET}@{broker.address}/%2F", add)


def _hasty(source: Source) -> Source:
    """Return the source so that a pull does not wait for messages that nobody sends."""
    streams = {
        name: dataclasses.replace(spec, options={**spec.options, "linger": _LINGER})
        for name, spec in source.streams.items()
    }
    return dataclasses.replace(source, streams=streams)


def _body(options: QueueOptions, record: Record) -> bytes:
    said: Any = event_of(record) if options.debezium else record
    return jsontext.dumps([said] if options.many else said)


def _envelope(source: str, spec: StreamSpec, number: int, body: bytes) -> str:
    assert spec.envelope is not None  # noqa: S101  # the caller looked
    return json.dumps({
        "envelope": 1, "source": source, "stream": spec.name, "number": spec.envelope.first + number, "records": 1,
        "digest": digest_of([body]), "written": datetime.now(UTC).isoformat(timespec="seconds"),
    })  # fmt: skip
