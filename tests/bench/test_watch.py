"""The benchmark of rules, cards, texts and appraisal runs at a tiny size; nothing here judges a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
def test_each_row_stands_beside_a_named_floor() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.watch", "--cases", "600", "--texts", "6", "--json"],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert list(rows) == [
        "rules over all cases, cards raised", "rules over all cases, nothing new", "rules after cases changed",
        "rules after few cases changed", "cards sealed", "a month frozen",
        "a month recomputed from its files", "texts sent",
    ]  # fmt: skip
    for name, row in rows.items():
        assert row["count"] > 0, name
        assert row["floor"], name
        assert row["ratio"] > 0, name
    assert rows["cards sealed"]["count"] >= rows["rules over all cases, cards raised"]["count"]
    page = (ROOT / "docs" / "develop" / "benchmarks.md").read_text(encoding="utf-8")
    assert "python -m bench.watch" in page
