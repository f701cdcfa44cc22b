"""`python -m bench.supervision`: clocks of a province's cases: all, those that changed, and that both agree.

The rows lie in an embedded PostgreSQL that goes when the run ends. A full recount from nothing writes every row; the
nightly one computes them all again and writes what differs. Then a thousand cases change, their clocks are computed,
and one more recount of all must find nothing to change.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from bench.server import Server
from hub.settings import Settings
from sharedrepo import connect
from sharedrepo.migrate import upgrade
from supervision import running
from supervision.clock import service

MOST_SECONDS, MOST_TOUCHED_SECONDS, MOST_VIEW_SECONDS = 60.0, 1.0, 0.3
TOUCHED = 1_000
PROVINCE = 346_000
"""Cases of the model province's year."""
_NAME = "bench_supervision"
_FILL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
_CHANGE = """
UPDATE core.case_overview SET last_reported_at = now(), closed_at = closed_at + interval '1 day'
WHERE case_id % (:cases / :touched) = 1;
"""
_WALL = """SELECT organ, state, count(*), count(*) FILTER (WHERE overdue) FROM supervision.clock_now
    WHERE closed_at IS NULL GROUP BY 1, 2"""


def main() -> None:
    """Fill the tables, measure, and print the figures beside their bounds; nothing of it stays."""
    parser = argparse.ArgumentParser(prog="python -m bench.supervision", description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000, help="cases; five stage events each (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hub-bench-supervision-") as folder:
        server = Server(Path(folder))
        server.start()
        try:
            found = measured(server, options.cases)
        finally:
            server.stop()
    print(json.dumps(found, indent=2) if options.json else as_text(found))
    sys.exit(0 if options.json or all(found["targets"].values()) else 1)


def measured(server: Server, cases: int) -> dict[str, Any]:
    """Return the figures of one run of the benchmark."""
    engine = filled(server, cases)
    took: dict[str, float] = {}
    first = _timed(took, "full recount, from nothing", lambda: service.recount_all(engine))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE supervision.clock, supervision.clock_stage, supervision.touched")
    again = _timed(took, "full recount, nothing changed", lambda: service.recount_all(engine))
    _touched(engine)
    _change(engine, cases)
    touched = _timed(took, "after the changes", lambda: _touched(engine))
    after = _timed(took, "full recount, after that", lambda: service.recount_all(engine))
    wall = _wall(engine)
    counts = [asdict(run) for run in (first, again, touched, after)]
    return {
        "cases": cases, "stage_events": 5 * cases, "seconds": {name: round(one, 2) for name, one in took.items()},
        "wall_seconds": round(wall, 3), "touched": counts[2]["cases"], "changed": counts[2]["changed"],
        "differing_in_the_nightly_recount": counts[3]["changed"] + counts[3]["stages_changed"],
        "targets": {
            f"full recount under {MOST_SECONDS:.0f} s": max(
                one for name, one in took.items() if name.startswith("full")) < MOST_SECONDS,
            f"{TOUCHED} changed cases under {MOST_TOUCHED_SECONDS:.0f} s":
                took["after the changes"] < MOST_TOUCHED_SECONDS,
            "a second full recount finds nothing": counts[1]["changed"] + counts[1]["stages_changed"] == 0,
            "increments and recount agree to the row": counts[3]["changed"] + counts[3]["stages_changed"] == 0,
        },
    }  # fmt: skip


def _touched(engine: sa.Engine) -> service.Recount:
    """Compute the clocks of the cases that changed, as a run does."""
    with engine.begin() as connection:
        cases = running.take_touched(connection)
        return service.recount(connection, cases if len(cases) < TOUCHED * 10 else ())


def _timed(took: dict[str, float], name: str, what: Callable[[], Any]) -> Any:
    started = time.perf_counter()
    done = what()
    took[name] = time.perf_counter() - started
    return done


def filled(server: Server, cases: int) -> sa.Engine:
    """Return a repository of its own with so many cases."""
    server.create(_NAME)
    settings = Settings(database_url=SecretStr(server.url(_NAME)))
    engine = connect.engine(settings, statement_seconds=0)  # as the hub connects, but for the filling's time
    upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(_FILL.format(cases=cases).replace("%", "%%"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    return engine


def _change(engine: sa.Engine, cases: int) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(_CHANGE), {"cases": cases, "touched": TOUCHED})


def _wall(engine: sa.Engine) -> float:
    """Return how long the wall's query takes, the best of five."""
    seconds = []
    with engine.connect() as connection:
        for _ in range(5):
            started = time.perf_counter()
            connection.exec_driver_sql(_WALL).all()
            seconds.append(time.perf_counter() - started)
    return min(seconds)


def as_text(found: dict[str, Any]) -> str:
    """Word the figures."""
    lines = [f"{found['cases']:,} cases, {found['stage_events']:,} stage events"]
    lines += [f"  {name:<34}{seconds:8.2f} s" for name, seconds in found["seconds"].items()]
    lines += [f"  {'open cases by organ and state':<34}{found['wall_seconds']:8.3f} s"]
    lines += [f"  {found['touched']:,} cases touched, {found['changed']:,} clocks changed"]
    return "\n".join([*lines, *(f"{'met' if met else 'MISSED'}: {name}" for name, met in found["targets"].items())])


if __name__ == "__main__":
    main()
