"""The soak of the API of checks, for half a minute and with few credentials: nothing fails, nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.contenders.base import CannotRun
from bench.contenders.dlt import environment
from bench.soak import LOCUST

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
def test_under_a_mixed_load_nothing_fails_and_every_answered_check_is_in_the_log(tmp_path: Path) -> None:
    try:
        environment(tmp_path, "locust", (LOCUST,))
    except CannotRun as error:
        pytest.skip(str(error))
    small = {"minutes": 0.5, "users": 6, "each": 5, "credentials": 20_000, "cases": 6_000, "cache": tmp_path}
    words = [str(part) for name, value in small.items() for part in (f"--{name}", value)]
    done = subprocess.run([sys.executable, "-m", "bench.soak", *words], cwd=ROOT, capture_output=True, text=True,
                          timeout=400, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["failed"], found["lost"], found["faults"]) == (0, 0, [])
    asked = {"check", "prerequisites", "check under a key", "newest answer", "/v1/items", "/v1/audit/heads"}
    assert all(found["requests"][name]["count"] for name in asked)
    assert found["entries_verified"] >= found["answered"] > 100
    assert len(found["memory_mib"]["late"]) == 3, "the process that watches, and two that serve"
