"""The receipt log: 8,577 events of 1,434 cases, in two serialisations of one source."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
import yaml

from connectors.loading import load_sources
from pipeline.afterwards.rebuild import rebuild
from pipeline.runtime import Runtime
from sharedrepo.telling.digest import digest
from sharedrepo.telling.ledger import check
from tests.real.counting import read_log
from tests.real.puller import SOURCES, Puller, PullerOf, changes

CASES, EVENTS = 1_434, 8_577
ENDED = """SELECT count(*) FROM core.acceptance AS a JOIN core.stage_event AS s USING (case_id)
    WHERE s.stage = 'complete' AND s.started_at"""


@pytest.fixture
def receipt(puller: PullerOf) -> Puller:
    return puller("event_logs")


@pytest.fixture
def as_csv(tmp_path: Path) -> Path:
    """The same source, told where the CSV lies and how to read it; mapping, code and streams are those of the XES."""
    csv_options = {"level": None, "path": "receipt.csv", "format": "csv"}
    declared = {
        "version": 1,
        "code": "receipt",
        "extends": str(SOURCES / "receipt"),
        "kind": "files",
        "streams": {"cases": {"options": csv_options}, "events": {"options": csv_options}},
    }
    folder = tmp_path / "receipt"
    folder.mkdir()
    (folder / "source.yml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    return folder


def test_the_log_and_then_its_csv_are_one_source(receipt: Puller, as_csv: Path, shared_data: Path) -> None:
    log = read_log(shared_data / "event_logs" / "receipt.xes.gz")
    assert (len(log.cases), len(log.events)) == (CASES, EVENTS), "counted by hand"

    first = receipt.pull("receipt")
    assert changes(first) == {"cases": (CASES, 0), "events": (EVENTS, 0)}
    before = digest(receipt.runtime.engine, scopes=("core", "history"))

    second = receipt.pull("receipt", as_csv)
    assert changes(second) == {"cases": (0, 0), "events": (0, 0)}
    assert (second["cases"]["read"], second["cases"]["unchanged"]) == (EVENTS, EVENTS), "the CSV repeats the case"
    assert (second["events"]["read"], second["events"]["unchanged"]) == (EVENTS, EVENTS)
    assert digest(receipt.runtime.engine, scopes=("core", "history")) == before
    assert receipt.one("SELECT count(*) FROM core.approval_case") == CASES
    assert check(receipt.runtime.engine) == []


def test_the_csv_first_and_then_the_log_is_the_same(receipt: Puller, as_csv: Path) -> None:
    assert changes(receipt.pull("receipt", as_csv)) == {"cases": (CASES, 0), "events": (EVENTS, 0)}
    assert changes(receipt.pull("receipt")) == {"cases": (0, 0), "events": (0, 0)}


def test_the_order_of_the_csv_does_not_matter(receipt: Puller, as_csv: Path, tmp_path: Path) -> None:
    receipt.pull("receipt")
    with (receipt.folder / "receipt.csv").open(encoding="utf-8", newline="") as handle:
        header, *rows = csv.reader(handle)
    turned = tmp_path / "turned"
    turned.mkdir()
    with (turned / "receipt.csv").open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([header, *reversed(rows)])
    other = Puller(receipt.runtime, turned)
    assert changes(other.pull("receipt", as_csv)) == {"cases": (0, 0), "events": (0, 0)}


def test_the_stages_are_those_of_the_marks(receipt: Puller, shared_data: Path) -> None:
    receipt.pull("receipt")
    log = read_log(shared_data / "event_logs" / "receipt.xes.gz")
    expected = Counter(_stage(event["concept:name"]) for _, event in log.events)
    expected["complete"] = sum("enddate" in case for case in log.cases)
    assert expected["complete"] == CASES - 105, "105 cases have no enddate"
    assert dict(receipt.rows("SELECT stage, count(*) FROM core.stage_event GROUP BY stage")) == dict(expected)
    whole = "SELECT count(*) FROM core.acceptance WHERE accepted_at IS NOT NULL AND due_at IS NOT NULL"
    assert receipt.one(whole) == CASES
    assert receipt.one(f"{ENDED} > a.due_at") == 377, "as the data's README counts"
    assert receipt.one("SELECT count(*) FROM core.stage_event WHERE unit_name = 'EMPTY'") == 0


def _stage(name: str) -> str:
    """Name the stage as the data's README does."""
    if name == "Confirmation of receipt":
        return "accept"
    number = int(name[1:3])
    if number in {14, 19}:
        return "approve"
    return "undertake" if 2 <= number <= 5 else "review" if 6 <= number <= 10 else "other"


def test_nothing_is_wrong_with_its_shape_and_its_findings_are_of_procedure(receipt: Puller, as_csv: Path) -> None:
    receipt.pull("receipt")
    receipt.pull("receipt", as_csv)
    found = receipt.findings()
    assert set(found) <= {
        "stage_order", "closed_before_accepted", "due_before_acceptance", "accepted_before_applied",
        "placeholder_value",
    }  # fmt: skip
    assert found["closed_before_accepted"] == receipt.one(f"{ENDED} < a.accepted_at") > 0


def test_a_rebuild_of_both_pulls_gives_the_same_repository(receipt: Puller, as_csv: Path, rebuilt: Runtime) -> None:
    receipt.pull("receipt")
    receipt.pull("receipt", as_csv)
    rebuild(rebuilt)
    assert digest(rebuilt.engine) == digest(receipt.runtime.engine)


def test_the_source_folders_are_without_fault() -> None:
    assert {one.code for one in load_sources([SOURCES])} >= {"receipt", "bpic15-1", "bpic15-2", "bpic15-1-again"}
    assert not any((folder / "connector.py").exists() for folder in SOURCES.iterdir()), "configuration alone"
