"""Complaint 14: a heavy runtime, with a server, a container a connector and a dozen processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pipeline.pulls.exchange import exchange
from sharedrepo.embedded import EmbeddedServer
from tests.departments import Department
from tests.journeys.conftest import Hub

PROGRAM = """
import json, os, sys, threading
from pathlib import Path
from connectors.loading import load_sources
from pipeline.pulls.exchange import exchange

[source] = load_sources([Path(sys.argv[1])])
most = 0
def look(*_):
    global most
    mine = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    most = max(most, len(mine))
report = exchange(source, connections=lambda _: sys.argv[2], progress=look)
known = ("airflow", "great_expectations", "kit", "dags", "demo", "uvicorn", "fastapi")
heavy = [name for name in known if name in sys.modules]
print(json.dumps({"read": report.streams[0].read, "children": most, "heavy": heavy}))
"""


def test_a_pull_is_one_process_of_a_plain_package(
    tmp_path: Path, server: EmbeddedServer, database: str, key_ring: str
) -> None:
    department = Department(tmp_path / "sources")
    department.case("C-1")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "sources"), department.url],
        cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True, check=False, timeout=120,
        env={"PATH": "/usr/bin:/bin", "HUB_HOME": str(tmp_path / "home"), "HUB_DATABASE_URL": database,
             "HUB_KEYS": key_ring},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said == {"read": 1, "children": 0, "heavy": []}


def test_what_a_task_hands_on_is_counts_whatever_was_loaded(hub: Hub) -> None:
    """What goes through XCom: as much after 300 bad records as after none, and no value of any of them."""
    sizes = []
    for _ in range(2):
        report = exchange(hub.source(), runtime=hub.runtime, connections=lambda _: hub.department.url).as_dict()
        said = json.dumps(report, ensure_ascii=False)
        assert "王晓岚" not in said
        sizes.append(len(said))
        for number in range(300):
            hub.department.put("PRE_APASINFO", PROJID=f"C-{number}", RECEIVETIME="no time", APPLY_CARDNUMBER="1")
    assert hub.one("SELECT count(*) >= 300 FROM quality.finding")
    assert sizes[1] < sizes[0] + 100
