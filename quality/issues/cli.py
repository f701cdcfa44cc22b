"""`hub quality issues`: the faults of departments' data, and what is done about them."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from hub.show import as_json, show_table
from pipeline.runtime import Runtime

if TYPE_CHECKING:
    import sqlalchemy as sa

issues = typer.Typer(
    help="Faults of the data as issues: who acts on them, by when, and what was done.", no_args_is_help=True
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Code = Annotated[str, typer.Argument(help="The issue's code, for example Q-7F3KQ2AB.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the issue.")]
MaybeReason = Annotated[str, typer.Option("--reason", help="A word on it, kept with the issue.")]

_LIST = ("code", "status", "severity", "organ", "source", "stream", "rule", "field", "records", "of_records", "due_on",
         "level", "last_seen")  # fmt: skip


def actor() -> str:
    """Return who works on this command line, as deeds name them."""
    return f"cli:{getpass.getuser()}"


@issues.command("list")
def list_(
    organ: Annotated[str | None, typer.Option(help="Only issues of this organ.")] = None,
    source: Annotated[str | None, typer.Option(help="Only issues of this source.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only issues of this rule.")] = None,
    status: Annotated[str | None, typer.Option(help="new, acknowledged, waiting, accepted, snoozed or fixed.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Closed issues too.")] = False,
    json: Json = False,
) -> None:
    """List the open issues, the most severe and the soonest due first."""
    from quality.issues import service  # noqa: PLC0415  # only when this command runs

    found = service.listed(_engine(), organ=organ, source=source, rule=rule, status=status, closed=closed)
    rows = [one.as_dict() for one in found]
    if json:
        as_json({"issues": rows})
    else:
        show_table(_LIST, rows, title="Issues")


@issues.command()
def show(code: Code, json: Json = False) -> None:
    """Show one issue: what it says, its life, and places that show it (keys masked)."""
    from quality.issues import service  # noqa: PLC0415  # only when this command runs

    engine = _engine()
    issue = service.found(engine, code).as_dict()
    life = [asdict(one) for one in service.events(engine, code)]
    places = [asdict(one) for one in service.samples(engine, code)]
    if json:
        as_json({"issue": issue, "events": life, "samples": places})
        return
    show_table(("what", "is"), [{"what": name, "is": value} for name, value in issue.items()], title=f"Issue {code}")
    show_table(("at", "actor", "what", "reason", "detail"), life, title="Its life")
    show_table(("key", "case", "unit", "row", "pointer", "shown", "entry"), places, title="Places that show it")


@issues.command()
def acknowledge(code: Code, reason: MaybeReason = "", json: Json = False) -> None:
    """Take an issue up: somebody is on it."""
    from quality.issues import service  # noqa: PLC0415  # only when this command runs

    engine = _engine()
    service.acknowledge(engine, code, actor=actor(), reason=reason)
    _said(engine, code, json=json)


@issues.command()
def wait(code: Code, reason: MaybeReason = "", json: Json = False) -> None:
    """Hand an issue to its department and wait for its answer."""
    from quality.issues import service  # noqa: PLC0415  # only when this command runs

    engine = _engine()
    service.send_to_department(engine, code, actor=actor(), reason=reason)
    _said(engine, code, json=json)


@issues.command()
def accept(
    code: Code,
    reason: Reason,
    up_to: Annotated[int | None, typer.Option(help="So many records are borne; without it, as many as now.")] = None,
    json: Json = False,
) -> None:
    """Bear an issue as it is, with a reason."""
    from quality.issues import service  # noqa: PLC0415  # only when this command runs

    engine = _engine()
    service.accept(engine, code, actor=actor(), reason=reason, up_to=up_to)
    _said(engine, code, json=json)


@issues.command()
def snooze(
    code: Code,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day on which it wakes.")],
    reason: Reason,
    json: Json = False,
) -> None:
    """Put an issue off until a day."""
    from quality.issues import service  # noqa: PLC0415  # only when this command runs

    engine = _engine()
    service.snooze(engine, code, actor=actor(), until=until.date(), reason=reason)
    _said(engine, code, json=json)


@issues.command()
def assign(
    code: Code,
    to: Annotated[str, typer.Option(help="An account (account:<code>) or the name of an office.")],
    reason: MaybeReason = "",
    json: Json = False,
) -> None:
    """Give an issue to somebody."""
    from quality.issues import service  # noqa: PLC0415  # only when this command runs

    engine = _engine()
    service.assign(engine, code, actor=actor(), assignee=to, reason=reason)
    _said(engine, code, json=json)


@issues.command()
def note(code: Code, reason: Reason, json: Json = False) -> None:
    """Add a word to the life of an issue."""
    from quality.issues import service  # noqa: PLC0415  # only when this command runs

    engine = _engine()
    service.note(engine, code, actor=actor(), reason=reason)
    _said(engine, code, json=json)


@issues.command()
def bulletin(
    month: Annotated[datetime, typer.Option(formats=["%Y-%m"], help="The month, as 2026-11.")],
    json: Json = False,
) -> None:
    """List what silence brought into the bulletin of a month, by organ."""
    from quality.issues import service  # noqa: PLC0415  # only when this command runs

    rows = service.bulletin(_engine(), month.date())
    if json:
        as_json({"bulletin": rows})
    else:
        columns = ("organ", "code", "source", "stream", "rule", "records", "due_on", "reached_at", "status")
        show_table(columns, rows, title=f"Bulletin {month:%Y-%m}")


@issues.command()
def silence(
    month: Annotated[datetime, typer.Option(formats=["%Y-%m"], help="The month, as 2026-11.")],
    json: Json = False,
) -> None:
    """Count how often each organ's silence climbed in a month, and to whom: for the appraisal."""
    from quality.issues import service  # noqa: PLC0415  # only when this command runs

    rows = service.silence(_engine(), month.date())
    if json:
        as_json({"silence": rows})
    else:
        columns = ("organ", "contact", "division_head", "leader", "bulletin", "steps", "issues")
        show_table(columns, rows, title=f"Silence {month:%Y-%m}")


def _engine() -> sa.Engine:
    return Runtime.open().engine


def _said(engine: sa.Engine, code: str, *, json: bool) -> None:
    """Show how the issue stands now."""
    from quality.issues import service  # noqa: PLC0415  # only when this command runs

    issue = service.found(engine, code)
    if json:
        as_json({"issue": issue.as_dict()})
    else:
        typer.echo(f"Issue {code} is {issue.status}" + (f", due on {issue.due_on}." if issue.due_on else "."))
