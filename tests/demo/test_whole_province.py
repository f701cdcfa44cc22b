"""The main job without Airflow: all 43 departments are pulled on both days, and the truth is found in the hub.

`tests/demo/test_journey.py` goes the same way with Airflow. Both are of the long campaign; `.ci/run` calls this one.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg2
import pytest

from connectors.loading import load_sources
from demo.catalog import REGISTER_SHAPES, build_province
from demo.door import Door, hub_door
from demo.journey import read_connections
from demo.services.run import serving
from hub.settings import DEMONSTRATION, Settings
from pipeline.pulls.exchange import exchange
from pipeline.runtime import Runtime
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.embedded.user import binaries
from sharedrepo.models import TABLES
from sharedrepo.telling.ledger import check
from tests.conftest import quicken
from tests.demo.commands import hub
from tests.demo.leaks import files_below, injected, leaks

CASES = 1000
SEEDS = [7, 101, 20290]
"""The provinces that are built: the suites were written before anybody had seen the last two."""
DAY = date(2026, 3, 18)

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


def variable(connection: str) -> str:
    return "HUB_CONN_" + re.sub(r"[^A-Z0-9]", "_", connection.upper())


class Province:
    """A province whose departments were pulled on both days; `verdicts` are what the verification said."""

    def __init__(self, home: Path, departments: EmbeddedServer, seed: int) -> None:
        self.home, self.seed = home, seed
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HUB_")},
            "HUB_HOME": str(home),
            "HUB_DEMO_POSTGRES": departments.url("postgres"),
        }
        self.verdicts: dict[int, subprocess.CompletedProcess[str]] = {}

    def hub(self, *words: str) -> subprocess.CompletedProcess[str]:
        return hub(self.environment, *words)

    def pull(self, door: Door) -> None:
        door.post()
        settings = Settings(home=self.home, sources=(DEMONSTRATION,))
        runtime = Runtime.open(settings)
        urls = read_connections(self.home / "demo" / "connections.env")
        sources = load_sources(settings.sources)
        assert len(sources) == 43 + 11 + 90
        for source in sources:
            report = exchange(source, runtime=runtime, connections=lambda name: urls[variable(name)])
            assert report.balanced, source.code
        assert check(runtime.engine) == []
        runtime.engine.dispose()


@pytest.fixture(scope="module", params=SEEDS)
def province(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, server: EmbeddedServer
) -> Iterator[Province]:
    made = Province(tmp_path_factory.mktemp("province"), server, request.param)
    made.hub("db", "start")
    quicken(EmbeddedServer.from_settings(Settings(home=made.home)))
    made.hub("demo", "build", "--seed", str(made.seed), "--cases", str(CASES))
    try:
        with serving(made.home), hub_door(made.environment) as door:
            made.pull(door)
            made.verdicts[1] = made.hub("demo", "verify", "--day", "1", "--json")
            made.hub("demo", "change")
            made.pull(door)
            made.hub("quality", "check")
            made.verdicts[2] = made.hub("demo", "verify", "--day", "2", "--json")
        yield made
    finally:
        made.hub("db", "stop")


@pytest.mark.parametrize("day", [1, 2])
def test_every_defect_is_found_and_nothing_else(province: Province, day: int) -> None:
    verdict = province.verdicts[day]
    assert verdict.returncode == 0, verdict.stdout[-3000:] + verdict.stderr[-2000:]


def test_made_up_data_is_found_in_sets_and_nowhere_else(province: Province) -> None:
    found = json.loads(province.verdicts[2].stdout)
    assert found["sets_judged"]
    signs = [row for row in found["kinds"] if row["sign"] and row["injected"]]
    assert len(signs) >= 3
    assert all(row["recall %"] >= 95 and row["precision %"] >= 99 for row in signs), signs
    certain = [row for row in found["kinds"] if not row["sign"] and row["injected"]]
    assert all(row["recall %"] == 100 and row["precision %"] == 100 for row in certain), certain


def test_no_table_of_core_is_empty(province: Province) -> None:
    settings = Settings(home=province.home)
    connection = psycopg2.connect(EmbeddedServer.from_settings(settings).url("hub"))
    with connection, connection.cursor() as cursor:
        for table in (*TABLES, "source_system", "case_overview"):
            cursor.execute(f"SELECT EXISTS (SELECT FROM core.{table})")
            assert cursor.fetchone() == (True,), f"core.{table} is empty"
    connection.close()


def test_the_coverage_names_the_departments_that_send_results_only(province: Province) -> None:
    truth = json.loads((province.home / "demo" / "truth.json").read_text(encoding="utf-8"))
    names = {one["name"]: one["shape"] for one in truth["departments"]}
    found = json.loads(province.hub("connector", "coverage", "--json").stdout)
    organs, items, processes = (found[name] for name in ("organs", "items", "processes"))
    registers = sum(shape in REGISTER_SHAPES for shape in names.values())
    assert organs["of"] == len(names) - registers
    assert {one["name"] for one in organs["missing"]} == {
        name for name, shape in names.items() if shape == "double_publicity"
    }
    assert all(one["decisions"] > 0 for one in organs["missing"])
    assert (
        items["covered"] + len(items["missing"]) == items["of"] == len(build_province(province.seed, CASES, DAY).items)
    )
    assert {one["organ"] for one in organs["missing"]} <= {one["organ"] for one in items["missing"]}
    assert 0.9 < processes["share"] < 1.0
    gaps = sum(one["cases"] for one in processes["missing"])
    assert processes["of"] - processes["covered"] <= gaps, "a case that is not covered lacks a stage that is listed"


@pytest.mark.timeout(3600)  # the province is built within its time, and every byte is searched for every value
def test_no_injected_personal_value_stands_anywhere_in_the_clear(province: Province) -> None:
    """Searched are a dump, the write-ahead log, all of the server's files, the archive and all logs."""
    url = province.hub("db", "url").stdout.split()[0]
    dump = subprocess.run([binaries() / "pg_dump", url], capture_output=True, check=True).stdout
    assert len(dump) > 1_000_000
    places = [("dump", dump), *files_below(province.home, "pg", "archive", "keys", "logs")]
    assert any(name.startswith("pg/data/pg_wal/") for name, _ in places)
    assert any(name.startswith("archive/") for name, _ in places)
    assert leaks(injected(province.home), places) == set()
