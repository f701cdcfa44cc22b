"""From frozen inputs to the ranking: each head, bonus and deduction of each unit, its score and its rank.

Nothing but the inputs and the formula goes in: no database, no clock, no locale. The result is one document in one
form, so that two machines can compare it to the last digit by its digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any, Final

from supervision.appraisal import rates
from supervision.appraisal.counting import Unit, counted, places_of
from supervision.appraisal.errors import AppraisalRefused
from supervision.appraisal.formulas import Formula, Head, Published
from supervision.appraisal.inputs import Inputs, Row
from supervision.appraisal.language import BadExpression, Expression, holds, rounded, worked_out
from supervision.appraisal.terms import BONUS, LEVELS

_ZERO: Final = Decimal(0)
_PLAIN: Final = Context(prec=60)


def ranked(inputs: Inputs) -> dict[str, Any]:
    """Return the ranking of each level: units by rank, then by code point; those without a rank last, with reasons.

    Raises:
        AppraisalRefused: the formula cannot be worked out exactly from these figures.
    """
    try:
        return _ranked(inputs)
    except BadExpression as error:
        got = f"formula {inputs.formula.formula.name} cannot be worked out from these inputs: {error}"
        raise AppraisalRefused(inputs.month, got, "Mend the formula as its next version.") from None


def _ranked(inputs: Inputs) -> dict[str, Any]:
    measures, names = counted(inputs), places_of(inputs).names
    entries = by_unit(inputs.rows["entries.csv"])
    scored: dict[str, list[dict[str, Any]]] = {level: [] for level in LEVELS}
    for unit in sorted(names):
        one = scored_unit(inputs, unit[1], names[unit], measures[unit], entries.get(unit, ()))
        if unit[0] in scored:
            scored[unit[0]].append(one)
    return {
        "month": inputs.month,
        "inputs_sha256": inputs.digest,
        "formula": inputs.formula.formula.name,
        "formula_sha256": inputs.formula.digest,
        "levels": {level: in_order(found) for level, found in scored.items()},
    }


def by_unit(rows: Sequence[Row]) -> dict[Unit, list[Row]]:
    """Return the entries by hand of each unit."""
    found: dict[Unit, list[Row]] = {}
    for row in rows:
        found.setdefault((row["level"], row["unit"]), []).append(row)
    return found


def scored_unit(
    inputs: Inputs, code: str, name: str, measures: Mapping[str, Decimal], entries: Sequence[Row]
) -> dict[str, Any]:
    """Return one unit with its points; without a score where the formula says why it gets none."""
    published = inputs.formula
    reasons = [
        one.code for one in published.formula.unranked
        if holds(published.expressions[f"unranked.{one.code}"], measures)
    ]  # fmt: skip
    points = _points(published, measures, entries)
    if reasons:
        points["score"] = None
    return {
        "unit": code, "name": name, "rank": None, "unranked": reasons, **points,
        "rates": [
            {key: plain(value) if isinstance(value, Decimal) else value for key, value in one.items()}
            for one in rates.worked(inputs.rates, measures)
        ],
        "measures": {key: plain(value) for key, value in measures.items() if value},
    }  # fmt: skip


def _points(published: Published, measures: Mapping[str, Decimal], entries: Sequence[Row]) -> dict[str, Any]:
    formula, values = published.formula, dict(measures)
    entered = _entered(formula, entries)
    heads = [_head(published, head, values, entered[head.code]) for head in formula.heads]
    values["heads"] = sum((one["points"] for one in heads), _ZERO)
    values["entered_bonus"] = entered[BONUS]
    parts = []
    for part in formula.parts:
        values[part.code] = worked_out(published.expressions[f"part.{part.code}"], values)
        parts.append({"part": part.code, "points": plain(values[part.code])})
    score = rounded(worked_out(published.expressions["score"], values), published.places())
    return {
        "heads": [_as_text(one) for one in heads], "parts": parts, "heads_total": plain(values["heads"]),
        "entered_bonus": plain(entered[BONUS]), "score": f"{score:f}",
    }  # fmt: skip


def _head(published: Published, head: Head, values: Mapping[str, Decimal], entered: Decimal) -> dict[str, Any]:
    whole = Decimal(head.of)
    taken = {one.code: worked_out(published.expressions[f"{head.code}.{one.code}"], values) for one in head.deductions}
    own: Expression | None = published.expressions.get(head.code)
    before = worked_out(own, values) if own is not None else whole - sum(taken.values(), _ZERO)
    return {
        "head": head.code, "of": whole, "entered": entered,
        "deductions": [{"deduction": code, "points": points} for code, points in taken.items()],
        "points": min(whole, max(_ZERO, before + entered)),
    }  # fmt: skip


def _entered(formula: Formula, entries: Sequence[Row]) -> dict[str, Decimal]:
    found = dict.fromkeys((*(head.code for head in formula.heads), BONUS), _ZERO)
    for row in entries:
        if row["head"] in found:
            found[row["head"]] += Decimal(row["unit_value"]) * Decimal(row["quantity"])
    return found


def in_order(units: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give ranks by score, the same score the same rank; then those without one, by code point."""
    scored = sorted((one for one in units if one["score"] is not None), key=_by_score)
    for place, one in enumerate(scored, 1):
        tied = place > 1 and Decimal(scored[place - 2]["score"]) == Decimal(one["score"])
        one["rank"] = scored[place - 2]["rank"] if tied else place
    return [*scored, *sorted((one for one in units if one["score"] is None), key=lambda one: str(one["unit"]))]


def _by_score(one: Mapping[str, Any]) -> tuple[Decimal, str]:
    return -Decimal(one["score"]), one["unit"]


def plain(value: Decimal) -> str:
    """Write a number without exponent and without zeros behind its last digit."""
    return f"{value.normalize(_PLAIN) + 0:f}"


def _as_text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dict):
        return {key: _as_text(one) for key, one in value.items()}
    return [_as_text(one) for one in value] if isinstance(value, list) else value


def table(ranking: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the ranking as lines of a table."""
    for level, units in ranking["levels"].items():
        for one in units:
            yield {
                "level": level, "rank": one["rank"], "unit": one["unit"], "name": one["name"], "score": one["score"],
                **{head["head"]: head["points"] for head in one["heads"]},
                **{part["part"]: part["points"] for part in one["parts"]},
                "entered_bonus": one["entered_bonus"], "unranked": " ".join(one["unranked"]),
            }  # fmt: skip
