"""Reads and writes the envelope itself: bounded, strict, every fault at once."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import jsonschema_rs
import orjson
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.pointer import JsonFault, read_json
from hub.documents import SCHEMAS
from hub.findings import UNIT, Finding
from hub.records import Record
from hub.screens import screen

ENVELOPE = ".envelope.json"
"""Behind the name of a delivered file: its envelope."""
RECEIPT = ".receipt.json"
"""Behind the name of a delivered file: its receipt."""
MOST_BYTES = 1 << 18
"""No honest envelope is longer: thousands of organs fit."""
UNREADABLE = "envelope_unreadable"
_DEPTH = 4
_SHOWN = 20
_LONGEST = 80


class EnvelopeFault(ValueError):
    """Bytes that are no envelope; `findings` says all that is wrong with them."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("; ".join(one.detail.get("got", one.rule) for one in self.findings))


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an envelope says, read but not yet proven; `said` is the whole document.

    `organs` counts records by organ, None where the envelope does not say; `digest` is `sha-256:…` over the payload.
    """

    source: str
    stream: str
    number: int
    records: int
    organs: Mapping[str, int] | None
    digest: str
    written: datetime
    complete_through: datetime | None
    said: Record

    @property
    def signature(self) -> Mapping[str, str] | None:
        """Return the signature as it stands in the document."""
        return self.said.get("signature")


def read_envelope(data: bytes) -> Envelope:
    """Read an envelope of at most `MOST_BYTES`.

    Raises:
        EnvelopeFault: it is none; all that is wrong is told at once, and nothing of it is quoted at length.
    """
    if len(data) > MOST_BYTES:
        raise EnvelopeFault([fault(f"the envelope has {len(data):,} bytes", f"at most {MOST_BYTES:,}")])
    said = _parsed(data)
    faults = [_worded(error) for error in islice(_validator().iter_errors(said), _SHOWN + 1)]
    if faults:
        more = [("and more faults", "")] if len(faults) > _SHOWN else []
        raise EnvelopeFault([fault(*one) for one in (*sorted(set(faults[:_SHOWN])), *more)])
    return _meaning(said)


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return what is signed: the document in the form of RFC 8785, without the value of its signature."""
    signature = {name: value for name, value in document.get("signature", {}).items() if name != "value"}
    return rfc8785.dumps({**document, "signature": signature})


def sign(document: Mapping[str, Any], name: str, key: Ed25519PrivateKey) -> bytes:
    """Return a document with its signature, as a file or message holds it: one line of JSON."""
    signed = {**document, "signature": {"algorithm": "ed25519", "key": name}}
    value = base64.b64encode(key.sign(canonical(signed))).decode()
    signed["signature"] = {**signed["signature"], "value": value}
    return json.dumps(signed, ensure_ascii=False).encode() + b"\n"


def digest_of(blocks: Iterable[bytes]) -> str:
    """Return the digest of a payload as an envelope writes it."""
    hasher = hashlib.sha256()
    for block in blocks:
        hasher.update(block)
    return f"sha-256:{hasher.hexdigest()}"


def fault(got: str, known: str = "", *, rule: str = UNREADABLE, number: int | None = None) -> Finding:
    """Return a finding about a delivery as a whole."""
    detail = {"got": got, "known": known}
    return Finding(UNIT, rule, detail=detail if number is None else {**detail, "number": str(number)})


@functools.cache
def _schema() -> Record:
    return dict(orjson.loads((SCHEMAS / "exchange/envelope/v1/schema.json").read_bytes()))


@functools.cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    return screen(_schema())


def _parsed(data: bytes) -> Record:
    """Parse the text; a name that stands twice, and a number with a fraction, would be read differently elsewhere."""
    try:
        text = data.removeprefix(b"\xef\xbb\xbf")
        read_json(text, _DEPTH)
        said = json.loads(text, object_pairs_hook=_once, parse_float=_no_fraction)
    except JsonFault as error:
        raise EnvelopeFault([fault(str(error))]) from None
    except ValueError:  # Python reads no number of thousands of digits
        raise EnvelopeFault([fault("a number has too many digits")]) from None
    if not isinstance(said, dict):
        raise EnvelopeFault([fault("the envelope is no JSON object")])
    return said


def _once(pairs: list[tuple[str, Any]]) -> Record:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonFault("a name stands twice in one object")
    return found


def _no_fraction(_: str) -> Any:
    raise JsonFault("a number is written with a fraction or an exponent")


def _worded(error: Any) -> tuple[str, str]:
    """Say what is wrong and what would be right; of what stands there, no more than its beginning."""
    place = "/" + "/".join(map(str, error.instance_path))
    schema = functools.reduce(operator.getitem, error.schema_path[:-1], _schema())
    if error.kind.name == "required":
        return f"{place}: {error.kind.property} is missing", ""
    if error.kind.name == "additionalProperties":
        return f"{place}: unknown {', '.join(map(shown, error.kind.unexpected[:_SHOWN]))}", ", ".join(
            schema["properties"]
        )
    expected = schema.get("description") or schema[error.kind.name]
    return f"{place}: {shown(error.instance)} is not as it must be ({error.kind.name})", str(expected)


def shown(value: Any) -> str:
    """Return the beginning of a value in ASCII, so that letters that only look alike are told apart."""
    text = ascii(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _meaning(said: Record) -> Envelope:
    """Judge what a schema cannot say."""
    faults: list[Finding] = []
    times: dict[str, datetime] = {}
    for name in ("written", "complete_through"):
        if name in said:
            try:
                times[name] = datetime.fromisoformat(said[name])
            except ValueError:
                faults.append(fault(f"/{name}: there is no such time"))
    if len(times) == 2 and times["complete_through"] > times["written"]:  # noqa: PLR2004  # both are there
        faults.append(
            fault("/complete_through: it lies after the envelope was written", "nobody vouches for what is to come")
        )
    organs = None
    if "organs" in said:
        organs = {one["organ"]: one["records"] for one in said["organs"]}
        if len(organs) != len(said["organs"]):
            faults.append(fault("/organs: an organ stands twice"))
        elif sum(organs.values()) != said["records"]:
            faults.append(fault(f"/organs: they add up to {sum(organs.values()):,}", f"records: {said['records']:,}"))
    if faults:
        raise EnvelopeFault(faults)
    return Envelope(
        source=said["source"], stream=said["stream"], number=said["number"], records=said["records"], organs=organs,
        digest=said["digest"], written=times["written"], complete_through=times.get("complete_through"), said=said,
    )  # fmt: skip
