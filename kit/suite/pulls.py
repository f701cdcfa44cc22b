"""Pulls of the suite: what came, told by marks of the records and not by the records, so that many fit."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.seam import Connector
from connectors.source import StreamSpec
from hub.errors import HubError
from hub.records import Record, Slice
from hub.table import lines_of
from kit.look import slices
from kit.suite.stand import Stand

_WAIT = 60.0
"""Seconds after which a pull that does not end counts as hanging."""


@dataclass(slots=True)
class Pulled:
    """One pull: the marks and the state of each slice, the refused units, and whether it came to its end."""

    marks: list[Counter[bytes]] = field(default_factory=list)
    states: list[Record] = field(default_factory=list)
    cursors: list[Any] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    broken: int = 0
    short: str = ""
    ended: bool = False
    lasts: list[bool] = field(default_factory=list)
    error: BaseException | None = None
    hung: bool = False

    @property
    def all(self) -> Counter[bytes]:
        """Return the marks of all records."""
        return sum(self.marks, Counter())

    @property
    def count(self) -> int:
        """Count the records."""
        return sum(one.total() for one in self.marks)

    @property
    def state(self) -> Record:
        """Return the state after the last slice."""
        return self.states[-1] if self.states else {}


def pull(
    stand: Stand, connector: Connector, stream: StreamSpec, state: Mapping[str, Any], *, size: int, full: bool = False
) -> Pulled:
    """Read a stream to its end, or to the suite's bound.

    Raises:
        SourceTrouble: the source broke off or needs a person.
    """
    out = Pulled()
    _read(stand, connector, stream, dict(state), out, size=size, full=full)
    return out


def guarded(stand: Stand, connector: Connector, stream: StreamSpec, *, size: int, wait: float = _WAIT) -> Pulled:
    """Read a stream whose system misbehaves: its error is kept in the result, and a hang is noticed."""
    out = Pulled()

    def work() -> None:
        try:
            _read(stand, connector, stream, {}, out, size=size, full=True)
        except Exception as error:  # noqa: BLE001  # an error without a type of ours is what this is to find
            out.error = error

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(wait)
    out.hung = thread.is_alive()
    return out


def _read(
    stand: Stand, connector: Connector, stream: StreamSpec, state: Record, out: Pulled, *, size: int, full: bool
) -> None:
    mark = stand.ready.protector.content_hashes
    for piece in slices(connector, stream, state, size=size, full=full, most=stand.most):
        if not isinstance(piece, Slice):
            out.refused.append(f"{type(piece).__name__}: {piece.got}")
            continue
        out.marks.append(Counter(mark(lines_of(piece.records))))
        out.states.append(piece.state)
        out.lasts.append(piece.last)
        out.broken += len(piece.broken)
        out.short = out.short or _short(stream, piece)
        if stream.cursor is not None:
            out.cursors += [cursor_value(one, stream.cursor.field) for one in piece.records]
    bounded = out.count + out.broken >= stand.most
    out.ended = not bounded or bool(out.lasts and out.lasts[-1])


def cursor_value(record: Record, name: str) -> Any:
    """Return a record's value of the cursor's field."""
    value: Any = record
    for part in name[1:].split("/") if name.startswith("/") else (name,):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _short(stream: StreamSpec, piece: Slice) -> str:
    """Say where a unit holds fewer records than it declares, or than is expected of it."""
    if piece.unit is None or not piece.unit_ends:
        return ""
    for name, count in piece.unit.declared.items():
        if piece.read < count and piece.unit.rows is not None and piece.unit.rows < count:
            return f"it declares {count} {name} and holds {piece.unit.rows}"
    least = stream.expect.least if stream.expect else None
    return f"{piece.unit.rows} records are below the minimum" if least and (piece.unit.rows or 0) < least else ""


def with_options(stream: StreamSpec, **options: Any) -> StreamSpec:
    """Return the stream with other options."""
    return dataclasses.replace(stream, options={**stream.options, **options})


def each(stand: Stand, work: Callable[[StreamSpec], Any]) -> dict[str, Any]:
    """Do the work for each stream of the system."""
    return {name: work(spec) for name, spec in stand.there.source.streams.items()}


def loss(stand: Stand, truth: Counter[bytes], bad: Pulled, stream: StreamSpec) -> str | None:
    """Say what is lost when a pull that broke off goes on from its last state; None where nothing is."""
    if isinstance(bad.error, HubError) or bad.refused:
        rest = pull(stand, stand.connect(), stream, bad.state, size=stand.most)
        missing = truth - (bad.all + rest.all)
    else:
        missing = truth - bad.all
    return f"{missing.total()} of {truth.total()} records are lost" if missing else None
