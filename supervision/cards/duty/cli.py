"""`hub supervise duty`: the register of who is told, imported from the offices' lists."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from hub.show import as_json, show_table
from hub.workdays import local_day
from supervision.opening import Actor, Json, actor_of, open_engine, open_hub

duty = typer.Typer(help="Who is on duty: whom cards are sent to.", no_args_is_help=True)

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="On this day; today without it.")]


@duty.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV file (UTF-8) or a workbook (.xlsx), a row a duty.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with every change.")],
    whole: Annotated[
        bool, typer.Option("--whole", help="The file has all duties of its organs: their others end yesterday.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge the file and change nothing.")] = False,
    by: Actor = None,
    json: Json = False,
) -> None:
    """Take in a list of duties: all of it, or nothing with every fault and its row."""
    from supervision.cards.duty import files, service  # noqa: PLC0415  # only when this command runs

    entries = files.read(file)
    engine, protector = open_hub()
    with engine.connect() as connection, connection.begin() as transaction:
        done = service.take_in(
            connection, protector, entries, file=file.name, actor=actor_of(by), reason=reason, whole=whole,
            today=local_day(datetime.now(UTC)),
        )  # fmt: skip
        if dry_run:
            transaction.rollback()
    if json:
        as_json(done)
        return
    typer.echo(f"{'Would be: ' if dry_run else ''}{done.rows} rows: {done.entered} entered, {done.changed} changed, "
               f"{done.ended} ended, {done.without_phone} without a phone.")  # fmt: skip
    for organ in done.unknown_organs:
        typer.echo(f"No case, source or register of organs names {organ}: is it mistyped?", err=True)


@duty.command("list")
def list_(
    on: Day = None, organ: Annotated[str | None, typer.Option(help="Only of this organ.")] = None, json: Json = False
) -> None:
    """List who is on duty on a day; names and phones are masked."""
    from supervision.cards.duty import service  # noqa: PLC0415  # only when this command runs

    with open_engine().begin() as connection:
        rows = service.on(connection, _day(on), organ=organ)
    if json:
        as_json({"duties": rows})
    else:
        columns = ("organ", "unit", "role", "staff", "name_mask", "phone_mask", "valid_from", "valid_to", "deputy_of")
        show_table(columns, rows, title="On duty")


@duty.command()
def gaps(on: Day = None, json: Json = False) -> None:
    """List the duties that rules tell and nobody holds, by organ, with the cards that reach nobody."""
    from supervision.cards.duty import service  # noqa: PLC0415  # only when this command runs
    from supervision.rules import service as rules  # noqa: PLC0415  # only when this command runs

    with open_engine().begin() as connection:
        rules.ensure(connection)
        rows = service.gaps(connection, _day(on))
    if json:
        as_json({"gaps": rows})
    else:
        show_table(("organ", "role", "cards"), rows, title="Duties that nobody holds")


def _day(said: datetime | None) -> date:
    return said.date() if said else local_day(datetime.now(UTC))
