"""dlt, the peer: `sql_table` with write disposition merge, in an environment of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.contenders.base import CannotRun, Course
from bench.measure import ROOT, Measure, run

PACKAGES = ("dlt[postgres,parquet,sql-database]==1.31.0", "adbc-driver-postgresql==1.13.0")
TARGET = "bench_dlt"
QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}


class Dlt:
    """dlt in one of the ways of `bench/drivers/dlt_load.py`."""

    def __init__(self, name: str, way: str, title: str) -> None:
        self.name, self.title, self._way = name, title, way

    def prepare(self, course: Course) -> None:
        """Make dlt's environment, unless it stands.

        Raises:
            CannotRun: the package cannot be installed, for example without a network.
        """
        environment(course.cache)

    def run(self, course: Course) -> Measure:
        """Load into a fresh database."""
        course.server.create(TARGET)
        course.server.settle()
        with tempfile.TemporaryDirectory(dir=course.folder) as folder:
            measure = run(
                [
                    str(environment(course.cache)), "-P", str(ROOT / "bench" / "drivers" / "dlt_load.py"),
                    "--source", course.server.url(course.source, driver="psycopg2"),
                    "--target", course.server.url(TARGET), "--folder", folder, "--way", self._way,
                ],
                records=course.size.records,
                server_cpu=course.server.cpu,
                environment=QUIET,
            )  # fmt: skip
        course.must_hold(TARGET, "bench.pre_apasinfo", course.size.cases)
        course.must_hold(TARGET, "bench.pre_node", course.size.events)
        return measure

    def close(self, course: Course) -> None:
        """Drop the database."""
        course.server.drop(TARGET)


def environment(cache: Path, name: str = "dlt", packages: Sequence[str] = PACKAGES) -> Path:
    """Make the environment that dlt (or another) runs in, unless it stands with these packages; return its interpreter.

    Raises:
        CannotRun: the packages cannot be installed.
    """
    python, mark = cache / name / "bin" / "python", cache / name / "packages"
    if python.exists() and mark.exists() and mark.read_text(encoding="utf-8") == "\n".join(packages):
        return python
    cache.mkdir(parents=True, exist_ok=True)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    folder = str(cache / name)
    if uv:
        steps = [
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder],
            [uv, "pip", "install", "--quiet", "--python", str(python), *packages],
        ]
    else:
        steps = [
            [sys.executable, "-m", "venv", "--clear", folder],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
        ]
    for step in steps:
        done = subprocess.run(step, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise CannotRun(f"{name} cannot be installed here: {done.stderr.strip().rsplit(chr(10), 1)[-1]}")
    mark.write_text("\n".join(packages), encoding="utf-8")
    return python
