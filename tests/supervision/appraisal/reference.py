"""The full formula once more, slowly, in fractions and without the formula's file: what the ranking must agree with."""

from __future__ import annotations

import math
from fractions import Fraction

from tests.supervision.appraisal.making import Month

_HEADS = {
    "openness": 10, "procedure": 14, "time_limit": 14, "fees": 8, "satisfaction": 10, "attitude": 10,
    "supervision": 14, "liability": 10, "integrity": 10,
}  # fmt: skip
_KINDS = {
    "openness": ("item",), "procedure": ("process", "content"), "time_limit": ("time",), "fees": ("fee",),
    "supervision": ("statistical",),
}  # fmt: skip


def _half_up(value: Fraction, places: int) -> Fraction:
    scaled = abs(value) * 10**places
    whole = math.floor(scaled)
    if scaled - whole >= Fraction(1, 2):
        whole += 1
    return Fraction(whole if value >= 0 else -whole, 10**places)


def _share(part: int | Fraction, whole: int | Fraction, places: int) -> Fraction:
    return _half_up(Fraction(part) / Fraction(whole), places) if whole else Fraction(0)


def _in(day: str) -> bool:
    return day.startswith("2026-10-")


def score(month: Month, organ: str) -> Fraction | None:
    """Return the score of a department; None where it gets none."""
    cases = [one for one in month.tables["cases.csv"] if one["organ"] == organ]
    closed = [one for one in cases if _in(one["closed"])]
    feeds = [one for one in month.tables["feeds.csv"] if one["organ"] == organ]
    anything = any(_in(one["received"]) or _in(one["accepted"]) for one in cases) or closed
    if (
        20 * sum(1 for one in feeds if one["behind"] == "1") > len(feeds)
        or not feeds
        or not anything
        or len(closed) < 5
    ):
        return None
    heads = sum((_head(month, organ, head, whole) for head, whole in _HEADS.items()), Fraction(0))
    early = sum(1 for one in closed if one["verdict"] == "early")
    bonus = math.floor(10 * _share(early, len(closed), 6))
    both = [one for one in cases if _in(one["accepted"]) and one["legal"] not in ("", "0") and one["promised"]]
    legal = sum(int(one["legal"]) for one in both)
    cut = _share(legal - sum(int(one["promised"]) for one in both), legal, 6)
    if cut >= Fraction(3, 10):
        bonus += 3 + math.floor((cut - Fraction(3, 10)) * 10)
    less = min(5, math.floor(100 * _share(sum(1 for one in closed if one["missing"]), len(closed), 6)))
    factor = Fraction(90 if len(closed) < 30 else 95 if len(closed) < 300 else 100, 100)
    return _half_up((heads + bonus + _entered(month, organ, "bonus") - less) * factor, 2)


def _head(month: Month, organ: str, head: str, whole: int) -> Fraction:
    cards = [
        one for one in month.tables["cards.csv"]
        if one["organ"] == organ and one["state"] in ("sent", "answered", "appealed", "upheld")
    ]  # fmt: skip
    left = Fraction(whole)
    for kind in _KINDS.get(head, ()):
        levels = [one["level"] for one in cards if one["kind"] == kind]
        left -= 3 * (levels.count("warning") // 3) + 5 * levels.count("yellow") + 10 * levels.count("red")
    if head == "supervision":
        left -= 2 * sum(1 for one in cards if one["unanswered"] == "1")
    ratings = [one for one in month.tables["ratings.csv"] if one["organ"] == organ]
    bad = [one for one in ratings if one["satisfaction"] in ("1", "2")]
    if head == "satisfaction":
        left -= _half_up(10 * _share(len(bad), len(ratings), 4), 2)
    if head == "attitude":
        left -= sum(1 for one in bad if one["mended_in_time"] == "0")
    return min(Fraction(whole), max(Fraction(0), left + _entered(month, organ, head)))


def _entered(month: Month, organ: str, head: str) -> Fraction:
    return sum(
        (Fraction(one["unit_value"]) * Fraction(one["quantity"]) for one in month.tables["entries.csv"]
         if one["unit"] == organ and one["head"] == head),
        Fraction(0),
    )  # fmt: skip
