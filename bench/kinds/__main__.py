"""`python -m bench.kinds`: each kind of source from the source to the repository, beside reading it plainly.

One table of one run: records a second of both, and two ratios. The times leave the start of the processes out.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.contenders.base import Size
from bench.kinds import databases, files, messages, posts, services
from bench.kinds.feeds import Kind, Missing
from bench.kinds.harness import Bench, Line
from bench.report import table

KINDS: tuple[Kind, ...] = (*databases.KINDS, *files.KINDS, *services.KINDS, *messages.KINDS, *posts.KINDS)
PLAIN = "database-postgresql"
EXCHANGE, LEAST = "exchange-postgresql", 0.5
"""An exchange table, with a receipt for each row, is to be at least so fast against the plain tables."""


def as_dict(lines: dict[str, Line], missing: dict[str, str]) -> dict[str, Any]:
    """Return the figures for programs."""
    plain = lines.get(PLAIN)
    return {
        "kinds": {
            name: {
                "floor": line.floor_rate, "hub": line.hub_rate, "of_floor": line.hub_rate / line.floor_rate,
                "of_database": None if plain is None else line.hub_rate / plain.hub_rate,
                "peak_mib": max(one.peak_mib for one in line.hub),
            }
            for name, line in lines.items()
        },
        "not_measured": missing,
    }  # fmt: skip


def as_text(lines: dict[str, Line], missing: dict[str, str]) -> str:
    """Write the table and the verdict on exchange tables."""
    found = as_dict(lines, missing)["kinds"]
    rows: list[tuple[str, ...]] = [
        (
            "kind",
            "plain reading, records/s",
            "into the repository, records/s",
            "of the floor",
            "of database",
            "peak MiB",
        )
    ]
    for name, line in lines.items():
        said = found[name]
        against = "" if said["of_database"] is None else f"{said['of_database']:.2f}"
        rows.append((
            line.title, f"{said['floor']:,.0f}", f"{said['hub']:,.0f}", f"{said['of_floor']:.3f}", against,
            f"{said['peak_mib']:.0f}",
        ))  # fmt: skip
    rows += [(name, f"not measured: {why}", "", "", "", "") for name, why in missing.items()]
    text = "\n".join(table(rows))
    if EXCHANGE in found and found[EXCHANGE]["of_database"] is not None:
        ratio = found[EXCHANGE]["of_database"]
        text += f"\n\nexchange_table with receipts against the plain tables: {ratio:.2f} "
        text += f"(>= {LEAST}: {'pass' if ratio >= LEAST else 'FAIL'})"
    return text


def main() -> None:
    """Measure every kind that this machine can run; nothing of it stays."""
    parser = argparse.ArgumentParser(prog="python -m bench.kinds", description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, help="cases, each with five events (default: %(default)s)")
    parser.add_argument(
        "--runs", type=int, default=1, help="runs of each kind; the median counts (default: %(default)s)"
    )
    parser.add_argument("--slice-size", type=int, default=20_000, help="records a transaction (default: %(default)s)")
    parser.add_argument("--only", action="append", default=[], choices=[one.name for one in KINDS], help="repeatable")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    options = parser.parse_args()
    if min(options.cases, options.runs, options.slice_size) < 1:
        parser.error("--cases, --runs and --slice-size are at least 1")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a run that is ended still stops its server
    lines: dict[str, Line] = {}
    missing: dict[str, str] = {}
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        bench = Bench(Path(folder), Size(options.cases, 5 * options.cases), options.slice_size)
        try:
            bench.prepare()
            for kind in KINDS:
                if options.only and kind.name not in options.only:
                    continue
                try:
                    lines[kind.name] = bench.measure(kind, options.runs)
                except Missing as why:
                    missing[kind.name] = str(why)
                print(f"{kind.title}: {missing.get(kind.name, 'measured')}", file=sys.stderr, flush=True)
        finally:
            bench.server.stop()
    if options.json:
        print(json.dumps(as_dict(lines, missing), indent=2))
        return
    print(f"{6 * options.cases:,} records, {options.runs} run(s); load average before: {load:.1f}\n")
    print(as_text(lines, missing))


if __name__ == "__main__":
    main()
