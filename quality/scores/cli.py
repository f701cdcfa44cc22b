"""`hub quality scores`: how clean each organ's data is, as numerator and denominator."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from hub.show import as_json, show_table
from hub.workdays import local_day
from pipeline.runtime import Runtime


def scores(
    organ: Annotated[str | None, typer.Option(help="One organ: each of its streams and documents.")] = None,
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="As of this day; without it, today.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show the scores: clean ÷ records alive, in all and by dimension."""
    from quality.scores import service  # noqa: PLC0415  # only when this command runs

    asked: date = day.date() if day is not None else local_day(datetime.now(UTC))
    engine = Runtime.open().engine
    if organ is None:
        rows = [one.as_dict() for one in service.overview(engine, asked)]
        columns: tuple[str, ...] = ("organ", "title_zh", "day", "score", "clean", "records", "issues")
    else:
        rows = [asdict(one) for one in service.parts(engine, asked, organ)]
        columns = ("source", "stream", "document", "score", "clean", "records")
    if json:
        as_json({"scores": rows})
        return
    show_table(columns, [_plain(one) for one in rows], title="Scores: clean ÷ records")


def _plain(row: dict[str, object]) -> dict[str, object]:
    clean, records = int(str(row["clean"])), int(str(row["records"]))
    return {**row, "score": f"{clean / records:.2%}" if records else "–"}
