"""`hub catalog import`, `export` and `template`: the catalogue's way in and out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from catalog.cli_shared import Day, Json, Opinion, day_of, doer_of, existing, opened
from hub.show import as_json, show_table

if TYPE_CHECKING:
    import sqlalchemy as sa

    from catalog.imports.entries import Bases, Entry

files = typer.Typer()

_LONGEST = 60


@files.command("import")
def import_(
    file: Annotated[
        Path | None, typer.Argument(help="A file as `hub catalog export` writes it: .json, or a filled .xlsx.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="A source whose streams send items, instead of a file.")] = None,
    form: Annotated[
        str, typer.Option(help="hub, or up_task: rows of the national platform (.json, .jsonl or .csv).")
    ] = "hub",
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
    from catalog.imports import service  # noqa: PLC0415  # only when this command runs

    if (file is None) == (source is None):
        raise FileRefused("", "name either a file or --source", "See `hub catalog import --help`.")
    if not dry_run and not reason.strip():
        raise FileRefused(str(file or source), "no --reason was given", "Say why: it is kept with every version.")
    engine = opened()
    found, bases = _entries(engine, source, file, form)
    done = service.take_in(
        engine, found, doer_of("hub"), reason=reason, effective_on=effective.date() if effective else None,
        skip_refused=skip_refused, dry_run=dry_run, bases=bases,
    )  # fmt: skip
    lines = [one.as_dict() for one in done.lines]
    if json:
        as_json({
            "counts": dict(done.counts), "cycle": list(done.cycle), "base_items": dict(done.bases), "items": lines,
        })  # fmt: skip
    else:
        for code, fate in done.bases.items():
            if fate != "unchanged":
                typer.echo(f"base item {code}: {fate}")
        _show_plan(
            lines, dict(done.counts), done.cycle, fates=("new", "changed", "refused") if dry_run else ("refused",)
        )


def _entries(engine: sa.Engine, source: str | None, file: Path | None, form: str) -> tuple[list[Entry], Bases]:
    """Read what is to be imported: items, and what base items fix."""
    from catalog.errors import FileRefused  # noqa: PLC0415  # only when this command runs
    from catalog.imports import entries, up_task  # noqa: PLC0415  # only when this command runs
    from catalog.workbook import reading  # noqa: PLC0415  # only when this command runs

    if form not in ("hub", "up_task"):
        raise FileRefused(str(file), f"there is no form {form[:40]!r}", "There are: hub, up_task.")
    if source is not None:
        with engine.connect() as connection:
            return list(entries.from_source(connection, source)), {}
    path = existing(file)
    if form == "up_task":
        return list(up_task.read(path)), {}
    if path.suffix == ".xlsx":
        return list(reading.read(path)), reading.read_bases(path)
    return entries.read_file(path)


def _brief(value: Any) -> str:
    """Return a value as a line of the plan can show it; `--json` shows it whole."""
    text = "–" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _show_plan(
    lines: list[dict[str, Any]], counts: dict[str, int], cycle: Sequence[str], *, fates: Sequence[str]
) -> None:
    """Show the entries of these fates, and count all."""
    told = [
        {
            **one,
            "changes": "; ".join(f"{d['field']}: {_brief(d['before'])} → {_brief(d['after'])}" for d in one["diff"]),
            "why": "; ".join(f"{fault['pointer']} {fault['said']}" for fault in one["faults"]),
        }
        for one in lines if one["fate"] in fates
    ]  # fmt: skip
    if told:
        show_table(("fate", "code", "name", "changes", "missing", "why"), told, title=", ".join(fates))
    typer.echo(", ".join(f"{count} {fate}" for fate, count in sorted(counts.items())) or "nothing was found")
    if cycle:
        typer.echo(f"items would be prerequisites of each other: {' → '.join(cycle)}")


@files.command()
def export(
    to: Annotated[Path, typer.Option(help="The file to write: .json or .xlsx to be read back, .jsonld for CPSV-AP.")],
    day: Day = None,
) -> None:
    """Write all items with what each says on a day; .json and .xlsx are read back by `hub catalog import`."""
    from catalog import cpsv, exports  # noqa: PLC0415  # only when this command runs
    from catalog.errors import FileRefused  # noqa: PLC0415  # only when this command runs
    from catalog.workbook import writing  # noqa: PLC0415  # only when this command runs

    if to.suffix not in (".json", ".xlsx", ".jsonld"):
        raise FileRefused(to.name, "it ends in no known form", "Write .json, .xlsx or .jsonld.")
    with opened().connect() as connection:
        if to.suffix == ".jsonld":
            said: Any = cpsv.document(connection, day_of(day))
            count = sum(one["@type"] == "cpsv:PublicService" for one in said["@graph"])
        else:
            said = exports.document(connection, day_of(day))
            count = len(said["items"])
    if to.suffix == ".xlsx":
        writing.write(to, said["items"], said["base_items"])
    else:
        to.write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2) + b"\n")
    typer.echo(f"{count:,} items stand in {to}.")


@files.command()
def template(to: Annotated[Path, typer.Option(help="The workbook to write (.xlsx).")]) -> None:
    """Write an empty workbook to fill items in, which `hub catalog import` reads."""
    from catalog.workbook import writing  # noqa: PLC0415  # only when this command runs

    writing.write(to)
    typer.echo(f"The template stands in {to}.")
