"""Messages that are whole deliveries: the envelope stands in a header, its payload is the body."""

from __future__ import annotations

from connectors.envelopes import EnvelopeRefused, Expected, Proof, digest_of
from connectors.envelopes.document import fault
from connectors.envelopes.judge import expected_refusal
from connectors.kinds.queue.body import BodyReader, Held, text_of
from connectors.kinds.queue.deliveries import Message
from connectors.seam import KeyedHash
from hub.errors import InternalError
from hub.records import BrokenRecord, Enveloped, Unit

HEADER = "envelope"
"""The message's header that holds the envelope, as text."""
Places = list[tuple[int, Held]]


def proven(
    reader: BodyReader, message: Message, expected: Expected, keyed_hash: KeyedHash | None
) -> tuple[Places, Unit]:  # fmt: skip
    """Return the records of a message and what it is; where its envelope does not hold, it is one broken record."""
    if keyed_hash is None:
        raise InternalError("digests are kept under a key only; open the connector with keyed_hash=…")
    unit = name_of(message, None)
    try:
        proof = Proof.of(expected, _header(message, expected, unit), digest_of([message.body]), unit)
        held = reader.read(message)
        list(proof.tally.watch(held))
        envelope = proof.close(keyed_hash)
        return held, Unit(name_of(message, envelope), size=message.size, rows=len(held), envelope=envelope)
    except EnvelopeRefused as refusal:
        whole = BrokenRecord(1, refusal.rule, refusal.got, text_of(message))
        said, found = refusal.envelope, refusal.findings
        return [(1, whole)], Unit(name_of(message, said), size=message.size, rows=1, envelope=said, refusal=found)


def _header(message: Message, expected: Expected, unit: str) -> bytes:
    said = message.envelope
    if isinstance(said, str):
        return said.encode("utf-8", "surrogatepass")
    if isinstance(said, bytes):
        return said
    got = "the message has no header `envelope`" if said is None else "the header `envelope` is no text"
    raise expected_refusal(expected, [fault(got)], unit, None)


def name_of(message: Message, envelope: Enveloped | None) -> str:
    """Name a message as findings and receipts do: by its own name, else by its number."""
    own = message.message_id or message.correlation_id
    return own or (f"number {envelope.number}" if envelope is not None else "message")
