"""The province at a glance, as rows of the heat map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import get_args

import sqlalchemy as sa

from hub.findings import Dimension
from quality.pages.organs import LEVELS, Organ, Standing, organs, standings
from quality.scores import service as scores

DIMENSIONS: tuple[str, ...] = get_args(Dimension)
"""The dimensions of quality, in the order of the columns."""

HEAT = ((0.995, 1), (0.98, 2), (0.95, 3), (0.90, 4))
"""From which share on a cell is how warm, from 1 (well) to 4; below the last it is 5."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One score: numerator, denominator, and how warm it is shown; a cell without records has no warmth."""

    clean: int
    records: int

    @property
    def share(self) -> float:
        """Return the share of clean records; of none, all are."""
        return self.clean / self.records if self.records else 1.0

    @property
    def heat(self) -> int:
        """Return the class of its colour."""
        if not self.records:
            return 0
        return next((warmth for least, warmth in HEAT if self.share >= least), len(HEAT) + 1)


@dataclass(frozen=True, slots=True)
class Row:
    """One department of the heat map."""

    organ: Organ
    overall: Cell
    cells: Mapping[str, Cell]
    standing: Standing


@dataclass(frozen=True, slots=True)
class Province:
    """The heat map of one day, worst first, with the sums over its rows; `levels` counts the rows of each tab."""

    day: date | None
    rows: Sequence[Row]
    levels: Mapping[str, int]

    @property
    def overall(self) -> Cell:
        """Return the score of all rows together."""
        return Cell(sum(row.overall.clean for row in self.rows), sum(row.overall.records for row in self.rows))

    def total(self, name: str) -> int:
        """Return the sum of a count over all rows."""
        return sum(int(getattr(row.standing, name)) for row in self.rows)


def province(engine: sa.Engine, today: date, *, level: str, organ: str | None = None) -> Province:
    """Return the heat map of the newest day that was scored; with `organ` only its row, whatever its level."""
    scored = [one for one in scores.overview(engine, today) if organ is None or one.organ == organ]
    named, known = organs(engine, [one.organ for one in scored]), standings(engine)
    rows = [
        Row(
            named[one.organ],
            Cell(one.clean, one.records),
            {name: Cell(*one.dimensions.get(name, (0, 0))) for name in DIMENSIONS},
            known.get(one.organ, Standing()),
        )
        for one in scored
    ]
    levels = {name: sum(row.organ.level == name for row in rows) for name in LEVELS}
    shown = [row for row in rows if organ is not None or row.organ.level == level]
    # Where the records are equally clean, held deliveries and open issues tell who is worse off.
    shown.sort(key=lambda row: (row.overall.share, -row.standing.high, -row.standing.held, -row.standing.issues))
    return Province(max((one.day for one in scored), default=None), shown, levels)
