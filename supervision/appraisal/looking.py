"""What the pages of the ranking show: months and years, an edition, a unit, the rows behind a point, and the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import sqlalchemy as sa

from hub.refusals import NotFound
from hub.visitor import Visitor
from sharedrepo.keyring.signing import BadSignature, opened, published
from supervision.appraisal import editions, formulas, freezing, objecting, sampling, service, yearly
from supervision.appraisal.counting import Unit
from supervision.appraisal.editions import KIND, Edition
from supervision.appraisal.formulas import Deduction, Formula, Head, Named
from supervision.appraisal.freezing import Frozen
from supervision.appraisal.inputs import Inputs, Row, canonical
from supervision.appraisal.language import parse
from supervision.appraisal.yearly import EDITION, YearEdition

DRAFT: Final = "draft"
"""How an address names the edition that is not published yet."""
RANKING: Final = "ranking.json"


@dataclass(frozen=True, slots=True)
class Look:
    """An edition as it is looked at: its ranking and the frozen inputs that it comes from."""

    edition: Edition
    frozen: Frozen
    inputs: Inputs
    ranking: Mapping[str, Any]

    @property
    def formula(self) -> Formula:
        """Return the formula that it is scored by."""
        return self.inputs.formula.formula

    @property
    def query(self) -> str:
        """Return what an address of this edition ends with."""
        return f"edition={self.edition.number or DRAFT}"

    def unit(self, level: str, code: str) -> Mapping[str, Any]:
        """Return a unit of the ranking.

        Raises:
            NotFound: it has none of this code.
        """
        for one in self.ranking["levels"].get(level, ()):
            if one["unit"] == code:
                return dict(one)
        raise NotFound("the ranking has no such unit", hint="Choose one on the page of the month.")


def months(engine: sa.Engine, *, waiting: bool) -> list[dict[str, Any]]:
    """Return the months that have editions, each with these, the newest first; drafts only where they are asked for."""
    found: dict[str, list[Edition]] = {}
    for one in editions.listed(engine):
        if one.state == "published" or (waiting and one.state in ("draft", "hearing")):
            found.setdefault(one.month, []).append(one)
    return [{"month": name, "editions": those} for name, those in found.items()]


def years(engine: sa.Engine) -> list[YearEdition]:
    """Return the published editions of years and half-years, the newest first."""
    return yearly.listed(engine)


def year(engine: sa.Engine, said: str, number: int | None) -> dict[str, Any] | None:
    """Return what the page of a year shows: the edition that is looked at, the others, its ranking and its files."""
    every = yearly.listed(engine, said)
    edition = next((one for one in every if number in (None, one.number)), None)
    if edition is None:
        return None
    return {"edition": edition, "editions": every, "ranking": yearly.ranking_of(engine, edition),
            "files": sorted(yearly.files(engine, edition))}  # fmt: skip


def year_file(engine: sa.Engine, said: str, number: int | None, name: str) -> bytes | None:
    """Return a file of an edition of a year; None where there is no such edition, or it has none of this name."""
    edition = next((one for one in yearly.listed(engine, said) if number in (None, one.number)), None)
    return None if edition is None else yearly.files(engine, edition).get(name)


def look(engine: sa.Engine, month: str, wanted: str | None) -> Look | None:
    """Return an edition of a month: the newest published one, one by number, or the draft; None without one."""
    if wanted == DRAFT:
        edition = editions.under_way(engine, month)
    elif wanted is None:
        edition = service.latest(engine, month)
    else:
        edition = service.numbered(engine, month, int(wanted))
    if edition is None:
        return None
    frozen = freezing.by_id(engine, edition.freeze_id)
    return Look(edition, frozen, service.inputs_of(engine, frozen), service.ranking_of(engine, edition))


def month(engine: sa.Engine, look: Look, visitor: Visitor | None) -> dict[str, Any]:
    """Return what else the page of a month shows: its editions, samples, objections and files."""
    edition = look.edition
    told = objecting.listed(engine, edition.month) if visitor is not None else []
    return {
        "editions": editions.listed(engine, edition.month, published=True),
        "under_way": editions.under_way(engine, edition.month) if visitor is not None else None,
        "samples": sampling.listed(engine, edition.month),
        "counts": objecting.counts(engine, edition),
        "objections": [one for one in told if visitor is not None and visitor.sees(one["unit"])],
        "files": [*freezing.names(engine, look.frozen), RANKING, *([EDITION] if edition.number else [])],
        "lines": list(formulas.lines(look.formula)),
    }


def unit(look: Look, level: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a unit's score comes about, with the measures that show it, and each rate with its words."""
    entries = [row for row in look.inputs.rows["entries.csv"] if (row["level"], row["unit"]) == (level, one["unit"])]
    said = {(rate["rate"], rate["definition"]): rate for rate in one["rates"]}
    rates = [
        {"rate": rate, "letter": letter, "words": definition, "said": said[rate.code, letter],
         "measures": [name for name in parse(definition.numerator).names() if name in one["measures"]]}
        for rate in look.inputs.rates.rates for letter, definition in rate.definitions.items()
    ]  # fmt: skip
    return {"points": list(_points(look.formula, one)), "rates": rates, "entries": entries,
            "feeds": feeds(look, (level, str(one["unit"])))}  # fmt: skip


