"""`hub verify`, `hub share` and `hub audit`: receipts, what may be checked by whom, and the log of checks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.show import as_json, show_table
from hub.workdays import ZONE, local_day
from verification.audit.audit_cli import audit
from verification.opening import Actor, CannotVerify, Json, actor_of, open_hub, read_document
from verification.rights.readers_cli import role

if TYPE_CHECKING:
    import sqlalchemy as sa

    from hub.protect import Protector

__all__ = ["audit", "share", "verify"]

verify = typer.Typer(help="Receipts of checks, and checks whose case was never found.", no_args_is_help=True)
share = typer.Typer(help="What may be checked, and by whom: sharing classes and grants.", no_args_is_help=True)
share.add_typer(role, name="role")

Kind = Annotated[str, typer.Argument(help="credential_type or item.")]
Code = Annotated[str, typer.Argument(help="The credential type, or the item's code.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the grant.")]


@verify.command()
def receipt(
    file: Annotated[Path, typer.Argument(help="The answer of a check, as the API gave it.")],
    keys: Annotated[Path | None, typer.Option(help="A kept copy of GET /v1/keys; without it, this hub's own.")] = None,
    json: Json = False,
) -> None:
    """Check a receipt; with a kept copy of the keys nothing is asked of anybody."""
    from sharedrepo.keyring import signing  # noqa: PLC0415  # only when this command runs
    from verification import receipts  # noqa: PLC0415  # only when this command runs

    document = read_document(file)
    jwks = read_document(keys) if keys is not None else signing.published(open_hub()[0])
    try:
        claims = receipts.verify(document, jwks)
    except receipts.BadReceipt as error:
        raise CannotVerify(f"{file.name}: {error}. Ask the hub for the check again by its number.") from None
    if json:
        as_json({"proven": True, **claims})
        return
    typer.echo(f"Proven: check {claims['check']} of {claims['asker']}, answered {claims['answered_at']}.")


@verify.command()
def unmatched(
    all_: Annotated[bool, typer.Option("--all", help="Also those that were settled.")] = False, json: Json = False
) -> None:
    """Look again for the cases that checks named; list those that were never found, for the personal-data officer."""
    from verification.checks import confirming  # noqa: PLC0415  # only when this command runs

    engine, protector = open_hub()
    counts = confirming.confirm(engine, protector)
    rows = confirming.unmatched(engine, all_=all_)
    if json:
        as_json({"counts": counts, "unmatched": rows})
    else:
        columns = ("check_id", "organ", "client", "purpose", "state", "asked_at", "verdict")
        show_table(columns, rows, title="Checks without a case")


@verify.command()
def settle(
    check: Annotated[str, typer.Argument(help="The number of the check.")],
    verdict: Annotated[str, typer.Option(help="explained or misuse.")],
    reason: Reason,
    by: Actor = None,
) -> None:
    """Write down, as the personal-data officer, what an unmatched check was."""
    from verification.checks import confirming  # noqa: PLC0415  # only when this command runs

    confirming.settle(open_hub()[0], check, verdict=verdict, reason=reason, actor=actor_of(by))
    typer.echo(f"Check {check} is settled: {verdict}.")


@verify.command()
def inquiries(
    state: Annotated[str, typer.Option(help="open, silent (past their day, and nobody answered) or ended.")] = "open",
    organ: Annotated[str | None, typer.Option(help="Only those to this issuing organ.")] = None,
    json: Json = False,
) -> None:
    """List what officers of issuing departments are asked where no feed can tell, and who is silent."""
    from verification.checks import officers  # noqa: PLC0415  # only when this command runs

    if state not in officers.STATES:
        raise CannotVerify(f"state {state!r} is none of {', '.join(officers.STATES)}.")
    rows = officers.listed(open_hub()[0], issuer=organ, now=datetime.now(UTC), state=state, limit=10_000)
    if json:
        as_json({"inquiries": rows})
    else:
        columns = ("number", "type", "item", "organ", "issuer", "state", "asked_at", "due", "answer", "answered_by")
        show_table(columns, rows, title="Inquiries")


@verify.command()
def recall(json: Json = False) -> None:
    """Look which checks relied on what has changed since, and tell their organs; the API does so every ten minutes."""
    from verification.notices import recall as recalling  # noqa: PLC0415  # only when this command runs
    from verification.notices import subscriptions  # noqa: PLC0415  # only when this command runs

    engine, _ = open_hub()
    done = recalling.look(engine)
    queued = subscriptions.queue(engine)
    if json:
        as_json({"told": done, "notices": queued})
    else:
        typer.echo(f"{done} checks are newly told of; {queued} notices are to be posted.")


@verify.command()
def subscribe(
    client: Annotated[str, typer.Argument(help="The client's code, as `hub client list` shows it.")],
    url: Annotated[str, typer.Argument(help="Where its notices are posted: https://HOST/PATH.")],
    credential: Annotated[
        str | None, typer.Option(help="Changes of credentials of this type; without it, recalls.")
    ] = None,
    item: Annotated[str | None, typer.Option(help="Steps of cases of this item, by the number they bear.")] = None,
    purpose: Annotated[str | None, typer.Option(help="With --credential or --item: the purpose of its grant.")] = None,
    cards: Annotated[bool, typer.Option("--cards", help="Supervision cards of the client's organ.")] = False,
    by: Actor = None,
    json: Json = False,
) -> None:
    """Post recalls, changes of credentials or cases, or cards to an address of a client, signed, until taken."""
    from hub.settings import Settings  # noqa: PLC0415  # only when this command runs
    from verification.notices import subscriptions  # noqa: PLC0415  # only when this command runs

    if credential is not None and item is not None:
        raise CannotVerify("a subscription is to changes of one credential type or of one item's cases.")
    number = subscriptions.subscribe(
        open_hub()[0], client=client, url=url, actor=actor_of(by), allowed=Settings.load().notice_networks,
        code=credential or item, purpose=purpose, cards=cards,
        topic=subscriptions.CASE if item is not None else subscriptions.CREDENTIAL,
    )  # fmt: skip
    if json:
        as_json({"subscription": number, "audience": subscriptions.audience(number)})
    else:
        typer.echo(f"Subscription {number}. Its notices name {subscriptions.audience(number)} as `aud`: compare it.")


@verify.command()
def unsubscribe(number: int, by: Actor = None) -> None:
    """End a subscription; what waits for it is withheld."""
    from verification.notices import subscriptions  # noqa: PLC0415  # only when this command runs

    subscriptions.unsubscribe(open_hub()[0], number, actor=actor_of(by))
    typer.echo(f"Subscription {number} has ended.")


@verify.command("subscriptions")
def subscriptions_(json: Json = False) -> None:
    """List the subscriptions, and how many notices of each wait, were taken, or were given up."""
    from verification.notices import subscriptions  # noqa: PLC0415  # only when this command runs

    rows = subscriptions.listed(open_hub()[0])
    if json:
        as_json({"subscriptions": rows})
    else:
        columns = ("subscription_id", "client", "topic", "code", "url", "waiting", "delivered", "given_up", "ended_at")
        show_table(columns, rows, title="Subscriptions")


@verify.command("notices")
def notices_(
    every: Annotated[bool, typer.Option("--all", help="Also those that were taken.")] = False,
    send: Annotated[bool, typer.Option("--send", help="Post first what is due; the API does so by itself.")] = False,
    json: Json = False,
) -> None:
    """List notices that wait or were not taken, with the last fault of each."""
    from verification.notices import subscriptions  # noqa: PLC0415  # only when this command runs

    engine, protector = open_hub()
    counts = _send(engine, protector) if send else {}
    rows = subscriptions.deliveries(engine, all_=every)
    if json:
        as_json({"sent": counts, "notices": rows})
    else:
        columns = ("delivery_id", "subscription_id", "topic", "state", "attempts", "fault", "made_at", "next_at")
        show_table(columns, rows, title="Notices")


def _send(engine: sa.Engine, protector: Protector) -> dict[str, int]:
    import asyncio  # noqa: PLC0415  # only when a command sends

    from hub.settings import Settings  # noqa: PLC0415  # only when a command sends
    from sharedrepo.keyring import signing  # noqa: PLC0415  # only when a command sends
    from verification.notices.delivering import Post  # noqa: PLC0415  # only when a command sends

    signer = signing.Ed25519Signer.of(protector.ring)
    with engine.begin() as connection:
        signing.publish(connection, signer)
    return dict(asyncio.run(Post(engine, protector, signer, Settings.load().notice_networks).round()))


@share.command("set")
def set_(
    kind: Kind, code: Code,
    sharing_class: Annotated[str, typer.Option("--class", help="unconditional, conditional or none.")],
    ground: Annotated[str, typer.Option(help="The legal ground.")],
    fresh_hours: Annotated[int, typer.Option(min=1, help="Hours that a feed may lag before answers are stale.")] = 24,
    stale_allowed: Annotated[bool, typer.Option("--stale-allowed", help="A stale match may be relied on.")] = False,
    by: Actor = None,
) -> None:  # fmt: skip
    """Give a credential type or an item its sharing class; what has none is not shared."""
    from verification.rights import access  # noqa: PLC0415  # only when this command runs

    access.share(
        open_hub()[0], kind=kind, code=code, sharing_class=sharing_class, legal_ground=ground, actor=actor_of(by),
        fresh_hours=fresh_hours, stale_allowed=stale_allowed,
    )  # fmt: skip
    typer.echo(f"{kind} {code} is shared: {sharing_class}.")


@share.command()
def ask(
    kind: Kind, code: Code,
    organ: Annotated[str, typer.Option(help="The credit code of the organ that asks.")],
    purpose: Annotated[str, typer.Option(help="The purpose, as checks will name it.")],
    basis: Annotated[str, typer.Option(help="The legal basis.")],
    since: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="From this day on.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="To this day; open.")] = None,
    stale_allowed: Annotated[bool, typer.Option("--stale-allowed", help="A stale match may be relied on.")] = False,
    by: Actor = None, json: Json = False,
) -> None:  # fmt: skip
    """Ask for a grant under conditional sharing; somebody else answers it within ten working days."""
    from verification.rights import access  # noqa: PLC0415  # only when this command runs

    today = local_day(datetime.now(UTC))
    number = access.ask(
        open_hub()[0], organ=organ, kind=kind, code=code, purpose=purpose, legal_basis=basis,
        valid_from=_day(since) or today, valid_to=_day(until), actor=actor_of(by), today=today,
        stale_allowed=stale_allowed,
    )  # fmt: skip
    if json:
        as_json({"grant": number})
    else:
        typer.echo(f"Request {number} is entered. It is answered by `hub share answer {number}`.")


@share.command()
def answer(
    number: int, reason: Reason, refuse: Annotated[bool, typer.Option("--refuse", help="Turn it down.")] = False,
    by: Actor = None,
) -> None:  # fmt: skip
    """Answer a request: it becomes the grant, or is turned down."""
    from verification.rights import access  # noqa: PLC0415  # only when this command runs

    access.answer(open_hub()[0], number, granted=not refuse, reason=reason, actor=actor_of(by))
    typer.echo(f"Request {number} is {'turned down' if refuse else 'granted'}.")


@share.command()
def end(number: int, reason: Reason, by: Actor = None) -> None:
    """Take a grant back, from the next check on."""
    from verification.rights import access  # noqa: PLC0415  # only when this command runs

    access.end(open_hub()[0], number, reason=reason, actor=actor_of(by))
    typer.echo(f"Grant {number} is ended.")


@share.command("list")
def grants(json: Json = False) -> None:
    """List the sharing classes in force and all grants."""
    from verification.rights import access  # noqa: PLC0415  # only when this command runs

    found = access.listed(open_hub()[0])
    if json:
        as_json(found)
        return
    show_table(("kind", "code", "class", "legal_ground", "fresh_hours"), found["sharing"], title="Sharing classes")
    columns = ("grant_id", "organ", "kind", "code", "purpose", "state", "valid_from", "valid_to", "answer_due")
    show_table(columns, found["grants"], title="Grants")


@share.command()
def hide(
    organ: Annotated[str, typer.Argument(help="The credit code of the organ whose checks they are.")],
    purpose: Annotated[str, typer.Option(help="The purpose, as these checks name it.")],
    basis: Annotated[str, typer.Option(help="The legal basis.")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="They are shown from this day on.")],
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Checks from this day on; from now.")
    ] = None,
    ends: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Checks before this day.")] = None,
    by: Actor = None,
) -> None:
    """Ask that checks of an investigation are shown to their subject later; somebody else answers within three days."""
    from verification.rights import disclosure  # noqa: PLC0415  # only when this command runs

    now = datetime.now(UTC)
    number = disclosure.ask(
        open_hub()[0], organ=organ, purpose=purpose, legal_basis=basis, begins=_midnight(since) or now,
        ends=_midnight(ends), until=_midnight(until) or now, actor=actor_of(by), now=now,
    )  # fmt: skip
    typer.echo(f"Delay {number} is entered. It is answered by `hub share hide-answer {number}`.")


@share.command("hide-answer")
def hide_answer(
    number: int, reason: Reason, refuse: Annotated[bool, typer.Option("--refuse", help="Turn it down.")] = False,
    by: Actor = None,
) -> None:  # fmt: skip
    """Answer a request for a delay; nobody answers an own one."""
    from verification.rights import disclosure  # noqa: PLC0415  # only when this command runs

    disclosure.answer(open_hub()[0], number, granted=not refuse, reason=reason, actor=actor_of(by))
    typer.echo(f"Delay {number} is {'refused' if refuse else 'granted'}.")


@share.command("hide-end")
def hide_end(number: int, reason: Reason, by: Actor = None) -> None:
    """End a delay early: what it hid is shown from now on."""
    from verification.rights import disclosure  # noqa: PLC0415  # only when this command runs

    disclosure.end(open_hub()[0], number, reason=reason, actor=actor_of(by))
    typer.echo(f"Delay {number} is ended.")


@share.command()
def hidden(json: Json = False) -> None:
    """List which checks are shown to their subjects later, on what basis, and until when."""
    from verification.rights import disclosure  # noqa: PLC0415  # only when this command runs

    rows = disclosure.listed(open_hub()[0])
    if json:
        as_json({"delays": rows})
    else:
        columns = ("delay_id", "organ", "purpose", "begins_at", "ends_at", "hidden_until", "state", "legal_basis")
        show_table(columns, rows, title="Delayed disclosure")


def _day(at: datetime | None) -> date | None:
    return None if at is None else at.date()


def _midnight(day: datetime | None) -> datetime | None:
    """Return when a day begins in the province."""
    return None if day is None else day.replace(tzinfo=ZONE)
