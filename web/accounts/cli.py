"""`hub account`: the persons who may use the pages."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from hub.errors import HubError
from hub.show import as_json, show_table
from pipeline.runtime import Runtime
from web.accounts import passwords, service

account = typer.Typer(
    help="The persons who may use the pages: new, list, roles, password, disable.", no_args_is_help=True
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Code = Annotated[str, typer.Argument(help="The account's code: small letters, digits, '.', '_' and '-'.")]
Roles = Annotated[
    list[str] | None, typer.Option("--role", help="A role; may stand again. See docs/operate/accounts.md.")
]
Organ = Annotated[str | None, typer.Option(help="The organ (unified social credit code) of a department_steward.")]
Region = Annotated[
    str | None, typer.Option(help="The city or county (6 digits) of a regional_supervisor or its chief_supervisor.")
]


class NoPassword(HubError):
    """No password was given, or twice not the same; nothing was changed."""

    exit_status = 2


@account.command()
def new(
    code: Code, name: Annotated[str, typer.Option(help="The person's name, as pages show it.")], role: Roles = None,
    organ: Organ = None, region: Region = None, json: Json = False,
) -> None:  # fmt: skip
    """Enter a local account; the password is asked for, or read from standard input."""
    runtime, password = Runtime.open(), _password()
    service.make(
        runtime.engine, code=code, name=name, roles=role or [], organ=organ, region=region, password=password,
        actor=_actor(),
    )  # fmt: skip
    _say(json, code, "active", f"Account {code} may sign in.")


@account.command("list")
def list_accounts(json: Json = False) -> None:
    """List the accounts with their roles; passwords cannot be shown."""
    rows = service.listed(Runtime.open().engine)
    if json:
        as_json({"accounts": rows})
    else:
        columns = ("code", "name", "roles", "organ", "region", "issuer", "state", "made_at", "signed_in_at")
        show_table(columns, rows, title="Accounts")


@account.command()
def roles(code: Code, role: Roles = None, organ: Organ = None, region: Region = None, json: Json = False) -> None:
    """Give an account these roles in place of those it has, from its next request on."""
    service.set_roles(Runtime.open().engine, code, roles=role or [], organ=organ, region=region, actor=_actor())
    _say(json, code, "active", f"Account {code} has the roles {', '.join(role or [])}.")


@account.command()
def password(code: Code, json: Json = False) -> None:
    """Give a local account another password, asked for or read from standard input, and end its sessions."""
    runtime = Runtime.open()
    service.set_password(runtime.engine, code, _password(), actor=_actor())
    _say(json, code, "active", f"Account {code} has another password; its sessions are ended.")


@account.command()
def disable(
    code: Code, undo: Annotated[bool, typer.Option("--undo", help="Let it in again.")] = False, json: Json = False
) -> None:
    """Let an account no longer sign in, and end its sessions."""
    service.disable(Runtime.open().engine, code, undo=undo, actor=_actor())
    words = "may sign in again" if undo else "is disabled; its sessions are ended"
    _say(json, code, "active" if undo else "disabled", f"Account {code} {words}.")


def _say(json: bool, code: str, state: str, words: str) -> None:
    if json:
        as_json({"account": code, "state": state})
    else:
        typer.echo(words)


def _actor() -> str:
    return f"cli:{getpass.getuser()}"


def _password() -> str:
    """Read a password from the terminal, twice, or the first line of standard input; never from an argument."""
    if not sys.stdin.isatty():
        given = sys.stdin.readline(passwords.LONGEST + 2).rstrip("\r\n")
        if not given:
            raise NoPassword("no password came on standard input. Write it as the first line.")
        return given
    given = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != given:
        raise NoPassword("the two passwords are not the same. Begin again.")
    return given
