"""Rates of trends and loads: numerator, denominator, definition and cohort, in Chinese and English.

Published rates of one name are defined differently from system to system, so none is shown without its words. The rates
of months are those of the appraisal (`rates.yml`), each by both definitions; here stand only those of a load, which no
appraisal has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any, Final

from supervision.appraisal import rates as appraised
from supervision.appraisal.language import Expression, parse, worked_out

PLACES: Final = Decimal("0.01")
"""Per cent are rounded to two places, half up, as the appraisal's are; both counts stand beside them."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a rate is: its name, the formula in words, and the cohort it is taken over."""

    code: str
    zh: str
    en: str
    formula_zh: str
    formula_en: str
    cohort_zh: str = ""
    cohort_en: str = ""


_LOADS: Final = (
    Definition(
        "time_used", "时限使用率", "time used", "Σ 实际用时 ÷ Σ 环节时限", "sum of days used ÷ sum of stage limits",
        "时限已知的环节，以工作日计", "stages with a limit, in working days",
    ),
    Definition(
        "stage_on_time", "环节按时率", "stages on time", "按时完成的环节数 ÷ 完成的环节数",
        "stages finished in time ÷ stages finished", "时限已知的环节", "stages with a limit",
    ),
)  # fmt: skip


@cache
def _appraised() -> Mapping[str, tuple[Definition, Expression, Expression]]:
    """Return the appraisal's rates by their code with the letter of the definition: early_a."""
    return {
        f"{rate.code}_{letter.lower()}": (
            Definition(
                f"{rate.code}_{letter.lower()}", f"{rate.title.zh}（{letter}）", f"{rate.title.en} ({letter})",
                one.says.zh, one.says.en, one.cohort.zh, one.cohort.en,
            ),
            parse(one.numerator), parse(one.denominator),
        )
        for rate in appraised.read(appraised.own()).rates for letter, one in rate.definitions.items()
    }  # fmt: skip


def definition(code: str) -> Definition:
    """Return what a rate is.

    Raises:
        KeyError: there is none of this code.
    """
    return next((one for one in _LOADS if one.code == code), None) or _appraised()[code][0]


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate of one cohort."""

    code: str
    numerator: int
    denominator: int

    @property
    def definition(self) -> Definition:
        """Return what the rate is."""
        return definition(self.code)

    @property
    def percent(self) -> Decimal | None:
        """Return the rate in per cent; None where there is nothing to divide by."""
        if not self.denominator:
            return None
        return (Decimal(100 * self.numerator) / self.denominator).quantize(PLACES, ROUND_HALF_UP)

    def as_values(self) -> dict[str, Any]:
        """Return the rate with all that it needs to be read."""
        said = self.definition
        return {
            "code": self.code, "percent": self.percent, "numerator": self.numerator, "denominator": self.denominator,
            "zh": said.zh, "en": said.en, "formula_zh": said.formula_zh, "formula_en": said.formula_en,
            "cohort_zh": said.cohort_zh, "cohort_en": said.cohort_en,
        }  # fmt: skip


def of_measures(measures: Mapping[str, int]) -> tuple[Rate, ...]:
    """Return the appraisal's rates that follow from these measures; those that need others are left out."""
    known = {name: Decimal(value) for name, value in measures.items()}
    return tuple(
        Rate(code, int(worked_out(above, known)), int(worked_out(below, known)))
        for code, (_, above, below) in _appraised().items()
        if {*above.names(), *below.names()} <= known.keys()
    )
