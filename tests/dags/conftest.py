"""What Airflow sees of the DAG files, read in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).parent / "sources"
DEMONSTRATION = ROOT / "demo" / "sources"


def airflow_environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a process that imports Airflow: a home of its own, nothing of ours.

    Without Python's own variables, it uses the modules that `make env` compiled: to compile Airflow takes seconds.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HUB_", "AIRFLOW", "PYTHON"))}
    return clean | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "HUB_HOME": str(home / "hub"),
    } | more  # fmt: skip


@pytest.fixture(scope="session")
def view(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """A function that reads the DAG files over source folders, with a hash seed, in a fresh process."""
    home = tmp_path_factory.mktemp("airflow") / "home"

    def read(sources: Path, *, seed: int = 0, **more: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, Path(__file__).parent / "airflow_view.py"],
            env=airflow_environment(home, HUB_SOURCES=str(sources), PYTHONHASHSEED=str(seed), **more),
            cwd=ROOT, check=False, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    return read


@pytest.fixture(scope="session")
def small(view: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """What Airflow sees over the folders of tests/dags/sources."""
    return view(SOURCES)


@pytest.fixture(scope="session")
def demonstration(view: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """What Airflow sees over the demonstration's folders."""
    return view(DEMONSTRATION)
