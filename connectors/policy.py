"""What a stream declares about its envelopes: whether they must come, who signs them, where receipts go."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

KINDS = ("files", "push", "queue", "xes")
"""Kinds whose deliveries may bear an envelope."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A department's public key (Ed25519) and the span in which what it signs counts; `until` is not included."""

    name: str
    public: str
    since: datetime
    until: datetime | None = None

    @property
    def key(self) -> Ed25519PublicKey:
        """Return the key itself."""
        return load_public(self.public)


@dataclass(frozen=True, slots=True)
class EnvelopePolicy:
    """The `envelope` block of a stream; `first` is the number with which the department begins.

    `receipts` is the folder below the connection's into which receipts are written (kinds of files); `answers` says
    whether the stream's source is told at all.
    """

    required: bool = True
    signed: bool = False
    first: int = 1
    keys: tuple[PublicKey, ...] = ()
    receipts: str | None = None
    answers: bool = False


def load_public(text: str) -> Ed25519PublicKey:
    """Read a public key as `openssl pkey -pubout` prints it between its two marks: one line of Base64.

    Raises:
        ValueError: it is none, or of another algorithm.
    """
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, UnsupportedAlgorithm, ValueError) as error:
        raise ValueError("is no public key in Base64") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("is a key of another algorithm; known: ed25519")  # noqa: TRY004  # as the other faults of a key
    return key


def policy_of(
    said: Mapping[str, Any] | None, *, zone: str, kind: str, options: Mapping[str, Any]
) -> EnvelopePolicy | None:
    """Make the value of a declaration that was found faultless; None where a stream declares no envelope."""
    if said is None:
        return None
    keys = tuple(
        PublicKey(
            one["name"],
            one["public"],
            _midnight(one["since"], zone),
            _midnight(one["until"], zone) if "until" in one else None,
        )
        for one in said.get("keys", [])
    )
    receipts = said.get("receipts")
    return EnvelopePolicy(
        required=said.get("use", "required") == "required",
        signed=said.get("signature", "required" if keys else "optional") == "required",
        first=said.get("first", 1),
        keys=keys,
        receipts=receipts,
        answers=(options.get("receipts") if kind == "queue" else receipts) is not None,
    )


def _midnight(day: str, zone: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), ZoneInfo(zone))


def policy_faults(
    said: Mapping[str, Any], kind: str, options: Mapping[str, Any]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield what a schema cannot say against an `envelope` block, each with the place inside it."""
    if kind not in KINDS:
        yield (), f"kind {kind} has no envelopes; they are for {', '.join(KINDS)}"
        return
    if kind == "queue" and "receipts" in said:
        yield ("receipts",), "kind queue answers to the queue of option `receipts`"
    if kind == "push" and "receipts" in said:
        yield ("receipts",), "kind push is told in the answer to its post"
    if said.get("signature") == "required" and not said.get("keys"):
        yield ("signature",), "a required signature needs `keys`: the department's public keys"
    if options.get("envelope") == "debezium" and kind == "queue":
        yield (), "change events of Debezium come without envelopes; their broker numbers them"
    names: set[str] = set()
    for place, one in enumerate(said.get("keys") or ()):
        if not isinstance(one, Mapping):
            continue
        yield from _key_faults(one, ("keys", place), names)


def _key_faults(
    one: Mapping[str, Any], at: tuple[str | int, ...], names: set[str]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    name = str(one.get("name"))
    if name in names:
        yield (*at, "name"), f"key {name!r} stands twice"
    names.add(name)
    days: dict[str, date] = {}
    for part in ("since", "until"):
        try:
            days[part] = date.fromisoformat(str(one[part]))
        except (KeyError, ValueError):
            if part in one:
                yield (*at, part), f"{one[part]!r} is no day; write one like '2026-01-01'"
    if len(days) == 2 and days["since"] >= days["until"]:  # noqa: PLR2004  # both are there
        yield (*at, "until"), "the key's last day must lie after its first"
    if isinstance(public := one.get("public"), str):
        try:
            load_public(public)
        except ValueError as error:
            yield (*at, "public"), str(error)
