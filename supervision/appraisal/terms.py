"""What the appraisal speaks of: who is ranked, what is frozen, and the measures that are counted from it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LEVELS: Final = ("department", "city", "county", "city_department", "county_department")
"""省级部门, 市, 县(市、区), 市级部门, 县级部门: each of them is a ranking of its own."""
WITHIN: Final = ("staff", "post")
"""人员, 岗位: ranked inside their department only, never published."""

CARD_KINDS: Final = ("time", "process", "content", "fee", "item", "statistical")
"""时限, 流程, 内容, 收费, 事项, 统计: the kinds of rules that cards come from."""
CARD_LEVELS: Final = ("warning", "yellow", "red")
"""预警, 黄牌, 红牌."""
CARDS_COUNTED: Final = ("sent", "answered", "appealed", "upheld")
"""States in which a card counts: not while it is held for a late feed, not if it was never sent, and not once it is
withdrawn."""

VERDICTS: Final = ("early", "on_time", "late")
LIMIT_UNIT: Final = "working_day"
"""Speed-up and the cut of promises are measured where both limits are in this unit; others are counted apart."""
MENDED_WITHIN: Final = 15
"""A bad rating is mended within so many working days (好差评)."""
GOOD_FROM: Final = 3
"""Ratings from 基本满意 on are good ones; below are 差评."""

FILES: Final[Mapping[str, tuple[str, ...]]] = {
    "organs.csv": ("organ", "name", "level", "city", "county"),
    "regions.csv": ("region", "name", "level"),
    "cases.csv": (
        "case", "organ", "city", "county", "item", "in_force", "kind", "received", "accepted", "due", "closed",
        "verdict", "legal", "promised", "used", "missing", "lag_hours", "back_entered",
    ),
    "items.csv": ("organ", "item", "legal", "promised", "has_cases"),
    "cards.csv": (
        "card", "case", "organ", "city", "county", "kind", "level", "rule", "raised", "state",
        "unanswered",
    ),
    "ratings.csv": ("rating", "case", "organ", "city", "county", "channel", "satisfaction", "rated", "mended_in_time"),
    "entries.csv": ("entry", "level", "unit", "head", "unit_value", "quantity", "reason", "entered_by", "entered"),
    "feeds.csv": ("organ", "source", "stream", "complete_through", "basis", "pulled", "behind"),
}  # fmt: skip
"""The frozen files with their columns. A case stands under a pseudonym of its month, which no outsider can undo."""
CASE_NUMBERS: Final = ("case", "source", "case_number")
"""Columns of `case_numbers.csv`, which leads from the pseudonym to the case; it is never published."""
STAFF: Final = ("case", "person", "mask", "post", "unit", "stages")
"""Columns of `staff-ORGAN.csv`: who worked on which case; it is never published and handed to its organ only."""

MEASURES_VERSION: Final = 1
"""Raised when a measure is counted otherwise; frozen months name theirs, and are refused under another one."""

_FIGURES: Final = ("lag_hours_median",)
"""Figures over rows, to which no single row belongs."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A count or sum over the rows of a frozen file, with its words."""

    file: str
    en: str
    zh: str


def _measures() -> dict[str, Measure]:
    with Path(__file__).with_name("measures.csv").open(encoding="utf-8", newline="") as lines:
        return {row["measure"]: Measure(row["file"], row["en"], row["zh"]) for row in csv.DictReader(lines)}


MEASURES: Final[Mapping[str, Measure]] = _measures()
"""Each measure, as `measures.csv` says it; `counting` counts them."""
EVIDENT: Final = tuple(name for name in MEASURES if name not in _FIGURES)
"""Measures that can be shown row by row."""

BONUS: Final = "bonus"
DISCIPLINE: Final[Mapping[str, tuple[str, str]]] = {
    "discipline_warning": ("10", "警告"),
    "discipline_demerit": ("15", "记过"),
    "discipline_serious_demerit": ("20", "记大过"),
    "discipline_demotion": ("30", "降级"),
    "discipline_removal": ("40", "撤职"),
    "discipline_dismissal": ("50", "开除"),
}
"""Disciplinary measures with what they take from the score of the year (the published rule of the full formula)."""
