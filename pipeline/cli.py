"""The commands that pull, read the ledger, and work on what waits."""

from __future__ import annotations

import getpass
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from connectors.loading import load_sources
from connectors.seam import Window
from connectors.source import Source
from hub.errors import RepositoryError
from hub.findings import RULES
from hub.settings import Settings
from hub.show import as_json, progress_bar, show_table
from pipeline.runtime import Runtime

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Code = Annotated[str, typer.Argument(help="The source's code (`hub source list`).")]
MaybeCode = Annotated[str | None, typer.Argument(help="The source's code; all sources without it.")]

_OUTCOMES = ("new", "updated", "unchanged", "stale", "deleted", "excluded", "quarantined", "parked")
_BALANCE = ("source", "stream", "read", *_OUTCOMES, "balanced", "absent")

finding = typer.Typer(help="What is wrong with the data.", no_args_is_help=True)
batch = typer.Typer(help="Batches, and units that are held.", no_args_is_help=True)


def find_source(code: str, settings: Settings) -> Source:
    """Return the source of this code.

    Raises:
        RepositoryError: there is none; the message names those that there are.
    """
    sources = {one.code: one for one in load_sources(settings.sources)}
    if code not in sources:
        raise RepositoryError(f"no source {code!r}; known: {', '.join(sources) or 'none'} (HUB_SOURCES).")
    return sources[code]


def pull(
    code: Code,
    full: Annotated[bool, typer.Option("--full", help="Read everything again, whatever the cursor says.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything and keep nothing.")] = False,
    since: Annotated[datetime | None, typer.Option(help="Back-fill: read by business date, from this day on.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Back-fill: up to this day, not including it.")] = None,
    json: Json = False,
) -> None:
    """Pull one source: read, judge, translate, keep."""
    from pipeline.pulls.exchange import exchange  # noqa: PLC0415  # pandas and lxml come with it

    settings = Settings.load()
    source = find_source(code, settings)
    window = _window(source, since, until)
    with progress_bar(f"pull {code}", quiet=json) as bar:
        report = exchange(
            source, runtime=Runtime.open(settings), full=full, dry_run=dry_run, window=window,
            progress=lambda _source, stream, read: bar.advance(read, stream),
        )  # fmt: skip
    found = report.as_dict()
    if source.kind == "push":
        typer.echo(f"{code} posts to `hub web serve`: a pull reads nothing and looks after what is due.", err=True)
    if json:
        as_json(found)
    else:
        show_table(
            _BALANCE[1:], found["streams"], title=f"{code}: pulled" + (" (dry run, nothing kept)" if dry_run else "")
        )
    if not report.balanced:
        sys.exit(1)


def _window(source: Source, since: datetime | None, until: datetime | None) -> Window | None:
    """Make the window of a back-fill; days are those of the department's clock."""
    if since is None and until is None:
        return None
    if since is None or until is None or since >= until:
        raise typer.BadParameter("a back-fill needs --since DAY and a later --until DAY (which is not included)")
    zone = ZoneInfo(source.time_zone)
    return Window(since.replace(tzinfo=zone), until.replace(tzinfo=zone))


def ledger(
    code: MaybeCode = None,
    check: Annotated[bool, typer.Option("--check", help="Prove that the states equal the contents.")] = False,
    json: Json = False,
) -> None:
    """Show the balance of each stream; with --check, prove the ledger against the contents."""
    from sharedrepo.telling import ledger as books  # noqa: PLC0415  # only when this command runs

    runtime = Runtime.open()
    rows = books.balances(runtime.engine, code)
    wrong = books.check(runtime.engine) if check else []
    if json:
        disagreements = [{"check": one.check, "count": one.count, "record_ids": one.examples} for one in wrong]
        as_json({"streams": rows, "records": books.states(runtime.engine, code), "disagreements": disagreements})
    else:
        show_table(_BALANCE, rows, title="Ledger")
        for one in wrong:
            typer.echo(f"{one.check}: {one.count} (records {', '.join(map(str, one.examples))} …)")
        if check and not wrong:
            typer.echo("The ledger's states equal the contents of the repository.")
    if wrong or not all(row["balanced"] for row in rows):
        sys.exit(1)


def metrics(
    textfile: Annotated[
        Path | None, typer.Option(help="Write this file, whole, for node_exporter's textfile collector.")
    ] = None,
    json: Json = False,
) -> None:
    """Print the metrics of every declared feed as Prometheus reads them."""
    from pipeline.telling import metrics as figures  # noqa: PLC0415  # only this command needs Prometheus' library

    settings = Settings.load()
    facts = figures.gather(Runtime.open(settings).engine, load_sources(settings.sources))
    if textfile is not None:
        figures.write(facts, textfile)
    elif json:
        as_json({"metrics": figures.as_values(facts)})
    else:
        typer.echo(figures.render(facts).decode(), nl=False)


