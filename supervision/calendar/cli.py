"""`hub supervise calendar`: working days looked at, changed with a source and a reason, and what a change moved."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from hub.show import as_json, show_table
from hub.workdays import DayKind
from supervision.opening import Actor, Json, actor_of, open_engine

calendar = typer.Typer(help="Working days as dated data, each change with its source.", no_args_is_help=True)

Code = Annotated[str, typer.Option("--calendar", help="The region's code; without it, the nation's calendar.")]
Source = Annotated[str, typer.Option(help="Where it is published: the notice's title, number, address.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the change.")]
_DAY = ["%Y-%m-%d"]


@calendar.command("list")
def list_(json: Json = False) -> None:
    """List the calendars: the nation's, and those of regions that have days of their own."""
    from supervision.calendar import service  # noqa: PLC0415  # only when this command runs

    with open_engine().begin() as connection:
        service.ensure(connection)
        rows = service.listed(connection)
    if json:
        as_json({"calendars": rows})
    else:
        show_table(tuple(rows[0]), rows, title="Calendars")


@calendar.command()
def show(
    first: Annotated[datetime, typer.Argument(formats=_DAY, help="From this day on.")],
    last: Annotated[datetime | None, typer.Argument(formats=_DAY, help="To this day; without it, 30 days.")] = None,
    code: Code = "",
    json: Json = False,
) -> None:
    """Show days: worked or free, why, the working days so far, and whether they are published or provisional."""
    from supervision.calendar import service  # noqa: PLC0415  # only when this command runs

    until = (last or first + timedelta(days=29)).date()
    with open_engine().begin() as connection:
        service.ensure(connection)
        rows = service.shown(connection, code, first.date(), until)
    if json:
        as_json({"calendar": code, "days": rows})
    else:
        show_table(("day", "works", "kind", "ordinal", "published", "source", "reason"), rows, title="Days")


@calendar.command("set")
def set_(
    source: Source,
    reason: Reason,
    days: Annotated[list[str], typer.Argument(help="DAY=KIND …; KIND is work, make_up, rest or holiday.")],
    code: Code = "",
    provisional: Annotated[bool, typer.Option("--provisional", help="Not published yet: expected.")] = False,
    by: Actor = None,
    json: Json = False,
) -> None:
    """Set days, and recompute the deadlines that they move, each of which is logged."""
    from supervision.calendar import changing, service  # noqa: PLC0415  # only when this command runs

    wanted = [_read(one, published=not provisional) for one in days]
    with open_engine().begin() as connection:
        service.ensure(connection)
        done = changing.change(connection, code, wanted, source=source, reason=reason, actor=actor_of(by))
    _tell(done, json=json)


@calendar.command()
def publish(
    year: Annotated[int, typer.Argument(min=2000, max=2049, help="The year that a notice fixes.")],
    source: Source,
    days: Annotated[list[str], typer.Argument(help="The days that the notice names: DAY=KIND …")],
    code: Code = "",
    by: Actor = None,
    json: Json = False,
) -> None:
    """Take in a year's notice: days that it names, all others as weekdays and weekends; none stays provisional."""
    from supervision.calendar import changing, service  # noqa: PLC0415  # only when this command runs

    named = [_read(one, published=True) for one in days]
    with open_engine().begin() as connection:
        service.ensure(connection)
        done = changing.publish(connection, code, year, named, source=source, actor=actor_of(by))
    _tell(done, json=json)


@calendar.command()
def add(
    region: Annotated[str, typer.Argument(help="The region's code (GB/T 2260).")],
    title: Annotated[str, typer.Option(help="What the calendar is called.")],
    source: Source,
    closes: Annotated[str | None, typer.Option(help="When offices close, as 17:00; without it 17:30.")] = None,
    by: Actor = None,
) -> None:
    """Give a region a calendar of its own, for local holidays; it begins as the nation's."""
    from supervision.calendar import changing, service  # noqa: PLC0415  # only when this command runs

    with open_engine().begin() as connection:
        service.add(connection, region, title=title, source=source, actor=actor_of(by), closes_at=closes)
        changing.recount_of(connection, region)
    typer.echo(f"Region {region} has a calendar. Set its days with `hub supervise calendar set --calendar {region} …`.")


@calendar.command()
def log(code: Annotated[str | None, typer.Option("--calendar", help="Only this calendar.")] = None,
        json: Json = False) -> None:  # fmt: skip
    """List the changes of days, the newest first, with source, reason and who made them."""
    from supervision.calendar import service  # noqa: PLC0415  # only when this command runs

    with open_engine().begin() as connection:
        rows = service.logged(connection, code)
    if json:
        as_json({"changes": rows})
    else:
        columns = ("filling", "at", "calendar", "day", "kind_before", "kind", "published", "source", "reason", "actor")
        show_table(columns, rows, title="Changes")


@calendar.command()
def moved(
    filling: Annotated[int | None, typer.Argument(help="The change, by its number in `log`; without it, all.")] = None,
    json: Json = False,
) -> None:
    """List the deadlines that changes of the calendar moved: from when to when."""
    from supervision.calendar import changing  # noqa: PLC0415  # only when this command runs

    with open_engine().begin() as connection:
        rows = changing.moved(connection, filling)
    if json:
        as_json({"moved": rows})
    else:
        columns = ("filling", "at", "case_number", "due_before", "due_at", "provisional_before", "provisional")
        show_table(columns, rows, title="Deadlines moved")


@calendar.command("export")
def export_(
    to: Annotated[Path, typer.Option(help="The CSV file to write.")],
    year: Annotated[int, typer.Option(min=2000, max=2049)],
    code: Code = "",
) -> None:
    """Write the days of a year as CSV: day, kind, works, published."""
    import csv  # noqa: PLC0415  # only when this command runs

    from supervision.calendar import service  # noqa: PLC0415  # only when this command runs

    with open_engine().begin() as connection:
        service.ensure(connection)
        rows = service.shown(connection, code, date(year, 1, 1), date(year, 12, 31))
    with to.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(("day", "kind", "works", "published"))
        writer.writerows((one["day"], one["kind"], one["works"], one["published"]) for one in rows)
    typer.echo(f"{len(rows)} days are in {to.name}.")


def _read(said: str, *, published: bool):  # type: ignore[no-untyped-def]  # a type of a module that is imported late
    from supervision.calendar.errors import BadDay  # noqa: PLC0415  # only when a command runs
    from supervision.calendar.service import Change  # noqa: PLC0415  # only when a command runs

    text, _, kind = said.partition("=")
    try:
        return Change(date.fromisoformat(text), DayKind(kind), published)
    except ValueError:
        known = ", ".join(one.value for one in DayKind)
        raise BadDay(f"{said!r} is not DAY=KIND (a kind is one of {known}), as 2027-02-06=holiday.") from None


def _tell(done, *, json: bool) -> None:  # type: ignore[no-untyped-def]  # a type of a module that is imported late
    if json:
        as_json(done)
        return
    if done.filling is None:
        typer.echo("Nothing changed: the calendar said so already.")
        return
    typer.echo(
        f"Change {done.filling}: {done.changed} days set, {done.recounted} cases looked at, {done.moved} deadlines"
        " moved."
        f" They are listed by `hub supervise calendar moved {done.filling}`."
    )
