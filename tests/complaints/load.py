"""Run as a program: pulls a department of many rows and prints, as JSON, what that took after each part.

Its own process, because memory and the processor's time are those of a process. The first pull of a small department
pays for what is imported and made once.

HUB_HOME=… HUB_DATABASE_URL=… HUB_KEYS=… python -m tests.complaints.load FOLDER
"""

from __future__ import annotations

import json
import resource
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from connectors.loading import load_sources
from pipeline.pulls.exchange import exchange
from pipeline.runtime import Runtime
from tests.departments import GOOD, Department

SIZES = (4_000, 20_000, 100_000)
"""Rows of the departments that are pulled one after the other: to warm up, a load, and one five times as large."""


def department(sources: Path, rows: int) -> Department:
    """Make a department with so many applications, all with one time of change: the worst case of a cursor."""
    made = Department(sources, f"rows-{rows}", streams=("PRE_APASINFO",))
    row = {**GOOD["PRE_APASINFO"]}
    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
    with closing(sqlite3.connect(made.file)) as system, system:
        system.executemany(
            f"INSERT INTO pre_apasinfo ({names}) VALUES ({marks})",
            (list({**row, "PROJID": f"C-{number}", "APPLYNAME": f"王{number}"}.values()) for number in range(rows)),
        )
    return made


def main(folder: Path) -> None:
    """Pull each department into one repository."""
    runtime = Runtime.open()
    said = []
    for rows in SIZES:
        made = department(folder, rows)
        [source] = [one for one in load_sources([folder]) if one.code == made.code]
        began, processor = time.perf_counter(), time.process_time()
        report = exchange(source, runtime=runtime, connections=lambda _, url=made.url: url)
        [stream] = report.streams
        said.append({
            "rows": rows, "new": stream.counts["new"], "seconds": time.perf_counter() - began,
            "processor": time.process_time() - processor,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        })  # fmt: skip
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