@finding.command("list")
def finding_list(
    code: MaybeCode = None,
    each: Annotated[bool, typer.Option("--each", help="One row a finding instead of one a fault.")] = False,
    rule: Annotated[str | None, typer.Option(help="Only this rule.")] = None,
    json: Json = False,
) -> None:
    """List what is wrong: grouped by fault, or each finding with its record."""
    from sharedrepo.telling import lists  # noqa: PLC0415  # only when this command runs

    engine = Runtime.open().engine
    if each or rule:
        rows = lists.findings(engine, source=code, rule=rule)
        columns: tuple[str, ...] = (
            "id",
            "source",
            "stream",
            "key",
            "case",
            "rule",
            "effect",
            "field",
            "shown",
            "unit",
            "row",
        )
    else:
        rows = [
            {**row, "since": f"{row['since']:%Y-%m-%d}" if row["since"] else None, "hint": RULES[row["rule"]].hint}
            for row in lists.finding_groups(engine, source=code)
        ]
        columns = ("source", "stream", "rule", "effect", "field", "value", "findings", "records", "since")
    if json:
        as_json({"findings": rows})
    else:
        show_table(columns, rows, title="Findings")


@batch.command("list")
def batch_list(
    code: MaybeCode = None,
    status: Annotated[str | None, typer.Option(help="committed, held, superseded or accepted.")] = None,
    json: Json = False,
) -> None:
    """List the batches with their archive objects."""
    from sharedrepo.telling import lists  # noqa: PLC0415  # only when this command runs

    rows = lists.batches(Runtime.open().engine, source=code, status=status)
    if json:
        as_json({"batches": rows})
    else:
        show_table(
            ("batch", "source", "stream", "kind", "status", "unit", "read", *_OUTCOMES, "archive"),
            rows,
            title="Batches",
        )


@batch.command("accept")
def batch_accept(
    code: Code,
    number: Annotated[int, typer.Argument(help="The held batch.")],
    reason: Annotated[str, typer.Option(help="Why it may be published; it is kept with the batch.")],
    json: Json = False,
) -> None:
    """Publish a held unit after all, with a reason."""
    from pipeline.afterwards.replay import accept  # noqa: PLC0415  # only when this command runs

    settings = Settings.load()
    who = f"cli:{getpass.getuser()}"
    done = accept(Runtime.open(settings), find_source(code, settings), number, reason, actor=who)
    _show_counts(done.source, done.counts, json=json)


def trace(
    table: Annotated[str, typer.Argument(help="A table of core, for example stage_event.")],
    key: Annotated[str, typer.Argument(help="The source's own key, or the case number.")],
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show personal values too, with --reason; it is logged who saw them.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why personal values must be seen; kept in the log.")] = "",
    json: Json = False,
) -> None:
    """Walk rows back to the archived record and the mapping line of each column."""
    from pipeline.afterwards.trace import Look  # noqa: PLC0415  # only when this command runs
    from pipeline.afterwards.trace import trace as walk  # noqa: PLC0415  # only when this command runs

    who = f"cli:{getpass.getuser()}"
    rows = walk(Runtime.open(), table, key, reveal=Look(who, reason) if reveal else None)
    if json:
        as_json({"rows": rows})
        return
    for row in rows:
        place = (
            f"core.{row.table} of {row.source}/{row.stream} {row.key}: batch {row.batch}, row {row.row}, {row.archive}"
        )
        show_table(("column", "value", "made_from", "said", "mapping_line"), row.columns, title=place)
        if row.mended:
            columns = ("field", "was", "reason", "proposed_by", "approved_by", "approved_at")
            show_table(columns, row.mended, title="Mended in the hub")


def rebuild(json: Json = False) -> None:
    """Fill an empty repository from the archive."""
    from pipeline.afterwards.rebuild import rebuild as fill  # noqa: PLC0415  # only when this command runs

    with progress_bar("rebuild", quiet=json) as bar:
        done = fill(Runtime.open(), progress=lambda source, count: bar.advance(count, source))
    found = {"sources": done.sources, "batches": done.batches, "records": done.records, "deeds": done.deeds}
    if json:
        as_json(found)
    else:
        typer.echo(
            f"Rebuilt {done.records} records in {done.batches} batches of {done.sources} sources, "
            f"and {done.deeds} deeds of people."
        )


def retranslate(
    code: Code,
    since: Annotated[datetime, typer.Option(help="Records received since then.")],
    apply: Annotated[bool, typer.Option("--apply", help="Write the difference as new versions.")] = False,
    json: Json = False,
) -> None:
    """Show what the present mapping would change in past records; write it with --apply."""
    from pipeline.afterwards.retranslate import retranslate as again  # noqa: PLC0415  # only when this command runs

    settings = Settings.load()
    start = since if since.tzinfo else since.replace(tzinfo=UTC)
    done = again(Runtime.open(settings), find_source(code, settings), start, apply=apply)
    found = {"source": code, "applied": done.applied, "records": dict(done.counts), "columns": dict(done.columns)}
    if json:
        as_json(found)
        return
    rows = [{"column": name, "rows changed": count} for name, count in sorted(done.columns.items())]
    show_table(("column", "rows changed"), rows, title=f"{code}: {dict(done.counts)}")
    typer.echo("Written as new versions." if apply else "Nothing was written. Run again with --apply to write it.")


def _show_counts(source: str, counts: dict[str, int], *, json: bool) -> None:
    if json:
        as_json({"source": source, **counts})
    else:
        show_table(
            ("source", *_OUTCOMES),
            [{"source": source, **{one: counts.get(one, 0) for one in _OUTCOMES}}],
            title="Taken in again",
        )
