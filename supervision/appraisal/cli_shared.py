"""What the commands of the appraisal share: options, the open repository, and who does it."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.show import as_json

if TYPE_CHECKING:
    import sqlalchemy as sa

    from sharedrepo.keyring.signing import Signer

Month = Annotated[str, typer.Argument(help="The month, as 2026-10.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
By = Annotated[str | None, typer.Option("--by", help="Who does it; without it, who is signed in here.")]
Level = Annotated[str, typer.Option(help="department, city, county, city_department or county_department.")]
Reason = Annotated[str | None, typer.Option(help="Why; it is kept.")]


def repository() -> sa.Engine:
    """Open the repository, brought to the newest form."""
    from hub.settings import Settings  # noqa: PLC0415  # only when a command runs
    from sharedrepo.connect import engine  # noqa: PLC0415  # only when a command runs
    from sharedrepo.migrate import upgrade  # noqa: PLC0415  # only when a command runs

    made = engine(Settings.load())
    upgrade(made)
    return made


def signing_repository() -> tuple[sa.Engine, Signer]:
    """Open the repository and the hub's signature, whose key is published there."""
    from hub.protect import Protector  # noqa: PLC0415  # only when this command runs
    from hub.settings import Settings  # noqa: PLC0415  # only when this command runs
    from sharedrepo.keyring import signing  # noqa: PLC0415  # only when this command runs

    engine = repository()
    signer = signing.Ed25519Signer.of(Protector.from_settings(Settings.load()).ring)
    with engine.begin() as connection:
        signing.publish(connection, signer)
    return engine, signer


def actor_of(by: str | None) -> str:
    """Return who does it."""
    return by or f"cli:{getpass.getuser()}"


def told(facts: dict[str, Any], *, json: bool) -> None:
    """Say what was done."""
    if json:
        as_json(facts)
    else:
        typer.echo(", ".join(f"{name} {value}" for name, value in facts.items() if value is not None))
