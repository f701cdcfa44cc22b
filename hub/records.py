"""What a connector hands over: records as received, in slices, with the place where each stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.findings import Finding
from hub.mends import Mend

Record = dict[str, Any]
"""One record as received: JSON-native values only (instants and dates as text, decimals as text)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Says where a record stood, as a department would look for it: file, sheet or table, and row (1-based)."""

    unit: str
    row: int


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """A record that the reader could not read; `raw` is quarantined encrypted, `message` never quotes it."""

    row: int
    rule: str
    message: str
    raw: str


@dataclass(frozen=True, slots=True)
class Enveloped:
    """What the envelope of a delivery says, once it is proven: its running number, counts, and how far all has come.

    `mark` is the keyed hash of the payload's digest, in hex: it tells whether a number came again with other content.
    `complete_through` is an instant with its zone. `digest` is the digest as said, for the receipt; it is not kept.
    """

    number: int
    mark: str
    records: int
    organs: Mapping[str, int] = field(default_factory=dict)
    complete_through: str | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """One delivered file or one snapshot: what a volume bound or a declared total speaks about.

    `fingerprint` is a keyed hash of the content, `declared` the totals that the source itself states
    (name → count), `rows` the count of a first pass where the stream has a volume bound. `goes_on` says that a pull
    before this one committed its beginning. `refusal` says why nothing of it may be published; its envelope, then, is
    not proven.
    """

    name: str
    fingerprint: str = ""
    size: int = 0
    modified: str | None = None
    declared: Mapping[str, int] = field(default_factory=dict)
    rows: int | None = None
    envelope: Enveloped | None = None
    goes_on: bool = False
    refusal: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Slice:
    """A bounded run of records of one stream: it becomes one batch, which is one transaction.

    `rows[i]` is the row of `records[i]` in the unit (1-based, as a person counts); `state` is the stream's
    cursor after this slice and is committed with its data; `unit_ends` marks the last slice of its unit.
    `counted` says what the slice held of its unit's declared totals where some of its records were left out since.
    `tokens` are what the connector knows each record by, then each broken record, where it wants receipts.
    `mends` says which records are not as they were received, by index: the hub corrected them.
    """

    stream: str
    records: Sequence[Record]
    rows: Sequence[int]
    state: Record
    unit: Unit | None = None
    unit_ends: bool = True
    broken: list[BrokenRecord] = field(default_factory=list)
    complete_through: str | None = None
    last: bool = False
    counted: Mapping[str, int] | None = None
    tokens: Sequence[str] = ()
    mends: dict[int, Mend] = field(default_factory=dict)

    @property
    def read(self) -> int:
        """Count what was read: readable and broken records together."""
        return len(self.records) + len(self.broken)
