"""Queues with the examples at a small broker on loopback: a message each, as the department would send it."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
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
    queues = Queues.started(subject.source, stack)
    for name, spec in queues.source.streams.items():
        for record in filling(samples, spec):
            queues.add(name, record)
    return StandIn(queues.source, queues.url, queues.add)


@dataclass(frozen=True, slots=True)
class Queues:
    """The queues of a source at a broker of its own, empty at first."""

    source: Source
    broker: Broker
    numbers: Counter[str] = field(default_factory=Counter)

    @classmethod
    def started(cls, source: Source, stack: ExitStack) -> Queues:
        """Start the broker; `stack` stops it."""
        source = _hasty(unsigned(source))
        options = [QueueOptions.of(spec) for spec in source.streams.values()]
        names = {queue for one in options for queue in (one.queue, *one.others)}
        broker = stack.enter_context(Broker(names, user=USER, secret=SECRET))
        threading.Thread(target=broker.serve_forever, args=(0.02,), daemon=True).start()
        stack.callback(broker.shutdown)
        return cls(source, broker)

    @property
    def url(self) -> str:
        """Return where the broker answers."""
        return f"amqp://{USER}:{SECRET}@{self.broker.address}/%2F"

    def add(self, stream: str, record: Record) -> None:
        """Put a record into a stream's queue, in an envelope where the stream declares one."""
        body, said = self.message(stream, record)
        self.put(stream, body, said)

    def message(self, stream: str, record: Record) -> tuple[bytes, Record | None]:
        """Return a message of one record with the next number, and its envelope where the stream declares one."""
        spec = self.source.streams[stream]
        body, number = _body(QueueOptions.of(spec), record), self.numbers[stream]
        self.numbers[stream] += 1
        return body, None if spec.envelope is None else envelope_of(self.source.code, spec, body, number=number)

    def put(self, stream: str, body: bytes, said: Record | None) -> None:
        """Put a message into a stream's queue, with this envelope."""
        headers = {} if said is None else {HEADER: json.dumps(said)}
        self.broker.put(QueueOptions.of(self.source.streams[stream]).queue, body, headers)


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


def envelope_of(source: str, spec: StreamSpec, body: bytes, *, number: int = 0, records: int = 1) -> Record:
    """Return the envelope of a body; `number` counts from the first that the stream declares."""
    assert spec.envelope is not None  # noqa: S101  # the caller looked
    return {
        "envelope": 1, "source": source, "stream": spec.name, "number": spec.envelope.first + number,
        "records": records, "digest": digest_of([body]), "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
