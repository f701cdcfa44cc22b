"""Judges totals: too few or too many records, totals that the source declares, feeds that fall silent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from hub.findings import UNIT, Finding


class Bounds(Protocol):
    """How many records one unit (a file, else a pull) has at least and at most."""

    @property
    def least(self) -> int | None:
        """The fewest records that an honest unit has."""

    @property
    def most(self) -> int | None:
        """The most records that an honest unit has."""


def judge_volume(expect: Bounds | None, rows: int) -> Finding | None:
    """Compare a count with its bounds: too few refuses the unit (it would hide what is missing), too many flags it.

    A table or file published with a quarter of its rows is worse than none: readers take what is absent for denied.
    """
    if expect is None:
        return None
    detail = {"rows": str(rows)}
    if expect.least is not None:
        detail["least"] = str(expect.least)
    if expect.most is not None:
        detail["most"] = str(expect.most)
    if expect.least is not None and rows < expect.least:
        return Finding(UNIT, "volume_below", detail=detail)
    if expect.most is not None and rows > expect.most:
        return Finding(UNIT, "volume_above", detail=detail)
    return None


def judge_totals(declared: Mapping[str, int], counted: Mapping[str, int]) -> list[Finding]:
    """Compare each total that the source declares with what was counted; one finding a difference, in name order.

    A name that was declared and never counted counts as 0; one that was counted and not declared says nothing.
    """
    return [
        Finding(
            UNIT,
            "total_mismatch",
            pointer=name,
            detail={"total": name, "declared": str(total), "counted": str(counted.get(name, 0))},
        )
        for name, total in sorted(declared.items())
        if counted.get(name, 0) != total
    ]


def judge_silence(
    expect: Bounds | None,
    rows: int,
    *,
    newest: datetime | None = None,
    read_at: datetime | None = None,
    patience: timedelta | None = None,
) -> Finding | None:
    """Flag a pull that succeeded and brought nothing from a feed that should speak.

    It should if its declaration expects at least one record a pull, or if its newest report (`newest`) is older than
    `patience` at `read_at`. Success without data is how a dead export job looks from outside.
    """
    if rows > 0:
        return None
    detail = {"rows": "0"}
    if expect is not None and expect.least:
        return Finding(UNIT, "silent_feed", detail={**detail, "least": str(expect.least)})
    if newest is not None and read_at is not None and patience is not None and read_at - newest > patience:
        detail |= {"newest": newest.isoformat(), "patience": str(patience)}
        return Finding(UNIT, "silent_feed", detail=detail)
    return None
