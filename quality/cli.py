"""`hub quality`: the steward's commands; each part of this package brings its own."""

from __future__ import annotations

import typer

from quality.bounds.cli import bound, suggest_bounds
from quality.contracts.cli import contract
from quality.issues.cli import issues
from quality.pages.cli import report
from quality.returns.cli import return_, take_back
from quality.running_cli import run
from quality.scores.cli import scores
from quality.sets.cli import check, datadocs, sets

quality = typer.Typer(help="What is wrong with the data, and getting it mended.", no_args_is_help=True)


@quality.callback()
def _root() -> None:
    """What is wrong with the data, and getting it mended."""


quality.add_typer(issues, name="issues")
quality.add_typer(bound, name="bound")
quality.command("suggest-bounds")(suggest_bounds)
quality.command()(contract)
quality.command()(run)
quality.command()(scores)
quality.command()(report)
quality.command("check")(check)
quality.command("sets")(sets)
quality.command("datadocs")(datadocs)
quality.command("return")(return_)
quality.command("take-back")(take_back)
