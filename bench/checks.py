"""`python -m bench.checks`: single checks a second over the API, signed and logged, beside the statements alone.

Fills a repository of its own with credentials and cases (1,000,000 and 346,000 by default), serves it by worker
processes and lets wrk ask on some connections. In the same run pgbench executes **the same statements** (the prepared
query, the INSERT into the log, each a transaction) on as many connections, and a bulk of a thousand is timed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extras
import requests
import sqlalchemy as sa
from pydantic import SecretStr

from bench.server import Server, started
from hub.protect import Protector
from hub.protect.keys import new_ring
from hub.settings import Settings
from sharedrepo.access import clients
from sharedrepo.migrate import upgrade
from verification.evidence import feeds
from verification.evidence.looking import PREPARED
from verification.rights import access

ORGAN, ASKER = "11330000002482285J", "11330000002483659R"
TYPE, PURPOSE = "食品经营许可证", "前置审批核验"
HOLDERS = 10_000

FILL = """
INSERT INTO core.source_system (code, title, organ, kind)
SELECT 's' || n, 'Department ' || n, CASE n WHEN 1 THEN %(organ)s WHEN 2 THEN %(asker)s END, 'database'
FROM generate_series(1, 43) AS n;
INSERT INTO ledger.stream (source_system_id, name, complete_through, complete_basis)
SELECT source_system_id, 'S', now() + interval '1 day', 'declared' FROM core.source_system;
INSERT INTO ledger.batch (source_system_id, seq, stream_id, kind, mapping_version, read_at, recorded_at, read, new)
SELECT source_system_id, 1, stream_id, 'pull', '1', now(), now(), 1, 1 FROM ledger.stream;
INSERT INTO ledger.source_record (record_id, stream_id, source_key, received_hash, state, first_batch_id, batch_id, row)
OVERRIDING SYSTEM VALUE
SELECT n, CASE WHEN n <= %(credentials)s THEN 1 ELSE 2 END, 'k' || n, '\\x00', 'kept', 1, 1, n
FROM generate_series(1, %(credentials)s + %(cases)s) AS n;
INSERT INTO core.credential (record_id, part, source_system_id, issuer, credential_type, number, version,
    holder_number_hash, holder_name_hash, valid_from, valid_to, status, batch_id, content_hash, reported_at)
SELECT n, 0, 1, %(organ)s, %(type)s, 'JY-' || n, '001', h.hash, h.hash, '2025-01-01', '2035-12-31', 'valid', 1,
    '\\x00', now()
FROM generate_series(1, %(credentials)s) AS n JOIN held AS h ON h.place = n %% %(holders)s;
INSERT INTO core.credential_status (record_id, part, status, since, since_precision, batch_id, content_hash)
SELECT n, 1, 'valid', '2025-01-01', 'd', 1, '\\x00' FROM generate_series(1, %(credentials)s) AS n;
INSERT INTO core.approval_case (record_id, part, source_system_id, case_number, handling_organ, reporting_organ,
    batch_id, content_hash)
