"""Half-years and years: the mean of the months' published scores, less disciplinary measures; and its files."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import orjson
import sqlalchemy as sa

from supervision.appraisal import editions, freezing, inputs
from supervision.appraisal.errors import AppraisalRefused
from supervision.appraisal.language import half_up
from supervision.appraisal.ranking import in_order
from supervision.appraisal.ranking import ranked as month_ranked
from supervision.appraisal.terms import DISCIPLINE
from supervision.sheets.comma import write_csv
from supervision.sheets.table import Column, Sheet
from supervision.sheets.workbook import write_workbook

PLACES: Final = 2
_MONTHS: Final = 12
_NAME: Final = re.compile(r"(20[0-9]{2})(?:-H([12]))?")
_COLUMNS: Final[Mapping[str, str]] = {
    "level": "层级 level", "rank": "名次 rank", "unit": "代码 unit", "name": "名称 name", "score": "得分 score",
    "discipline": "处分扣分 discipline", "unranked": "未排名月份 unranked",
}  # fmt: skip
_NUMBERS: Final = ("rank", "score", "discipline")


def name_of(year: int, half: int | None = None) -> str:
    """Return how a year or half is written: 2026, or 2026-H1."""
    return str(year) if half is None else f"{year}-H{half}"


def named(said: str) -> tuple[int, int | None] | None:
    """Return the year and half that a text writes; None where it writes none."""
    found = _NAME.fullmatch(said)
    return None if found is None else (int(found[1]), None if found[2] is None else int(found[2]))


def months_of(year: int, half: int | None = None) -> tuple[str, ...]:
    """Return the months of a year or of its first or second half."""
    first, last = {None: (1, _MONTHS), 1: (1, 6), 2: (7, _MONTHS)}[half]
    return tuple(f"{year:04d}-{month:02d}" for month in range(first, last + 1))


def ranked(engine: sa.Engine, year: int, half: int | None = None) -> dict[str, Any]:
    """Return the ranking of a year or half: the mean over the months of which an edition is published.

    A unit without a rank in one of these months is listed without a rank, with the months.

    Raises:
        AppraisalRefused: no month is published, or they are of different formulas.
    """
    months: dict[str, Mapping[str, Any]] = {}
    for edition in editions.listed(engine, published=True):
        if edition.month in months_of(year, half) and edition.month not in months:
            months[edition.month] = orjson.loads(editions.ranking_of(engine, edition))
    discipline = [row for month in months for row in _entries(engine, month)]
    return of(year, half, months, discipline)


def recomputed(folder: Path, year: int, half: int | None = None) -> dict[str, Any]:
    """Return the same from exported inputs alone, each month's in a folder of its name.

    Raises:
        InputsRefused: they are not those that their manifests say.
        AppraisalRefused: there is no month, or they are of different formulas.
    """
    found = {month: inputs.from_folder(folder / month, month) for month in months_of(year, half)
             if (folder / month).is_dir()}  # fmt: skip
    ranked = {month: month_ranked(one) for month, one in found.items()}
    return of(year, half, ranked, [row for one in found.values() for row in one.rows["entries.csv"]])


def of(
    year: int, half: int | None, months: Mapping[str, Mapping[str, Any]], discipline: Iterable[inputs.Row] = ()
) -> dict[str, Any]:
    """Return the ranking of a year or half from the rankings of its months; half up to two places.

    `without` are the months of it that have no published edition.

    Raises:
        AppraisalRefused: there is no month, or they are of different formulas.
    """
    name = name_of(year, half)
    if not months:
        raise AppraisalRefused(name, "no month of it is published", "Publish months first: `hub supervise edition`.")
    formulas = sorted({f"{one['formula']} {one['formula_sha256'][:12]}" for one in months.values()})
    if len(formulas) > 1:
        raise AppraisalRefused(name, f"its months are scored by different formulas ({', '.join(formulas)})",
                               "A mean over them would say nothing: rank the half-years apart.")  # fmt: skip
    taken: dict[tuple[str, str], Decimal] = {}
    for row in discipline:
        if row["head"] in DISCIPLINE:
            points = Decimal(DISCIPLINE[row["head"]][0]) * Decimal(row["quantity"])
            taken[row["level"], row["unit"]] = taken.get((row["level"], row["unit"]), Decimal(0)) + points
    levels = {level for one in months.values() for level in one["levels"]}
    return {
        "year": name, "months": sorted(months), "without": sorted(set(months_of(year, half)) - set(months)),
        "formula": next(iter(months.values()))["formula"],
        "levels": {level: in_order(list(_units(level, months, taken))) for level in sorted(levels)},
    }  # fmt: skip


def _units(
    level: str, months: Mapping[str, Mapping[str, Any]], taken: Mapping[tuple[str, str], Decimal]
) -> Iterator[dict[str, Any]]:
    by_unit: dict[str, dict[str, Mapping[str, Any]]] = {}
    for month, one in months.items():
        for unit in one["levels"].get(level, ()):
            by_unit.setdefault(unit["unit"], {})[month] = unit
    for code, found in sorted(by_unit.items()):
        scores = {month: one["score"] for month, one in sorted(found.items()) if one["score"] is not None}
        missing = sorted(set(months) - set(scores))
        less = taken.get((level, code), Decimal(0))
        mean = half_up(sum(map(Decimal, scores.values()), Decimal(0)), Decimal(len(scores) or 1), PLACES) - less
        yield {
            "unit": code, "name": found[max(found)]["name"], "rank": None, "discipline": f"{less:f}",
            "score": None if missing else f"{mean:f}", "scores": scores, "unranked": missing,
        }  # fmt: skip


def _entries(engine: sa.Engine, month: str) -> Iterable[inputs.Row]:
    edition = next(one for one in editions.listed(engine, month, published=True))
    return freezing.rows(engine, freezing.by_id(engine, edition.freeze_id), "entries.csv")


def table(ranking: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a year's ranking as lines of a table, a column a month."""
    for level, units in ranking["levels"].items():
        for one in units:
            yield {
                "level": level, "rank": one["rank"], "unit": one["unit"], "name": one["name"], "score": one["score"],
                "discipline": one["discipline"], **{month: one["scores"].get(month) for month in ranking["months"]},
                "unranked": " ".join(one["unranked"]),
            }  # fmt: skip


