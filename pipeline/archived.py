"""Reads archived lines back into slices: the records as received, each with its row and its key of then."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from hub import jsontext
from hub.records import BrokenRecord, Record, Slice

BROKEN = b"!"
"""Begins the line of a record that could not be read."""


Place = tuple[int, str]
"""The row and the key under which an archived record lies."""


@dataclass(frozen=True, slots=True)
class Line:
    """One archived record."""

    row: int
    key: str
    body: bytes

    @property
    def place(self) -> Place:
        """Say which record of its object it is: a replay gathers records of many units, whose rows may be equal."""
        return self.row, self.key


def records(lines: Iterable[bytes]) -> Iterator[Line]:
    """Yield the readable records of an archive object."""
    for text in lines:
        if not text.startswith(BROKEN):
            yield _line(text)


def _line(text: bytes) -> Line:
    row, key, body = text.split(b"\t", 2)
    return Line(int(row), jsontext.loads(key), body)


def fill(piece: Slice, lines: Iterable[bytes], *, only: Collection[Place] | None = None) -> list[str]:
    """Add archived lines to a slice in their order, all or those at the places `only`; return their records' keys."""
    rows: list[int] = []
    keys: list[str] = []
    found: list[Record] = []
    for text in lines:
        if text.startswith(BROKEN):
            if only is None:
                piece.broken.append(BrokenRecord(*jsontext.loads(text[1:])))
            continue
        line = _line(text)
        if only is None or line.place in only:
            rows.append(line.row)
            keys.append(line.key)
            found.append(jsontext.loads(line.body))
    piece.records, piece.rows = [*piece.records, *found], rows
    return keys
