"""`python -m bench.wall`: the supervisor's wall over HTTP at 346,000 cases, and a page of its cases.

Clocks, stages and overviews are written as a recount leaves them, 43 departments, over a filled calendar: of all cases
a share is open (a month's work lies open by default), the others are closed. Printed are the medians of many looks, and
how long a look takes that finds nothing changed, of which there is one each two seconds and open wall.
"""

from __future__ import annotations

import argparse
import statistics
import time

import sqlalchemy as sa

from bench.pages import _hub
from supervision.calendar import service as calendars
from tests.web.browser import PASSWORD, Browser
from tests.web.serving import served
from web.accounts import service as accounts
from web.app import create

GOAL_MS = 300.0
_FILL = """
INSERT INTO core.source_system (code, title, title_zh, kind) VALUES ('bench', 'bench', '基准', 'database');
CREATE TEMP TABLE bench_case AS
SELECT n AS case_id, '1133000000' || lpad((n %% %(departments)s)::text, 7, '0') || 'X' AS organ,
    (ARRAY['330000', '330100', '330106', '330200', '330300'])[1 + n %% 5] AS region, n <= %(open)s AS open,
    CASE WHEN n <= %(open)s THEN (n::bigint * 7919) %% 30 ELSE 30 + (n::bigint * 7919) %% 330 END AS age,
    (n::bigint * 31) %% 5 AS place
FROM generate_series(1, %(cases)s) AS n;
INSERT INTO ledger.stream (source_system_id, name, last_success_at)
SELECT source_system_id, 'S', now() FROM core.source_system;
INSERT INTO ledger.batch (source_system_id, seq, stream_id, kind, mapping_version, read_at, recorded_at, read, new)
SELECT source_system_id, 1, stream_id, 'pull', '1', now(), now(), 0, 0 FROM ledger.stream;
ALTER TABLE core.approval_case DISABLE TRIGGER ALL;
INSERT INTO core.approval_case (record_id, part, source_system_id, case_number, handling_organ, region, item_code,
    batch_id, content_hash)
SELECT case_id, 0, 1, 'C' || case_id, organ, region, 'X' || case_id %% 300, 1, '\\x00' FROM bench_case;
ALTER TABLE core.case_overview DISABLE TRIGGER ALL;
INSERT INTO core.case_overview (case_id, state, events, applied_at, accepted_at, accept_first, pauses_open)
SELECT case_id, CASE WHEN open THEN 'in_progress' ELSE 'closed' END, 4, now() - age * interval '1 day',
    now() - age * interval '1 day', now() - age * interval '1 day', 0 FROM bench_case;
INSERT INTO supervision.clock (case_id, organ, region, item_code, kind, state, why, basis, applied_at, accepted_at,
    started_at, promised_value, promised_unit, legal_value, legal_unit, paused_days, paused_since, extended_days,
    limit_days, due_at, legal_due_at, closed_at, used_days, verdict, calendar, started_ordinal, paused_ordinal,
    due_ordinal, stop_unit, stop_from, stop_end)
SELECT c.case_id, c.organ, c.region, 'X' || c.case_id %% 300, 'promised',
    CASE WHEN c.case_id %% 50 = 0 AND open THEN 'not_computable' WHEN NOT open THEN 'closed'
        WHEN c.case_id %% 12 = 0 THEN 'paused' ELSE 'running' END,
    CASE WHEN c.case_id %% 50 = 0 AND open THEN 'no_limit' END, 'acceptance', s.at, s.at, s.at, 20, 'working_day', 40,
    'working_day', 0, CASE WHEN open AND c.case_id %% 12 = 0 THEN s.at + interval '2 days' END, 0, 20,
    CASE WHEN c.case_id %% 50 > 0 OR NOT open THEN (d.day + time '23:59:59') AT TIME ZONE 'Asia/Shanghai' END,
    (d.day + time '23:59:59') AT TIME ZONE 'Asia/Shanghai',
    CASE WHEN NOT open THEN s.at + (c.case_id %% 25) * interval '1 day' END,
    CASE WHEN NOT open THEN c.case_id %% 17 END,
    CASE WHEN NOT open THEN CASE WHEN c.case_id %% 140 = 0 THEN 'late' ELSE 'early' END END, '',
    b.ordinal, CASE WHEN open AND c.case_id %% 12 = 0 THEN b.ordinal + 1 END, b.ordinal + 20,
    CASE WHEN open AND c.case_id %% 12 = 0 THEN 'working_day' END,
    CASE WHEN open AND c.case_id %% 12 = 0 THEN s.at + interval '2 days' END,
    CASE WHEN open AND c.case_id %% 12 = 0 THEN (d.day + time '23:59:59') AT TIME ZONE 'Asia/Shanghai' END
FROM bench_case AS c
CROSS JOIN LATERAL (SELECT now() - c.age * interval '1 day' AS at) AS s
JOIN supervision.day AS b ON b.calendar = '' AND b.day = (s.at AT TIME ZONE 'Asia/Shanghai')::date
JOIN supervision.day AS d ON d.calendar = '' AND d.works AND d.ordinal = b.ordinal + 20;
INSERT INTO supervision.clock_stage (case_id, stage, round, organ, started_at, finished_at, calendar)
SELECT c.case_id, g.stage, 1, c.organ, now() - (c.age - g.place) * interval '1 day',
    CASE WHEN NOT open OR g.place < c.place THEN now() - (c.age - g.place - 1) * interval '1 day' END, ''
FROM bench_case AS c
CROSS JOIN unnest(ARRAY['accept', 'undertake', 'review', 'approve', 'complete']) WITH ORDINALITY AS g (stage, place)
WHERE NOT open OR g.place <= c.place + 1;
DELETE FROM supervision.touched;
"""


