"""`make demo` as a user types it, with Airflow: it holds, leaves nothing running, and tells nobody's name."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from hub.settings import Settings
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.embedded.processes import servers
from sharedrepo.embedded.user import binaries
from sharedrepo.models import TABLES
from tests.demo.leaks import files_below, injected, leaks

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.CompletedProcess[str]]]:
    home = tmp_path_factory.mktemp("journey") / "hub"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HUB_", "AIRFLOW_"))}
    environment |= {"HUB_HOME": str(home), "SEED": "11", "CASES": "1000"}
    yield (
        home,
        subprocess.run(
            [sys.executable, "-m", "demo.journey"], env=environment, capture_output=True, text=True, check=False
        ),
    )
    EmbeddedServer.from_settings(Settings(home=home)).stop()


def test_it_holds_and_leaves_nothing_running(journey: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    home, ended = journey
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-2000:]
    assert "All 43 departments and 101 cities and counties balance" in ended.stdout
    assert servers(home / "pg" / "data") == []
    assert servers(home / "demo" / "systems" / "pg" / "data") == []


def test_no_table_of_core_is_empty_and_no_name_is_told(
    journey: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """Searched are dumps of the repository and of Airflow's metadata, all files of the server with the write-ahead
    log, the archive, and Airflow's home with all logs."""
    home, ended = journey
    server = EmbeddedServer.from_settings(Settings(home=home))
    server.start()
    dumps = []
    for database in ("hub", "airflow"):
        dump = subprocess.run([binaries() / "pg_dump", server.url(database)], capture_output=True, check=True).stdout
        assert len(dump) > 100_000
        dumps.append((f"dump of {database}", dump))
    connection = psycopg2.connect(server.url("hub"))
    with connection, connection.cursor() as cursor:
        for table in (*TABLES, "source_system", "case_overview"):
            cursor.execute(f"SELECT EXISTS (SELECT FROM core.{table})")
            assert cursor.fetchone() == (True,), f"core.{table} is empty"
    connection.close()
    server.stop()
    places = [*dumps, *files_below(home, "pg", "archive", "keys", "airflow", "logs")]
    assert any(name.startswith("pg/data/pg_wal/") for name, _ in places)
    assert any(name.startswith("airflow/") and name.endswith(".log") for name, _ in places)
    assert any(name == "logs/web.log" and content for name, content in places)
    said = [("what was printed", (ended.stdout + ended.stderr).encode())]
    assert leaks(injected(home), [*places, *said]) == set()
