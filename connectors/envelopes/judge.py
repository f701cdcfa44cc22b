"""Proves what an envelope says: against its stream's declaration, against the payload's bytes, against its records."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature

from connectors.envelopes.document import Envelope, EnvelopeFault, canonical, fault, read_envelope, shown
from connectors.pointer import find
from connectors.policy import EnvelopePolicy, PublicKey
from connectors.seam import KeyedHash
from connectors.slices import Row
from connectors.source import Source, StreamSpec
from hub.errors import RefuseUnit
from hub.findings import Finding
from hub.records import BrokenRecord, Enveloped, Record

_AHEAD = timedelta(days=1)
"""How far a department's clock may go before ours."""
_SHOWN = 5


class EnvelopeRefused(RefuseUnit):
    """A delivery and its envelope do not belong together, or the envelope is not to be trusted; all faults are told."""

    next_step = "Ask the department to send the payload and its envelope again; docs/integrate/envelope.md."

    def __init__(
        self, findings: Iterable[Finding], *, source: str, stream: str, unit: str, said: Envelope | None
    ) -> None:
        self.found, self.said = tuple(findings), said
        self.rule = self.found[0].rule
        got = "; ".join(one.detail["got"] for one in self.found)
        super().__init__(source=source, stream=stream, unit=unit, got=got, known=self.found[0].detail.get("known", ""))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return all that is wrong."""
        return self.found

    @property
    def envelope(self) -> Enveloped | None:
        """Return what a receipt says back of the envelope; nothing of it is proven."""
        return None if self.said is None else _bare(self.said, "")


@dataclass(frozen=True, slots=True)
class Expected:
    """Whose envelopes these are to be, and when they are looked at."""

    source: str
    stream: str
    policy: EnvelopePolicy
    organ: str | None = None
    organ_from: str | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def of(cls, source: Source, stream: StreamSpec) -> Expected | None:
        """Return what a stream declares; None where it declares no envelope."""
        if stream.envelope is None:
            return None
        return cls(source.code, stream.name, stream.envelope, source.organ, stream.organ_from)

    def faults(self, said: Envelope, digest: str) -> Iterator[Finding]:
        """Yield what is wrong before a record is read: the sender, the signature, the clock, the bytes."""
        for name, ours, theirs in (("source", self.source, said.source), ("stream", self.stream, said.stream)):
            if ours != theirs:
                yield fault(
                    f"the envelope is for {name} {shown(theirs)}", ours, rule="envelope_foreign", number=said.number
                )
        if said.written > self.now + _AHEAD:
            yield fault("the envelope was written in the future", "mend the department's clock", number=said.number)
        yield from self._signature(said)
        if said.digest != digest:
            # Neither digest is told: it would stay in the finding, unkeyed.
            yield fault(
                "the payload is not the one that the envelope speaks about: its digest differs",
                "the digest is over the bytes as handed over", rule="envelope_digest", number=said.number,
            )  # fmt: skip

    def _signature(self, said: Envelope) -> Iterator[Finding]:
        signature = said.signature
        known = ", ".join(one.name for one in self.policy.keys) or "none declared"
        if signature is None:
            if self.policy.signed:
                yield self._unsigned(said, "the envelope is not signed", known)
            return
        key = next((one for one in self.policy.keys if one.name == signature["key"]), None)
        if key is None:
            yield self._unsigned(said, f"the envelope is signed with an unknown key {shown(signature['key'])}", known)
        elif not _valid(key, said.written):
            span = f"{key.since:%Y-%m-%d} to {key.until:%Y-%m-%d}" if key.until else f"from {key.since:%Y-%m-%d}"
            yield self._unsigned(said, f"key {key.name} was not valid when the envelope was written", span)
        else:
            try:
                key.key.verify(base64.b64decode(signature["value"]), canonical(said.said))
            except InvalidSignature:
                got = f"the signature is not that of key {key.name} over this envelope"
                yield self._unsigned(said, got, "RFC 8785 without signature.value")

    @staticmethod
    def _unsigned(said: Envelope, got: str, known: str) -> Finding:
        return fault(got, known, rule="envelope_signature", number=said.number)


@dataclass(slots=True)
class Proof:
    """An envelope on its way to being proven: first its bytes, then, as they pass by, the records."""

    expected: Expected
    said: Envelope
    unit: str
    tally: Tally

    @classmethod
    def of(cls, expected: Expected, data: bytes, payload_digest: str, unit: str) -> Proof:
        """Read an envelope and prove all of it that needs no record.

        Raises:
            EnvelopeRefused: anything is wrong; all of it is told.
        """
        try:
            said = read_envelope(data)
        except EnvelopeFault as error:
            raise expected_refusal(expected, error.findings, unit, None) from None
        found = list(expected.faults(said, payload_digest))
        if found:
            raise expected_refusal(expected, found, unit, said)
        return cls(expected, said, unit, Tally(expected, counts_organs=said.organs is not None))

    def close(self, keyed_hash: KeyedHash) -> Enveloped:
        """Compare the counts when all records have passed by, and return the envelope as the hub keeps it.

        Raises:
            EnvelopeRefused: other numbers of records came.
        """
        found = list(self.tally.faults(self.said))
        if found:
            raise expected_refusal(self.expected, found, self.unit, self.said)
        return _bare(self.said, keyed_hash(self.said.digest.encode()).hex())


def expected_refusal(
    expected: Expected, findings: Iterable[Finding], unit: str, said: Envelope | None
) -> EnvelopeRefused:  # fmt: skip
    """Return the error of a delivery that is refused whole."""
    return EnvelopeRefused(findings, source=expected.source, stream=expected.stream, unit=unit, said=said)


class Tally:
    """Counts records as they pass by: all, and by organ where the envelope says how many each has."""

    def __init__(self, expected: Expected, *, counts_organs: bool) -> None:
        self._expected, self._by_organ = expected, counts_organs
        self.records = self.nameless = 0
        self.organs: Counter[str] = Counter()

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass rows on, counting them."""
        for row in rows:
            self.add(row[1])
            yield row

    def add(self, held: Record | BrokenRecord) -> None:
        """Count one record; of one that cannot be read nobody knows the organ."""
        self.records += 1
        if not self._by_organ:
            return
        organ = None if isinstance(held, BrokenRecord) else self._organ(held)
        if organ is None:
            self.nameless += 1
        else:
            self.organs[organ] += 1

    def _organ(self, record: Record) -> str | None:
        field_ = self._expected.organ_from
        if field_ is None:
            return self._expected.organ
        try:
            found = find(
                record, field_ if field_.startswith("/") else "/" + field_.replace("~", "~0").replace("/", "~1")
            )
        except KeyError:
            return None
        return None if found is None or isinstance(found, dict | list) else str(found)

    def faults(self, said: Envelope) -> Iterator[Finding]:
        """Yield where other numbers came than the envelope says; records whose organ is unknown may be anybody's."""
        if self.records != said.records:
            yield self._wrong(
                said, f"the payload holds {self.records:,} records", f"the envelope says {said.records:,}"
            )
        if said.organs is None:
            return
        over = sorted(organ for organ, count in self.organs.items() if count > said.organs.get(organ, 0))
        under = sum(max(0, count - self.organs[organ]) for organ, count in said.organs.items())
        if over or under > self.nameless:
            short = sorted(organ for organ, count in said.organs.items() if count > self.organs[organ])
            wrong = sorted({*over, *short})
            told = ", ".join(
                f"{shown(one)} {self.organs[one]:,} of {said.organs.get(one, 0):,}" for one in wrong[:_SHOWN]
            )
            more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
            yield self._wrong(said, f"organs have other numbers of records: {told}{more}", "as the envelope says")

    @staticmethod
    def _wrong(said: Envelope, got: str, known: str) -> Finding:
        return fault(got, known, rule="envelope_count", number=said.number)


def _valid(key: PublicKey, at: datetime) -> bool:
    return key.since <= at and (key.until is None or at < key.until)


def _bare(said: Envelope, mark: str) -> Enveloped:
    through = said.complete_through
    return Enveloped(
        said.number, mark, said.records, dict(said.organs or {}),
        None if through is None else through.astimezone(UTC).isoformat(), said.digest,
    )  # fmt: skip