SELECT %(credentials)s + n, 0, 2, 'A-' || n, %(asker)s, %(asker)s, 2, '\\x00' FROM generate_series(1, %(cases)s) AS n;
INSERT INTO core.case_party (record_id, part, case_id, role, number_hash, batch_id, content_hash)
SELECT %(credentials)s + n, 1, %(credentials)s + n, 'applicant', h.hash, 2, '\\x00'
FROM generate_series(1, %(cases)s) AS n JOIN held AS h ON h.place = n %% %(holders)s;
"""

LUA = """
local file = assert(io.open("%(questions)s", "r"))
local bodies = {}
for line in file:lines() do bodies[#bodies + 1] = line end
local place = 0
function setup(thread) place = place + 1; thread:set("first", place) end
function init(args) math.randomseed(first * 7919) end
function request()
    local headers = {["Authorization"] = "Bearer %(token)s", ["Content-Type"] = "application/json"}
    return wrk.format("POST", "/v1/checks", headers, bodies[math.random(#bodies)])
end
local bad = 0
function response(status) if status ~= 200 then bad = bad + 1 end end
function done(summary, latency, requests)
    io.write(string.format("RESULT %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration, summary.errors.status,
        latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of wrk: checks a second, median and 99th percentile in milliseconds, answers that were no 200."""

    per_second: float
    median: float
    p99: float
    wrong: int


def main() -> None:
    """Fill, serve, ask; print what was measured."""
    options = _options()
    if shutil.which("wrk") is None or shutil.which("pgbench") is None:
        sys.exit("wrk and pgbench must be there (Debian: apt-get install wrk postgresql-contrib).")
    with started() as (server, folder):
        found = measure(server, folder, options)
    print(json.dumps(found, indent=2))


def filled(
    server: Server, database: str, ring: str, folder: Path, options: argparse.Namespace
) -> tuple[Protector, sa.Engine, list[str]]:
    """Fill a repository whose credentials everybody may check; return its keys, its engine and the holders' numbers."""
    protector = Protector.from_settings(settings_of(server.url(database), ring, folder))
    engine = sa.create_engine(server.url(database, driver="psycopg2"))
    upgrade(engine)
    numbers = [f"P{n:08d}" for n in range(HOLDERS)]
    fill(server.url(database), protector, numbers, options)
    access.share(
        engine, kind="credential_type", code=TYPE, sharing_class="unconditional", legal_ground="bench", actor="b"
    )
    return protector, engine, numbers


def measure(server: Server, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure everything on one server."""
    database, ring = server.create("checks"), new_ring().to_json()
    protector, engine, numbers = filled(server, database, ring, folder, options)
    feeds.learn(engine, wait=True)
    secret, _ = clients.make(engine, protector, code="bench", organ=ASKER, rights=["check"], days=1)
    ask = questions(options, numbers)
    with serving(server.url(database), ring, folder, options.workers) as url:
        token = requests.post(
            f"{url}/v1/token", data={"grant_type": "client_credentials"}, auth=("bench", secret), timeout=30
        )
        head = {"Authorization": f"Bearer {token.json()['access_token']}"}
        one = requests.post(
            f"{url}/v1/checks", data=ask[0], headers={**head, "Content-Type": "application/json"}, timeout=30
        )
        assert one.json()["answer"]["outcome"] == "match", one.text
        bulk = [timed_bulk(url, head, ask) for _ in range(options.runs)]
        with server.connect(database) as cursor:
            cursor.execute("SELECT count(*) FROM audit.entry")
            (before,) = cursor.fetchone()
        runs = [wrk(url, folder, ask, token.json()["access_token"], options) for _ in range(options.runs)]
        with server.connect(database) as cursor:
            cursor.execute("SELECT count(*) FROM audit.entry")
            (after,) = cursor.fetchone()
        floor = pgbench(server, database, folder, options)
    engine.dispose()
    rate = statistics.median(one.per_second for one in runs)
    return {
        "checks_per_second": round(rate), "median_ms": statistics.median(one.median for one in runs),
        "p99_ms": statistics.median(one.p99 for one in runs), "not_200": sum(one.wrong for one in runs),
        "runs": [round(one.per_second) for one in runs], "logged": after - before,
        "statements_alone_per_second": round(floor),
        "times_the_statements": round(floor / rate, 2), "bulk_1000_ms": round(statistics.median(bulk) * 1000),
        "credentials": options.credentials, "cases": options.cases, "workers": options.workers,
        "connections": options.connections,
    }  # fmt: skip


def settings_of(url: str, ring: str, folder: Path) -> Settings:
    """Return the settings of a hub on a database."""
    return Settings(home=folder / "home", database_url=SecretStr(url), keys=SecretStr(ring))


def fill(url: str, protector: Protector, numbers: list[str], options: argparse.Namespace) -> None:
    """Write credentials and cases as the merge would leave them."""
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE held (place int PRIMARY KEY, hash bytea)")
        rows = [(n, protector.lookup_hash("number", number)) for n, number in enumerate(numbers)]
        psycopg2.extras.execute_values(cursor, "INSERT INTO held VALUES %s", rows)
        cursor.execute(FILL, {"organ": ORGAN, "asker": ASKER, "type": TYPE, "holders": HOLDERS,
                              "credentials": options.credentials, "cases": options.cases})  # fmt: skip
    connection.close()
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    connection.close()


def questions(options: argparse.Namespace, numbers: list[str]) -> list[str]:
    """Return questions about credentials all over the table."""
    step = max(1, options.credentials // 20_000)
    made = []
    for n in range(1, options.credentials, step):
        case = n % options.cases + 1
        held = {"type": TYPE, "number": f"JY-{n}", "holder_number": numbers[n % HOLDERS]}
        made.append(json.dumps({"kind": "credential", "case": f"A-{case}", "purpose": PURPOSE, "credential": held},
                               ensure_ascii=False))  # fmt: skip
    return made


@contextmanager
def serving(url: str, ring: str, folder: Path, workers: int) -> Iterator[str]:
    """Serve the API by worker processes on one port."""
    env = {
        **os.environ,
        "HUB_DATABASE_URL": url,
        "HUB_KEYS": ring,
        "HUB_HOME": str(folder / "home"),
        "HUB_CHECK_RATE": "0",
    }
    command = [str(Path(sys.executable).parent / "hub"), "web", "serve", "--port", "0", "--workers", str(workers)]
    log = (folder / "log").open("w")
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def timed_bulk(url: str, head: dict[str, str], ask: list[str]) -> float:
    """Return the seconds that a thousand checks in one request take."""
    body = json.dumps({"checks": [json.loads(one) for one in ask[:1000]]})
    began = time.perf_counter()
    answer = requests.post(
        f"{url}/v1/bulk-checks", data=body, headers={**head, "Content-Type": "application/json"}, timeout=60
    )
    took = time.perf_counter() - began
    told = [one["answer"]["outcome"] for one in answer.json()["checks"]]
    assert told == ["match"] * len(json.loads(body)["checks"]), "what is asked is held: not to find it is less work"
    return took


def wrk(url: str, folder: Path, ask: list[str], token: str, options: argparse.Namespace) -> Run:
    """Let wrk ask for some seconds."""
    file, script = folder / "questions.txt", folder / "ask.lua"
    file.write_text("\n".join(ask) + "\n", encoding="utf-8")
    script.write_text(LUA % {"questions": file, "token": token}, encoding="utf-8")
    command = ["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "-s", str(script), url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$", done.stdout, re.MULTILINE)
    assert found is not None, done.stdout + done.stderr
    count, micros, wrong, median, p99 = map(int, found.groups())
    return Run(count / micros * 1e6, median / 1000, p99 / 1000, wrong)


def pgbench(server: Server, database: str, folder: Path, options: argparse.Namespace) -> float:
    """Return how many times a second the same statements go through by themselves."""
    select = PREPARED["hub_credentials"].split(" AS ", 1)[1]
    values = [f"'{ASKER}'::text", "current_date", f"ARRAY['{TYPE}']", "ARRAY['JY-' || :n]", "ARRAY[NULL]::text[]",
              f"ARRAY['{PURPOSE}']", "ARRAY['A-' || :case]", "1"]  # fmt: skip
    for place, value in reversed(list(enumerate(values, 1))):
        select = re.sub(rf"\${place}(?!\d)", value, select)
    fake = "x" * 400
    insert = f"""INSERT INTO audit.entry (recorded_at, check_id, kind, client_id, organ, purpose, confirmed, outcome,
        answer, receipt, personal, subject_hash) VALUES (now(), gen_random_uuid(), 'pgbench', 1, '{ASKER}', '{PURPOSE}',
        'confirmed', 'match', '{fake}', '{fake}', convert_to('{fake}', 'UTF8'), decode(md5('{fake}'), 'hex'))"""
    script = folder / "same.sql"
    flat = [re.sub(r"\s*\n\s*", " ", one) for one in (select, insert)]
    script.write_text(
        f"\\set n random(1, {options.credentials})\n\\set case random(1, {options.cases})\n"
        + "".join(f"{one};\n" for one in flat)
    )
    command = ["pgbench", "-n", "-M", "prepared", "-f", str(script), f"-c{options.connections}", "-j1",
               f"-T{options.seconds}", server.url(database)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    return float(found.group(1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.checks", description=__doc__)
    parser.add_argument("--credentials", type=int, default=1_000_000)
    parser.add_argument("--cases", type=int, default=346_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
