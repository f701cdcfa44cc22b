"""`hub quality check`, `hub quality sets`, `hub quality datadocs`: judging whole sets of records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.loading import load_sources
from hub.settings import Settings
from hub.show import as_json, progress_bar, show_table
from pipeline.runtime import Runtime

MaybeCode = Annotated[str | None, typer.Argument(help="The source's code; all sources without it.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="Judge as at the end of this day; now without it."),
]
_COLUMNS = ("source", "organ", "stream", "document", "field", "rule", "unexpected", "elements", "bound")


def check(
    code: MaybeCode = None,
    batch: Annotated[int | None, typer.Option(help="Judge the rows of this batch alone (`hub batch list`).")] = None,
    document: Annotated[list[str] | None, typer.Option(help="Only these documents' suites.")] = None,
    as_of: AsOf = None,
    strict: Annotated[bool, typer.Option("--strict", help="End with status 1 if a min bound is broken.")] = False,
    json: Json = False,
) -> None:
    """Run the suites: what do whole sets of records show? The results are kept (`hub quality sets`)."""
    from quality.sets import service, store  # noqa: PLC0415  # only when this command runs
    from quality.sets.relation import relations  # noqa: PLC0415  # the same

    unknown = sorted(set(document or ()) - relations().keys())
    if unknown:
        raise typer.BadParameter(f"no suite {', '.join(unknown)}; known: {', '.join(relations())}")
    settings = Settings.load()
    runtime = Runtime.open(settings)
    with progress_bar("quality check", quiet=json) as bar:
        report = service.check(
            runtime.engine, load_sources(settings.sources), runtime.documents, source=code, batch=batch,
            as_of=as_of.date() if as_of else None, only=document or None,
            progress=lambda name, rows: bar.advance(rows, name),
        )  # fmt: skip
    rows = store.listed(runtime.engine, run=report.run_id)
    if json:
        as_json(
            {
                **_summary(rows),
                "run": report.run_id,
                "at": report.at,
                "batch": batch,
                "rows": report.rows,
                "results": rows,
            }
        )
    else:
        show_failed(rows, title=f"Run {report.run_id}: {report.rows:,} rows, {len(rows):,} results")
    if strict and report.blocking:
        raise typer.Exit(1)


def sets(
    code: MaybeCode = None,
    every: Annotated[bool, typer.Option("--all", help="Show the expectations that hold, too.")] = False,
    json: Json = False,
) -> None:
    """Show what the last run of each suite found; runs nothing."""
    from quality.sets import store  # noqa: PLC0415  # only when this command runs

    rows = store.listed(Runtime.open().engine, code)
    if json:
        as_json({**_summary(rows), "results": [row for row in rows if every or not row["success"]]})
    elif every:
        show_table((*_COLUMNS, "success"), [_shown(row) for row in rows], title="What sets show")
    else:
        show_failed(rows, title="What sets show")


def datadocs(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder for the pages.")],
    code: MaybeCode = None,
    runs: Annotated[int, typer.Option(min=1, max=200, help="At most so many suites, the worst first.")] = 20,
    as_of: AsOf = None,
    json: Json = False,
) -> None:
    """Build Great Expectations' own pages (Data Docs) of a fresh run, which is not kept."""
    from quality.sets.datadocs import build  # noqa: PLC0415  # the library takes ten seconds to import

    settings = Settings.load()
    runtime = Runtime.open(settings)
    with progress_bar("data docs", quiet=json) as bar:
        index, told = build(
            runtime.engine, load_sources(settings.sources), runtime.documents, folder, source=code, runs=runs,
            as_of=as_of.date() if as_of else None, progress=lambda name, rows: bar.advance(rows, name),
        )  # fmt: skip
    if json:
        as_json({"index": str(index), "suites": told})
    else:
        typer.echo(f"{len(told)} suites are told in {index}")


def show_failed(rows: Sequence[Mapping[str, Any]], *, title: str) -> None:
    """Print what does not hold, the gravest first, and how much holds."""
    failed = sorted(
        (row for row in rows if not row["success"]),
        key=lambda row: (("high", "medium", "low").index(row["severity"]), row["source"], row["document"]),
    )
    show_table((*_COLUMNS, "severity"), [_shown(row) for row in failed], title=title)
    typer.echo(f"{len(rows) - len(failed):,} results hold, {len(failed):,} do not.")


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "bound": row["detail"].get("bound")}


def _summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    failed = Counter(row["rule"] for row in rows if not row["success"])
    return {
        "held": sum(row["success"] for row in rows),
        "failed": sum(failed.values()),
        "by_rule": dict(sorted(failed.items())),
    }