def files(ranking: Mapping[str, Any]) -> dict[str, bytes]:
    """Return a year's ranking as CSV, workbook and JSON, by the names of the files.

    Raises:
        AppraisalRefused: it has no unit.
    """
    stem, whole = f"ranking-{ranking['year']}", sheet(ranking)
    comma, book = io.BytesIO(), io.BytesIO()
    write_csv(whole, comma)
    write_workbook(whole, book)
    return {
        f"{stem}.csv": comma.getvalue(), f"{stem}.json": inputs.canonical(ranking), f"{stem}.xlsx": book.getvalue(),
    }  # fmt: skip


def sheet(ranking: Mapping[str, Any]) -> Sheet:
    """Return a year's ranking as a list, scores as numbers.

    Raises:
        AppraisalRefused: it has no unit.
    """
    rows = list(table(ranking))
    if not rows:
        raise AppraisalRefused(str(ranking["year"]), "its ranking has no unit", "Freeze and publish its months.")
    numbers = (*_NUMBERS, *ranking["months"])
    columns = [Column(name, _COLUMNS.get(name, name), number=name in numbers) for name in rows[0]]
    return Sheet(str(ranking["year"]), columns, [
        {name: Decimal(value) if name in numbers and value is not None else value for name, value in row.items()}
        for row in rows
    ])  # fmt: skip


def export(ranking: Mapping[str, Any], folder: Path) -> list[str]:
    """Write a year's ranking as CSV, workbook and JSON into a folder; return the names."""
    made = files(ranking)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in made.items():
        (folder / name).write_bytes(data)
    return list(made)
