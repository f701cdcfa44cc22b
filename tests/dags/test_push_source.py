"""The DAG of a source that posts: its run reads nothing, looks after what is due, and does not fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from hub.settings import Settings
from tests.dags.conftest import ROOT, airflow_environment
from tests.posters import Poster
from tests.web.processes import environment

PROGRAM = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from dags import tasks
from dags.headers import read_headers
from dags.page import page

[header] = read_headers([Path(sys.argv[1])])
report = tasks.exchange(header)
tasks.report(report)
print(json.dumps({"page": page(header), "report": report}))
"""


def test_a_run_of_a_source_that_posts_reads_nothing_and_succeeds(tmp_path: Path, settings: Settings) -> None:
    poster = Poster(settings.sources[0], schedule="0 20 * * *")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(poster.folder.parent)], cwd=ROOT,
        env=airflow_environment(tmp_path / "airflow") | environment(settings),
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["report"]["balanced"]
    assert {one["read"] for one in said["report"]["streams"]} == {0}
    assert "none: the department posts" in said["page"]
