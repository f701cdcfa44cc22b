"""What the pipeline hands to the repository: one slice, judged, translated and protected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from hub.contract import RULES as CONTRACT_RULES
from hub.findings import Finding

INSTANT = pa.timestamp("us", tz="UTC")

UNREADABLE = "?"
"""Begins the key that the hub gives a record without a readable one; its hash as received follows."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows for one canonical table.

    `record[i]` is the index of the source record in the slice, `part[i]` numbers the yield that made the row; `columns`
    has the table's own columns as COPY takes them, personal values already protected, and `content_hash`, the keyed
    hash over the canonical values in the clear; `case_number[i]` names the parent or document's case.
    """

    record: np.ndarray[Any, np.dtype[np.int64]]
    part: np.ndarray[Any, np.dtype[np.int16]]
    columns: pa.Table
    case_number: pa.Array

    def only(self, keep: np.ndarray[Any, np.dtype[np.bool_]]) -> Rows:
        """Return the rows where `keep` (a mask over rows) is true."""
        if keep.all():
            return self
        kept = pa.array(keep)
        return Rows(self.record[keep], self.part[keep], self.columns.filter(kept), self.case_number.filter(kept))


@dataclass(slots=True)
class Incoming:
    """One slice on its way into the repository; all sequences run over the slice's records."""

    keys: list[str]
    rows: Sequence[int]
    orders: list[int | None]
    received: list[bytes]
    canonical: list[bytes]
    deleted: list[bool]
    excluded: list[bool]
    refused: list[bool]
    cases: list[str | None]
    reported_at: pa.Array
    """When the department wrote each record, as `INSTANT`."""
    tables: Mapping[str, Rows]
    findings: list[Finding]
    payload: Callable[[int], bytes]
    """Returns the record as received, locked."""
    seal_value: Callable[[str], bytes]
    """Seals a raw value that a finding keeps."""
    unit: str | None = None
    known_unchanged: int = 0
    """Records that were dropped before judging, because their hash as received is known."""
    prior: Prior | None = None
    mends: Mapping[int, Callable[[], bytes]] = field(default_factory=dict)
    """Records that the hub mended, each with what returns its locked mend."""
    organs: Sequence[str | None] = ()
    """The organs that the records name, the source's own where their stream names none; of broken ones nothing."""

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def changes(self) -> list[Finding]:
        """Return the findings that tell how the slice as a whole differs from its stream's declared shape."""
        return [one for one in self.findings if one.record < 0 and one.rule in CONTRACT_RULES]


@dataclass(slots=True)
class Known:
    """What the ledger knows of one source record."""

    record_id: int
    order: int | None
    received: bytes
    canonical: bytes | None
    state: str
    waiting: frozenset[bytes] = frozenset()
    refused_order: int | None = None
    """The highest version that waits in quarantine (conflicting versions apart: a person decides on them)."""
    mended: bool = False
    """Whether what stands is the hub's correction: what the source itself says comes before it."""

    def has_seen(self, received: bytes) -> bool:
        """Say whether this very content stands under the key already, or waits under it."""
        return received == self.received or received in self.waiting


@dataclass(slots=True)
class Prior:
    """What the ledger knows of a slice's keys; keys that are not in it are new."""

    known: dict[str, Known] = field(default_factory=dict)
