"""`hub supervise cards`, `orders`, `dossier`: cards listed, shown, answered, upheld, taken down, and printed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.show import as_json, show_table
from supervision.opening import Actor, Json, actor_of, open_engine

if TYPE_CHECKING:
    import sqlalchemy as sa

cards = typer.Typer(help="Cards: warnings, yellow and red ones, and what became of each.", no_args_is_help=True)
orders = typer.Typer(help="Supervision orders over cards, each with its own limit.", no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="The card's number, as `hub supervise cards list` shows it.")]
Order = Annotated[str, typer.Argument(help="The order's number, as `hub supervise orders list` shows it.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the deed.")]
AsOf = Annotated[str | None, typer.Option(help="As if it were this day or instant.")]


@contextmanager
def _repository(as_of: str | None = None) -> Iterator[sa.Connection]:
    import sqlalchemy as sa  # noqa: PLC0415  # only when a command runs

    from supervision.opening import moment  # noqa: PLC0415  # only when a command runs

    at = moment(as_of)
    with open_engine().begin() as connection:
        if at is not None:
            connection.execute(sa.text("SELECT set_config('hub.now', :at, true)"), {"at": at.isoformat()})
        yield connection


@cards.command("list")
def list_(
    organ: Annotated[str | None, typer.Option(help="Only of this organ.")] = None,
    level: Annotated[str | None, typer.Option(help="warning, yellow or red.")] = None,
    state: Annotated[
        str | None, typer.Option(help="held, sent, answered, appealed, upheld, withdrawn or lapsed.")
    ] = None,
    rule: Annotated[str | None, typer.Option(help="Only of this rule.")] = None,
    case: Annotated[str | None, typer.Option(help="Only of the case of this number.")] = None,
    ended: Annotated[bool, typer.Option("--all", help="Also those that are upheld, withdrawn or lapsed.")] = False,
    contradicted: Annotated[
        bool, typer.Option("--contradicted", help="Only those that corrected facts speak against.")
    ] = False,
    unaddressed: Annotated[bool, typer.Option("--unaddressed", help="Only those that reach nobody.")] = False,
    as_of: AsOf = None,
    json: Json = False,
) -> None:
    """List cards, the gravest first, then by the day on which feedback is due."""
    from supervision.cards import reading  # noqa: PLC0415  # only when this command runs

    with _repository(as_of) as connection:
        rows = reading.listed(
            connection, organ=organ, level=level, state=state, rule=rule, case=case, ended=ended,
            contradicted=contradicted, unaddressed=unaddressed,
        )  # fmt: skip
        counts = reading.counts(connection)
    if json:
        as_json({"cards": rows, "counts": counts})
        return
    columns = ("number", "level", "state", "rule", "organ", "case", "clock", "raised_at", "due_at", "unanswered",
               "recipients")  # fmt: skip
    show_table(columns, rows, title="Cards")
    for name, states in counts.items():
        typer.echo(f"{name}: {', '.join(f'{count} {state_}' for state_, count in states.items()) or 'none'}")


@cards.command()
def show(number: Number, json: Json = False) -> None:
    """Show a card with its evidence and its whole life, and prove its seal."""
    from sharedrepo.keyring import signing  # noqa: PLC0415  # only when this command runs
    from supervision.cards import reading  # noqa: PLC0415  # only when this command runs

    engine = open_engine()
    with engine.begin() as connection:
        card = reading.found(connection, number)
    fault = reading.proof(card, signing.published(engine))
    if json:
        as_json({**card, "proven": fault is None})
        return
    for name in ("number", "level", "state", "rule", "title_zh", "organ", "case", "clock", "raised_at", "sent_at",
                 "due_at", "contradicted_at"):  # fmt: skip
        typer.echo(f"{name}: {card[name]}")
    typer.echo(f"seal: {fault or 'proven'}")
    show_table(("at", "actor", "what", "ground", "reason"), card["deeds"], title="Deeds")
    show_table(("role", "why", "organ", "staff", "name_mask", "phone_mask"), card["recipients"], title="Recipients")


@cards.command()
def answer(number: Number, text: Annotated[str, typer.Option(help="The feedback.")], by: Actor = None) -> None:
    """Give the department's feedback to a card."""
    from supervision.cards import deeds  # noqa: PLC0415  # only when this command runs

    with _repository() as connection:
        _told(deeds.answer(connection, number, actor=actor_of(by), text=text))


@cards.command()
def appeal(number: Number, reason: Reason, by: Actor = None) -> None:
    """Appeal against a card for its department."""
    from supervision.cards import deeds  # noqa: PLC0415  # only when this command runs

    with _repository() as connection:
        _told(deeds.appeal(connection, number, actor=actor_of(by), reason=reason))


