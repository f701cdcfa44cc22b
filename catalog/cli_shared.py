"""What the commands of `hub catalog` share: options, the open repository, who does it, and how files are read."""

from __future__ import annotations

import getpass
import json as jsonlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.show import as_json
from hub.workdays import local_day

if TYPE_CHECKING:
    import sqlalchemy as sa

    from catalog.life import Doer

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Code = Annotated[str, typer.Argument(help="An item's code, or one of its other numbers.")]
Seat = Annotated[str, typer.Option("--as", help="The seat: department, legal, reform or supervision.")]
Opinion = Annotated[str, typer.Option(help="Why; it is kept with the deed.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="On this day; today without it.")]


def opened() -> sa.Engine:
    """Open the repository, brought to the newest form."""
    from hub.settings import Settings  # noqa: PLC0415  # only when a command runs
    from sharedrepo.connect import engine  # noqa: PLC0415  # only when a command runs
    from sharedrepo.migrate import upgrade  # noqa: PLC0415  # only when a command runs

    made = engine(Settings.load())
    upgrade(made)
    return made


def doer_of(seat: str) -> Doer:
    """Return who types a command, in a seat."""
    from catalog.errors import DeedRefused  # noqa: PLC0415  # only when a command runs
    from catalog.life import SEATS, Doer  # noqa: PLC0415  # only when a command runs

    if seat not in SEATS:
        raise DeedRefused("", f"there is no seat {seat[:40]!r}", f"There are: {', '.join(SEATS)}.")
    return Doer(f"cli:{getpass.getuser()}", seat)


def change_of(said: str) -> Any:
    """Read the kind of a change."""
    from catalog.errors import DeedRefused  # noqa: PLC0415  # only when a command runs
    from sharedrepo.models.catalog import CHANGES  # noqa: PLC0415  # only when a command runs

    if said not in CHANGES:
        raise DeedRefused("", f"there is no change {said[:40]!r}", f"There are: {', '.join(CHANGES)}.")
    return said


def existing(file: Path | None) -> Path:
    """Return a file that is there."""
    from catalog.errors import FileRefused  # noqa: PLC0415  # only when a command runs

    if file is None or not file.is_file():
        raise FileRefused(str(file), "there is no such file", "Name a file in the form of `hub catalog export`.")
    return file


def content_of(file: Path) -> dict[str, Any]:
    """Read a content from a file or from standard input."""
    from catalog.errors import FileRefused  # noqa: PLC0415  # only when a command runs

    text = typer.get_text_stream("stdin").read() if str(file) == "-" else existing(file).read_text(encoding="utf-8")
    try:
        said = jsonlib.loads(text)
    except ValueError as error:
        raise FileRefused(str(file), f"it is no JSON: {error}", "See schemas/catalog/item/v1/schema.json.") from None
    if not isinstance(said, dict):
        raise FileRefused(str(file), "it is no object", "See schemas/catalog/item/v1/schema.json.")
    return said


def day_of(said: datetime | None) -> date:
    """Return a day that was named, or today."""
    return said.date() if said else local_day(datetime.now(UTC))


def told(facts: dict[str, Any], *, json: bool) -> None:
    """Say what was done."""
    if json:
        as_json(facts)
    else:
        typer.echo(", ".join(f"{name} {value}" for name, value in facts.items()))
