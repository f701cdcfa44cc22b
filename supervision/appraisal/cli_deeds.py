"""`hub supervise edition`, `objection`, `entry`, `rating` and `formula`: the deeds around a ranking."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.show import as_json, show_table
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
    from supervision.appraisal.editions import Edition

edition = typer.Typer(help="Editions of a ranking: draft, hearing, publication.", no_args_is_help=True)
objection = typer.Typer(help="Objections to a ranking under hearing, and their answers.", no_args_is_help=True)
entry = typer.Typer(help="Points entered by hand: bonus, deductions, discipline.", no_args_is_help=True)
rating = typer.Typer(help="Ratings by the public (好差评).", no_args_is_help=True)
formula = typer.Typer(help="Published formulas.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="The number, as the list shows it.")]


@edition.command("list")
def editions_(month: Annotated[str | None, typer.Argument(help="Only this month.")] = None, json: Json = False) -> None:
    """List the editions of all months, or of one with every deed on them."""
    from supervision.appraisal import editions  # noqa: PLC0415  # only when this command runs

    engine = repository()
    rows = [_facts(one) for one in editions.listed(engine, month)]
    deeds = editions.deeds(engine, month) if month else []
    if json:
        as_json({"editions": rows, "deeds": deeds})
        return
    show_table(("month", "edition", "state", "hearing_until", "published_at", "reason"), rows, title="Editions")
    if month:
        show_table(("at", "edition", "actor", "what", "reason"), deeds, title="Who did what")


@edition.command()
def draft(month: Month, reason: Reason = None, by: By = None, json: Json = False) -> None:
    """Draft the ranking of a month from its newest frozen inputs."""
    from supervision.appraisal import editions  # noqa: PLC0415  # only when this command runs

    told(_facts(editions.draft(repository(), month, actor_of(by), reason)), json=json)


@edition.command()
def hear(
    month: Month,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day for objections.")],
    by: By = None,
    json: Json = False,
) -> None:
    """Open the hearing of the draft."""
    from supervision.appraisal import editions  # noqa: PLC0415  # only when this command runs

    told(_facts(editions.hear(repository(), month, until.date(), actor_of(by))), json=json)


@edition.command()
def publish(month: Month, by: By = None, json: Json = False) -> None:
    """Publish the edition whose hearing is over: numbered, sealed, for everybody at /ranking."""
    from supervision.appraisal import editions  # noqa: PLC0415  # only when this command runs

    engine, signer = signing_repository()
    told(_facts(editions.publish(engine, month, actor_of(by), signer)), json=json)


@edition.command()
def withdraw(
    month: Month, reason: Annotated[str, typer.Option(help="Why; it is kept.")], by: By = None, json: Json = False
) -> None:
    """Withdraw the edition that is drafted or heard; a published one is mended by the next edition."""
    from supervision.appraisal import editions  # noqa: PLC0415  # only when this command runs

    told(_facts(editions.withdraw(repository(), month, reason, actor_of(by))), json=json)


@objection.command("list")
def objections_(month: Month, json: Json = False) -> None:
    """List the objections to a month's ranking, with their answers."""
    from supervision.appraisal import objecting  # noqa: PLC0415  # only when this command runs

    rows = objecting.listed(repository(), month)
    if json:
        as_json({"month": month, "objections": rows})
    else:
        columns = ("objection", "unit", "about", "said", "lodged_by", "outcome", "answer", "answered_by")
        show_table(columns, rows, title=f"Objections, {month}")


@objection.command()
def lodge(
    month: Month,
    unit: Annotated[str, typer.Option(help="Whose place it is about.")],
    about: Annotated[str, typer.Option(help="A head, measure, card or case.")],
    said: Annotated[str, typer.Option(help="What is objected, and why.")],
    level: Level = "department",
    by: By = None,
    json: Json = False,
) -> None:
    """Lodge an objection to the ranking under hearing."""
    from supervision.appraisal import objecting  # noqa: PLC0415  # only when this command runs

    number = objecting.lodge(repository(), month, level, unit, about, said, actor_of(by))
    told({"month": month, "objection": number}, json=json)


@objection.command()
def answer(
    number: Number,
    outcome: Annotated[str, typer.Option(help="upheld or rejected.")],
    answer: Annotated[str, typer.Option(help="The reason.")],
    by: By = None,
    json: Json = False,
) -> None:
    """Answer an objection, once, as somebody else than who lodged it."""
    from supervision.appraisal import objecting  # noqa: PLC0415  # only when this command runs

    objecting.answer(repository(), number, outcome, answer, actor_of(by))
    told({"objection": number, "outcome": outcome}, json=json)


