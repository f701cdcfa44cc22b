"""What a source folder declares: the source and its streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from connectors.policy import EnvelopePolicy
from hub.contract import Contract
from hub.mends import Replacement

Kind = Literal["database", "exchange_table", "files", "push", "queue", "rest", "soap", "workbook", "xes", "own"]
Deletion = Literal["none", "operation", "snapshot"]

PROFILES = Path(__file__).parent / "profiles"
"""Where the formats that come with the hub lie; a source may name a folder of its own instead."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The field that tells new records from old ones, and how far back each pull looks again."""

    field: str
    lookback: timedelta | int = 0

    @property
    def looks_back(self) -> bool:
        """Say whether a pull reads again what lies shortly before the cursor."""
        return bool(self.lookback)


@dataclass(frozen=True, slots=True)
class Expect:
    """How many records one unit (a file, else a pull) has at least and at most."""

    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """How many records of one delivery may be refused before all of it is held: more than each figure that stands."""

    records: int = 0
    percent: float = 0.0

    def exceeded(self, refused: int, read: int) -> bool:
        """Say whether so many refused records of so many that were read are too many."""
        return refused > self.records and refused * 100 > read * self.percent


@dataclass(frozen=True, slots=True)
class Owner:
    """Who keeps the system: the organ, and the offices that answer for its data (never a private person).

    `division_head` (处室负责人) and `leader` (分管领导) are the posts that silence is brought before, each with its
    telephone; None where the folder names none.
    """

    organ: str
    name: str
    contact: str
    division_head: str | None = None
    leader: str | None = None


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One stream of a source, as declared; `options` are the kind's own, `key` the fields of the mapping's key."""

    name: str
    options: Mapping[str, Any]
    cursor: Cursor | None = None
    contract: Contract = field(default_factory=Contract)
    deletion: Deletion = "none"
    expect: Expect | None = None
    parking: timedelta = timedelta(days=30)
    key: tuple[str, ...] = ()
    budget: Budget | None = None
    rate: Mapping[str, float] = field(default_factory=dict)
    """The most that is asked of the system in a second, by unit: `requests`, `rows` or `bytes`."""
    vanish: float = 10.0
    """How many per cent of its records a snapshot may lack before it is taken for a broken export."""
    envelope: EnvelopePolicy | None = None
    corrections: tuple[Replacement, ...] = ()
    """Values that the system is known to send wrong, put right before a record is judged."""
    filled: Mapping[str, float] = field(default_factory=dict)
    """In which share of a delivery's rows `document.column` must be filled, where a person said so."""
    look_up: Mapping[str, str] = field(default_factory=dict)
    """By which raw fields records may be asked for live, by what they bear: `credential`, its number, or `holder`, the
    number of who holds it. The department agrees to such questions by declaring it."""
    organ_from: str | None = None
    """The field by which records name their organ, as the mapping says; None where all are the source's own."""


@dataclass(frozen=True, slots=True)
class Source:
    """One system of one department, or one that serves many organs, as its folder declares it."""

    code: str
    title: Mapping[str, str]
    owner: Owner
    legal_basis: str
    kind: Kind
    connection: str
    mapping: Path
    folder: Path
    streams: Mapping[str, StreamSpec]
    organ: str | None = None
    region: str | None = None
    profile: str | None = None
    time_zone: str = "Asia/Shanghai"
    schedule: str | None = None

    @property
    def entry_mode(self) -> str | None:
        """Return how cases of this source were entered where their mapping does not say; None where it cannot be told.

        What people fill into a workbook happened before: it is back-entered (补录).
        """
        return "back_entered" if self.kind == "workbook" else None

    def stream(self, name: str) -> StreamSpec:
        """Return a stream by its name.

        Raises:
            KeyError: there is none; the message names those that there are.
        """
        try:
            return self.streams[name]
        except KeyError:
            raise KeyError(f"source {self.code} has no stream {name!r}; it has {', '.join(self.streams)}") from None
