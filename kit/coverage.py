"""Coverage as it is asked for on the command line, and as people read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import typer

from hub.show import show_table
from sharedrepo.telling.coverage import Scope

ZONE = ZoneInfo("Asia/Shanghai")
"""Days of a period are days of the province."""

_REGION = re.compile(r"\d{6}", re.ASCII)

_TITLES = {"organs": "Departments 部门", "items": "Items 事项", "processes": "Processes 流程"}
_LISTS = (
    ("organs", "missing", ("organ", "name", "items", "decisions"), "Departments with items in force and no case"),
    ("organs", "without_items", ("organ", "name", "cases"), "Not counted: organs without an item in force"),
    ("organs", "not_in_register", ("organ", "cases"), "Not counted: organs that no register knows"),
    ("items", "missing", ("organ", "item", "name"), "Items in force and no case"),
    ("items", "cases_without_item", ("organ", "cases", "without_code", "unknown_codes"), "Cases without an item"),
    ("processes", "missing", ("organ", "name", "stage", "cases", "of"), "Stages that did not come"),
)


def scope_of(since: datetime | None, until: datetime | None, region: str | None) -> Scope:
    """Return what the days and the region of a command line ask about; in force is what is on the period's last day.

    Raises:
        typer.BadParameter: the period is empty, or the region is no code.
    """
    if since is not None and until is not None and since >= until:
        raise typer.BadParameter("a period ends after it begins (--until is not included)", param_hint="--until")
    if region is not None and not _REGION.fullmatch(region):
        raise typer.BadParameter(f"{region!r} is no region code: six digits, like 330100", param_hint="--region")
    day = (datetime.now(UTC).astimezone(ZONE) if until is None else until - timedelta(days=1)).date()
    return Scope(
        day,
        since=None if since is None else since.replace(tzinfo=ZONE),
        until=None if until is None else until.replace(tzinfo=ZONE),
        region=region,
    )


def print_coverage(found: Mapping[str, Any]) -> None:
    """Print the three figures, then each list that holds something."""
    figures = [{"": title, **_figure(found[name])} for name, title in _TITLES.items()]
    show_table(("", "covered", "of", "share"), figures, title=f"Coverage on {found['day']}")
    typer.echo(f"Of the promised kind, {found['processes']['still_open']} more cases are still open.")
    for figure, name, columns, title in _LISTS:
        if found[figure][name]:
            show_table(columns, found[figure][name], title=title)


def _figure(figure: Mapping[str, Any]) -> dict[str, Any]:
    share = figure["share"]
    return {
        "covered": figure["covered"],
        "of": figure["of"],
        "share": "nothing to cover" if share is None else f"{share:.1%}",
    }
