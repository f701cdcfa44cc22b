"""The seam between the hub and a source system: three verbs, and the values that they hand over.

A connector is opened by `connectors.open(source, connections)`. It keeps nothing between calls: where a stream
stands is the `state` that the pipeline hands in and commits together with the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from connectors.source import StreamSpec
from hub import jsontext
from hub.records import Record, Slice

Connections = Callable[[str], str]
"""Resolves a connection id to its URL, which may hold a secret: never log or show it."""

KeyedHash = Callable[[bytes], bytes]
"""Hashes bytes under the deployment's key; contents of sources are never hashed without one."""


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One thing that was tried at the source, and how it went."""

    stream: str | None
    ok: bool
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` found; every stream stands in it, the good ones too."""

    source: str
    items: tuple[CheckItem, ...]

    @property
    def ok(self) -> bool:
        """Say whether every stream can be read."""
        return all(item.ok for item in self.items)


@dataclass(frozen=True, slots=True)
class DiscoveredField:
    """A field that the source has, with the source's own name for its type."""

    name: str
    type: str


def fields_of(records: Iterable[Any]) -> tuple[DiscoveredField, ...]:
    """Return the fields that occur in records, each with the JSON types that were seen, such as `string|null`."""
    types: dict[str, set[str]] = {}
    for record in records:
        for name, value in record.items() if isinstance(record, dict) else ():
            types.setdefault(name, set()).add(jsontext.type_of(value))
    return tuple(DiscoveredField(name, "|".join(sorted(seen))) for name, seen in types.items())


@dataclass(frozen=True, slots=True)
class DiscoveredStream:
    """A table, file pattern or endpoint that the source has, whether it is declared or not."""

    name: str
    fields: tuple[DiscoveredField, ...]
    rows: int | None = None
    key: tuple[str, ...] = ()


@runtime_checkable
class Connector(Protocol):
    """Reads one source. It never writes to it, and it judges nothing but whether records can be read at all."""

    def check(self) -> CheckReport:
        """Try the connection and each declared stream; troubles are items of the report, not exceptions."""

    def discover(self) -> list[DiscoveredStream]:
        """List what the source has.

        Raises:
            SourceTrouble: the source cannot be reached.
        """

    def read(self, stream: StreamSpec, state: Record, *, slice_size: int, full: bool) -> Iterator[Slice]:
        """Yield what is new since `state`, in slices of at most `slice_size` records, at least one slice.

        The last slice bears `last=True`; an empty pull yields one slice without records, so that it is
        written down too. `full` reads everything whatever the state says.

        Raises:
            RetrySource: the source broke off; the slices yielded so far are whole.
            StopSource: a person must act.
            RefuseUnit: one file or page is refused whole; no record of it was yielded. With a connector that
                is a `KeepsUnits` the pull goes on from `skip(…)`.
        """


@runtime_checkable
class KeepsUnits(Protocol):
    """A connector whose streams come in delivered units (files), each of which can be refused alone."""

    def skip(self, stream: StreamSpec, state: Record, unit: str) -> Record:
        """Return the state in which `unit`, as it lies there now, counts as dealt with.

        It is read again when its bytes change, or with `full`.
        """

    def raw(self, stream: StreamSpec, unit: str) -> Iterator[bytes]:
        """Yield the unit's bytes as they lie there, for the archive of a refused unit."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span of business dates: from `since` on, up to and not including `until`."""

    since: datetime
    until: datetime


@runtime_checkable
class ReadsWindows(Protocol):
    """A connector that can read by business date, for a back-fill."""

    def read_window(self, stream: StreamSpec, window: Window, *, slice_size: int) -> Iterator[Slice]:
        """Yield what bears a business date in the window, at least one slice; where the stream stands plays no part.

        Raises:
            RetrySource: the source broke off; the slices yielded so far are whole.
            StopSource: the stream has no business date, or a person must act.
        """


@dataclass(frozen=True, slots=True)
class Sought:
    """What a live question asks for: the records whose `field` is one of `values`, the ways in which it may be written.

    More than `most` records are no answer, and the source has `seconds` to give one.
    """

    field: str
    values: tuple[str, ...]
    seconds: float
    most: int = 100


@runtime_checkable
class LooksUp(Protocol):
    """A connector that can be asked for single records, for somebody who cannot wait for the next pull."""

    def look_up(self, stream: StreamSpec, sought: Sought) -> Slice:
        """Return the records sought, perhaps none, as a pull would read them; where the stream stands plays no part.

        Raises:
            RetrySource: the source broke off, or took too long.
            StopSource: the field is not there or cannot be asked by, more than `most` records bear it, or a person
                must act.
        """


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one record that a source handed over, for its department to read.

    `token` is what the connector gave with the record (`Slice.tokens`), `outcome` a term of the balance, `errors` says
    what is wrong with the record, a sentence each with the way to mend it, and never holds a value of a person.
    """

    token: str
    outcome: str
    errors: tuple[str, ...] = ()
    document: bytes = b""
    """The receipt of a whole enveloped delivery, signed (schemas/exchange/receipt); `token` then names the unit."""


@runtime_checkable
class Acknowledges(Protocol):
    """A connector that tells its source what became of each record, after that was committed.

    Receipts are owed from the commit on and handed over until `acknowledge` returns: after a kill the next pull
    begins with them. A receipt may therefore come twice, and one for a row that the source has forgotten may come too.
    """

    def acknowledge(self, stream: StreamSpec, receipts: Sequence[Receipt]) -> None:
        """Hand receipts back; return only when the source has them.

        Raises:
            SourceTrouble: the source could not be told; the receipts stay owed.
        """

    def only_look(self) -> None:
        """From now on change nothing at the source: a dry run and a preview neither claim rows nor write receipts."""


@runtime_checkable
class Tidies(Protocol):
    """A connector that puts delivered units away (moves, marks, deletes) once they are committed."""

    def tidy(self, stream: StreamSpec, state: Record) -> None:
        """Put away what `state`, which is committed, says was dealt with; whatever lies there besides stays.

        Called before a stream is read and after its last slice, never in a dry run, any number of times.

        Raises:
            SourceTrouble: the source does not let it.
        """
