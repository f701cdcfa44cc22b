"""What suites say of real data is what the raw files say, counted by the standard library alone."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from quality.sets.service import check
from tests.real.counting import read_log
from tests.real.puller import SOURCES, Puller, PullerOf

Told = dict[tuple[str, str, str], tuple[int, int]]
ENDED = {"05_EIND_025", "05_EIND_065", "05_EIND_070", "08_AWB45_075", "08_AWB45_175"}
"""Steps of a building permit that end it otherwise than by a permit."""
REFERENCE = re.compile(r"^(?:PA )?\d{2}/\d{3,6}(?:/[A-Z]+\d*)?$")


def failed(hub: Puller, code: str, *documents: str) -> Told:
    """Judge a source and return unexpected and elements of what does not hold, by stream, rule and field."""
    source = hub.source(code)
    report = check(hub.runtime.engine, [source], hub.runtime.documents, only=documents)
    streams = dict(hub.rows("SELECT stream_id, name FROM ledger.stream"))
    return {(streams[one.stream_id], one.rule, one.field): (one.unexpected, one.elements) for one in report.failed}


def crowded(minutes: Iterable[str], least: int) -> int:
    return sum(count for count in Counter(minutes).values() if count >= least)


def test_the_permits_without_a_unit_and_the_nightly_stamp(puller: PullerOf, shared_data: Path) -> None:
    log = read_log(shared_data / "event_logs" / "receipt.xes.gz")
    hub = puller("event_logs")
    hub.pull("receipt")
    told = failed(hub, "receipt", "stage_event", "approval_case")
    no_unit = sum(event["org:group"] == "EMPTY" for _, event in log.events)
    assert told["events", "set_incomplete", "unit_name"] == (no_unit, len(log.events)) == (1_936, 8_577)
    stamped = crowded((case["startdate"][:16] for case in log.cases), 8)
    assert told["cases", "set_same_minute", "applied_at"] == (stamped, len(log.cases)) == (164, 1_434)


def test_decisions_whose_application_was_never_published(puller: PullerOf, shared_data: Path) -> None:
    hub = puller("results/isle_of_man_planning")
    hub.pull("isle-of-man")
    told = failed(hub, "isle-of-man", "decision")
    refusals = {stream: told[stream, "set_incomplete", "reason"] for stream in ("applications", "delegated", "appeals")}
    assert refusals == {"applications": (595, 595), "delegated": (531, 531), "appeals": (281, 281)}
    numbers: dict[str, set[str]] = {"planning-applications": set(), "delegated-decisions": set(), "appeals": set()}
    for file in (shared_data / "results" / "isle_of_man_planning").rglob("*.csv"):
        if (file.parent.name, file.stem) == ("2014", "planning-applications"):
            continue  # cut short; its volume check holds it
        kept = numbers.setdefault(file.stem if file.stem in numbers else "weekly", set())
        with file.open(encoding="cp1252", newline="") as lines:
            found = (
                next((cell.strip() for cell in row if REFERENCE.match(cell.strip())), None) for row in csv.reader(lines)
            )
            kept.update(one for one in found if one)
    known = numbers["planning-applications"] | numbers["weekly"]
    for stream, file_name, unknown in (("delegated", "delegated-decisions", 1_236), ("appeals", "appeals", 232)):
        expected = len(numbers[file_name] - known), len(numbers[file_name])
        assert told[stream, "set_unknown_reference", "case_number"] == expected
        assert expected[0] == unknown


@pytest.mark.long
def test_days_that_were_written_as_instants(puller: PullerOf, shared_data: Path) -> None:
    log = read_log(shared_data / "event_logs" / "BPIC15_1.xes.gz")
    hub = puller("event_logs")
    hub.pull("bpic15-1", SOURCES)
    told = failed(hub, "bpic15-1", "stage_event", "suspension", "approval_case", "case_link", "fee")
    events = [event for _, event in log.events]
    early = sum(
        event["dateFinished"] < event["time:timestamp"][:19].replace("T", " ")
        for event in events if event.get("dateFinished")
    )  # fmt: skip
    assert told["events", "set_contradiction", "finished_at"] == (early, len(events)) == (3_151, 52_217)
    ends = crowded((event["dateFinished"][:16] for event in events if event.get("dateFinished")), 12)
    assert told["events", "set_same_minute", "finished_at"][0] == ends == 38_769
    steps: dict[str, set[str]] = {}
    for case, event in log.events:
        steps.setdefault(case, set()).add(event["concept:name"])
    closed = [codes for codes in steps.values() if codes & ENDED or codes & {"01_HOOFD_814", "01_HOOFD_815"}]
    undecided = [codes for codes in closed if not codes & ENDED]
    assert told["cases", "set_closed_without_decision", "decision"] == (len(undecided), len(closed)) == (82, 183)
    assert sum(bool(codes & {"01_HOOFD_495", "01_HOOFD_515"}) for codes in undecided) == 78
    linked = [case["IDofConceptCase"] for case in log.cases if "IDofConceptCase" in case]
    assert not {case["concept:name"] for case in log.cases} & set(linked)
    assert told["cases", "set_unknown_reference", "other_number"] == (len(linked), len(linked)) == (810, 810)
    fees = [float(case["SUMleges"]) for case in log.cases if "SUMleges" in case]
    assert told["cases", "set_contradiction", "amount"] == (sum(one < 0 for one in fees), len(fees)) == (5, 906)
    pauses = Counter(event["concept:name"] for event in events)
    stopped, extended = pauses["08_AWB45_025"] + pauses["08_AWB45_045"], pauses["06_VD_035"]
    assert told["events", "set_incomplete", "approver"] == (stopped, stopped + extended) == (330, 393)
    midnights = sum(event["time:timestamp"][11:19] == "00:00:00" for event in events)
    assert told["events", "set_spread", "started_at"] == (midnights, len(events)) == (23_990, 52_217)
    starts = crowded((event["time:timestamp"][:16] for event in events), 12)
    assert told["events", "set_same_minute", "started_at"] == (starts, len(events)) == (28_440, 52_217)
    assert ("events", "set_repeated", "started_at") not in told
