"""`python -m bench.pages`: the overview page over HTTP, with a province's history behind it and with empty tables.

Really filled in PostgreSQL: scores of each department, stream, document and dimension for each day, the counts of each
rule for each day, and an issue a department and rule. Printed are both times and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import requests
import sqlalchemy as sa
from pydantic import SecretStr

from hub.protect.keys import new_ring
from hub.settings import Settings
from pipeline.runtime import Runtime
from quality.pages.routes import today
from sharedrepo.embedded import EmbeddedServer
from tests.web.browser import PASSWORD, Browser
from tests.web.serving import served
from web.accounts import service as accounts
from web.app import create

STREAMS = 6
LOOKS = 30
GOAL_MS = 300.0

_SYSTEMS = """
INSERT INTO core.source_system (code, title, title_zh, organ, kind)
SELECT 'dept-' || d, 'Department ' || d, '部门' || d, '11330000' || lpad(d::text, 9, '0') || 'X', 'database'
FROM generate_series(1, :departments) AS d
"""
_STREAMS = """
INSERT INTO ledger.stream (source_system_id, name, last_success_at, complete_through, complete_basis)
SELECT ss.source_system_id, 'stream-' || n, now(), now(), 'declared'
FROM core.source_system AS ss CROSS JOIN generate_series(1, :streams) AS n
"""
_SCORES = """
INSERT INTO quality.score (organ, day, stream_id, document, dimension, clean, records)
SELECT ss.organ, CAST(:first AS date) + n, s.stream_id, k.document, m.dimension,
    100000 - (s.stream_id * 37 + n * 11) % 9000, 100000
FROM ledger.stream AS s JOIN core.source_system AS ss USING (source_system_id)
CROSS JOIN generate_series(0, :days - 1) AS n
CROSS JOIN unnest(ARRAY['', 'approval_case', 'stage_event']) AS k (document)
CROSS JOIN unnest(ARRAY['', 'complete', 'valid', 'unique', 'consistent', 'timely', 'accurate']) AS m (dimension)
"""
_DAILY = """
INSERT INTO quality.daily (organ, day, stream_id, rule, field, records)
SELECT ss.organ, CAST(:first AS date) + n, first.stream_id, 'rule_' || r, '', 1 + (r * n) % 500
FROM core.source_system AS ss
JOIN (SELECT source_system_id, min(stream_id) AS stream_id FROM ledger.stream GROUP BY 1) AS first
    USING (source_system_id)
CROSS JOIN generate_series(0, :days - 1) AS n CROSS JOIN generate_series(1, :rules) AS r
"""
_ISSUES = """
INSERT INTO quality.issue (code, organ, stream_id, rule, field, severity, records, of_records, first_seen, last_seen,
    owner)
SELECT 'i' || row_number() OVER (), ss.organ, first.stream_id, 'rule_' || r, '',
    (ARRAY['high', 'medium', 'low'])[1 + r % 3], r, 100000, now(), now(), 'department'
FROM core.source_system AS ss
JOIN (SELECT source_system_id, min(stream_id) AS stream_id FROM ledger.stream GROUP BY 1) AS first
    USING (source_system_id)
CROSS JOIN generate_series(1, :rules) AS r
"""


def main() -> None:
    """Measure and print."""
    options = _options()
    with _hub() as runtime, served(create(lambda: runtime)) as url:
        accounts.make(
            runtime.engine, code="bench", name="bench", roles=["steward"], organ=None, password=PASSWORD,
            actor="cli:bench",
        )  # fmt: skip
        browser = Browser(url)
        browser.sign_in("bench")
        empty, _ = _looks(browser, options.looks)
        rows = _fill(runtime.engine, options)
        full, size = _looks(browser, options.looks)
    print(f"{'rows in':34} {', '.join(f'{name} {count:,}' for name, count in rows.items())}")
    print(f"{'page':34} {size / 1024:.0f} KiB, {options.departments} departments")
    print(f"{'overview, empty tables':34} {empty:8.1f} ms (median of {options.looks})")
    print(f"{'overview, filled':34} {full:8.1f} ms (median of {options.looks})")
    print(f"{'ratio filled / empty':34} {full / empty:8.2f}")
    print(f"{'goal':34} {GOAL_MS:8.1f} ms {'held' if full < GOAL_MS else 'MISSED'}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--departments", type=int, default=43)
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--rules", type=int, default=200)
    parser.add_argument("--looks", type=int, default=LOOKS)
    return parser.parse_args()


@contextmanager
def _hub() -> Iterator[Runtime]:
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        server = EmbeddedServer(Path(folder) / "pg")
        server.start()
        try:
            url = server.url("hub")
            settings = Settings(
                home=Path(folder), database_url=SecretStr(url), keys=SecretStr(new_ring().to_json()), sources=()
            )
            runtime = Runtime.open(settings)
            yield runtime
            runtime.engine.dispose()
        finally:
            server.stop()


def _fill(engine: sa.Engine, options: argparse.Namespace) -> dict[str, int]:
    """Fill the tables; return their rows."""
    first: date = today() - timedelta(days=options.days - 1)
    asked = {"streams": STREAMS, "first": first, **vars(options)}
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for statement in (_SYSTEMS, _STREAMS, _SCORES, _DAILY, _ISSUES):
            connection.execute(sa.text(statement), asked)
    tables = ("score", "daily", "issue")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in tables:
            connection.exec_driver_sql(f"VACUUM ANALYZE quality.{name}")
        return {
            name: connection.exec_driver_sql(f"SELECT count(*) FROM quality.{name}").scalar_one() for name in tables
        }


def _looks(browser: Browser, looks: int) -> tuple[float, int]:
    """Open the page again and again; return the median in milliseconds and the size of its text."""
    times, answer = [], requests.Response()
    for look in range(looks + 3):
        began = time.perf_counter()
        answer = browser.see("/quality")
        took = (time.perf_counter() - began) * 1000
        assert answer.status_code == 200
        times += [took] if look >= 3 else []
    return statistics.median(times), len(answer.content)


if __name__ == "__main__":
    main()
