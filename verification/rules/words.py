"""What officers said in one check, and what departments' systems brought for it when they were asked live: kept with
it, laid over the evidence whenever that check is answered anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, Literal

Said = Literal["yes", "no", "not_ours"]
Found = Literal["none", "refused", "taken", "failed"]
"""What a system brought: nothing, something that cannot be relied on, what fits, or no answer at all."""
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


@dataclass(frozen=True, slots=True)
class Heard:
    """What a stream of a department's system brought for one option when it was asked for the holder.

    Its `records` are so as of `asked_at`. Where it brought nothing, nothing is concluded.
    """

    source: str
    stream_id: int | None
    organ: str | None
    basis: str
    found: Found
    asked_at: datetime
    answered_at: datetime
    records: frozenset[int] = frozenset()


NOTHING_HEARD: Final[Mapping[Place, tuple[Heard, ...]]] = MappingProxyType({})
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
    """What was said and heard of the options of a check, and the day of the check from the first inquiry on.

    What was `heard` is of one `version` of the item; `answers` counts how often the check had been answered by then.
    """

    on: date | None = None
    spoken: tuple[Spoken, ...] = ()
    version: int | None = None
    heard: Mapping[Place, tuple[Heard, ...]] = field(default_factory=lambda: NOTHING_HEARD)
    answers: int = 0

    def over(self, version: int, days: Sequence[date]) -> dict[Place, Word]:
        """Return the words that hold for a version of the item and the days of its groups, by place.

        An option that several were asked about stands by the newest word that decides something.
        """
        fitting = [one for one in self.spoken if one.fits(version, days)]
        decided = sorted(fitting, key=lambda one: (one.word.said != "not_ours", one.word.answered_at))
        return {one.place: one.word for one in decided}

    def heard_of(self, version: int) -> Mapping[Place, tuple[Heard, ...]]:
        """Return what was heard that holds for a version of the item, by place."""
        return self.heard if version == self.version else NOTHING_HEARD

    def and_(self, one: Spoken) -> Words:
        """Return these words with another."""
        return replace(self, spoken=(*self.spoken, one))

    def and_heard(self, version: int, brought: Mapping[Place, Sequence[Heard]]) -> Words:
        """Return these words with what was heard just now, in the place of what the same streams brought before.

        A system that gave no answer takes nothing back of what it brought earlier.
        """
        before = dict(self.heard_of(version))
        for place, more in brought.items():
            known = {one.source: one for one in before.get(place, ())}
            for one in more:
                if one.found != "failed" or one.source not in known:
                    known[one.source] = one
            before[place] = tuple(known[name] for name in sorted(known))
        return replace(self, version=version, heard=before)


NOTHING_SAID: Final = Words()
