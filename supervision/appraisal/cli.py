"""`hub supervise freeze`, `rank`, `recompute` and what shows why: inputs, evidence, rates, staff, sample, year."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.show import as_json, show_table
from supervision.appraisal.cli_deeds import edition, entry, formula, objection, rating
from supervision.appraisal.cli_shared import (
    By,
    Json,
    Level,
    Month,
    Reason,
    actor_of,
    repository,
    signing_repository,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

appraisal = typer.Typer()
for _name, _group in {
    "edition": edition, "objection": objection, "entry": entry, "rating": rating, "formula": formula,
}.items():  # fmt: skip
    appraisal.add_typer(_group, name=_name)

_SHOWN = ("level", "rank", "unit", "name", "score", "unranked")


@appraisal.command()
def freeze(
    month: Annotated[str | None, typer.Argument(help="The month, as 2026-10; without it those that are due.")] = None,
    formula: Annotated[str | None, typer.Option(help="A formula of the hub as code/v1, or a file.")] = None,
    reason: Reason = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Freeze the inputs of a month that is over, a second time only with a reason; or of all months that are due."""
    from hub.settings import Settings  # noqa: PLC0415  # only when this command runs
    from supervision.appraisal import freezing, monthly  # noqa: PLC0415  # only when this command runs

    settings, engine, actor = Settings.load(), repository(), actor_of(by)
    formula = formula or settings.appraisal_formula
    if month is None:
        made = monthly.freeze_due(engine, grace=settings.freeze_day, formula=formula, actor=actor)
    else:
        frozen = freezing.freeze(engine, month, actor=actor, formula=formula, reason=reason)
        made = [monthly.Due(frozen, monthly.behind(engine, frozen))]
    rows = [one.as_dict() for one in made]
    if json:
        as_json(rows if month is None else rows[0])
        return
    if not rows:
        typer.echo("No month is due.")
    for row in rows:
        told({**row, "feeds_behind": " ".join(row["feeds_behind"]) or "none"}, json=False)


@appraisal.command()
def rank(
    month: Month,
    level: Annotated[str | None, typer.Option(help="Only this level.")] = None,
    frozen: Annotated[int | None, typer.Option(help="The frozen inputs of this number; without it the newest.")] = None,
    json: Json = False,
) -> None:
    """Rank the units of a month from its frozen inputs."""
    from supervision.appraisal import editions  # noqa: PLC0415  # only when this command runs

    _shown(editions.ranked(repository(), month, frozen), level, json=json)


@appraisal.command()
def recompute(
    month: Month,
    source: Annotated[Path, typer.Option("--from", help="The folder of the exported inputs.")],
    to: Annotated[Path | None, typer.Option(help="A file for the whole ranking, as JSON.")] = None,
    digest: Annotated[str | None, typer.Option(help="The published digest of the manifest, to compare.")] = None,
    edition: Annotated[Path | None, typer.Option(help="A published edition (edition.json), to prove.")] = None,
    keys: Annotated[Path | None, typer.Option(help="A kept copy of GET /v1/keys, to prove the edition's seal.")] = None,
    json: Json = False,
) -> None:
    """Rank a month from exported inputs alone: no database, no settings, the same to the last digit everywhere."""
    from supervision.appraisal import inputs, proving, ranking  # noqa: PLC0415  # only when this command runs

    found = inputs.from_folder(source, month)
    made = ranking.ranked(found)
    data = inputs.canonical(made)
    proven = proving.proven(found, data, digest=digest, edition=edition, keys=keys)
    if to is not None:
        to.write_bytes(data)
    if json:
        as_json({**made, "ranking_sha256": inputs.sha256(data), "proven": proven})
        return
    _shown(made, None, json=False)
    typer.echo(f"Inputs {found.digest}\nRanking {inputs.sha256(data)}\nProven: {', '.join(proven)}")


@appraisal.command()
def inputs(
    month: Month,
    to: Annotated[Path, typer.Option(help="A new folder for the files.")],
    organ: Annotated[str | None, typer.Option(help="With the private file of this organ's staff.")] = None,
    frozen: Annotated[int | None, typer.Option(help="The frozen inputs of this number; without it the newest.")] = None,
    json: Json = False,
) -> None:
    """Write the frozen inputs of a month into a folder, with which anybody can recompute the ranking."""
    from supervision.appraisal import freezing  # noqa: PLC0415  # only when this command runs

    engine = repository()
    found = freezing.found(engine, month, frozen)
    names = freezing.export(engine, found, to, organ=organ)
    told({"month": month, "frozen": found.number, "inputs_sha256": found.digest, "files": " ".join(names)}, json=json)


