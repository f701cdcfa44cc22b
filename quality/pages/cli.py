"""`hub quality report`: the report of one department and month, as a file that can be mailed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.errors import HubError
from hub.show import as_json
from hub.words import LANGUAGES
from pipeline.runtime import Runtime

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class NoReport(HubError):
    """There is nothing to report, or the report cannot be written; no file was made."""

    exit_status = 2


def report(
    organ: Annotated[str, typer.Argument(help="The organ's unified social credit code.")],
    month: Annotated[str, typer.Option(help="The month, as 2026-01.")],
    to: Annotated[Path, typer.Option(help="The file to write; one that exists is written anew.")],
    language: Annotated[str, typer.Option(help="zh or en.")] = LANGUAGES[0],
    json: Json = False,
) -> None:
    """Write the quality report of one department and month: one HTML file that needs nothing else."""
    from quality.pages import report as made  # noqa: PLC0415  # templates come with it

    first = made.month_of(month)
    if first is None or language not in LANGUAGES:
        raise NoReport(
            f"{month!r} is no month, or {language!r} no language. Write 2026-01, and {' or '.join(LANGUAGES)}."
        )
    runtime = Runtime.open()
    text = made.text(runtime.engine, runtime.settings, organ, first, language)
    if text is None:
        raise NoReport(f"no day of {month} was scored for {organ}. `hub quality scores` writes and shows scores.")
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NoReport(f"{to} cannot be written ({error.strerror}).") from None
    if json:
        as_json({"organ": organ, "month": month, "file": str(to), "bytes": len(text.encode())})
    else:
        typer.echo(f"The report of {month} is in {to} ({len(text.encode()):,} bytes).")
