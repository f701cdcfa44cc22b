"""What officers said in one check: kept with it, laid over the evidence whenever that check is answered anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, Literal

Said = Literal["yes", "no", "not_ours"]
Place = tuple[int, int]
"""Of an option: which group, and which of its options, from 0 on."""


@dataclass(frozen=True, slots=True)
class Word:
    """What an officer of the issuing department said of one thing that was asked: on a day, and only in that check."""

    said: Said
    organ: str
    name: str | None
    asked_at: datetime
    answered_at: datetime

    @property
    def basis(self) -> str:
        """Name on whose word it stands."""
        return f"officer of {self.name} ({self.organ})" if self.name else f"officer of {self.organ}"


NO_WORDS: Final[Mapping[Place, Word]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word of one option: of which version of the item, and for which day."""

    place: Place
    version: int
    day: date
    word: Word

    def fits(self, version: int, days: Sequence[date]) -> bool:
        """Say whether the option is still the one that was asked about: of that version, and on that day."""
        return self.version == version and self.place[0] < len(days) and days[self.place[0]] == self.day


@dataclass(frozen=True, slots=True)
class Words:
    """What was said of the options of a check, and the day of the check from the first inquiry on."""

    on: date | None = None
    spoken: tuple[Spoken, ...] = ()

    def over(self, version: int, days: Sequence[date]) -> dict[Place, Word]:
        """Return the words that hold for a version of the item and the days of its groups, by place.

        An option that several were asked about stands by the newest word that decides something.
        """
        fitting = [one for one in self.spoken if one.fits(version, days)]
        decided = sorted(fitting, key=lambda one: (one.word.said != "not_ours", one.word.answered_at))
        return {one.place: one.word for one in decided}

    def and_(self, one: Spoken) -> Words:
        """Return these words with another."""
        return replace(self, spoken=(*self.spoken, one))


NOTHING_SAID: Final = Words()
