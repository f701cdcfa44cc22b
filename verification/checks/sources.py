"""What the application gives to who answers checks, so that it can have departments' systems asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

By = Literal["credential", "holder"]
"""Whose number a system is asked for: a credential's own, or that of who holds credentials."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stream of a source that may be asked, by which numbers, and the organ that it is of, where it is one's own."""

    source: str
    stream: str
    organ: str | None
    by: frozenset[By] = frozenset({"credential"})

    @property
    def name(self) -> str:
        """Name it as the log does."""
        return f"{self.source}/{self.stream}"


@dataclass(frozen=True, slots=True)
class Brought:
    """How many records a source brought, the numbers of those that the repository holds now, and how many of what came
    it does not hold."""

    read: int
    kept: frozenset[int] = frozenset()
    refused: int = 0


class Sources(Protocol):
    """Asks sources: the application gives it, for who answers checks does not read departments' systems."""

    def places(self) -> Sequence[Place]:
        """Return the streams that declare that they may be asked."""

    def look_up(self, place: Place, numbers: Sequence[str], by: By) -> Brought:
        """Ask for a number, written in one of some ways, and take in what comes.

        Raises:
            SourceBusy: somebody else works on the source.
            SourceTrouble, ConfigError, SettingError: it cannot be asked, or what it brings cannot be taken in.
        """
