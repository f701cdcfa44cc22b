"""The commands that show the archive's months and erase one."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.show import as_json, show_table
from pipeline.runtime import Runtime

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

archive = typer.Typer(help="What departments sent, as received, by month.", no_args_is_help=True)


@archive.command("list")
def archive_list(
    code: Annotated[str | None, typer.Argument(help="The source's code; all sources without it.")] = None,
    json: Json = False,
) -> None:
    """List the months of each source: objects, live data keys, destroyed data keys."""
    from pipeline.afterwards.erasure import months  # noqa: PLC0415  # pyarrow comes with it

    rows = months(Runtime.open(), code)
    if json:
        as_json({"months": rows})
    else:
        columns = ("source", "month", "objects", "data_keys", "erased")
        show_table(columns, [{name: getattr(row, name) for name in columns} for row in rows], title="Archive")


@archive.command("erase")
def archive_erase(
    code: Annotated[str, typer.Argument(help="The source's code.")],
    month: Annotated[str, typer.Argument(help="The month in which it was pulled: YYYY-MM.")],
    reason: Annotated[str, typer.Option(help="Why, and on whose order; it is kept with the erasure.")],
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    json: Json = False,
) -> None:
    """Destroy the data keys of a source's month: nobody reads any more what it sent then."""
    from pipeline.afterwards.erasure import erase  # noqa: PLC0415  # pyarrow comes with it

    if not sure:
        typer.confirm(f"What {code} sent in {month} can never be read or rebuilt again. Destroy its keys?", abort=True)
    done = erase(Runtime.open(), code, month, reason)
    if json:
        as_json(done)
        return
    typer.echo(
        f"{done.data_keys} data keys of {code}, {month}, are destroyed; {done.records} waiting records went with them. "
        "Copies of the archive's folder _keys/ must drop them too."
    )
