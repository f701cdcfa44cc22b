"""`hub carry`: deliveries and receipts on media, where no line leads to a department's network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.loading import load_sources
from hub.settings import Settings
from hub.show import as_json, show_table

carry = typer.Typer(help="Deliveries and receipts on carried media.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@carry.command("in")
def carry_in(
    package: Annotated[Path, typer.Argument(exists=True, help="A zip or plain tar archive, or a folder.")],
    pull: Annotated[bool, typer.Option(help="Pull the sources that it brought something for.")] = True,
    json: Json = False,
) -> None:
    """Put the deliveries of a package into their sources' folders, all or none, and pull these sources."""
    from connectors.envelopes.carried import take_in  # noqa: PLC0415  # only where media are carried

    settings = Settings.load()
    sources = {one.code: one for one in load_sources(settings.sources)}
    taken = take_in(package, sources, settings.connection)
    pulled: list[dict[str, Any]] = []
    if pull:
        from pipeline.pulls.exchange import exchange  # noqa: PLC0415  # pandas and lxml come with it
        from pipeline.runtime import Runtime  # noqa: PLC0415  # see above

        runtime = Runtime.open(settings)
        pulled = [exchange(sources[one.source], runtime=runtime).as_dict() for one in taken]
    if json:
        as_json({"package": package.name, "taken": taken, "pulled": pulled})
    else:
        rows = [{"source": one.source, "new files": one.files, "known files": one.known} for one in taken]
        show_table(("source", "new files", "known files"), rows, title=f"{package.name}: taken in")
        for one in pulled:
            columns = ("stream", "read", "new", "updated", "unchanged", "quarantined", "parked", "refused_units")
            show_table(columns, one["streams"], title=f"{one['source']}: pulled")
    if any(stream["refused_units"] for one in pulled for stream in one["streams"]):
        sys.exit(1)


@carry.command("out")
def carry_out(
    code: Annotated[str, typer.Argument(help="The source's code (`hub source list`).")],
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Where the medium is.")],
    again: Annotated[bool, typer.Option("--again", help="Those that were carried out before, too.")] = False,
    json: Json = False,
) -> None:
    """Pack the receipts of a source that were not carried out yet."""
    from connectors.envelopes.carried import give_out  # noqa: PLC0415  # only where media are carried
    from pipeline.cli import find_source  # noqa: PLC0415  # see above

    settings = Settings.load()
    archive, names = give_out(find_source(code, settings), settings.connection, folder, again=again)
    if json:
        as_json({"source": code, "package": None if archive is None else archive.name, "receipts": names})
    elif archive is None:
        typer.echo(f"{code} has no receipt that was not carried out yet.")
    else:
        typer.echo(f"{archive}: {len(names)} receipts")
