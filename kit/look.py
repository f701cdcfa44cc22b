"""Reads a few records of a stream, as its connector hands them over, and keeps nothing of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator

from connectors.seam import Connector, KeepsUnits
from connectors.source import StreamSpec
from hub.errors import RefuseUnit
from hub.records import Record, Slice


def slices(
    connector: Connector, stream: StreamSpec, state: Record, *, size: int, full: bool, most: int
) -> Iterator[Slice | RefuseUnit]:
    """Yield slices until at least `most` records were read or the stream ends, and each unit that is refused whole.

    Raises:
        SourceTrouble: the source broke off or needs a person.
    """
    stream = dataclasses.replace(stream, expect=None)  # a bound on the volume would have all records counted first
    read = 0
    while True:
        pieces = connector.read(stream, state, slice_size=size, full=full)
        try:
            for piece in pieces:
                state = piece.state
                read += piece.read
                yield piece
                if read >= most:
                    return
        except RefuseUnit as refusal:
            if not isinstance(connector, KeepsUnits) or refusal.unit is None:
                raise
            yield refusal
            state, full = connector.skip(stream, state, refusal.unit), False
        else:
            return
        finally:
            if isinstance(pieces, Generator):
                pieces.close()  # lets go of the system at once


def first(connector: Connector, stream: StreamSpec, most: int) -> list[Record]:
    """Return the first records of a stream, at most so many."""
    found: list[Record] = []
    for piece in slices(connector, stream, {}, size=most, full=True, most=most):
        if isinstance(piece, Slice):
            found += list(piece.records)
    return found[:most]
