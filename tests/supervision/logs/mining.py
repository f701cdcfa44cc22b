"""A real process-mining tool, pm4py, in an environment of its own: it is under the AGPL and no part of the hub.

It comes once from the ordinary package index, by uv, into the user's cache folder; without a way there the tests skip.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

PM4PY = "pm4py==2.7.23.11"
PATIENCE = 300.0
_PROGRAM = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import pm4py
kind, path = sys.argv[1:]
if kind == "xes":
    log = pm4py.read_xes(path, show_progress_bar=False)
    graph, starts, ends = pm4py.discover_dfg(log)
    net = pm4py.discover_petri_net_inductive(log)
    said = {
        "cases": int(log["case:concept:name"].nunique()), "events": len(log),
        "activities": {str(k): int(v) for k, v in log["concept:name"].value_counts().items()},
        "graph": {f"{a} > {b}": int(n) for (a, b), n in graph.items()}, "starts": starts, "ends": ends,
        "places": len(net[0].places), "resources": sorted(set(log["org:resource"].dropna())),
    }
else:
    log = getattr(pm4py, f"read_ocel2_{kind}")(path)
    flat = pm4py.ocel_flattening(log, "case")
    said = {
        "events": len(log.events),
        "objects": {str(k): int(v) for k, v in log.objects["ocel:type"].value_counts().items()},
        "relations": len(log.relations), "o2o": len(log.o2o), "flat_cases": int(flat["case:concept:name"].nunique()),
        "graph": sorted(pm4py.discover_oc_petri_net(log)["petri_nets"]),
    }
print("SAID" + json.dumps(said))
"""


def read(kind: str, path: Path) -> dict[str, Any]:
    """Let pm4py read a log (xes, json or sqlite) and say what it found in it."""
    done = subprocess.run(
        [str(_python()), "-c", _PROGRAM, kind, str(path)], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said: dict[str, Any] = json.loads(done.stdout.rpartition("SAID")[2])
    return said


def _python() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "approval-exchange-hub-tests"
    place = base / PM4PY
    python = place / "bin" / "python"
    if not (place / "ready").is_file():
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=base) as fresh:
            made = Path(fresh) / "env"
            _uv("venv", "-q", "--relocatable", "-p", sys.executable, str(made))
            _uv("pip", "install", "-q", "--python", str(made / "bin" / "python"), PM4PY)
            (made / "ready").touch()
            with contextlib.suppress(OSError):  # another process was quicker
                made.rename(place)
    return python


def _uv(*words: str) -> None:
    program = Path(sys.executable).with_name("uv")
    if not program.is_file():
        pytest.skip("no uv here: `make env` installs it")
    try:
        done = subprocess.run([str(program), *words], capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"uv {words[0]} took longer than {PATIENCE:.0f} s")
    if done.returncode:
        pytest.skip(f"pm4py cannot be had: {(done.stderr.strip().splitlines() or ['no word'])[-1][:200]}")
