"""Reads archived lines back into slices: the records as received, each with its row and its key of then."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from hub import jsontext
from hub.mends import Mend
from hub.records import BrokenRecord, Record, Slice

BROKEN = b"!"
"""Begins the line of a record that could not be read."""
MENDED = b"~"
"""Begins a line that says how the record of the line before it was mended."""


Place = tuple[int, str]
"""The row and the key under which an archived record lies."""


@dataclass(frozen=True, slots=True)
class Line:
    """One archived record."""

    row: int
    key: str
    body: bytes
    mend: Mend | None = None

    @property
    def place(self) -> Place:
        """Say which record of its object it is: a replay gathers records of many units, whose rows may be equal."""
        return self.row, self.key


def records(lines: Iterable[bytes]) -> Iterator[Line]:
    """Yield the readable records of an archive object."""
    last: Line | None = None
    for text in lines:
        if text.startswith(MENDED):
            last = None if last is None else replace(last, mend=Mend.loads(text[1:]))
            continue
        if last is not None:
            yield last
        last = None if text.startswith(BROKEN) else _line(text)
    if last is not None:
        yield last


def _line(text: bytes) -> Line:
    row, key, body = text.split(b"\t", 2)
    return Line(int(row), jsontext.loads(key), body)


def fill(piece: Slice, lines: Iterable[bytes], *, only: Collection[Place] | None = None) -> list[str]:
    """Add archived lines to a slice in their order, all or those at the places `only`; return their records' keys."""
    rows: list[int] = []
    keys: list[str] = []
    found: list[Record] = []
    wanted = False
    for text in lines:
        if text.startswith(BROKEN):
            if only is None:
                piece.broken.append(BrokenRecord(*jsontext.loads(text[1:])))
            continue
        if text.startswith(MENDED):
            if wanted:
                piece.mends[len(rows) - 1] = Mend.loads(text[1:])
            continue
        line = _line(text)
        wanted = only is None or line.place in only
        if wanted:
            rows.append(line.row)
            keys.append(line.key)
            found.append(jsontext.loads(line.body))
    piece.records, piece.rows = [*piece.records, *found], rows
    return keys
