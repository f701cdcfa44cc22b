"""`hub source`: which systems are connected, and whether they can be read right now."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from connectors.loading import load_sources
from connectors.registry import open_connector
from connectors.seam import CheckItem, CheckReport, DiscoveredStream
from connectors.source import Source
from hub.errors import HubError
from hub.settings import Settings
from hub.show import show_table

source = typer.Typer(help="List the sources, and check one.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


_LISTED = ("code", "title", "owner", "kind", "profile", "streams", "schedule")


class UnknownSource(HubError):
    """No source folder has this code."""

    exit_status = 2


@source.command("list")
def list_sources(as_json: AsJson = False) -> None:
    """List all sources of this deployment with owner, kind and schedule."""
    sources = load_sources(Settings.load().sources)
    if as_json:
        _print_json([_described(one) for one in sources])
        return
    rows = [
        {"code": one.code, "title": one.title["zh"], "owner": one.owner.name, "kind": one.kind,
         "profile": one.profile or "own", "streams": len(one.streams), "schedule": one.schedule or "–"}
        for one in sources
    ]  # fmt: skip
    show_table(_LISTED, rows, title=f"{len(sources)} sources")


@source.command("check")
def check_source(
    code: Annotated[str, typer.Argument(help="The source's code, as `hub source list` shows it.")],
    discover: Annotated[bool, typer.Option("--discover", help="List what else the source has.")] = False,
    as_json: AsJson = False,
) -> None:
    """Connect to a source and read a first record of each stream; exit status 1 where one cannot be read."""
    settings = Settings.load()
    one = find_source(load_sources(settings.sources), code)
    connector = open_connector(one, settings.connection)
    report = connector.check()
    found = connector.discover() if discover and report.items and report.items[0].ok else []
    if as_json:
        _print_json({**_reported(report), "found": [_found(each) for each in found]})
    else:
        _show(one, report, found)
    if not report.ok:
        raise typer.Exit(1)


def find_source(sources: list[Source], code: str) -> Source:
    """Return the source of a code.

    Raises:
        UnknownSource: there is none; the message names those that there are.
    """
    for one in sources:
        if one.code == code:
            return one
    known = ", ".join(one.code for one in sources) or "none"
    raise UnknownSource(f"there is no source {code!r} (known: {known}). HUB_SOURCES names the folders of the sources.")


def _show(one: Source, report: CheckReport, found: list[DiscoveredStream]) -> None:
    items = [
        {"": "✓" if item.ok else "✗", "stream": item.stream or "connection", "what was found": item.message,
         "what to do": "" if item.ok else item.hint}
        for item in report.items
    ]  # fmt: skip
    show_table(("", "stream", "what was found", "what to do"), items, title=f"{one.code}  {one.title['zh']}")
    if found:
        listed = [
            {"name": each.name, "key": each.key, "fields": [f"{field.name} {field.type}" for field in each.fields]}
            for each in found
        ]
        show_table(("name", "key", "fields"), listed, title="what the source has")


def _described(one: Source) -> dict[str, Any]:
    return {
        "code": one.code,
        "title": dict(one.title),
        "owner": {"organ": one.owner.organ, "name": one.owner.name, "contact": one.owner.contact},
        "organ": one.organ,
        "region": one.region,
        "kind": one.kind,
        "profile": one.profile,
        "connection": one.connection,
        "schedule": one.schedule,
        "time_zone": one.time_zone,
        "streams": list(one.streams),
    }


def _reported(report: CheckReport) -> dict[str, Any]:
    return {"source": report.source, "ok": report.ok, "items": [_item(item) for item in report.items]}


def _item(item: CheckItem) -> dict[str, Any]:
    return {"stream": item.stream, "ok": item.ok, "message": item.message, "hint": item.hint}


def _found(each: DiscoveredStream) -> dict[str, Any]:
    fields = [{"name": field.name, "type": field.type} for field in each.fields]
    return {"name": each.name, "rows": each.rows, "key": list(each.key), "fields": fields}


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))
