"""Pulls the benchmark's department with the hub, as a task of Airflow would, and says when each batch was committed."""

from __future__ import annotations

import argparse
import json
import time

from connectors.loading import load_sources
from hub.settings import Settings
from pipeline.pulls.exchange import exchange
from pipeline.runtime import Runtime

CODE = "bench-department"


def main() -> None:
    """Pull once; `--full` reads everything again."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    full = parser.parse_args().full
    settings = Settings.load()
    source = next(one for one in load_sources(settings.sources) if one.code == CODE)
    runtime = Runtime.open(settings)
    started = time.perf_counter()
    slices: list[tuple[str, float, int]] = []

    def note(_source: str, stream: str, read: int) -> None:
        slices.append((stream, time.perf_counter() - started, read))

    report = exchange(source, runtime=runtime, full=full, progress=note)
    work = time.perf_counter() - started
    print(json.dumps({"work": work, "slices": slices, "report": report.as_dict()}))


if __name__ == "__main__":
    main()
