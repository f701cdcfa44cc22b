"""The benchmark of kinds: each kind brings every record over, is told what it is owed, and stands in one table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from bench.kinds.__main__ import KINDS, as_dict, as_text
from bench.kinds.harness import Line
from bench.measure import Measure
from connectors.source import Kind

ROOT = Path(__file__).resolve().parents[2]
OF_ITS_OWN = (
    "database-postgresql",
    "exchange-postgresql",
    "csv",
    "xlsx",
    "xml",
    "debezium",
    "workbook",
    "xes",
    "rest",
    "soap",
    "push",
)
"""Kinds that need nothing of the machine."""


def line(title: str, floor: float, hub: float) -> Line:
    def one(seconds: float) -> Measure:
        return Measure(1000, seconds + 1, seconds, 0.0, 0.0, 100.0, {})

    return Line(title, [one(floor)], [one(hub)])


@pytest.mark.long
def test_every_kind_of_its_own_is_measured_and_every_record_comes_over() -> None:
    words = [word for name in OF_ITS_OWN for word in ("--only", name)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.kinds", "--cases", "20", "--json", *words],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert tuple(found["kinds"]) == OF_ITS_OWN, found["not_measured"]
    for name, figures in found["kinds"].items():
        assert figures["hub"] > 0, name
        assert figures["of_floor"] == pytest.approx(figures["hub"] / figures["floor"])
    assert found["kinds"]["database-postgresql"]["of_database"] == 1.0


def test_every_kind_of_source_has_a_line() -> None:
    measured = {one.title.split(":")[0].split(" ")[0] for one in KINDS}
    assert set(get_args(Kind)) - measured == {"own"}, "that is a class of the department's own"


def test_the_exchange_table_is_held_against_the_plain_tables() -> None:
    lines = {
        "database-postgresql": line("database", floor=0.01, hub=0.1),
        "exchange-postgresql": line("exchange", 0.01, 0.19),
    }
    assert as_dict(lines, {})["kinds"]["exchange-postgresql"]["of_database"] == pytest.approx(0.1 / 0.19)
    assert "0.53 (>= 0.5: pass)" in as_text(lines, {})
    lines["exchange-postgresql"] = line("exchange", 0.01, 0.21)
    assert "0.48 (>= 0.5: FAIL)" in as_text(lines, {})


def test_what_this_machine_lacks_is_said_in_the_table() -> None:
    text = as_text({"csv": line("files: CSV", 0.1, 1.0)}, {"sftp": "no OpenSSH server on this machine"})
    assert "sftp" in text
    assert "not measured: no OpenSSH server on this machine" in text
