"""The appraisal as pages and programs read it: rates and evidence of a month's frozen inputs, published editions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import orjson
import sqlalchemy as sa

from hub.sentences import Code, sentence
from supervision.appraisal import counting, editions, freezing
from supervision.appraisal.counting import Unit
from supervision.appraisal.editions import Edition
from supervision.appraisal.errors import AppraisalRefused
from supervision.appraisal.freezing import Frozen
from supervision.appraisal.inputs import Inputs
from supervision.appraisal.terms import EVIDENT, MEASURES

__all__ = ["Edition", "Frozen", "evidence", "evidence_of", "inputs_of", "latest", "numbered", "ranking_of", "rates"]

_KEPT: Final = 4
"""So many frozen months stay in memory, for those who follow evidence from page to page."""


def inputs_of(engine: sa.Engine, frozen: Frozen) -> Inputs:
    """Return frozen inputs; they never change, so that the last ones read are kept."""
    return _inputs(engine, frozen)


@lru_cache(maxsize=_KEPT)
def _inputs(engine: sa.Engine, frozen: Frozen) -> Inputs:
    return freezing.opened(engine, frozen)


def evidence(
    engine: sa.Engine, month: str, unit: Unit, measure: str, frozen: Frozen | None = None
) -> list[dict[str, str]]:
    """Return the frozen rows behind a measure of a unit, cases with source and number: for those who are signed in.

    Raises:
        AppraisalRefused: the month is not frozen, or there is no such measure or unit.
    """
    found = frozen or freezing.found(engine, month)
    numbers = freezing.case_numbers(engine, found)
    return [
        {**row, **dict(zip(("source", "case_number"), numbers.get(row["case"], ("", "")), strict=True))}
        if row.get("case") else dict(row)
        for row in evidence_of(inputs_of(engine, found), unit, measure)
    ]  # fmt: skip


def evidence_of(inputs: Inputs, unit: Unit, measure: str) -> list[Mapping[str, str]]:
    """Return the frozen rows behind a measure of a unit, as they are published.

    Raises:
        AppraisalRefused: there is no such measure or unit.
    """
    if measure not in EVIDENT:
        got = sentence("{measure!r} is no measure with rows", measure=measure[:40])
        raise AppraisalRefused(inputs.month, got, sentence("There are: {known}.", known=", ".join(EVIDENT)))
    if unit not in counting.places_of(inputs).names:
        got = sentence(
            "the ranking has no {level} {unit!r}", level=Code("ranking.level", unit[0][:20]), unit=unit[1][:40]
        )
        raise AppraisalRefused(inputs.month, got, "Name it as the ranking does.")
    return list(counting.evidence(inputs, unit, measure))


def file_of(measure: str) -> str:
    """Return the frozen file whose rows a measure counts."""
    return MEASURES[measure].file


def rates(engine: sa.Engine, month: str, level: str, unit: str | None = None) -> list[dict[str, Any]]:
    """Return the rates of a month's units, each with its definition, numerator, denominator and cohort.

    Raises:
        AppraisalRefused: the month is not frozen.
    """
    ranking = editions.ranked(engine, month)
    defined = {
        (rate.code, letter): one
        for rate in inputs_of(engine, freezing.found(engine, month)).rates.rates
        for letter, one in rate.definitions.items()
    }
    return [
        {"unit": one["unit"], "name": one["name"], **rate,
         "says": defined[rate["rate"], rate["definition"]].says.en,
         "cohort": defined[rate["rate"], rate["definition"]].cohort.en}
        for one in ranking["levels"].get(level, ()) if unit in (None, one["unit"])
        for rate in one["rates"]
    ]  # fmt: skip


def latest(engine: sa.Engine, month: str) -> Edition | None:
    """Return the newest published edition of a month; None where none is published."""
    return next(iter(editions.listed(engine, month, published=True)), None)


def numbered(engine: sa.Engine, month: str, number: int) -> Edition | None:
    """Return a published edition of a month by its number; None where there is none."""
    return next((one for one in editions.listed(engine, month, published=True) if one.number == number), None)


def ranking_of(engine: sa.Engine, edition: Edition) -> dict[str, Any]:
    """Return the ranking of an edition."""
    found: dict[str, Any] = orjson.loads(editions.ranking_of(engine, edition))
    return found
