"""`hub quality run`: a whole quality run without Airflow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from connectors.loading import load_sources
from hub.settings import Settings
from hub.show import as_json, progress_bar, show_table
from pipeline.runtime import Runtime


def run(
    sets: Annotated[bool, typer.Option("--sets/--no-sets", help="Check the suites over sets, too.")] = True,
    tell: Annotated[bool, typer.Option("--alerts/--no-alerts", help="Send the alerts that are due, too.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check sets, bring issues up to date, write today's scores, escalate, and tell people: what hub_quality does."""
    from quality import running  # noqa: PLC0415  # only when this command runs

    settings = Settings.load()
    with progress_bar("quality run", quiet=json):
        done = running.run(
            Runtime.open(settings), load_sources(settings.sources), datetime.now(UTC), sets=sets, tell=tell
        )
    if json:
        as_json(done)
        return
    rows = [
        {"step": step, "what": name, "count": count}
        for step, counts in done.items()
        for name, count in (counts or {}).items()
    ]
    show_table(("step", "what", "count"), rows, title="Quality run")
