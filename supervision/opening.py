"""What the commands of supervision have in common: the open repository, who does it, and how moments are given."""

from __future__ import annotations

import getpass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from hub.errors import HubError
from hub.workdays import ZONE

if TYPE_CHECKING:
    import sqlalchemy as sa

    from hub.protect import Protector

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Actor = Annotated[str | None, typer.Option("--by", help="Who does it; without it, who is signed in here.")]


class BadMoment(HubError):
    """What was given is no moment."""

    exit_status = 64


def open_engine() -> sa.Engine:
    """Open the repository, at its present revision."""
    from hub.settings import Settings  # noqa: PLC0415  # only when a command runs
    from sharedrepo.connect import engine as make_engine  # noqa: PLC0415  # only when a command runs
    from sharedrepo.migrate import upgrade  # noqa: PLC0415  # only when a command runs

    engine = make_engine(Settings.load())
    upgrade(engine)
    return engine


def open_hub() -> tuple[sa.Engine, Protector]:
    """Open the repository, at its present revision, and its keys."""
    from hub.protect import Protector  # noqa: PLC0415  # only when a command runs
    from hub.settings import Settings  # noqa: PLC0415  # only when a command runs
    from sharedrepo.keyring.keys import check_fingerprints  # noqa: PLC0415  # only when a command runs

    engine = open_engine()
    protector = Protector.from_settings(Settings.load())
    check_fingerprints(engine, protector)
    return engine, protector


def actor_of(by: str | None) -> str:
    """Return who does it."""
    return by or f"cli:{getpass.getuser()}"


def moment(said: str | None) -> datetime | None:
    """Read a moment: a day (its end), or an instant; without a zone it is the province's.

    Raises:
        BadMoment: it is neither.
    """
    if said is None:
        return None
    try:
        if len(said) == len("2026-03-02"):
            day = date.fromisoformat(said)
            return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=ZONE)
        read = datetime.fromisoformat(said)
    except ValueError:
        raise BadMoment(f"{said!r} is no moment. Give a day (2026-03-02) or an instant (2026-03-02T17:30).") from None
    return read if read.tzinfo else read.replace(tzinfo=ZONE)
