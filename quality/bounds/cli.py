"""`hub quality suggest-bounds` and `hub quality bound`: what a delivery has at least and at most."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import Annotated

import typer

from connectors.loading import load_sources
from hub.settings import Settings
from hub.show import as_json, show_table
from pipeline.cli import find_source
from pipeline.runtime import Runtime

bound = typer.Typer(help="Bounds of deliveries, moved only with a reason.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Code = Annotated[str, typer.Argument(help="The source's code (`hub source list`).")]


def suggest_bounds(
    code: Annotated[str | None, typer.Argument(help="The source's code; all sources without it.")] = None,
    fill: Annotated[bool, typer.Option("--fill", help="How often columns are filled, too (needs CODE).")] = False,
    json: Json = False,
) -> None:
    """Suggest bounds from healthy runs: at least 85 % of the smallest, at most twice the largest."""
    from quality.bounds import service  # noqa: PLC0415  # only when this command runs

    if fill and code is None:
        raise typer.BadParameter("--fill needs the code of one source")
    settings = Settings.load()
    engine = Runtime.open(settings).engine
    sources = load_sources(settings.sources) if code is None else [find_source(code, settings)]
    rows = [one.as_dict() for one in service.suggest(engine, sources)]
    rates = [one.as_dict() for one in service.fill_rates(engine, code)] if fill and code is not None else []
    if json:
        as_json({"suggestions": rows, "fill_rates": rates})
        return
    columns = ("source", "stream", "runs", "smallest", "largest", "least", "most", "now_least", "now_most", "set_by")
    show_table(columns, rows, title="Bounds that healthy runs suggest")
    if fill:
        filled = ("stream", "document", "column", "filled", "rows", "least", "now_least", "now_most")
        show_table(filled, rates, title="How often columns are filled")
    typer.echo(f"From fewer than {service.FEWEST} healthy runs nothing is suggested. "
               'Set one with `hub quality bound set CODE STREAM --min N --max M --reason "…"`.')  # fmt: skip


@bound.command("set")
def set_(
    code: Code,
    stream: Annotated[str, typer.Argument(help="The stream.")],
    reason: Annotated[str, typer.Option(help="Why it moves; it is kept in the history.")],
    least: Annotated[
        int | None, typer.Option("--min", help="So many records at least; without it, no minimum.")
    ] = None,
    most: Annotated[int | None, typer.Option("--max", help="So many records at most; without it, no maximum.")] = None,
    json: Json = False,
) -> None:
    """Set the bounds of a stream over those of its folder, from its next pull on."""
    from quality.bounds import service  # noqa: PLC0415  # only when this command runs

    settings = Settings.load()
    engine = Runtime.open(settings).engine
    source = find_source(code, settings)
    service.put(engine, source, stream, least=least, most=most, reason=reason, actor=f"cli:{getpass.getuser()}")
    _show(engine, code, stream, json=json)


@bound.command("fill")
def fill(
    code: Code,
    stream: Annotated[str, typer.Argument(help="The stream.")],
    column: Annotated[str, typer.Argument(help="A column of a canonical document: document.column.")],
    reason: Annotated[str, typer.Option(help="Why it moves; it is kept in the history.")],
    least: Annotated[
        float | None,
        typer.Option("--min", help="Filled in this share of rows at least (0 to 1); else no minimum."),
    ] = None,
    most: Annotated[
        float | None, typer.Option("--max", help="Filled in this share of rows at most; without it, no maximum.")
    ] = None,
    json: Json = False,
) -> None:
    """Bound how often a column is filled; the suites' next run judges it. Without both sides, the bound goes."""
    from quality.bounds import fill as rates  # noqa: PLC0415  # only when this command runs

    settings = Settings.load()
    engine = Runtime.open(settings).engine
    source = find_source(code, settings)
    actor = f"cli:{getpass.getuser()}"
    rates.put(engine, source, stream, column, least=least, most=most, reason=reason, actor=actor)
    _show(engine, code, stream, json=json)


@bound.command("history")
def history(
    code: Code,
    stream: Annotated[str | None, typer.Argument(help="The stream; all of them without it.")] = None,
    json: Json = False,
) -> None:
    """List every bound that people set, the newest first."""
    _show(Runtime.open().engine, code, stream, json=json)


def _show(engine: object, code: str, stream: str | None, *, json: bool) -> None:
    from quality.bounds import service  # noqa: PLC0415  # only when this command runs

    rows = [asdict(one) for one in service.history(engine, source=code, stream=stream)]  # type: ignore[arg-type]  # an engine
    if json:
        as_json({"bounds": rows})
    else:
        show_table(
            ("stream", "measure", "least", "most", "latest", "at", "actor", "reason"), rows, title=f"Bounds of {code}"
        )
