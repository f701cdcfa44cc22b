"""Reads delivered files as units: each is proven readable to its end before its first record is handed over."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from connectors.envelopes import Expected, Proof
from connectors.kinds.files.folder import Delivered, Folder
from connectors.kinds.files.sidecar import read_proof
from connectors.slices import Row, Run, cut
from hub.errors import RetrySource
from hub.records import Record, Slice, Unit


class UnitReader(Protocol):
    """Reads one file once. `declared` holds the totals that the file itself states, when all rows were read."""

    @property
    def declared(self) -> Mapping[str, int]:
        """Return the declared totals."""

    def rows(self) -> Iterator[Row]:
        """Yield each row with its number: a record, or why it could not be read.

        Raises:
            RefuseUnit: the file as a whole cannot be read.
        """


MakeReader = Callable[[Delivered], UnitReader]


@dataclass(frozen=True, slots=True)
class UnitsPull:
    """One pull of a stream that comes in files."""

    folder: Folder
    make: MakeReader
    slice_size: int
    expected: Expected | None = None
    """What the stream's envelopes must say, where it declares some."""

    def slices(self, state: Record, *, full: bool) -> Iterator[Slice]:
        """Yield the slices of every file that is to be read; the state names the files dealt with so far."""
        name = self.folder.stream.name
        names = self.folder.names()
        present = set(names)
        files = {file: entry for file, entry in state.get("files", {}).items() if file in present}
        waiting = list(self.folder.delivered(names, files, full=full))
        part = {} if full or self.folder.stream.deletion == "snapshot" else state.get("part", {})
        for index, found in enumerate(waiting):
            if found.refusal is not None:
                raise found.refusal
            with self.folder.held(found) as held:
                files = yield from self._unit(held, files, part, last=index + 1 == len(waiting))
        if not waiting:
            yield Slice(name, [], [], {"files": files}, last=True)

    def _unit(self, found: Delivered, files: Record, part: Record, *, last: bool) -> Generator[Slice, None, Record]:
        """Yield the slices of one file and return the files dealt with after it."""
        if part.get("file") == found.name:
            found = self.folder.printed(found)
        skip = int(part.get("rows", 0)) if part.get("fingerprint") == found.fingerprint != "" else 0
        proof = read_proof(self.folder, found, self.expected)
        whole, total, declared = self._prove(found, skip, proof)
        found = self.folder.printed(found, {entry.get("fingerprint") for entry in files.values()})
        # A pull that goes on inside a file sees only the rest of it, which no declared total speaks about.
        unit = Unit(
            found.name, found.fingerprint, found.size, found.modified, {} if skip else declared, total,
            envelope=None if proof is None else proof.close(self.folder.hash), goes_on=skip > 0,
        )  # fmt: skip
        for run in (whole,) if whole is not None else cut(self.make(found).rows(), self.slice_size, skip=skip):
            if self.folder.changed(found):
                raise RetrySource(
                    source=self.folder.source,
                    stream=self.folder.stream.name,
                    unit=found.name,
                    got="the file was written to while it was read",
                )
            after = self._state(found, files, run)
            yield Slice(
                self.folder.stream.name, run.records, run.rows, after, unit, unit_ends=run.last, broken=run.broken,
                last=run.last and last,
            )  # fmt: skip
        return {**files, found.name: found.entry}

    def _prove(self, found: Delivered, skip: int, proof: Proof | None) -> tuple[Run | None, int, Mapping[str, int]]:
        """Read a file to its end; return its run where it fits into one, its number of rows and declared totals."""
        reader = self.make(found)
        rows = reader.rows() if proof is None else proof.tally.watch(reader.rows())
        runs = cut(rows, self.slice_size, skip=skip)
        first = next(runs)
        if first.last:
            return first, first.count, reader.declared
        total = first.count
        for run in runs:
            total = run.count
            if total > self.folder.limits.rows:
                raise self.folder.where(found.name).hostile(f"more than {self.folder.limits.rows:,} records")
        return None, total, reader.declared

    def _state(self, found: Delivered, files: Record, run: Run) -> Record:
        if run.last:
            return {"files": {**files, found.name: found.entry}}
        if self.folder.stream.deletion == "snapshot":  # what is absent is only known from a file read in one go
            return {"files": files}
        return {"files": files, "part": {"file": found.name, "fingerprint": found.fingerprint, "rows": run.count}}
