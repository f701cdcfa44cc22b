"""`hub audit`: the log of checks, sealed, told, countersigned and verified."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.show import as_json, show_table
from verification.opening import Actor, Json, actor_of, open_hub, read_document

audit = typer.Typer(help="The log of checks: sealed, told, and verified.", no_args_is_help=True)


@audit.command()
def seal(json: Json = False) -> None:
    """Seal all entries of the log that can be sealed now; the API does so by itself each minute."""
    from sharedrepo.keyring import signing  # noqa: PLC0415  # only when this command runs
    from verification.audit import sealing  # noqa: PLC0415  # only when this command runs

    engine, protector = open_hub()
    signer = signing.Ed25519Signer.of(protector.ring)
    with engine.begin() as connection:
        signing.publish(connection, signer)
    done = sealing.seal(engine, signer)
    if json:
        as_json({"sealed": done})
    else:
        typer.echo(f"{done} entries were sealed.")


@audit.command()
def status(json: Json = False) -> None:
    """Show the last head, and since when the oldest entry without a seal has been waiting."""
    from verification.audit import sealing  # noqa: PLC0415  # only when this command runs

    engine, _ = open_hub()
    oldest, last = sealing.oldest_unsealed(engine), sealing.last_head(engine)
    if json:
        as_json({"oldest_unsealed": oldest, "head": last})
        return
    typer.echo(f"Oldest entry without a seal: {oldest or 'none'}. Last head: {last['number'] if last else 'none'}.")


@audit.command()
def heads(
    after: Annotated[int, typer.Option(min=0, help="Only heads of a higher number.")] = 0, json: Json = False
) -> None:
    """List the signed heads; keep one elsewhere, and nothing can be cut off behind it unnoticed."""
    from verification.audit import sealing  # noqa: PLC0415  # only when this command runs

    rows = sealing.heads(open_hub()[0], after=after)
    if json:
        as_json({"heads": rows})
    else:
        show_table(("number", "sealed_at", "entries", "total", "head"), rows, title="Heads")


@audit.command()
def key(
    organ: Annotated[str, typer.Argument(help="The credit code of the organ whose key it is.")],
    file: Annotated[Path, typer.Argument(help="Its public key as a JWK (kty OKP, crv Ed25519).")],
    by: Actor = None,
) -> None:
    """Enter the public key by which an organ countersigns the daily balance of the log."""
    from verification.audit import balances  # noqa: PLC0415  # only when this command runs

    kid = balances.enter_key(open_hub()[0], organ=organ, jwk=read_document(file), actor=actor_of(by))
    typer.echo(f"Key {kid} is entered for {organ}. Compare its thumbprint with the organ by another way.")


@audit.command("key-end")
def key_end(kid: Annotated[str, typer.Argument(help="The thumbprint, as it was printed.")]) -> None:
    """Take no further signatures by an organ's key; those that it made stay proven by it."""
    from verification.audit import balances  # noqa: PLC0415  # only when this command runs

    balances.end_key(open_hub()[0], kid)
    typer.echo(f"Key {kid} is ended.")


@audit.command("balances")
def balances_(
    days: Annotated[int, typer.Option(min=1, max=400, help="So many days back.")] = 31, json: Json = False
) -> None:
    """List for each day which organs countersigned the log's balance: agrees, differs, or not yet."""
    from verification.audit import balances  # noqa: PLC0415  # only when this command runs

    rows = balances.listed(open_hub()[0], days=days)
    if json:
        as_json({"balances": rows})
    else:
        show_table(("day", "organ", "verdict"), rows, title="Daily balances")


@audit.command("verify")
def verify_log(
    head: Annotated[Path | None, typer.Option(help="A head that somebody kept, as JSON.")] = None,
    keys: Annotated[Path | None, typer.Option(help="A kept copy of GET /v1/keys; without it, this hub's own.")] = None,
    json: Json = False,
) -> None:
    """Compare the log with seals and countersignatures: what was changed, removed, reordered or cut off is found."""
    from sharedrepo.keyring import signing  # noqa: PLC0415  # only when this command runs
    from verification.audit import balances, sealing  # noqa: PLC0415  # only when this command runs

    engine, _ = open_hub()
    jwks = read_document(keys) if keys is not None else signing.published(engine)
    found = sealing.verify(engine, jwks, kept=None if head is None else read_document(head))
    faults = (*found.faults, *balances.faults(engine))
    if json:
        as_json({"seals": found.seals, "entries": found.entries, "unsealed": found.unsealed, "faults": faults})
    if faults:
        raise sealing.LogBroken("; ".join(faults) + ". Keep the database as it is, and tell the supervisors.")
    if not json:
        typer.echo(f"In order: {found.entries} entries under {found.seals} seals; {found.unsealed} wait for the next.")