@entry.command("list")
def entries_(month: Month, json: Json = False) -> None:
    """List the points that were entered by hand for a month."""
    from supervision.appraisal import entering  # noqa: PLC0415  # only when this command runs

    rows = entering.listed(repository(), month)
    if json:
        as_json({"month": month, "entries": rows})
    else:
        columns = ("entry", "unit", "head", "unit_value", "quantity", "points", "reason", "entered_by", "withdrawn_by")
        show_table(columns, rows, title=f"Entered by hand, {month}")


@entry.command()
def add(
    month: Month,
    unit: Annotated[str, typer.Option(help="Whose points.")],
    head: Annotated[str, typer.Option(help="A head of the formula, bonus, or discipline_… (counts in the year).")],
    value: Annotated[str, typer.Option(help="Points a unit; negative ones are taken off.")],
    reason: Annotated[str, typer.Option(help="Why, with its source; it is published, so name no person.")],
    quantity: Annotated[str, typer.Option(help="How often.")] = "1",
    level: Level = "department",
    by: By = None,
    json: Json = False,
) -> None:
    """Enter a bonus, a deduction or a disciplinary measure."""
    from supervision.appraisal import entering  # noqa: PLC0415  # only when this command runs

    engine = repository()
    entering.must_be_known(engine, month, level, unit)
    number = entering.enter(engine, entering.Entry(month, level, unit, head, value, quantity, reason), actor_of(by))
    told({"month": month, "entry": number}, json=json)


@entry.command("withdraw")
def withdraw_entry(
    number: Number, reason: Annotated[str, typer.Option(help="Why; it is kept.")], by: By = None, json: Json = False
) -> None:
    """Withdraw an entry; it stays in the record."""
    from supervision.appraisal import entering  # noqa: PLC0415  # only when this command runs

    entering.withdraw(repository(), number, reason, actor_of(by))
    told({"entry": number, "withdrawn": reason}, json=json)


@rating.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV file in UTF-8.")], by: By = None, json: Json = False
) -> None:
    """Take ratings in from a file, whole or not at all; a number that is known is brought up to date."""
    from supervision.appraisal import ratings  # noqa: PLC0415  # only when this command runs

    made = ratings.import_(repository(), file, actor_of(by))
    told({"read": made.read, "new": made.new, "changed": made.changed, "unchanged": made.unchanged}, json=json)


@rating.command("list")
def ratings_(month: Month, json: Json = False) -> None:
    """Count the ratings of a month by satisfaction."""
    from supervision.appraisal import ratings  # noqa: PLC0415  # only when this command runs

    rows = ratings.counts(repository(), month)
    if json:
        as_json({"month": month, "ratings": rows})
    else:
        show_table(("satisfaction", "ratings", "mended"), rows, title=f"Ratings, {month}")


@formula.command("list")
def formulas_(json: Json = False) -> None:
    """List the formulas that the hub brings."""
    from supervision.appraisal import formulas  # noqa: PLC0415  # only when this command runs

    rows = [
        {"formula": name, "title": one.formula.title.en, "heads": len(one.formula.heads), "sha256": one.digest}
        for name, one in formulas.brought().items()
    ]
    if json:
        as_json({"formulas": rows})
    else:
        show_table(("formula", "title", "heads", "sha256"), rows, title="Formulas")


@formula.command()
def show(
    name: Annotated[str, typer.Argument(help="A formula of the hub as code/v1, or a file to check.")],
    json: Json = False,
) -> None:
    """Check a formula and show each head, part and condition with its expression, and what of it is ours."""
    from supervision.appraisal import formulas  # noqa: PLC0415  # only when this command runs

    found = formulas.named(name)
    if json:
        as_json({**found.formula.model_dump(), "sha256": found.digest})
        return
    rows = list(formulas.lines(found.formula))
    show_table(("part", "title", "of", "expression", "ours"), rows, title=f"{found.formula.name} {found.digest}")


def _facts(one: Edition) -> dict[str, object]:
    return {
        "month": one.month, "edition": one.number, "state": one.state, "ranking_sha256": one.ranking_digest,
        "hearing_until": one.hearing_until, "published_at": one.published_at, "reason": one.reason,
    }  # fmt: skip
