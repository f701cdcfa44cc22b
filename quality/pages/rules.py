"""The rules by which what comes is judged, as their pages show them: out of the same register as the docs."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from hub.findings import RULES, Rule
from quality.issues import service as issues
from quality.issues.terms import STEP, TERM


@dataclass(frozen=True, slots=True)
class Described:
    """A rule, its terms in working days, and how many open issues of it the visitor sees."""

    rule: Rule
    issues: int

    @property
    def term(self) -> int:
        """Return within how many working days what breaks it is mended."""
        return TERM[self.rule.severity]

    @property
    def step(self) -> int:
        """Return after how many more working days of silence it climbs one level."""
        return STEP[self.rule.severity]


def described(engine: sa.Engine, organ: str | None) -> list[Described]:
    """Return every rule, the most severe first, with its open issues: of one organ, or of all."""
    counts = issues.open_by_rule(engine, organ=organ)
    ranked = sorted(RULES.values(), key=lambda one: (TERM[one.severity], one.code))
    return [Described(one, counts.get(one.code, 0)) for one in ranked]
