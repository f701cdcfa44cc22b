"""A small real repository, made by the demonstration's own commands: a few departments of the simulated province."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.loading import load_sources
from hub.settings import Settings
from pipeline.pulls.exchange import exchange
from pipeline.runtime import Runtime
from quality.issues.service import refresh
from quality.pages.routes import today
from quality.scores.service import record_day
from tests.quality.pages.journey import Mend
from tests.web.browser import PASSWORD
from tests.web.serving import serving
from web.accounts import service as accounts

REGISTERS = ("civil", "staffing", "items")
DEPARTMENTS = ("finance", "edu", "health", "weather", "cyber", "drc")
MEND = Mend("finance", "unknown_code", "Phase", "CB")
"""The refused record of the worst department, and what a person makes of it: a step under a code that no list has."""


@contextmanager
def demonstrated(home: Path) -> Iterator[tuple[str, Runtime]]:
    """Build the province, pull some departments on its two days, serve the pages; all servers are gone at the end.

    The pulls are those of `hub pull`, in this process: a start of the command for each would take most of the time.
    """
    place = {name: value for name, value in os.environ.items() if not name.startswith(("HUB_", "AIRFLOW"))}
    place["HUB_HOME"] = str(home)

    def hub(*words: str) -> None:
        program = str(Path(sys.executable).with_name("hub"))
        done = subprocess.run([program, *words], env=place, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, (words, done.stderr)

    hub("demo", "build", "--cases", "400")
    said = (home / "demo" / "connections.env").read_text(encoding="utf-8")
    place.update(re.findall(r"^(\w+)='(.*)'$", said, re.MULTILINE))
    os.environ.update({name: value for name, value in place.items() if name.startswith("HUB_CONN_")})
    try:
        runtime = Runtime.open(Settings(home=home))
        pull(runtime, *REGISTERS, *DEPARTMENTS)
        quality(runtime, days_ago=1)
        hub("demo", "change")
        pull(runtime, *DEPARTMENTS)
        quality(runtime)
        for code, name in (("anna", "王萍"), ("bernd", "李强")):
            accounts.make(
                runtime.engine, code=code, name=name, roles=["steward"], organ=None, password=PASSWORD, actor="cli:demo"
            )
        with serving(lambda: runtime) as url:
            yield url, runtime
    finally:
        for name in [one for one in os.environ if one.startswith("HUB_CONN_")]:
            del os.environ[name]
        hub("db", "stop")
        place["HUB_HOME"] = str(home / "demo" / "systems")
        hub("db", "stop")


def pull(runtime: Runtime, *codes: str) -> None:
    """Pull sources one after the other; a delivery that is refused is part of the story."""
    for source in load_sources(runtime.settings.sources, only=set(codes)):
        exchange(source, runtime=runtime)


def quality(runtime: Runtime, *, days_ago: int = 0) -> None:
    """Do what the quality DAG does each day."""
    refresh(runtime.engine, datetime.now(UTC))
    record_day(runtime.engine, today() - timedelta(days=days_ago))
