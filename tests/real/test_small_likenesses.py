"""The same source folders on small made-up files: what the real data taught is tested where it is absent, too."""

from __future__ import annotations

import dataclasses
import gzip
from pathlib import Path

import pandas as pd
import pytest

from hub.documents import Documents
from hub.protect import Protector
from hub.settings import Settings
from pipeline.afterwards.rebuild import rebuild
from pipeline.afterwards.replay import accept
from pipeline.preparing.protecting import protect
from pipeline.runtime import Runtime
from sharedrepo.telling.digest import digest
from sharedrepo.telling.ledger import check
from tests.real.puller import Puller, changes

EVENT = """<event><string key="concept:name" value="{code}"/><string key="activityNameEN" value="step"/>
<date key="time:timestamp" value="2014-04-{day:02d}T00:00:00+02:00"/>
<string key="dateFinished" value="2014-04-{day:02d} 10:00:00"/>
<string key="question" value="{question}"/><string key="org:resource" value="7"/></event>"""


def _log(folder: Path, days: list[tuple[str, int]], declared: dict[str, int]) -> None:
    """Write a log of one case whose header declares totals."""
    counts = "".join(f'<int key="{code}" value="{count}"/>' for code, count in declared.items() if code != "events")
    events = "".join(EVENT.format(code=code, day=day, question="True") for code, day in days)
    text = (
        f'<log><int key="meta_concept:named_events_total" value="{declared["events"]}">{counts}</int>'
        '<trace><string key="concept:name" value="C1"/><date key="startDate" value="2014-04-01T00:00:00+02:00"/>'
        f"{events}</trace></log>"
    )
    folder.mkdir(exist_ok=True)
    (folder / "BPIC15_1.xes.gz").write_bytes(gzip.compress(text.encode()))


@pytest.fixture
def logs(runtime: Runtime, settings: Settings, tmp_path: Path) -> Puller:
    """A hub with tiny slices."""
    small = settings.model_copy(update={"slice_size": 2})
    return Puller(dataclasses.replace(runtime, settings=small), tmp_path / "logs")


ALIKE = [("01_HOOFD_015", 1), ("01_HOOFD_010", 2), ("01_HOOFD_010", 2), ("01_HOOFD_010", 2), ("01_HOOFD_375", 3)]
FIVE = {"events": 5, "01_HOOFD_015": 1, "01_HOOFD_010": 3, "01_HOOFD_375": 1}
SIX = FIVE | {"events": 6, "01_HOOFD_010": 4}


@pytest.fixture
def _not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the volume bounds of the real logs away."""
    monkeypatch.setattr("pipeline.writing.settling.holds", lambda _line, _piece: False)


@pytest.mark.usefixtures("_not_held")
def test_repeats_across_slices_are_events_of_their_own_and_meet_the_declared_totals(
    logs: Puller, rebuilt: Runtime
) -> None:
    _log(logs.folder, ALIKE, FIVE)
    assert changes(logs.pull("bpic15-1")) == {"cases": (1, 0), "events": (5, 0)}
    assert "total_mismatch" not in logs.findings()
    _log(logs.folder, [*ALIKE, ("01_HOOFD_010", 2)], SIX)
    again = logs.pull("bpic15-1")
    assert changes(again) == {"cases": (0, 0), "events": (1, 0)}, "the fourth of its kind is new, the others are known"
    assert "total_mismatch" not in logs.findings()
    assert check(logs.runtime.engine) == []
    rebuild(rebuilt)
    assert digest(rebuilt.engine) == digest(logs.runtime.engine)


@pytest.mark.usefixtures("_not_held")
def test_a_total_that_is_not_met_is_told_code_by_code(logs: Puller) -> None:
    _log(logs.folder, ALIKE, SIX)
    logs.pull("bpic15-1")
    query = "SELECT pointer, detail->>'declared', detail->>'counted' FROM quality.finding WHERE rule = 'total_mismatch'"
    told = logs.rows(query)
    assert sorted(told) == [("01_HOOFD_010", "4", "3"), ("events", "6", "5")]


@pytest.mark.usefixtures("_not_held")
def test_a_pull_that_breaks_off_between_alike_events_loses_none(logs: Puller) -> None:
    _log(logs.folder, ALIKE, FIVE)

    def break_off(_source: str, stream: str, _read: int) -> None:
        if stream == "events":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        logs.pull("bpic15-1", progress=break_off)
    logs.pull("bpic15-1")
    assert logs.one("SELECT count(*) FROM core.stage_event") == 5
    assert "total_mismatch" not in logs.findings()


def test_a_held_file_that_was_accepted_is_accepted_in_a_rebuild(
    runtime: Runtime, rebuilt: Runtime, tmp_path: Path
) -> None:
    hub = Puller(runtime, tmp_path / "island")
    for name, lines in ISLAND.items():
        _put(hub.folder, name, lines)
    counts = hub.pull("isle-of-man")
    assert counts["applications"]["quarantined"] == 1
    held = hub.rows("SELECT batch_id, unit FROM ledger.batch WHERE status = 'held' AND unit LIKE '%applications.csv'")
    assert len(held) == 1
    assert accept(runtime, hub.source("isle-of-man"), held[0][0], "it is all there is").counts == {"new": 1}
    rebuild(rebuilt)
    assert digest(rebuilt.engine) == digest(runtime.engine)


APPEAL_COLUMNS = (
    "PROPOSAL", "Decision", "PA Decision issued", "Determining Body", "Appeal lodged", "Appeal determined", "PA Ref",
    "Property Address", "Appeal decision",
)  # fmt: skip
ISLAND = {
    "planning-applications": [
        "PA Ref,ADDRESS,PROPOSAL,Decision issued,Determining Body,Decision",
        "14/00001/B,lane,shed,01-Feb-14,officer,Permitted",
    ],
    "delegated-decisions": [
        "Decisions issued under delegated authority,,,,",
        "Proposal,Address,Decision,Date decision issued,Planning Application No",
        "shed,lane,PER,01-Feb-14,14/00001/B",
        ",,,,1",
    ],
    "appeals": [
        ",".join(APPEAL_COLUMNS),
    ],
}


def _put(folder: Path, name: str, lines: list[str]) -> None:
    path = folder / "annual" / "2014" / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="cp1252")


def test_what_a_person_left_in_an_organisations_number_is_masked(protector: Protector) -> None:
    numbers = ["91330182736861540P", "王晓岚", "330185199003071223", "9.13E+17"]
    frame = pd.DataFrame({"holder_kind": ["enterprise"] * 4, "holder_number": numbers}, dtype="str")
    shown = protect(Documents.load()["credential"], frame, protector)["holder_number_mask"].tolist()
    assert [mask == number for mask, number in zip(shown, numbers, strict=True)] == [True, False, False, True]
