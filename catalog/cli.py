"""`hub catalog`: the list of what each department approves, its life, and its way in and out."""

from __future__ import annotations

import getpass
import json as jsonlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from hub.show import as_json, show_table
from hub.workdays import local_day

if TYPE_CHECKING:
    import sqlalchemy as sa

    from catalog.life import Doer

catalog = typer.Typer(help="The item catalogue: what each department approves, and its versions.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Code = Annotated[str, typer.Argument(help="An item's code, or one of its other numbers.")]
Seat = Annotated[str, typer.Option("--as", help="The seat: department, legal, reform or supervision.")]
Opinion = Annotated[str, typer.Option(help="Why; it is kept with the deed.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="On this day; today without it.")]

_LISTED = ("code", "name", "organ", "status", "version", "kind", "legal", "promised", "valid_from", "under_way")


@catalog.command("list")
def list_(
    organ: Annotated[str | None, typer.Option(help="Only items of this organ.")] = None,
    day: Day = None,
    json: Json = False,
) -> None:
    """List the items with what each says on a day, and which have a version under way."""
    from catalog import reading  # noqa: PLC0415  # only when this command runs

    rows = reading.listed(_engine(), day=_day(day), organ=organ)
    if json:
        as_json({"items": rows})
    else:
        show_table(_LISTED, rows, title=f"Items on {_day(day)}")


@catalog.command()
def show(code: Code, json: Json = False) -> None:
    """Show one item: its numbers, all its versions, each deed on them, and what the public said."""
    from catalog import reading  # noqa: PLC0415  # only when this command runs

    found = reading.shown(_engine(), code)
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

    content = None if str(file) == "none" else _content(file)
    said = life.Proposal(code, _change(change), reason, content, organ, successors=tuple(successor or ()))
    version = service.propose(_engine(), said, _doer("department"))
    _said({"code": code, "version": version, "state": "draft"}, json=json)


@catalog.command()
def revise(
    code: Code,
    file: Annotated[Path, typer.Argument(help="The new content as JSON; - reads standard input.")],
    reason: Opinion,
    json: Json = False,
) -> None:
    """Change the content of the version that is drafted, as its department."""
    from catalog import service  # noqa: PLC0415  # only when this command runs

    service.revise(_engine(), code, _content(file), _doer("department"), reason=reason)
    _said({"code": code, "state": "draft"}, json=json)


@catalog.command()
def comment(code: Code, said: Annotated[str, typer.Argument(help="What is said.")], json: Json = False) -> None:
    """Enter what the public said to the version under review."""
    from catalog import service  # noqa: PLC0415  # only when this command runs

    _said({"code": code, "comment": service.comment(_engine(), code, said)}, json=json)


@catalog.command()
def answer(
    code: Code,
    number: Annotated[int, typer.Argument(help="The comment's number.")],
    said: Annotated[str, typer.Argument(help="The answer.")],
    json: Json = False,
) -> None:
    """Answer what the public said, once."""
    from catalog import service  # noqa: PLC0415  # only when this command runs

    service.answer(_engine(), code, number, said, _doer("department"))
    _said({"code": code, "answered": number}, json=json)


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
    state = service.act(_engine(), code, what, _doer(seat), opinion=opinion)
    _said({"code": code, "state": state}, json=json)


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

    service.publish(_engine(), code, effective.date(), _doer(seat), opinion=opinion)
    _said({"code": code, "state": "published", "effective_on": effective.date().isoformat()}, json=json)


@catalog.command("import")
def import_(
    file: Annotated[Path | None, typer.Argument(help="A file in the form of `hub catalog export`.")] = None,
    source: Annotated[str | None, typer.Option(help="A source whose streams send items, instead of a file.")] = None,
    reason: Opinion = "",
    effective: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day for entries that name none.")
    ] = None,
    skip_refused: Annotated[bool, typer.Option("--skip-refused", help="Take in the others where some are wrong.")] = (
        False
    ),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    json: Json = False,
) -> None:
    """Take in items that were reviewed elsewhere: all that are right are published, or nothing is."""
    from catalog.errors import FileRefused  # noqa: PLC0415  # only when this command runs
    from catalog.imports import entries, service  # noqa: PLC0415  # only when this command runs

    if (file is None) == (source is None):
        raise FileRefused("", "name either a file or --source", "See `hub catalog import --help`.")
    if not dry_run and not reason.strip():
        raise FileRefused(str(file or source), "no --reason was given", "Say why: it is kept with every version.")
    engine = _engine()
    if source is not None:
        with engine.connect() as connection:
            found = list(entries.from_source(connection, source))
    else:
        found = list(entries.read_file(_existing(file)))
    done = service.take_in(
        engine, found, _doer("hub"), reason=reason, effective_on=effective.date() if effective else None,
        skip_refused=skip_refused, dry_run=dry_run,
    )  # fmt: skip
    lines = [one.as_dict() for one in done.lines]
    if json:
        as_json({"counts": dict(done.counts), "cycle": list(done.cycle), "items": lines})
    else:
        _show_plan(
            lines, dict(done.counts), done.cycle, fates=("new", "changed", "refused") if dry_run else ("refused",)
        )


def _show_plan(
    lines: list[dict[str, Any]], counts: dict[str, int], cycle: Sequence[str], *, fates: Sequence[str]
) -> None:
    """Show the entries of these fates, and count all."""
    told = [
        {**one, "why": "; ".join(f"{fault['pointer']} {fault['said']}" for fault in one["faults"])}
        for one in lines if one["fate"] in fates
    ]  # fmt: skip
    if told:
        show_table(("fate", "code", "name", "changes", "missing", "why"), told, title=", ".join(fates))
    typer.echo(", ".join(f"{count} {fate}" for fate, count in sorted(counts.items())) or "nothing was found")
    if cycle:
        typer.echo(f"items would be prerequisites of each other: {' → '.join(cycle)}")


@catalog.command()
def export(
    to: Annotated[Path, typer.Option(help="The file to write.")],
    day: Day = None,
) -> None:
    """Write all items with what each says on a day, in the form that `hub catalog import` reads."""
    from catalog import exports  # noqa: PLC0415  # only when this command runs

    with _engine().connect() as connection:
        made = exports.document(connection, _day(day))
    to.write_bytes(orjson.dumps(made, option=orjson.OPT_INDENT_2) + b"\n")
    typer.echo(f"{len(made['items']):,} items stand in {to}.")


@catalog.command()
def graph(
    code: Code,
    to: Annotated[Path | None, typer.Option(help="An SVG file to write.")] = None,
    json: Json = False,
) -> None:
    """Show what an item rests on: its prerequisites, theirs, and so on."""
    from catalog import picture, reading  # noqa: PLC0415  # only when this command runs

    asked, found, names = reading.resting(_engine(), code)
    if to is not None:
        to.write_text(picture.svg(found, asked, names), encoding="utf-8")
    rows = [{"item": one, "name": names.get(one), "rests on": sorted(before)} for one, before in sorted(found.items())]
    if json:
        as_json({"item": asked, "rests_on": rows})
    else:
        show_table(("item", "name", "rests on"), rows, title=f"What {code} rests on")


@catalog.command()
def cleaning(day: Day = None, json: Json = False) -> None:
    """List items without cases, and cases whose item is not in the catalogue or was not in force."""
    from catalog import reading  # noqa: PLC0415  # only when this command runs

    idle, loose = reading.cleaning(_engine(), _day(day))
    if json:
        as_json({"items_without_cases": idle, "cases_without_item": loose})
        return
    show_table(("code", "name", "organ", "valid_from"), idle, title="Items in force without a case")
    show_table(("item_code", "organ", "why", "cases", "first", "last"), loose, title="Cases without an item in force")


def _engine() -> sa.Engine:
    from hub.settings import Settings  # noqa: PLC0415  # only when a command runs
    from sharedrepo.connect import engine  # noqa: PLC0415  # only when a command runs
    from sharedrepo.migrate import upgrade  # noqa: PLC0415  # only when a command runs

    made = engine(Settings.load())
    upgrade(made)
    return made


def _doer(seat: str) -> Doer:
    from catalog.errors import DeedRefused  # noqa: PLC0415  # only when a command runs
    from catalog.life import SEATS, Doer  # noqa: PLC0415  # only when a command runs

    if seat not in SEATS:
        raise DeedRefused("", f"there is no seat {seat[:40]!r}", f"There are: {', '.join(SEATS)}.")
    return Doer(f"cli:{getpass.getuser()}", seat)


def _change(said: str) -> Any:
    from catalog.errors import DeedRefused  # noqa: PLC0415  # only when a command runs
    from sharedrepo.models.catalog import CHANGES  # noqa: PLC0415  # only when a command runs

    if said not in CHANGES:
        raise DeedRefused("", f"there is no change {said[:40]!r}", f"There are: {', '.join(CHANGES)}.")
    return said


def _existing(file: Path | None) -> Path:
    from catalog.errors import FileRefused  # noqa: PLC0415  # only when a command runs

    if file is None or not file.is_file():
        raise FileRefused(str(file), "there is no such file", "Name a file in the form of `hub catalog export`.")
    return file


def _content(file: Path) -> dict[str, Any]:
    from catalog.errors import FileRefused  # noqa: PLC0415  # only when a command runs

    text = typer.get_text_stream("stdin").read() if str(file) == "-" else _existing(file).read_text(encoding="utf-8")
    try:
        said = jsonlib.loads(text)
    except ValueError as error:
        raise FileRefused(str(file), f"it is no JSON: {error}", "See schemas/catalog/item/v1/schema.json.") from None
    if not isinstance(said, dict):
        raise FileRefused(str(file), "it is no object", "See schemas/catalog/item/v1/schema.json.")
    return said


def _day(said: datetime | None) -> date:
    return said.date() if said else local_day(datetime.now(UTC))


def _said(facts: dict[str, Any], *, json: bool) -> None:
    if json:
        as_json(facts)
    else:
        typer.echo(", ".join(f"{name} {value}" for name, value in facts.items()))
