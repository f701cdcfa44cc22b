"""`python -m bench.sets`: suites over a province's stage events, beside a plain scan of the same tables.

The rows lie in an embedded PostgreSQL that goes when the run ends: 40 organs, five events a case, written by SQL. Each
run of the suites is a process of its own; its peak memory is the kernel's word on it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa

from bench.measure import Measure, run
from bench.server import Server
from sharedrepo.migrate import upgrade

LEAST_EXPECTATIONS, MOST_SECONDS, MOST_MIB = 40, 20.0, 500.0
SETS = (("stage_event",), ("stage_event", "approval_case", "acceptance", "decision"))
"""What is judged together: the events alone, and all that is told of these cases."""
_NAME = "bench_sets"

_FILL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


def main() -> None:
    """Fill the tables, judge them, and print the figures with their ratios; nothing of it stays."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="hub-bench-sets-") as folder:
        server = Server(Path(folder))
        server.start()
        try:
            found = measured(server, options.events, options.runs)
        finally:
            server.stop()
    print(json.dumps(found, indent=2) if options.json else as_text(found))
    sys.exit(0 if options.json or all(found["targets"].values()) else 1)


def measured(server: Server, events: int, runs: int) -> dict[str, Any]:
    """Return the figures of one run of the benchmark."""
    _fill(server, max(1, events // 5))
    floors = [_floor(server, ("stage_event",)), _floor(server, SETS[1])]
    lines = []
    for documents, floor in zip(SETS, floors, strict=True):
        measures = [_run(server, documents) for _ in range(runs)]
        lines.append(_line(documents, floor, measures))
    first = lines[0]
    return {
        "events": events // 5 * 5,
        "lines": lines,
        "targets": {
            f"at least {LEAST_EXPECTATIONS} expectations over the events": first["expectations"] >= LEAST_EXPECTATIONS,
            f"under {MOST_SECONDS:.0f} s, the process's start included": first["seconds"] < MOST_SECONDS,
            f"under {MOST_MIB:.0f} MiB": max(line["peak_mib"] for line in lines) < MOST_MIB,
        },
        "server": server.settings(),
    }


def _fill(server: Server, cases: int) -> None:
    server.create(_NAME)
    engine = sa.create_engine(server.url(_NAME, driver="psycopg2"), poolclass=sa.NullPool)
    upgrade(engine)
    with server.connect(_NAME) as cursor:
        for statement in _FILL.replace("{cases}", str(cases)).split(";\n"):
            if statement.strip():
                cursor.execute(statement)
        cursor.execute("VACUUM ANALYZE")
    server.settle()


def _floor(server: Server, documents: tuple[str, ...]) -> float:
    """Return the seconds of one sequential scan of each of the tables."""
    with server.connect(_NAME) as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        started = time.perf_counter()
        for name in documents:
            cursor.execute(f"SELECT count(reported_at) FROM core.{name}")
        return time.perf_counter() - started


def _run(server: Server, documents: tuple[str, ...]) -> Measure:
    command = [sys.executable, "-m", "bench.drivers.judge_sets", server.url(_NAME), *documents]
    return run(command, records=1, server_cpu=server.cpu)


def _line(documents: tuple[str, ...], floor: float, measures: list[Measure]) -> dict[str, Any]:
    said = measures[0].said
    work = median(one.work for one in measures)
    return {
        "documents": list(documents),
        "rows": said["rows"],
        "expectations": said["expectations"],
        "results": said["results"],
        "seconds": median(one.seconds for one in measures),
        "work": work,
        "cpu": median(one.cpu for one in measures),
        "server_cpu": median(one.server_cpu for one in measures),
        "peak_mib": max(one.peak_mib for one in measures),
        "floor": floor,
        "ratio": work / floor,
        "per_expectation": work / floor / said["expectations"],
    }


def as_text(found: dict[str, Any]) -> str:
    """Return the figures as people read them."""
    head = (
        f"{'suites':<14}{'rows':>11}{'expect.':>9}{'results':>9}{'seconds':>9}{'work':>8}{'scan':>8}"
        f"{'work/scan':>11}{'each':>7}{'cpu':>6}{'server':>8}{'MiB':>6}"
    )
    out = [f"{found['events']:,} stage events", "", head]
    for one in found["lines"]:
        name = one["documents"][0] if len(one["documents"]) == 1 else f"{len(one['documents'])} documents"
        out.append(
            f"{name:<14}{one['rows']:>11,}{one['expectations']:>9}{one['results']:>9,}{one['seconds']:>9.1f}"
            f"{one['work']:>8.1f}{one['floor']:>8.2f}{one['ratio']:>11.1f}{one['per_expectation']:>7.2f}"
            f"{one['cpu']:>6.1f}{one['server_cpu']:>8.1f}{one['peak_mib']:>6.0f}"
        )
    out += ["", *(f"{'pass' if held else 'FAIL'}  {what}" for what, held in found["targets"].items())]
    out += ["", "seconds: the whole process, its start included. work: from the first row to the last result kept.",
            "scan: one plain sequential scan of the same tables. each: work/scan for one expectation.",
            "cpu, server: processor seconds of the process and of the server: what a quiet machine would need.",
            "Server: " + ", ".join(f"{name} {value}" for name, value in found["server"].items())]  # fmt: skip
    return "\n".join(out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.sets", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="stage events (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    options = parser.parse_args()
    if options.events < 5 or options.runs < 1:
        parser.error("--events is at least 5 and --runs at least 1")
    return options


if __name__ == "__main__":
    main()
