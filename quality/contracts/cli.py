"""`hub quality contract`: a source's contracts for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.settings import Settings
from hub.show import as_json, show_table
from pipeline.cli import find_source
from pipeline.runtime import Runtime


def contract(
    code: Annotated[str, typer.Argument(help="The source's code (`hub source list`).")],
    into: Annotated[Path | None, typer.Option(help="Write a file a stream into this folder.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of YAML.")] = False,
) -> None:
    """Show each stream's contract as the Open Data Contract Standard says it (ODCS v3); write files with --into."""
    from quality.contracts import service  # noqa: PLC0415  # only when this command runs

    settings = Settings.load()
    source = find_source(code, settings)
    found = service.contracts(Runtime.open(settings), source)
    files = [] if into is None else [{"file": str(one)} for one in service.write(found, source, into)]
    if json:
        as_json({"contracts": found, "files": [one["file"] for one in files]})
    elif into is not None:
        show_table(("file",), files, title=f"{code}: contracts written")
    else:
        typer.echo("---\n".join(map(service.as_yaml, found.values())), nl=False)