@appraisal.command()
def evidence(
    month: Month,
    unit: Annotated[str, typer.Argument(help="The unit's code, as the ranking names it.")],
    measure: Annotated[str, typer.Argument(help="A measure, as closed_late or cards_time_red.")],
    level: Level = "department",
    json: Json = False,
) -> None:
    """List the frozen rows that a measure of a unit was counted from, cases with their numbers."""
    from supervision.appraisal import service  # noqa: PLC0415  # only when this command runs

    rows = service.evidence(repository(), month, (level, unit), measure)
    if json:
        as_json({"month": month, "unit": unit, "measure": measure, "rows": rows})
    else:
        show_table(list(rows[0]) if rows else ("case",), rows, title=f"{measure} of {unit}, {month}")


@appraisal.command()
def rates(
    month: Month,
    unit: Annotated[str | None, typer.Argument(help="Only this unit.")] = None,
    level: Level = "department",
    json: Json = False,
) -> None:
    """Show the rates of a month with definition, numerator, denominator and cohort, both usual ones side by side."""
    from supervision.appraisal import service  # noqa: PLC0415  # only when this command runs

    rows = service.rates(repository(), month, level, unit)
    if json:
        as_json({"month": month, "rates": rows})
    else:
        columns = ("unit", "rate", "definition", "says", "numerator", "denominator", "value", "cohort")
        show_table(columns, rows, title=f"Rates of {month}")


@appraisal.command()
def staff(
    month: Month,
    organ: Annotated[str, typer.Option(help="The department; persons are ranked inside it only.")],
    json: Json = False,
) -> None:
    """Rank the staff and the posts of one department; this is never published."""
    from supervision.appraisal import people  # noqa: PLC0415  # only when this command runs

    _shown(people.ranked(repository(), month, organ), None, json=json)


@appraisal.command()
def sample(
    month: Month,
    seed: Annotated[str, typer.Option(help="The seed, made known after the month was frozen.")],
    size: Annotated[int, typer.Option(help="How many cases.")] = 50,
    organ: Annotated[str | None, typer.Option(help="Only cases of this organ.")] = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Draw closed cases for spot checks: SHA-256 over seed and case, the smallest first, so that all can redo it."""
    from supervision.appraisal import sampling  # noqa: PLC0415  # only when this command runs

    number, rows = sampling.draw(repository(), month, seed, size, actor_of(by), organ)
    if json:
        as_json({"month": month, "sample": number, "seed": seed, "cases": rows})
    else:
        columns = ("place", "case", "organ", "source", "case_number", "closed", "digest")
        show_table(columns, rows, title=f"Sample {number} of {month}, seed {seed}")


@appraisal.command()
def year(
    year: Annotated[int, typer.Argument(min=2000, max=2099, help="The year.")],
    half: Annotated[int | None, typer.Option(min=1, max=2, help="Only its first or second half.")] = None,
    to: Annotated[Path | None, typer.Option(help="A folder for the year as CSV, workbook and JSON.")] = None,
    source: Annotated[
        Path | None, typer.Option("--from", help="Exported inputs, each month in a folder of its name; no database.")
    ] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Publish it: numbered, sealed, at /ranking.")] = False,
    reason: Reason = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Rank a year or half-year: the mean of its published months, less disciplinary measures; publish it."""
    from supervision.appraisal import yearly, years  # noqa: PLC0415  # only when this command runs

    if publish:
        engine, signer = signing_repository()
        done = yearly.publish(engine, year, half, actor=actor_of(by), signer=signer, reason=reason)
        told({"year": done.year, "edition": done.number, "ranking_sha256": done.ranking_digest}, json=json)
        return
    made = years.ranked(repository(), year, half) if source is None else years.recomputed(source, year, half)
    if to is not None:
        made = {**made, "files": years.export(made, to)}
    if json:
        as_json(made)
        return
    rows = list(years.table(made))
    columns = ("level", "rank", "unit", "name", "score", "discipline", "unranked")
    show_table(columns, rows, title=f"{made['year']}: mean of {', '.join(made['months'])}")


def _shown(made: Mapping[str, Any], level: str | None, *, json: bool) -> None:
    from supervision.appraisal import ranking  # noqa: PLC0415  # only when a command runs

    levels = {name: units for name, units in made["levels"].items() if level in (None, name)}
    if json:
        as_json({**made, "levels": levels})
        return
    show_table(_SHOWN, list(ranking.table({**made, "levels": levels})), title=f"{made['month']} by {made['formula']}")
