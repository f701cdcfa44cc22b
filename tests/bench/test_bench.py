"""The benchmark's harness runs at a tiny size and prints its ratios; nothing here judges a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import report
from bench.contenders.base import Size
from bench.flatness import flatness
from bench.measure import Measure, ProgramFailed, run
from bench.suite import Plan, Results

ROOT = Path(__file__).resolve().parents[2]


def _measure(seconds: float, *, peak: float = 300.0, slices: list[list[object]] | None = None) -> Measure:
    return Measure(1000, seconds, seconds - 1, seconds / 2, seconds / 4, peak, {"slices": slices or []})


def _results(tmp_path: Path, **seconds: float) -> Results:
    plan = Plan(Size(200, 800), 1, 100, None, (), tmp_path)
    results = Results(plan)
    for name, value in seconds.items():
        results.titles[name] = name
        results.measures[name] = [_measure(value)]
    return results


def test_the_harness_runs_the_hub_and_its_limits_and_prints_ratios(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "bench", "--cases", "60", "--events", "300", "--slice-size", "100", "--runs", "1",
            "--only", "again", "--only", "merge", "--only", "copy", "--no-flat", "--no-warm-up", "--json",
            "--cache", str(tmp_path),
        ],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert list(printed["contenders"]) == ["hub", "again", "merge", "copy"]
    assert all(
        one["records"] == 360 and one["peak_mib"] > 10 for runs in printed["contenders"].values() for one in runs
    )
    values = {one["words"]: one["value"] for one in printed["ratios"]}
    measured = {words for words, value in values.items() if value is not None}
    assert measured == {
        "hub against the same merge by hand of ready rows",
        "that merge against plain COPY without indexes",
        "hub with nothing changed against its first load",
        "peak memory of the hub's process, all its runs",
    }
    assert not list(tmp_path.iterdir()), "dlt's environment is made only where dlt is measured"


def test_each_ratio_is_judged_by_its_target(tmp_path: Path) -> None:
    results = _results(tmp_path, hub=10, again=2, merge=6, copy=1, dlt=34)
    met = {one.words: one.met for one in report.verdicts(results)}
    assert met["hub against dlt's default merge"] is False
    assert met["hub against the same merge by hand of ready rows"] is True
    assert met["that merge against plain COPY without indexes"] is False
    assert met["hub with nothing changed against its first load"] is True
    assert met["hub against dlt's fastest way (the aim: 1)"] is None
    text = report.as_text(results)
    assert "3.40" in text
    assert "FAIL" in text
    assert "not measured" in text


def test_slices_of_one_stream_are_compared_with_each_other() -> None:
    slices = [("CASES", 5.0 + i, 100) for i in range(11)] + [("EVENTS", 100.0 + 2 * i, 100) for i in range(6)]
    slices += [("EVENTS", 112.5 + 2.5 * i, 100) for i in range(5)] + [("EVENTS", 200.0, 7)]
    found = {one.stream: one for one in flatness(slices, 100)}
    assert found["CASES"].ratio == pytest.approx(1.0)
    assert found["EVENTS"].slices == 10, "the first slice of a stream and the short last one say nothing"
    assert found["EVENTS"].ratio == pytest.approx(1.25)
    assert flatness(slices[:8], 100) == []


def test_a_program_that_fails_is_told_with_its_words() -> None:
    with pytest.raises(ProgramFailed, match="no such table"):
        run([sys.executable, "-c", "raise SystemExit('no such table')"], records=1, server_cpu=lambda: 0.0)


@pytest.mark.long
def test_the_overview_is_asked_over_what_was_filled_in() -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "bench.quality_overview", "--organs", "3", "--days", "4", "--rules", "5",
            "--runs", "1", "--json",
        ],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = {one["question"]: one["rows"] for one in json.loads(done.stdout)}
    assert found == {
        "overview of a day": 3, "trend of an organ, 90 days": 4, "streams and documents of an organ": 16,
        "open issues of an organ": 5,
    }  # fmt: skip


@pytest.mark.long
def test_the_overview_page_is_looked_at_with_and_without_what_was_filled_in() -> None:
    asked = ["--departments", "3", "--days", "4", "--rules", "5", "--looks", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.pages", *asked],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert "score 1,512, daily 60, issue 15" in done.stdout
    assert "ratio filled / empty" in done.stdout
