"""The benchmark of suites runs at a tiny size and prints its ratios; nothing here judges a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import sets

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
def test_the_benchmark_judges_all_rows_and_prints_ratios() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.sets", "--events", "2000", "--runs", "1", "--json"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    alone, together = found["lines"]
    assert (alone["documents"], alone["rows"]) == (["stage_event"], 2_000)
    assert together["rows"] == 2_000 + 3 * 400
    assert alone["results"] == 40 * alone["expectations"]
    assert alone["expectations"] >= sets.LEAST_EXPECTATIONS
    shown = sets.as_text(found)
    assert "stage_event" in shown
    assert shown.count("pass") + shown.count("FAIL") == len(found["targets"]) == 3
