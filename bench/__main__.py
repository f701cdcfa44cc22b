"""`python -m bench`: measure the hub beside its peer and its limits, and print ratios of this one run."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

from bench import report, suite
from bench.contenders import all_contenders
from bench.contenders.base import Size

CACHE = Path(".hub") / "bench"


def main() -> None:
    """Run the benchmark; nothing of it stays but the cache with dlt's environment."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a run that is ended still stops its server
    size = Size(options.cases, options.cases * suite.EVENTS_A_CASE)
    if options.events is not None:
        size = Size(options.cases, options.cases * max(1, round(options.events / options.cases)))
    flat_cases = options.flat_cases if options.flat_cases is not None else 5 * options.cases
    flat = Size(flat_cases, flat_cases * (size.events // size.cases)) if options.flat else None
    plan = suite.Plan(
        size, options.runs, options.slice_size, flat, options.only, options.cache.absolute(), options.warm_up
    )
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        results = suite.run(plan, Path(folder), lambda text: print(text, file=sys.stderr, flush=True))
    print(json.dumps(report.as_dict(results), indent=2) if options.json else report.as_text(results))


def _options() -> argparse.Namespace:
    names = [*(one.name for one in all_contenders()), "flat"]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--cases", type=int, default=200_000, help="cases of the department (default: %(default)s)")
    parser.add_argument("--events", type=int, help="stage events, rounded to a whole number a case (default: 5 a case)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each contender (default: %(default)s)")
    parser.add_argument("--slice-size", type=int, default=20_000, help="records a transaction (default: %(default)s)")
    parser.add_argument("--only", action="append", default=[], choices=names, help="measure only this; repeatable")
    parser.add_argument(
        "--flat", action=argparse.BooleanOptionalAction, default=True, help="one more load at 5 times the rows"
    )
    parser.add_argument("--flat-cases", type=int, help="cases of that load (default: 5 times --cases)")
    parser.add_argument(
        "--cache", type=Path, default=CACHE, help="where dlt's environment is kept (default: %(default)s)"
    )
    parser.add_argument(
        "--warm-up", action=argparse.BooleanOptionalAction, default=True, help="a small unmeasured run of each first"
    )
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    options = parser.parse_args()
    if min(options.cases, options.runs, options.slice_size) < 1:
        parser.error("--cases, --runs and --slice-size are at least 1")
    return options


if __name__ == "__main__":
    main()