def main() -> None:
    """Fill, look, print."""
    options = _options()
    with _hub() as runtime, served(create(lambda: runtime)) as url:
        accounts.make(
            runtime.engine, code="bench", name="bench", roles=["supervisor"], organ=None, password=PASSWORD,
            actor="cli:bench",
        )  # fmt: skip
        rows = _fill(runtime.engine, options)
        browser = Browser(url)
        browser.sign_in("bench")
        wall, size = _looks(browser, "/supervision", options.looks)
        cities, _ = _looks(browser, "/supervision?by=city", options.looks)
        listed, _ = _looks(browser, "/supervision/cases?light=red", max(options.looks // 3, 3))
        mark = browser.see("/supervision").text.partition('data-mark="')[2].partition('"')[0]
        unchanged, _ = _looks(browser, f"/supervision/part?mark={mark}", options.looks)
    print(f"{'rows in':34} {', '.join(f'{name} {count:,}' for name, count in rows.items())}")
    print(f"{'page':34} {size / 1024:.0f} KiB, {options.departments} departments")
    print(f"{'wall by department':34} {wall:8.1f} ms (median of {options.looks})")
    print(f"{'wall by city':34} {cities:8.1f} ms")
    print(f"{'cases past their limit':34} {listed:8.1f} ms")
    print(f"{'nothing changed':34} {unchanged:8.1f} ms (a new minute counts as a change)")
    print(f"{'goal':34} {GOAL_MS:8.1f} ms {'held' if wall < GOAL_MS else 'MISSED'}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.wall", description=__doc__)
    parser.add_argument("--cases", type=int, default=346_000)
    parser.add_argument("--open", type=int, default=30_000, help="So many of them are open.")
    parser.add_argument("--departments", type=int, default=43)
    parser.add_argument("--looks", type=int, default=21)
    return parser.parse_args()


def _fill(engine: sa.Engine, options: argparse.Namespace) -> dict[str, int]:
    """Fill the tables; return their rows."""
    with engine.begin() as connection:
        calendars.ensure(connection)
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(_FILL, vars(options))
    tables = ("core.approval_case", "core.case_overview", "supervision.clock", "supervision.clock_stage")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in tables:
            connection.exec_driver_sql(f"VACUUM ANALYZE {name}")
        return {
            name: int(connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()) for name in tables[2:]
        }


def _looks(browser: Browser, path: str, looks: int) -> tuple[float, int]:
    """Open a page again and again; return the median in milliseconds and the size of its text."""
    times, size = [], 0
    for look in range(looks + 2):
        began = time.perf_counter()
        answer = browser.see(path)
        took = (time.perf_counter() - began) * 1000
        assert answer.status_code in (200, 204), answer.text[:500]
        size = len(answer.content)
        times += [took] if look >= 2 else []
    return statistics.median(times), size


if __name__ == "__main__":
    main()
