"""`hub catalog`: the list of what each department approves, its life, and its way in and out."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from catalog.cli_base import base
from catalog.cli_files import files
from catalog.cli_shared import Code, Day, Json, Opinion, Seat, change_of, content_of, day_of, doer_of, opened, told
from hub.show import as_json, show_table

catalog = typer.Typer(help="The item catalogue: what each department approves, and its versions.", no_args_is_help=True)
catalog.add_typer(files)
catalog.add_typer(base, name="base")

_LISTED = ("code", "name", "organ", "status", "version", "kind", "legal", "promised", "valid_from", "under_way")


@catalog.command("list")
def list_(
    organ: Annotated[str | None, typer.Option(help="Only items of this organ.")] = None,
    day: Day = None,
    json: Json = False,
) -> None:
    """List the items with what each says on a day, and which have a version under way."""
    from catalog import reading  # noqa: PLC0415  # only when this command runs

    rows = reading.listed(opened(), day=day_of(day), organ=organ)
    if json:
        as_json({"items": rows})
    else:
        show_table(_LISTED, rows, title=f"Items on {day_of(day)}")


@catalog.command()
def show(code: Code, json: Json = False) -> None:
    """Show one item: its numbers, all its versions, each deed on them, and what the public said."""
    from catalog import reading  # noqa: PLC0415  # only when this command runs

    found = reading.shown(opened(), code)
    if json:
        as_json(found)
        return
    facts = [{"what": name, "is": found[name]} for name in ("code", "base_code", "organ", "region", "numbers")]
    show_table(("what", "is"), facts, title=f"Item {code}")
    columns = ("version", "state", "status", "change", "effective_on", "reason")
    show_table(columns, found["versions"], title="Versions")
    show_table(("at", "version", "seat", "actor", "what", "opinion"), found["deeds"], title="Who did what")
    show_table(("number", "version", "said", "answer"), found["comments"], title="What the public said")


@catalog.command()
def propose(
    file: Annotated[Path, typer.Argument(help="The content as JSON; - reads standard input, none takes it over.")],
    code: Annotated[str, typer.Option(help="The item's code.")],
    reason: Opinion,
    change: Annotated[str, typer.Option(help="new, change, suspend, restore, abolish or devolve.")] = "change",
    organ: Annotated[str, typer.Option(help="For a new item: who carries it out.")] = "",
    successor: Annotated[list[str] | None, typer.Option(help="For a devolution: the item that takes over.")] = None,
    json: Json = False,
) -> None:
    """Draft the next version of an item, as its department."""
    from catalog import life, service  # noqa: PLC0415  # only when this command runs

    content = None if str(file) == "none" else content_of(file)
    said = life.Proposal(code, change_of(change), reason, content, organ, successors=tuple(successor or ()))
    version = service.propose(opened(), said, doer_of("department"))
    told({"code": code, "version": version, "state": "draft"}, json=json)


@catalog.command()
def revise(
    code: Code,
    file: Annotated[Path, typer.Argument(help="The new content as JSON; - reads standard input.")],
    reason: Opinion,
    json: Json = False,
) -> None:
    """Change the content of the version that is drafted, as its department."""
    from catalog import service  # noqa: PLC0415  # only when this command runs

    service.revise(opened(), code, content_of(file), doer_of("department"), reason=reason)
    told({"code": code, "state": "draft"}, json=json)


@catalog.command()
def comment(code: Code, said: Annotated[str, typer.Argument(help="What is said.")], json: Json = False) -> None:
    """Enter what the public said to the version under review."""
    from catalog import service  # noqa: PLC0415  # only when this command runs

    told({"code": code, "comment": service.comment(opened(), code, said)}, json=json)


@catalog.command()
def answer(
    code: Code,
    number: Annotated[int, typer.Argument(help="The comment's number.")],
    said: Annotated[str, typer.Argument(help="The answer.")],
    json: Json = False,
) -> None:
    """Answer what the public said, once."""
    from catalog import service  # noqa: PLC0415  # only when this command runs

    service.answer(opened(), code, number, said, doer_of("department"))
    told({"code": code, "answered": number}, json=json)


@catalog.command()
def act(
    code: Code,
    what: Annotated[str, typer.Argument(help="submit, agree, return or withdraw.")],
    seat: Seat,
    opinion: Opinion = "",
    json: Json = False,
) -> None:
    """Do one step on the version that is under way."""
    from catalog import service  # noqa: PLC0415  # only when this command runs
    from catalog.errors import DeedRefused  # noqa: PLC0415  # only when this command runs
    from catalog.life import DEEDS  # noqa: PLC0415  # only when this command runs

    if what not in DEEDS:
        raise DeedRefused(code, f"there is no deed {what[:40]!r}", f"There are: {', '.join(DEEDS)}.")
    state = service.act(opened(), code, what, doer_of(seat), opinion=opinion)
    told({"code": code, "state": state}, json=json)


@catalog.command()
def publish(
    code: Code,
    effective: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day from which it holds.")],
    seat: Seat = "supervision",
    opinion: Opinion = "",
    json: Json = False,
) -> None:
    """Publish the version that was reviewed."""
    from catalog import service  # noqa: PLC0415  # only when this command runs

    service.publish(opened(), code, effective.date(), doer_of(seat), opinion=opinion)
    told({"code": code, "state": "published", "effective_on": effective.date().isoformat()}, json=json)


@catalog.command()
def graph(
    code: Code,
    to: Annotated[Path | None, typer.Option(help="An SVG file to write.")] = None,
    json: Json = False,
) -> None:
    """Show what an item rests on: its prerequisites, theirs, and so on."""
    from catalog import picture, reading  # noqa: PLC0415  # only when this command runs

    asked, found, names = reading.resting(opened(), code)
    if to is not None:
        to.write_text(picture.svg(found, asked, names), encoding="utf-8")
    rows = [
        {"item": one, "name": names.get(one), "rests on": " + ".join(" | ".join(group.options) for group in groups)}
        for one, groups in sorted(found.items())
    ]
    if json:
        as_json({"item": asked, "rests_on": rows})
    else:
        show_table(("item", "name", "rests on"), rows, title=f"What {code} rests on")


@catalog.command()
def cleaning(day: Day = None, json: Json = False) -> None:
    """List items without cases, and cases whose item is not in the catalogue or was not in force."""
    from catalog import reading  # noqa: PLC0415  # only when this command runs

    idle, loose = reading.cleaning(opened(), day_of(day))
    if json:
        as_json({"items_without_cases": idle, "cases_without_item": loose})
        return
    show_table(("code", "name", "organ", "valid_from"), idle, title="Items in force without a case")
    show_table(("item_code", "organ", "why", "cases", "first", "last"), loose, title="Cases without an item in force")
