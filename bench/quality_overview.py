"""`python -m bench.quality_overview`: how long the steward's overview takes on a year of scores of a whole province.

Fills a repository of its own with scores and daily counts (43 organs x 400 days x 200 rules by default), asks what the
pages ask, and prints the median and the longest of many askings.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.server import Server
from quality.issues import service as issues
from quality.scores import service as scores
from sharedrepo.migrate import upgrade

LAST = date(2026, 11, 27)
STREAMS = 4
DOCUMENTS = ("", "approval_case", "stage_event", "decision")
DIMENSIONS = ("", "complete", "valid", "unique", "consistent", "timely", "accurate")

FILL = """
INSERT INTO core.source_system (code, title, title_zh, organ, kind)
SELECT 's' || n, 'Department ' || n, '部门' || n, 'O' || lpad(n::text, 17, '0'), 'database'
FROM generate_series(1, :organs) AS n;
INSERT INTO ledger.stream (source_system_id, name)
SELECT source_system_id, 'S' || n FROM core.source_system, generate_series(1, :streams) AS n;
INSERT INTO quality.score (organ, day, stream_id, document, dimension, clean, records)
SELECT ss.organ, CAST(:last AS date) - d, s.stream_id, doc, dim, 9000 + (s.stream_id * d * 7) % 1000, 10000
FROM core.source_system AS ss JOIN ledger.stream AS s USING (source_system_id),
    generate_series(0, :days - 1) AS d, unnest(CAST(:documents AS text[])) AS doc,
    unnest(CAST(:dimensions AS text[])) AS dim;
INSERT INTO quality.daily (organ, day, stream_id, rule, field, records)
SELECT ss.organ, CAST(:last AS date) - d, (SELECT min(stream_id) FROM ledger.stream AS s
        WHERE s.source_system_id = ss.source_system_id), 'rule_' || r, 'field_' || r, (d * r) % 500
FROM core.source_system AS ss, generate_series(0, :days - 1) AS d, generate_series(1, :rules) AS r;
INSERT INTO quality.issue (code, organ, stream_id, rule, field, severity, owner, records, of_records, first_seen,
    last_seen, due_on)
SELECT 'Q-' || row_number() OVER (), ss.organ, s.stream_id, 'rule_' || r, '',
    (ARRAY['high', 'medium', 'low'])[1 + r % 3], 'department', r, 10000, now(), now(), CAST(:last AS date) + r
FROM core.source_system AS ss JOIN ledger.stream AS s USING (source_system_id), generate_series(1, :rules) AS r
WHERE s.name = 'S1';
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """How long one question took, in milliseconds, over all askings."""

    question: str
    rows: int
    median_ms: float
    longest_ms: float


def measure(engine: sa.Engine, runs: int) -> list[Asked]:
    """Ask each question of the pages `runs` times, after one asking that counts not."""
    organ = "O" + "1".rjust(17, "0")
    questions: dict[str, Callable[[], list[Any]]] = {
        "overview of a day": lambda: scores.overview(engine, LAST),
        "trend of an organ, 90 days": lambda: scores.trend(engine, organ, 90),
        "streams and documents of an organ": lambda: scores.parts(engine, LAST, organ),
        "open issues of an organ": lambda: issues.listed(engine, organ=organ),
    }
    return [_asked(name, ask, runs) for name, ask in questions.items()]


def _asked(name: str, ask: Callable[[], list[Any]], runs: int) -> Asked:
    rows, took = len(ask()), []
    for _ in range(runs):
        begun = time.perf_counter()
        ask()
        took.append((time.perf_counter() - begun) * 1000)
    return Asked(name, rows, round(statistics.median(took), 1), round(max(took), 1))


def main() -> None:
    """Fill, ask, print; nothing stays."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality_overview", description=__doc__)
    parser.add_argument("--organs", type=int, default=43)
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--rules", type=int, default=200)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        server = Server(Path(folder))
        server.start()
        try:
            found = _filled_and_asked(server, options)
        finally:
            server.stop()
    if options.json:
        print(json.dumps([asdict(one) for one in found]))
        return
    print(f"{options.organs} organs x {options.days} days x {options.rules} rules, {options.runs} askings each")
    for one in found:
        print(
            f"{one.question:36} {one.rows:6} rows   median {one.median_ms:8.1f} ms   longest {one.longest_ms:8.1f} ms"
        )


def _filled_and_asked(server: Server, options: argparse.Namespace) -> list[Asked]:
    server.create("quality")
    engine = sa.create_engine(server.url("quality", driver="psycopg2"))
    upgrade(engine)
    values = {
        "organs": options.organs, "days": options.days, "rules": options.rules, "streams": STREAMS, "last": LAST,
        "documents": list(DOCUMENTS), "dimensions": list(DIMENSIONS),
    }  # fmt: skip
    with engine.begin() as connection:
        for statement in FILL.strip().split(";\n"):
            connection.execute(sa.text(statement), {name: it for name, it in values.items() if f":{name}" in statement})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    found = measure(engine, options.runs)
    engine.dispose()
    return found


if __name__ == "__main__":
    main()
