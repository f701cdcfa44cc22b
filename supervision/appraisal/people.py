"""Staff and posts, scored as their department is, from the cases that they worked on; inside the department only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from supervision.appraisal import freezing, ranking
from supervision.appraisal.counting import ADDING, Span, Tally, count_row
from supervision.appraisal.errors import AppraisalRefused
from supervision.appraisal.inputs import Inputs, Row
from supervision.appraisal.terms import STAFF, WITHIN


def ranked(engine: sa.Engine, month: str, organ: str) -> dict[str, Any]:
    """Return the ranking of an organ's staff and posts in a month, from the private frozen inputs.

    Raises:
        AppraisalRefused: the month is not frozen, or nobody is known to have worked on a case of the organ.
    """
    frozen = freezing.found(engine, month)
    rows = freezing.private_rows(engine, frozen, freezing.staff_file(organ), STAFF)
    if not rows:
        raise AppraisalRefused(month, f"of organ {organ[:40]!r} no handler is known", "See `hub supervise rank`.")
    return of(freezing.opened(engine, frozen), organ, rows)


def of(inputs: Inputs, organ: str, staff: Iterable[Row]) -> dict[str, Any]:
    """Return the ranking of an organ's staff and posts: the department's formula over the cases of each.

    Feeds and items are the department's; whoever worked on a case answers for it whole.
    """
    names: dict[tuple[str, str], str] = {}
    of_case: dict[str, set[tuple[str, str]]] = {}
    for row in staff:
        units = {("staff", row["person"]): f"{row['mask']} {row['unit']}".strip()}
        if row["post"]:
            units["post", row["post"]] = row["post"]
        names |= units
        of_case.setdefault(row["case"], set()).update(units)
    tallies = {unit: Tally() for unit in names}
    for file, adding in ADDING.items():
        for row in inputs.rows[file]:
            if row["organ"] == organ:
                whose: Iterable[tuple[str, str]] = of_case.get(row["case"], ()) if "case" in row else names
                count_row(row, adding, Span.of(inputs.month), [tallies[unit] for unit in whose])
    levels: Mapping[str, list[dict[str, Any]]] = {level: [] for level in WITHIN}
    for unit in sorted(names):
        measures = tallies[unit].finished()
        levels[unit[0]].append(ranking.scored_unit(inputs, unit[1], names[unit], measures, ()))
    return {
        "month": inputs.month, "organ": organ, "inputs_sha256": inputs.digest,
        "formula": inputs.formula.formula.name, "formula_sha256": inputs.formula.digest,
        "levels": {level: ranking.in_order(found) for level, found in levels.items()},
    }  # fmt: skip
