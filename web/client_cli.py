"""`hub client`: the programs that may use the API."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from connectors.loading import load_sources
from hub.errors import HubError
from hub.settings import Settings
from hub.show import as_json, show_table
from pipeline.runtime import Runtime
from sharedrepo.access import clients

client = typer.Typer(help="The programs that may use the API: new, list, revoke.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Code = Annotated[str, typer.Argument(help="The client's code: small letters, digits and -.")]

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")
_ORGAN = re.compile(r"[0-9A-HJ-NP-RTUWXY]{18}")


class CannotBeClient(HubError):
    """A client cannot be as it was asked for; nothing was entered."""

    exit_status = 2


@client.command()
def new(
    code: Code,
    organ: Annotated[str, typer.Option(help="The unified social credit code of the organ whose program it is.")],
    push: Annotated[list[str] | None, typer.Option(help="A source whose records it may post; may stand again.")] = None,
    metrics: Annotated[bool, typer.Option("--metrics", help="It may read the metrics.")] = False,
    quality: Annotated[
        bool, typer.Option("--quality", help="It may read the findings and rejected records of its organ.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="It may check other departments' approvals.")] = False,
    usage: Annotated[
        bool, typer.Option("--usage", help="A portal: it may ask who checked a person that signed in there.")
    ] = False,
    cards: Annotated[
        bool, typer.Option("--cards", help="It may read the supervision cards of its organ, and answer them.")
    ] = False,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="It may answer what others ask about credentials of its organ.")
    ] = False,
    days: Annotated[int, typer.Option(min=1, max=3660, help="So many days the token is valid.")] = 365,
    json: Json = False,
) -> None:
    """Enter a client and print its token: this once, for only a keyed hash of it is kept."""
    settings = Settings.load()
    rights = [f"{clients.PUSH}:{one}" for one in push or ()] + ([clients.METRICS] if metrics else [])
    named = {
        clients.QUALITY: quality, clients.CHECK: check, clients.USAGE: usage, clients.CARDS: cards,
        clients.CONFIRM: confirm,
    }  # fmt: skip
    rights += [right for right, given in named.items() if given]
    _judge(code, organ, rights, _unknown(settings, push or []))
    runtime = Runtime.open(settings)
    token, expires = clients.make(runtime.engine, runtime.protector, code=code, organ=organ, rights=rights, days=days)
    if json:
        as_json({"client": code, "rights": sorted(set(rights)), "expires_at": expires.isoformat(), "token": token})
        return
    typer.echo(f"Client {code} may use the API until {expires:%Y-%m-%d}. Its token, which is shown this once:\n{token}")


def _unknown(settings: Settings, named: list[str]) -> list[str]:
    """Say which of the named sources do not post."""
    known = {one.code: one.kind for one in load_sources(settings.sources)} if named else {}
    posting = ", ".join(one for one, kind in known.items() if kind == "push") or "none"
    return [
        f"there is no source {one!r} of kind push (there are: {posting})" for one in named if known.get(one) != "push"
    ]


def _judge(code: str, organ: str, rights: list[str], faults: list[str]) -> None:
    if not _CODE.fullmatch(code):
        faults.append(f"code {code!r}: write small letters, digits and -, at most 50 of them")
    if not _ORGAN.fullmatch(organ):
        faults.append(f"organ {organ!r} is no unified social credit code of 18 characters")
    if not rights:
        faults.append("no right is named: write --push SOURCE, --metrics, --quality, --check or --usage")
    if faults:
        raise CannotBeClient("; ".join(faults) + ".")


@client.command("list")
def list_clients(json: Json = False) -> None:
    """List the clients with their rights; tokens cannot be shown."""
    rows = clients.listed(Runtime.open().engine)
    if json:
        as_json({"clients": rows})
    else:
        show_table(("code", "organ", "rights", "state", "made_at", "expires_at", "revoked_at"), rows, title="Clients")


@client.command()
def revoke(code: Code, json: Json = False) -> None:
    """Take a client's token away, from the next request on."""
    clients.revoke(Runtime.open().engine, code)
    if json:
        as_json({"client": code, "state": "revoked"})
    else:
        typer.echo(f"Client {code} is revoked.")
