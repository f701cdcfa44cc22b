"""How commands show things: tables and progress for people, JSON for programs."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from hub.remark import visible


def as_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    sys.stdout.write(orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2).decode() + "\n")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)


def show_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, title: str) -> None:
    """Print rows as a table; numbers stand right."""
    # Values are departments' words: none is read as markup, as the name of a picture or as a command to the terminal.
    console = Console(width=None if sys.stdout.isatty() else 200, markup=False, emoji=False, highlight=False)
    table = Table(title=visible(title), title_justify="left", header_style="bold")
    numeric = {name for name in columns if rows and all(isinstance(row.get(name), int | float) for row in rows)}
    for name in columns:
        table.add_column(name, justify="right" if name in numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(visible(_text(row.get(name))) for name in columns))
    console.print(table)
    if not rows:
        console.print("(nothing)")


def say(text: str) -> None:
    """Print words of which some are a department's."""
    typer.echo(visible(text))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


class Bar:
    """A running count that people can watch."""

    def __init__(self, progress: Progress | None, task: Any, label: str) -> None:
        self._progress, self._task, self._label = progress, task, label

    def advance(self, count: int, what: str) -> None:
        """Add `count` and say what is under work."""
        if self._progress is not None:
            self._progress.update(self._task, advance=count, description=visible(f"{self._label} · {what}"))


@contextmanager
def progress_bar(label: str, *, quiet: bool = False, total: int | None = None) -> Iterator[Bar]:
    """Show a progress bar on standard error while the body runs; `quiet` shows none."""
    if quiet:
        yield Bar(None, None, label)
        return
    shown = Progress(
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(),
        TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(),
        console=Console(stderr=True), transient=not sys.stderr.isatty(),
    )  # fmt: skip
    with shown as progress:
        yield Bar(progress, progress.add_task(label, total=total), label)
