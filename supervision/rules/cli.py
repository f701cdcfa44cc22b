"""`hub supervise rules`: the rules with their published sources, how they change, and what each run found."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from hub.show import as_json, show_table
from supervision.opening import Actor, Json, actor_of, open_engine

rules = typer.Typer(help="The rules by which cards are raised: data with versions.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="The rule's code, as `hub supervise rules list` shows it.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the version.")]


@rules.command("list")
def list_(
    kind: Annotated[str | None, typer.Option(help="time, process, content, fee, item or statistical.")] = None,
    json: Json = False,
) -> None:
    """List the rules as they hold."""
    from supervision.rules import service  # noqa: PLC0415  # only when this command runs

    with open_engine().begin() as connection:
        rows = [one for one in service.current(connection) if kind is None or one.kind == kind]
    if json:
        as_json({"rules": rows})
        return
    columns = ("code", "version", "kind", "level", "scope", "basis", "recipients", "feedback", "repeat", "enabled")
    shown = [
        {"code": one.code, "version": one.version, "kind": one.kind, "level": one.level, "scope": one.scope,
         "basis": worded(one.basis), "recipients": list(one.recipients), "feedback": one.feedback_days,
         "repeat": one.repeat_days, "enabled": one.enabled}
        for one in rows
    ]  # fmt: skip
    show_table(columns, shown, title="Rules of supervision")


@rules.command()
def show(code: Code, json: Json = False) -> None:
    """Show all versions of a rule: who made each, when and why, and where it was published."""
    from supervision.rules import service  # noqa: PLC0415  # only when this command runs

    with open_engine().begin() as connection:
        versions = service.history(connection, code)
    if json:
        as_json({"versions": versions})
        return
    first = versions[0]
    for name in ("title_zh", "title_en", "source_zh", "source_en"):
        typer.echo(f"{name}: {first[name]}")
    columns = ("version", "level", "basis", "recipients", "feedback_days", "repeat_days", "since", "enabled",
               "holds_from", "actor", "made_at", "reason")  # fmt: skip
    show_table(columns, [{**one, "basis": worded(one["basis"])} for one in versions], title=code)


@rules.command("set")
def set_(
    code: Code,
    reason: Reason,
    basis: Annotated[
        list[str] | None, typer.Option(help="A word of the basis, as at_least=85; repeat it for several.")
    ] = None,
    level: Annotated[str | None, typer.Option(help="warning, yellow or red.")] = None,
    recipients: Annotated[str | None, typer.Option(help="Duties that are told, separated by commas.")] = None,
    feedback: Annotated[int | None, typer.Option(help="Working days within which the department answers.")] = None,
    repeat: Annotated[
        int | None, typer.Option(help="Working days after which it is told again; 0: never.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Judge only what happened from this day on.")
    ] = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="Whether it is judged.")] = None,
    from_: Annotated[
        datetime | None,
        typer.Option(
            "--from", formats=["%Y-%m-%d"],
            help="What was over before this day raises no card; where nothing is said, the day on which it is enabled.",
        ),
    ] = None,
    by: Actor = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Write the next version of a rule; cards that were raised keep the one that they were raised by."""
    from supervision.rules import service  # noqa: PLC0415  # only when this command runs

    changes: dict[str, Any] = {
        "basis": dict(map(_word, basis)) if basis else None, "level": level,
        "recipients": None if recipients is None else tuple(one.strip() for one in recipients.split(",")),
        "feedback_days": feedback, "since": None if since is None else since.date(), "enabled": enabled,
        "holds_from": None if from_ is None else from_.date(),
    }  # fmt: skip
    changes = {name: said for name, said in changes.items() if said is not None}
    if repeat is not None:
        changes["repeat_days"] = repeat or None
    with open_engine().begin() as connection:
        rule = service.change(connection, code, actor=actor_of(by), reason=reason, **changes)
    if json:
        as_json(rule)
    else:
        typer.echo(f"{rule.code} is at version {rule.version}: {worded(rule.basis)}, {rule.level}, "
                   f"{'enabled' if rule.enabled else 'disabled'}.")  # fmt: skip


@rules.command()
def begin(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The day, as 2026-10-01.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the day.")],
    by: Actor = None,
    json: Json = False,
) -> None:
    """Say on which day supervision began here: what was over before it raises no card."""
    from supervision.rules import service  # noqa: PLC0415  # only when this command runs

    with open_engine().begin() as connection:
        said = service.begin(connection, day.date(), actor=actor_of(by), reason=reason)
    if json:
        as_json({"day": said})
    else:
        typer.echo(f"Supervision began on {said}: the next run judges by it.")


@rules.command()
def runs(
    code: Annotated[str | None, typer.Option(help="Only this rule.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many at most.")] = 100,
    json: Json = False,
) -> None:
    """List how often rules were judged: over how many cases, what they found, what of it was past, raised and held."""
    from supervision.rules import service  # noqa: PLC0415  # only when this command runs

    with open_engine().begin() as connection:
        rows = service.runs(connection, code=code, limit=limit)
    if json:
        as_json({"runs": rows})
    else:
        columns = ("run", "at", "as_of", "scope", "code", "version", "cases", "found", "past", "raised", "held",
                   "milliseconds")  # fmt: skip
        show_table(columns, rows, title="Runs of rules")


def worded(basis: Any) -> str:
    """Write a basis on one line: the measure, then its words."""
    words = (f"{name}={','.join(said) if isinstance(said, list) else said}"
             for name, said in basis.items() if name != "measure")  # fmt: skip
    return " ".join([str(basis.get("measure")), *words])


def _word(said: str) -> tuple[str, Any]:
    """Read one word of a basis: whole numbers as such, lists by their commas."""
    name, _, value = said.partition("=")
    if value.isascii() and value.isdigit() and len(value) <= 9:  # noqa: PLR2004  # more digits than any bound has
        return name, int(value)
    return name, value.split(",") if name in ("stages", "why") else value
