"""`hub share role`: the database roles by which departments read the views in `out`."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from hub.show import as_json, show_table
from verification.opening import Actor, CannotVerify, Json, actor_of, open_hub

role = typer.Typer(help="Departments that read by SQL: a database role each.", no_args_is_help=True)

_ORGAN = re.compile(r"[0-9A-HJ-NP-RTUWXY]{18}")
Name = Annotated[str, typer.Argument(help="The role's name, as `hub share role list` shows it.")]


@role.command()
def make(
    organ: Annotated[str, typer.Argument(help="The unified social credit code of the organ that reads.")],
    purpose: Annotated[str, typer.Option(help="The purpose, as its grants name it.")],
    peer: Annotated[
        bool, typer.Option("--peer", help="No password: the server lets it in by peer, certificate or the like.")
    ] = False,
    by: Actor = None,
    json: Json = False,
) -> None:
    """Make a role and print its password, this once; it sees what is granted to the organ for the purpose."""
    from verification.rights import readers  # noqa: PLC0415  # only when this command runs

    if not _ORGAN.fullmatch(organ):
        raise CannotVerify(f"organ {organ!r} is no unified social credit code of 18 characters.")
    name, secret = readers.make(
        open_hub()[0], organ=organ, purpose=purpose, actor=actor_of(by), password=not peer
    )  # fmt: skip
    if json:
        as_json({"role": name, "password": secret})
    elif secret is None:
        typer.echo(f"Role {name} is made, without a password: name it in pg_hba.conf.")
    else:
        typer.echo(f"Role {name} is made. Its password, which is shown this once:\n{secret}")


@role.command()
def password(name: Name, json: Json = False) -> None:
    """Give a role another password; the former one is over."""
    from verification.rights import readers  # noqa: PLC0415  # only when this command runs

    secret = readers.renew(open_hub()[0], name)
    if json:
        as_json({"role": name, "password": secret})
    else:
        typer.echo(f"Its password, which is shown this once:\n{secret}")


@role.command()
def end(name: Name, by: Actor = None) -> None:
    """Take a role away; its sessions are ended."""
    from verification.rights import readers  # noqa: PLC0415  # only when this command runs

    readers.end(open_hub()[0], name, actor=actor_of(by))
    typer.echo(f"Role {name} is gone.")


@role.command("list")
def list_roles(json: Json = False) -> None:
    """List the roles, ended ones too."""
    from verification.rights import readers  # noqa: PLC0415  # only when this command runs

    rows = readers.listed(open_hub()[0])
    if json:
        as_json({"roles": rows})
    else:
        show_table(("role", "organ", "purpose", "state", "made_by", "made_at", "ended_at"), rows, title="Readers")
