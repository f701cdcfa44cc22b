"""`hub quality return` and `hub quality take-back`: rejected rows go back to departments, and come back corrected."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hub.show import as_json, progress_bar, show_table
from pipeline.runtime import Runtime
from quality.worklist.cli import actor

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def return_(
    code: Annotated[str, typer.Argument(help="The source's code (`hub source list`).")],
    to: Annotated[Path, typer.Option(help="The folder for the files; it is closed to others.")],
    organ: Annotated[str | None, typer.Option(help="Only for this organ; else for each of the source's.")] = None,
    accepted: Annotated[
        bool, typer.Option("--accepted", help="All that was accepted instead of what was rejected.")
    ] = False,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Values of persons in clear; it is logged who wrote them when.")
    ] = False,
    json: Json = False,
) -> None:
    """Write a department's rejected rows as workbook, CSV and JSON, to be corrected and sent back."""
    from quality.returns import service  # noqa: PLC0415  # openpyxl and pandas come with it

    give = service.give_accepted if accepted else service.give_back
    with progress_bar(f"return {code}", quiet=json) as bar:
        done = give(Runtime.open(), code, to, actor=actor(), organ=organ, reveal=reveal, progress=bar.advance)
    if json:
        as_json({"returned": [{**asdict(one), "files": [str(file) for file in one.files]} for one in done]})
        return
    rows = [
        {"organ": one.organ or "(nobody is named)", "what": what, "rows": count}
        for one in done for what, count in one.rows.items()
    ]  # fmt: skip
    show_table(("organ", "what", "rows"), rows, title=f"{code}: {'accepted' if accepted else 'rejected'}, in {to}")


def take_back(
    file: Annotated[Path, typer.Argument(help="A workbook, CSV or JSON file of a return, corrected.")],
    json: Json = False,
) -> None:
    """Take a corrected return back, and say of each row what became of it; you approve what the department proposes."""
    from quality.returns import service  # noqa: PLC0415  # openpyxl and pandas come with it

    with progress_bar("take back", quiet=json) as bar:
        done = service.take_back(Runtime.open(), file, actor=actor(), progress=bar.advance)
    if json:
        receipts = [asdict(one) for one in done.receipts]
        as_json({**done.counts, "source": done.source, "organ": done.organ, "records": done.records,
                 "receipts": receipts})  # fmt: skip
    else:
        rows = [{**asdict(one), "reasons": "\n".join(one.reasons)} for one in done.receipts]
        show_table(("sheet", "row", "entry", "outcome", "reasons"), rows, title=f"{done.source} {done.organ}")
        typer.echo(", ".join(f"{count} {outcome}" for outcome, count in done.counts.items()))
    if done.counts[service.REFUSED]:
        sys.exit(1)
