"""`hub supervise`: the supervisor's commands; each part of this package brings its own."""

from __future__ import annotations

import typer

supervise = typer.Typer(help="Every case against its legal clock; cards; the ranking.", no_args_is_help=True)


@supervise.callback()
def _root() -> None:
    """Every case against its legal clock; cards; the ranking."""
