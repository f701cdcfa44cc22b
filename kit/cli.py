"""`hub connector`: the verbs of the integration engineer, from a new folder to the standard suite."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.settings import DEMONSTRATION, Settings
from hub.show import as_json, progress_bar, show_table

connector = typer.Typer(help="Make a source, look into its system, and prove it.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Code = Annotated[str, typer.Argument(help="The source's code (`hub source list`), or the name of its folder.")]


@connector.command("new")
def new(
    code: Annotated[str, typer.Argument(help="The new source's code, which is its folder's name.")],
    kind: Annotated[
        str, typer.Option(help="database, exchange_table, files, queue, rest, soap, workbook, xes or own.")
    ],
    profile: Annotated[str | None, typer.Option(help="A format that the hub knows already.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where to make it; default: the first folder of HUB_SOURCES.")
    ] = None,
    json: Json = False,
) -> None:
    """Write a new source folder that passes the standard suite at once."""
    from kit.scaffold import write  # noqa: PLC0415  # pandas and lxml come with the kit

    place = folder if folder is not None else _own_place(Settings.load())
    made = write(code, kind, profile, place)
    files = [file.relative_to(place).as_posix() for file in made.files]
    if json:
        as_json({"source": code, "folder": str(made.folder), "files": files})
        return
    typer.echo("\n".join([f"Written below {place}:", *(f"  {name}" for name in files)]))
    typer.echo(f"Next: fill in the words in 〔〕 of {code}/source.yml, then `hub connector test {code}`.")


@connector.command("workbook")
def workbook(
    code: Code,
    out: Annotated[Path | None, typer.Option(help="The file to write; default: CODE.xlsx here.")] = None,
    faults: Annotated[
        bool, typer.Option("--faults", help="List what is wrong with the filled ones: file, sheet, row, column.")
    ] = False,
    json: Json = False,
) -> None:
    """Make the Excel template that a department without a system fills in, or list what is wrong with filled ones."""
    from kit.subject import find  # noqa: PLC0415  # pandas and lxml come with the kit
    from kit.workbook import complaints, write  # noqa: PLC0415  # as above

    settings = Settings.load()
    source = find(code, settings.sources)
    if not faults:
        made = write(source, out or Path(f"{source.code}.xlsx"))
        if json:
            as_json({"source": source.code, "file": str(made)})
        else:
            typer.echo(f"{made}: the template of {source.code}. Filled ones belong into the folder of its connection.")
        return
    from pipeline.runtime import Runtime  # noqa: PLC0415  # only here is a repository needed

    found = complaints(Runtime.open(settings).engine, source)
    if json:
        as_json({"source": source.code, "faults": found})
    else:
        show_table(
            ("file", "sheet", "row", "column", "what", "to_do"),
            [asdict(one) for one in found],
            title=f"{code}: to be mended",
        )


@connector.command("check")
def check(code: Code, json: Json = False) -> None:
    """Try connection and streams, compare the fields with the declared ones, and the clocks."""
    from kit.check import check as look  # noqa: PLC0415  # pandas and lxml come with the kit

    settings = Settings.load()
    subject, connected = _opened(code, settings)
    items = look(subject, connected)
    good = all(item.ok is not False for item in items)
    if json:
        as_json({"source": subject.source.code, "ok": good, "items": items})
    else:
        words = {True: "✓", False: "✗", None: "cannot tell"}
        rows = [
            {"": words[one.ok], "what": one.what, "stream": one.stream or "", "found": one.message, "to do": one.hint}
            for one in items
        ]
        show_table(("", "what", "stream", "found", "to do"), rows, title=f"{code}: checked")
    _leave(good=good)


@connector.command("discover")
def discover(
    code: Code,
    stream: Annotated[str | None, typer.Option(help="Only this stream, table or file.")] = None,
    json: Json = False,
) -> None:
    """List what the system has, with masked samples, and propose columns for fields that no mapping knows."""
    from kit.discover import discover as look  # noqa: PLC0415  # pandas and lxml come with the kit

    settings = Settings.load()
    subject, connected = _opened(code, settings)
    with progress_bar(f"discover {code}", quiet=json) as bar:
        found = look(subject, connected, sources=settings.sources, only=stream)
        bar.advance(len(found), "streams")
    if json:
        as_json({"source": subject.source.code, "found": found})
        return
    for one in found:
        names = [field["name"] for field in one.fields]
        rows = [
            {
                **field,
                "sample (masked)": [record.get(field["name"]) for record in one.sample],
                "declared": field["declared"] if one.stream else None,
            }
            for field in one.fields
        ]
        what = f"stream {one.stream}" if one.stream else "no stream reads it"
        show_table(
            ("name", "type", "declared", "sample (masked)"), rows, title=f"{one.name}: {what}, {len(names)} fields"
        )
        for words in (one.trouble, one.proposed_mapping):
            if words:
                typer.echo(words)


@connector.command("health")
def health(
    code: Annotated[str | None, typer.Argument(help="The source's code; all sources without it.")] = None,
    json: Json = False,
) -> None:
    """Show the health of every feed: last success, completeness, lag, volume against the usual, errors, signs."""
    from connectors.loading import load_sources  # noqa: PLC0415  # each command loads only what it needs
    from pipeline.runtime import Runtime  # noqa: PLC0415  # only when this command runs
    from pipeline.telling.health import feeds  # noqa: PLC0415  # only when this command runs

    settings = Settings.load()
    found = [one.as_dict() for one in feeds(Runtime.open(settings).engine, load_sources(settings.sources), code=code)]
    if json:
        as_json({"feeds": found})
        return
    columns = (
        "source", "stream", "last_success_at", "complete_through", "lag_seconds", "volume", "usual_volume",
        "error_rate", "envelope_last", "envelope_missing", "signs",
    )  # fmt: skip
    show_table(columns, [{**one, "signs": ", ".join(one["signs"])} for one in found], title="Health of the feeds")


@connector.command("coverage")
def coverage(
    since: Annotated[datetime | None, typer.Option(help="Cases applied for from this day on; all without it.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Cases applied for before this day.")] = None,
    region: Annotated[str | None, typer.Option(help="A region's code (GB/T 2260): it and all below it.")] = None,
    json: Json = False,
) -> None:
    """Show how many departments, items and processes the repository covers, and list those that it does not."""
    from kit.coverage import print_coverage, scope_of  # noqa: PLC0415  # each command loads only what it needs
    from sharedrepo.connect import engine  # noqa: PLC0415  # only when this command runs
    from sharedrepo.telling.coverage import coverage as look  # noqa: PLC0415  # only when this command runs

    found = look(engine(Settings.load()), scope_of(since, until, region)).as_dict()
    if json:
        as_json(found)
    else:
        print_coverage(found)


@connector.command("preview")
def preview(
    code: Code,
    count: Annotated[int, typer.Argument(min=1, max=1000, help="How many records of each stream.")] = 5,
    stream: Annotated[str | None, typer.Option(help="Only this stream.")] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Show the mapping line that made each value.")] = False,
    json: Json = False,
) -> None:
    """Follow a few records from request to canonical row; nothing is claimed, written or kept."""
    from kit.preview import preview as look  # noqa: PLC0415  # pandas and lxml come with the kit
    from kit.printing import print_preview  # noqa: PLC0415  # only when this command runs

    settings = Settings.load()
    subject, connected = _opened(code, settings)
    specs = _streams(subject.source, stream)
    with progress_bar(f"preview {code}", quiet=json) as bar:
        seen = []
        for spec in specs:
            seen.append(look(subject, connected, spec, count))
            bar.advance(len(seen[-1].records), spec.name)
    if json:
        as_json({"source": subject.source.code, "streams": seen})
        return
    for one in seen:
        print_preview(one, trace=trace)


@connector.command("run")
def run(
    code: Annotated[str, typer.Argument(help="The source's code (`hub source list`).")],
    full: Annotated[bool, typer.Option("--full", help="Read everything again, whatever the cursor says.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything and keep nothing.")] = False,
    json: Json = False,
) -> None:
    """Pull the source: the same as `hub pull CODE`."""
    from pipeline.cli import pull  # noqa: PLC0415  # pandas and lxml come with it

    pull(code, full=full, dry_run=dry_run, json=json)


@connector.command("test")
def prove(
    code: Code,
    check: Annotated[list[str] | None, typer.Option(help="Only this check; may be given several times.")] = None,
    most: Annotated[int, typer.Option(min=1, help="Read at most so many records of a stream.")] = 20_000,
    json: Json = False,
) -> None:
    """Run the standard suite; exit status 1 where a check failed."""
    from kit.suite import NAMES, Status  # noqa: PLC0415  # pandas and lxml come with the kit
    from kit.suite import run as suite  # noqa: PLC0415  # only when this command runs

    unknown = sorted(set(check or ()) - set(NAMES))
    if unknown:
        raise typer.BadParameter(f"no check {', '.join(unknown)}; known: {', '.join(NAMES)}", param_hint="--check")
    with progress_bar(f"test {code}", quiet=json, total=len(check or NAMES)) as bar:
        done = suite(code, Settings.load(), only=check or (), most=most, said=lambda name: bar.advance(1, name))
    counts = {status.value: sum(one.status is status for one in done) for status in Status}
    good = not counts[Status.FAILED]
    if json:
        as_json({"source": code, "ok": good, "counts": counts, "checks": done})
    else:
        rows = [{"check": one.check, "result": one.status.value, "what was found": one.message} for one in done]
        show_table(("check", "result", "what was found"), rows, title=f"{code}: standard suite")
        typer.echo(", ".join(f"{count} {name}" for name, count in counts.items() if count))
    _leave(good=good)


@connector.command("describe")
def describe(
    code: Code,
    form: Annotated[str, typer.Option("--format", help="md or html.")] = "md",
    json: Json = False,
) -> None:
    """Print the department's page: who, on what ground, which streams, and what each field becomes."""
    from kit.describe import FORMS, page_of  # noqa: PLC0415  # pandas and lxml come with the kit
    from kit.subject import Subject, find  # noqa: PLC0415  # only when this command runs

    page = page_of(Subject.of(find(code, Settings.load().sources)))
    if form not in FORMS:
        raise typer.BadParameter(f"no format {form!r}; known: {', '.join(FORMS)}", param_hint="--format")
    if json:
        as_json(page)
    else:
        typer.echo(FORMS[form](page), nl=False)


def _own_place(settings: Settings) -> Path:
    """Return the deployment's first folder of sources; the demonstration's is no place for new ones."""
    place = settings.sources[0]
    if place == DEMONSTRATION:
        raise typer.BadParameter(
            "HUB_SOURCES names no folder of your own: set it, or name a folder", param_hint="--folder"
        )
    return place


def _opened(code: str, settings: Settings) -> Any:
    """Return the subject of a code and its open connector."""
    from kit.subject import Subject, find  # noqa: PLC0415  # pandas and lxml come with the kit

    subject = Subject.of(find(code, settings.sources))
    return subject, subject.connect(settings.connection)


def _streams(source: Any, name: str | None) -> list[Any]:
    if name is None:
        return list(source.streams.values())
    if name not in source.streams:
        raise typer.BadParameter(f"no stream {name!r}; known: {', '.join(source.streams)}", param_hint="--stream")
    return [source.streams[name]]


def _leave(*, good: bool) -> None:
    if not good:
        sys.exit(1)