def feeds(look: Look, unit: Unit) -> list[Row]:
    """Return the feeds for which a unit is not complete."""
    return service.evidence_of(look.inputs, unit, "feeds_behind")


def _points(formula: Formula, one: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    heads = {head["head"]: head for head in one["heads"]}
    parts = {part["part"]: part["points"] for part in one["parts"]}
    for head in formula.heads:
        said = heads[head.code]
        taken = {part["deduction"]: part["points"] for part in said["deductions"]}
        yield {"kind": "head", "title": head.title, "points": said["points"], "of": said["of"], "ours": head.ours,
               "measures": _known(head.evidence, one), "entered": said["entered"]}  # fmt: skip
        for less in head.deductions:
            if taken[less.code] != "0":
                yield {"kind": "deduction", "title": less.title, "points": f"-{taken[less.code]}", "of": "",
                       "ours": less.ours, "measures": _known(less.evidence, one), "entered": "0"}  # fmt: skip
    for part in formula.parts:
        yield {"kind": "part", "title": part.title, "points": parts[part.code], "of": "", "ours": part.ours,
               "measures": _known(part.evidence, one), "entered": "0"}  # fmt: skip


def _known(evidence: tuple[str, ...], one: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, one["measures"][name]) for name in evidence if name in one["measures"]]


def evidence(engine: sa.Engine, look: Look, unit: Unit, measure: str, visitor: Visitor | None) -> list[dict[str, str]]:
    """Return the rows behind a measure; cases with their numbers where the person may see their organ's data."""
    rows = [dict(row) for row in service.evidence_of(look.inputs, unit, measure)]
    if visitor is None or not any(row.get("case") and visitor.sees(row["organ"]) for row in rows):
        return rows
    numbers = freezing.case_numbers(engine, look.frozen)
    for row in rows:
        if row.get("case") and visitor.sees(row["organ"]):
            row["source"], row["case_number"] = numbers.get(row["case"], ("", ""))
        elif row.get("case"):
            row["source"] = row["case_number"] = ""
    return rows


def titles(look: Look, measure: str) -> list[Any]:
    """Return the titles of what a measure counts for in the formula."""
    heads = look.formula.heads
    every: list[Head | Deduction | Named] = [*heads, *look.formula.parts]
    every += [one for head in heads for one in head.deductions]
    return [one.title for one in every if measure in one.evidence]


def file(engine: sa.Engine, look: Look, name: str) -> bytes | None:
    """Return a file of an edition; None where it has none of this name."""
    if name == RANKING:
        return editions.ranking_of(engine, look.edition)
    if name == EDITION and look.edition.signature is not None:
        return canonical({"signature": look.edition.signature, "claims": claims(engine, look.edition)})
    return freezing.file(engine, look.frozen, name)


def claims(engine: sa.Engine, edition: Edition) -> dict[str, Any]:
    """Return what stands under the seal of a published edition, proven by the hub's published keys.

    Raises:
        NotFound: the seal does not open: the row was changed in the database.
    """
    try:
        said = opened(str(edition.signature), published(engine), KIND)
    except BadSignature:
        raise NotFound("the seal of this edition does not open", hint="Tell the hub's operators.") from None
    return dict(orjson.loads(orjson.dumps(said)))
