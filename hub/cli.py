"""The root of the `hub` command: finds each package's sub-commands by entry points."""

from __future__ import annotations

import io
import sys
from importlib.metadata import entry_points

import typer

from hub.errors import HubError
from hub.remark import visible

GROUP = "hub.commands"


def build(names: list[str] | None = None) -> typer.Typer:
    """Return the command tree, loading only the sub-commands in `names` (all when None): `hub db url` stays quick."""
    app = typer.Typer(
        name="hub",
        help="The approval exchange hub: pull, judge, translate and keep departments' approval records.",
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,
    )
    app.callback()(_root)  # keeps `hub pull CODE` a sub-command where only one is loaded
    for point in sorted(entry_points(group=GROUP), key=lambda found: found.name):
        if names is not None and point.name not in names:
            continue
        loaded = point.load()
        if isinstance(loaded, typer.Typer):
            app.add_typer(loaded, name=point.name)
        else:
            app.command(name=point.name)(loaded)
    return app


def _root() -> None:
    """The approval exchange hub: pull, judge, translate and keep departments' approval records."""


def main() -> None:
    """Run the command line; a hub error prints its sentence and its next step, and exits with its own status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a character must not end the deed
    asked = [word for word in sys.argv[1:2] if not word.startswith("-")]
    known = {point.name for point in entry_points(group=GROUP)}
    try:
        build(asked if asked and asked[0] in known else None)()
    except HubError as error:
        sys.stderr.write(f"{visible(str(error))}\n")
        sys.exit(error.exit_status)