@cards.command()
def uphold(number: Number, reason: Reason, by: Actor = None) -> None:
    """Uphold a card: it is final, and counts."""
    from supervision.cards import deeds  # noqa: PLC0415  # only when this command runs

    with _repository() as connection:
        _told(deeds.uphold(connection, number, actor=actor_of(by), reason=reason))


@cards.command()
def withdraw(
    number: Number,
    cause: Annotated[str, typer.Option(help="corrected, objective, late_feed or data_error.")],
    reason: Reason,
    by: Actor = None,
) -> None:
    """Take a card down because it was corrected, or ask a second person to take it down for another cause."""
    from supervision.cards import deeds  # noqa: PLC0415  # only when this command runs

    with _repository() as connection:
        _told(deeds.withdraw(connection, number, actor=actor_of(by), cause=cause, reason=reason))


@cards.command()
def grant(number: Number, reason: Reason, by: Actor = None) -> None:
    """Grant a withdrawal that another person asked for."""
    from supervision.cards import deeds  # noqa: PLC0415  # only when this command runs

    with _repository() as connection:
        _told(deeds.grant(connection, number, actor=actor_of(by), reason=reason))


@cards.command()
def refuse(number: Number, reason: Reason, by: Actor = None) -> None:
    """Refuse a withdrawal that another person asked for."""
    from supervision.cards import deeds  # noqa: PLC0415  # only when this command runs

    with _repository() as connection:
        _told(deeds.refuse(connection, number, actor=actor_of(by), reason=reason))


@cards.command()
def feeds(json: Json = False) -> None:
    """List the feeds that held cards wait for, and up to which moment each must be complete."""
    from supervision.cards import reading  # noqa: PLC0415  # only when this command runs

    with _repository() as connection:
        rows = reading.feeds(connection)
    if json:
        as_json({"feeds": rows})
    else:
        columns = ("source", "organ", "cards", "red", "needed_from", "needed_through", "complete_through", "told")
        show_table(columns, rows, title="Feeds that cards wait for")


@orders.command("list")
def orders_(
    organ: Annotated[str | None, typer.Option(help="Only of this organ.")] = None,
    closed: Annotated[bool, typer.Option("--all", help="Also those that are closed.")] = False,
    json: Json = False,
) -> None:
    """List supervision orders, those due first."""
    from supervision.cards import orders as service  # noqa: PLC0415  # only when this command runs

    with _repository() as connection:
        rows = service.listed(connection, organ=organ, closed=closed)
    if json:
        as_json({"orders": rows})
    else:
        columns = ("number", "card", "organ", "state", "issued_at", "due_at", "overdue", "opinion")
        show_table(columns, rows, title="Supervision orders")


@orders.command("issue")
def issue(
    card: Number,
    opinion: Annotated[str, typer.Option(help="What is to be done.")],
    days: Annotated[int, typer.Option(help="Working days within which it is answered.")] = 5,
    by: Actor = None,
) -> None:
    """Issue an order over a card that was sent."""
    from supervision.cards import orders as service  # noqa: PLC0415  # only when this command runs

    with _repository() as connection:
        typer.echo(f"Order {service.issue(connection, card, actor=actor_of(by), opinion=opinion, days=days)}.")


@orders.command("answer")
def answer_order(order: Order, text: Annotated[str, typer.Option(help="What was done.")], by: Actor = None) -> None:
    """Answer an order for its department."""
    from supervision.cards import orders as service  # noqa: PLC0415  # only when this command runs

    with _repository() as connection:
        service.answer(connection, order, actor=actor_of(by), text=text)
    typer.echo(f"Order {order} is answered.")


@orders.command("close")
def close_order(order: Order, verdict: Annotated[str, typer.Option(help="The verdict.")], by: Actor = None) -> None:
    """Close an order that another person answered."""
    from supervision.cards import orders as service  # noqa: PLC0415  # only when this command runs

    with _repository() as connection:
        service.close(connection, order, actor=actor_of(by), verdict=verdict)
    typer.echo(f"Order {order} is closed.")


def dossier(
    card: Number,
    out: Annotated[Path | None, typer.Option(help="The file to write; without it, CARD.html here.")] = None,
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
) -> None:
    """Write a card's dossier: one printable page with its evidence, its seal and its life."""
    from sharedrepo.keyring import signing  # noqa: PLC0415  # only when this command runs
    from supervision.cards import dossier as making  # noqa: PLC0415  # only when this command runs
    from supervision.cards import reading  # noqa: PLC0415  # only when this command runs

    engine = open_engine()
    with engine.begin() as connection:
        found = reading.found(connection, card)
    file = out or Path(f"{found['number']}.html")
    file.write_text(making.page(found, signing.published(engine), language), encoding="utf-8")
    typer.echo(f"{file}: open it in a browser and print it; it fits one sheet and loads nothing.")


def _told(card: dict[str, object]) -> None:
    typer.echo(f"Card {card['number']} is {card['state']}.")
