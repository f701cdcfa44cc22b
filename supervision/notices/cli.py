"""`hub supervise notices`: the log of texts, sending by hand, and what a person decides of a doubtful one."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from hub.show import as_json, show_table
from supervision.opening import Actor, Json, actor_of, open_hub

notices = typer.Typer(help="Texts to those who hold a duty: the log, sending, decisions.", no_args_is_help=True)

_COLUMNS = (
    "notice_id",
    "card_id",
    "organ",
    "level",
    "channel",
    "phone",
    "state",
    "tries",
    "fault",
    "made_at",
    "sent_at",
)


@notices.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Also those that were sent, delivered or withheld.")] = False,
    card: Annotated[int | None, typer.Option(help="Only those of this card.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many at most, the newest first.")] = 1_000,
    json: Json = False,
) -> None:
    """List notices that wait, are doubtful or did not come; phones and names are masked."""
    from datetime import UTC, datetime  # noqa: PLC0415  # only when this command runs

    from hub.settings import Settings  # noqa: PLC0415  # only when this command runs
    from supervision.notices import listing  # noqa: PLC0415  # only when this command runs
    from supervision.notices.quiet import Quiet  # noqa: PLC0415  # only when this command runs

    engine, _ = open_hub()
    settings = Settings.load()
    held = Quiet.of(settings.notice_quiet, frozenset(settings.notice_quiet_through)).until(datetime.now(UTC))
    rows = listing.listed(engine, states=None if every or card else listing.OPEN, card=card, limit=limit)
    if json:
        as_json({"counts": listing.counts(engine), "held_until": held, "notices": rows})
        return
    show_table(_COLUMNS, rows, title="Notices")
    if held is not None:
        typer.echo(f"Quiet hours: texts are held until {held:%H:%M}.")


@notices.command()
def log(number: Annotated[int, typer.Argument(help="The notice's number.")], json: Json = False) -> None:
    """Show every try, answer and receipt of one notice."""
    from supervision.notices import listing  # noqa: PLC0415  # only when this command runs

    rows = listing.deeds(open_hub()[0], number)
    if json:
        as_json({"notice": number, "deeds": rows})
    else:
        show_table(("at", "what", "detail", "who"), rows, title=f"Notice {number}")


@notices.command()
def send(json: Json = False) -> None:
    """Send what is due, and ask after what was sent; the served hub does so by itself every few seconds."""
    import asyncio  # noqa: PLC0415  # only when this command runs

    from hub.settings import Settings  # noqa: PLC0415  # only when this command runs
    from supervision.notices import listing  # noqa: PLC0415  # only when this command runs
    from supervision.notices.service import Sender  # noqa: PLC0415  # only when this command runs

    engine, protector = open_hub()
    sender = Sender.of(engine, protector, Settings.load())
    done = dict(asyncio.run(sender.round()))
    counts = listing.counts(engine)
    if json:
        as_json({"done": done, "counts": counts, "channels": sender.channels})
        return
    typer.echo(", ".join(f"{count} {state}" for state, count in sorted(done.items())) or "Nothing was due.")
    if counts.get("waiting") and not sender.channels:
        typer.echo(
            f"{counts['waiting']} notices wait, and nothing leads anywhere: set HUB_SMS_GATEWAY or HUB_NOTICE_URLS."
        )


@notices.command()
def settle(
    number: Annotated[int, typer.Argument(help="The notice's number.")],
    decision: Annotated[str, typer.Argument(help="again: send it once more; came: let it be, it came.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept in the log.")],
    by: Actor = None,
) -> None:
    """Decide on a notice of which nobody can say whether it came, or that did not come."""
    from datetime import UTC, datetime  # noqa: PLC0415  # only when this command runs

    from supervision.notices import store  # noqa: PLC0415  # only when this command runs
    from supervision.notices.errors import NoticeRefused  # noqa: PLC0415  # only when this command runs

    words: tuple[Literal["again", "came"], ...] = ("again", "came")
    if decision not in words or not reason.strip():
        raise NoticeRefused("a decision is `again` or `came`, with a reason; nothing was changed.")
    store.decided(
        open_hub()[0], number, again=decision == "again", who=actor_of(by), reason=reason.strip(),
        now=datetime.now(UTC),
    )  # fmt: skip
    typer.echo(f"Notice {number}: {decision}.")
