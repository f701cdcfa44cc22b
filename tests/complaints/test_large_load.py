"""Complaints 7 and 8: a large load takes memory, time and disk out of all proportion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sharedrepo.embedded import EmbeddedServer
from tests.crash.campaign import execute
from tests.departments import GOOD

ROOT = Path(__file__).resolve().parents[2]
SLICE = 4_000

Said = list[dict[str, Any]]


@pytest.fixture(scope="module")
def url(server: EmbeddedServer, template: str) -> Any:
    execute(server, f"CREATE DATABASE large_load TEMPLATE {template}")
    yield server.url("large_load")
    execute(server, "DROP DATABASE large_load WITH (FORCE)")


@pytest.fixture(scope="module")
def loads(url: str, key_ring: str, tmp_path_factory: pytest.TempPathFactory) -> Said:
    """A small load, one of 20,000 rows and one of 100,000, one after the other in one process."""
    place = tmp_path_factory.mktemp("large")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.complaints.load", str(place / "sources")],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
        env=clean | {"HUB_HOME": str(place / "home"), "HUB_DATABASE_URL": url, "HUB_KEYS": key_ring,
                     "HUB_SLICE_SIZE": str(SLICE)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said: Said = json.loads(done.stdout)
    return said


def test_five_times_the_rows_take_no_more_memory(loads: Said) -> None:
    small, large = loads[1], loads[2]
    assert large["new"] == 100_000
    assert large["peak_mib"] < small["peak_mib"] + 64, "what is held is a few slices, whatever the load"


def test_five_times_the_rows_take_about_five_times_the_processor(loads: Said) -> None:
    small, large = (one["processor"] / one["rows"] for one in loads[1:])
    assert large < 1.6 * small, "no part of the load grows faster than its rows"


def test_a_record_costs_the_processor_less_than_python_objects_one_by_one_would(loads: Said) -> None:
    """A budget with room for a slow machine: engines that work record by record take some hundred microseconds."""
    assert loads[2]["processor"] / 100_000 < 400e-6


def test_what_100_000_equal_times_leave_in_the_state_is_a_few_values(loads: Said, url: str) -> None:
    assert loads
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg2:"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        states = connection.exec_driver_sql("SELECT octet_length(state::text) FROM ledger.stream").scalars().all()
    assert len(states) == 3
    assert max(states) < 512


def test_the_repository_takes_a_few_times_what_was_said(loads: Said, url: str) -> None:
    """Rows, the parties beside them, the ledger and all indexes; what was staged is gone."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg2:"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        size = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
    said = len(json.dumps(GOOD["PRE_APASINFO"], ensure_ascii=False).encode())
    assert size / sum(one["rows"] for one in loads) < 4 * said
