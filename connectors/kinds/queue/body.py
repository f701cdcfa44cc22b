"""Reads the body of one message: the records that it holds, and why it holds none.

Nothing in a body may stop the queue: what cannot be read is a broken record, kept whole in the quarantine, and the
message is acknowledged with it.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from connectors.debezium import Events
from connectors.kinds.queue.deliveries import Message
from connectors.kinds.queue.options import QueueOptions
from connectors.pointer import JsonFault, read_json
from connectors.sizes import fields_of_record
from hub import jsontext
from hub.records import BrokenRecord, Record

_SILENT_TYPES = frozenset({"", "application/json", "text/json", "text/plain", "application/octet-stream"})
"""Content types that say JSON, or nothing about the form: many clients set the last two on whatever they send."""
_NULLS = frozenset({b"", b"null", b"default"})
"""Bodies that stand for Kafka's null value: `default` is what Debezium Server writes for it by itself."""

Held = Record | BrokenRecord


class BodyFault(ValueError):
    """Why a body holds no record; the message never quotes it."""


class BodyReader:
    """Reads the messages of one pull, in their order."""

    def __init__(self, options: QueueOptions) -> None:
        self.options = options
        self._events = Events() if options.debezium else None

    def read(self, message: Message) -> list[tuple[int, Held]]:
        """Return what a message holds, with each record's place in it (from 1).

        The place in the pull would say nothing to anybody, and be another one when the message comes again. Tombstones
        that repeat a deletion have a place and hold nothing.
        """
        try:
            values = self._values(message)
        except BodyFault as fault:
            return [(1, BrokenRecord(1, "unreadable_record", f"the message cannot be read: {fault}", text_of(message)))]
        pieces = []
        for place, value in enumerate(values, 1):
            held = self._held(value, place)
            if isinstance(held, BrokenRecord):
                raw = text_of(message) if len(values) == 1 else jsontext.dumps(value).decode()
                held = replace(held, raw=raw)
            if held is not None:
                pieces.append((place, held))
        return pieces

    def _held(self, value: Any, row: int) -> Held | None:
        """Return what one value holds; a broken record has no raw text yet, which is dear to make."""
        if self._events is not None:
            value = self._events.read(value, row, "")
        elif not isinstance(value, dict):
            return BrokenRecord(row, "unreadable_record", f"record {row} is no JSON object", "")
        most = self.options.limits.columns
        if isinstance(value, dict) and (count := fields_of_record(value, most)) > most:
            message = f"record {row} has {count:,} fields or more (limit `columns`: {most:,})"
            return BrokenRecord(row, "unreadable_record", message, "")
        held: Held | None = value
        return held

    def _values(self, message: Message) -> list[Any]:
        """Return the records of a body.

        Raises:
            BodyFault: it is none that can be read.
        """
        self._mind_head(message)
        if self._events is not None and message.body in _NULLS:
            return [None]
        if not message.body:
            raise BodyFault("the message has no body")
        value = self._json(message.body)
        if not self.options.many:
            return [value]
        if not isinstance(value, list):
            raise BodyFault("the body is no array of records; mend `body` in source.yml or the sender")
        if len(value) > self.options.limits.rows:
            raise BodyFault(f"the body holds {len(value):,} records (limit `rows`: {self.options.limits.rows:,})")
        return value

    def _mind_head(self, message: Message) -> None:
        most = self.options.limits.body_bytes
        if message.size > most:
            where = f" and now lies in queue {message.moved!r}" if message.moved else ""
            raise BodyFault(f"the body has {message.size:,} bytes (limit `body_bytes`: {most:,}){where}")
        form, _, more = (message.content_type or "").lower().partition(";")
        if form.strip() not in _SILENT_TYPES and not form.strip().endswith("+json"):
            raise BodyFault("its content type is not application/json")
        charset = more.partition("charset=")[2].strip(' "')
        encoding = (message.content_encoding or "").lower()
        if charset not in {"", "utf-8", "utf8"} or encoding not in {"", "utf-8", "utf8", "identity"}:
            raise BodyFault("its body is packed, or in another encoding than UTF-8")

    def _json(self, body: bytes) -> Any:
        try:
            return read_json(body.removeprefix(b"\xef\xbb\xbf").decode("utf-8"), self.options.limits.depth)
        except UnicodeDecodeError as error:
            raise BodyFault(f"the body is not UTF-8 (byte 0x{error.object[error.start]:02x})") from None
        except JsonFault as fault:
            raise BodyFault(f"{fault} (limit `depth`)" if fault.unsafe else str(fault)) from None


def text_of(message: Message) -> str:
    """Return a message as the quarantine keeps it: its text, or its bytes as `base64:…` where they are none.

    Of a message that was moved away the quarantine keeps where it lies.
    """
    if message.moved:
        facts = {"moved_to": message.moved, "bytes": message.size, "message_id": message.message_id}
        return jsontext.dumps(facts).decode()
    try:
        return message.body.decode("utf-8")
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(message.body).decode("ascii")
