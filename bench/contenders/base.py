"""What all contenders share: the course they run on, and what they are asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.measure import Measure
from bench.ready import Ready
from bench.server import Server


class CannotRun(RuntimeError):
    """A contender cannot be measured here; the message says why."""


class WrongRows(RuntimeError):
    """A contender did not bring all rows over: its time says nothing."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much the department has."""

    cases: int
    events: int
    """Stage events, all cases together."""

    @property
    def records(self) -> int:
        """Return the source records of both tables."""
        return self.cases + self.events


@dataclass(slots=True)
class Course:
    """Where a contender runs: the server, its own folder, the source database and how much lies in it."""

    server: Server
    folder: Path
    cache: Path
    slice_size: int
    source: str = ""
    size: Size = field(default_factory=lambda: Size(0, 0))
    ready: Ready | None = None
    """The ready rows of the source that is set, once the hub has made them."""

    def must_hold(self, database: str, table: str, rows: int) -> None:
        """Check that a contender's table holds as many rows as it should.

        Raises:
            WrongRows: it does not.
        """
        found = self.server.count(database, table)
        if found != rows:
            raise WrongRows(f"{database}.{table} holds {found:,} rows where {rows:,} were to come")


class Contender(Protocol):
    """One way to bring the rows over."""

    name: str
    title: str

    def prepare(self, course: Course) -> None:
        """Do what is not measured, once.

        Raises:
            CannotRun: it cannot be had here.
        """

    def run(self, course: Course) -> Measure:
        """Bring the rows over into an empty target, once, and measure it."""

    def close(self, course: Course) -> None:
        """Drop what the run left."""
