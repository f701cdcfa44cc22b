"""Rates that say what they are: numerator, denominator, cohort, definition and rounding, in Chinese and English.

Published rates of one name are defined differently from system to system (approval exchange standards, section 5), so
each of the usual definitions has a code of its own here, and none is shown without its words.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

PLACES: Final = Decimal("0.01")
"""Per cent are rounded to two places, half to even; the two counts stand beside them for whoever wants more."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a rate is: its name, the formula in words, and the cohort it is taken over."""

    code: str
    zh: str
    en: str
    formula_zh: str
    formula_en: str


def _definitions(*rows: tuple[str, str, str, str, str]) -> dict[str, Definition]:
    return {row[0]: Definition(*row) for row in rows}


DEFINITIONS: Final = _definitions(
    ("completion_a", "办结率（甲）", "completion (A)", "当月办结件数 ÷ 当月受理件数",
     "closed in the month ÷ accepted in the month"),
    ("completion_b", "办结率（乙）", "completion (B)", "当月应办结件中已办结件数 ÷ 当月应办结件数",
     "closed among the cases due in the month ÷ cases due in the month"),
    ("early_a", "提前办结率（甲）", "early (A)", "当月办结件中提前办结件数 ÷ 当月办结件数（时限可计算）",
     "closed early ÷ closed in the month, of cases with a clock"),
    ("early_b", "提前办结率（乙）", "early (B)", "当月受理承诺件中已提前办结件数 ÷ 当月受理承诺件数",
     "closed early ÷ accepted in the month, of promised cases"),
    ("on_time_a", "按时办结率", "on time", "当月办结件中提前和按时件数 ÷ 当月办结件数（时限可计算）",
     "closed early or on time ÷ closed in the month, of cases with a clock"),
    ("late", "超期率", "overdue", "当月办结件中超期件数 ÷ 当月办结件数（时限可计算）",
     "closed late ÷ closed in the month, of cases with a clock"),
    ("immediate", "即办件率", "immediate", "当月受理即办件数 ÷ 当月受理即办件和承诺件数",
     "immediate ÷ immediate and promised, accepted in the month"),
    ("promise_cut", "承诺提速率", "promise cut", "Σ（法定时限 − 承诺时限）÷ Σ 法定时限，当月办结件，均以工作日计",
     "sum of (legal − promised limit) ÷ sum of legal limits, closed in the month, limits in working days"),
    ("speed_up_a", "办理提速率（甲）", "speed-up (A)", "Σ（法定时限 − 实际用时）÷ Σ 法定时限，当月办结件，均以工作日计",
     "sum of (legal limit − days used) ÷ sum of legal limits, closed in the month, limits in working days"),
    ("speed_up_b", "办理提速率（乙）", "speed-up (B)", "Σ（承诺时限 − 实际用时）÷ Σ 承诺时限，当月办结件，均以工作日计",
     "sum of (promised limit − days used) ÷ sum of promised limits, closed in the month, limits in working days"),
    ("time_used", "时限使用率", "time used", "Σ 实际用时 ÷ Σ 环节时限，时限已知的环节，以工作日计",
     "sum of days used ÷ sum of stage limits, of stages with a limit, in working days"),
    ("stage_on_time", "环节按时率", "stages on time", "按时完成的环节数 ÷ 完成的环节数（时限已知）",
     "stages finished in time ÷ stages finished, of those with a limit"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate of one cohort."""

    code: str
    numerator: int
    denominator: int

    @property
    def definition(self) -> Definition:
        """Return what the rate is."""
        return DEFINITIONS[self.code]

    @property
    def percent(self) -> Decimal | None:
        """Return the rate in per cent; None where there is nothing to divide by."""
        if not self.denominator:
            return None
        return (Decimal(100 * self.numerator) / self.denominator).quantize(PLACES, ROUND_HALF_EVEN)

    def as_values(self) -> dict[str, Any]:
        """Return the rate with all that it needs to be read."""
        said = self.definition
        return {
            "code": self.code, "percent": self.percent, "numerator": self.numerator, "denominator": self.denominator,
            "zh": said.zh, "en": said.en, "formula_zh": said.formula_zh, "formula_en": said.formula_en,
        }  # fmt: skip
