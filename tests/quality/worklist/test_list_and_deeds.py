"""The work list is filtered and paged; a record is opened, waived with a reason, or judged again."""

from __future__ import annotations

import dataclasses
import shutil

import orjson
import pytest

from pipeline.runtime import Runtime
from quality.worklist import service
from tests.departments import ORGAN, PROFILE, Department
from tests.quality.worklist.conftest import ANNA, BERND, WorkHub

WHY = "a test record of the department's new system"


def test_the_list_is_filtered_and_read_page_by_page(hub: WorkHub, department: Department) -> None:
    department.case("C1")
    for number in range(5):
        department.put("PRE_NODE", UNID=f"n{number}", PROJID="C1", PHASE_CODE="SIGNED")
    department.put("PRE_NODE", UNID="", PROJID="C1")
    hub.pull()
    runtime = hub.runtime
    first = service.entries(runtime, limit=4)
    rest = service.entries(runtime, limit=4, after=first[-1].number)
    assert [len(first), len(rest)] == [4, 2]
    assert {one.key for one in service.entries(runtime, rule="unknown_code")} == {f"n{n}" for n in range(5)}
    assert len(service.entries(runtime, rule="missing_key", source="labour", stream="PRE_NODE", organ=ORGAN)) == 1
    assert len(service.entries(runtime, field="stage_event.stage")) == 5
    assert service.entries(runtime, older_than=1) == []
    assert service.entries(runtime, organ="another") == []
    assert service.entries(runtime, kind="parked") == []
    with pytest.raises(service.NotDone, match="1 to 1000"):
        service.entries(runtime, limit=5_000)


def test_a_record_is_opened_with_its_faulty_place_and_no_value(refused: WorkHub) -> None:
    found = service.opened(refused.runtime, refused.number("n1"))
    assert [one.pointer for one in found.fields if one.faulty] == ["/PHASE_CODE"]
    (stage,) = [one for one in found.fields if one.pointer == "/PHASE_CODE"]
    assert ("stage_event", "stage", None) in [(one.table, one.column, one.value) for one in stage.becomes]
    assert stage.raw == service.HIDDEN
    (finding,) = found.findings
    assert (finding["rule"], finding["hint_zh"][:2]) == ("unknown_code", "请使")
    text = orjson.dumps(dataclasses.asdict(found)).decode()
    for value in ("周敏", "窗口受理", "2026-03-02 09:30:15", "行政审批处"):
        assert value not in text
    assert refused.rows("SELECT 1 FROM quality.work_log") == []


def test_a_reveal_shows_the_values_and_is_logged(refused: WorkHub) -> None:
    number = refused.number("n1")
    with pytest.raises(service.NotDone, match="nobody is named"):
        service.opened(refused.runtime, number, reveal=True, reason="a complaint")
    with pytest.raises(service.NotDone, match="a reason is needed"):
        service.opened(refused.runtime, number, reveal=True, actor=ANNA, reason="  ")
    found = service.opened(refused.runtime, number, reveal=True, actor=ANNA, reason="a complaint")
    fields = {one.pointer: one for one in found.fields}
    assert fields["/PHASE_CODE"].raw == "SIGNED"
    started = {(one.table, one.column): one.value for one in fields["/START_TIME"].becomes}
    assert started["stage_event", "started_at"] == "2026-03-02T01:30:15+00:00"
    assert refused.rows("SELECT actor, what, reason, waiting_id FROM quality.work_log") == [
        (ANNA, "reveal", "a complaint", number)
    ]
    assert [one["what"] for one in service.opened(refused.runtime, number).history] == ["pull", "reveal"]


def test_what_is_no_record_is_opened_as_text(hub: WorkHub, department: Department) -> None:
    department.put("PRE_NODE", UNID="n1", PROJID="C1")
    hub.pull()
    number = hub.number("n1")
    found = service.opened(hub.runtime, number, kind="parked")
    assert (found.kind, found.state, found.findings) == ("parked", "open", [])


def test_a_waived_record_leaves_and_stays_away(
    refused: WorkHub, department: Department, empty_runtime: Runtime
) -> None:
    hub = refused
    service.waive(hub.runtime, hub.number("n1"), actor=ANNA, reason=WHY)
    assert (hub.state("n1"), hub.of("n1")) == ("excluded", set())
    assert service.entries(hub.runtime) == []
    assert hub.rows("SELECT read, excluded, reason FROM ledger.batch WHERE kind = 'waive'") == [
        (1, 1, f"{WHY} ({ANNA})")
    ]
    assert hub.rows("SELECT status FROM ledger.waiting") == [("waived",)]
    assert hub.pull(full=True)["PRE_NODE"]["unchanged"] == 5, "sent again as it was, it stays waived"
    hub.sound()
    hub.rebuilt_equal(empty_runtime)
    department.change("PRE_NODE", {"UNID": "n1"}, PHASE_CODE="STILL WRONG", DATAVERSION=2)
    assert hub.pull()["PRE_NODE"]["quarantined"] == 1, "a newer version is judged as always"
    department.change("PRE_NODE", {"UNID": "n1"}, PHASE_CODE="ACCEPT", DATAVERSION=3)
    hub.pull()
    assert hub.state("n1") == "kept"
    hub.sound()


def test_waiving_a_refused_version_leaves_the_one_that_stands(
    hub: WorkHub, department: Department, empty_runtime: Runtime
) -> None:
    department.case("C1")
    hub.pull()
    department.change("PRE_NODE", {"UNID": "C1-3"}, PHASE_CODE="SIGNED", DATAVERSION=2)
    hub.pull()
    service.waive(hub.runtime, hub.number("C1-3"), actor=ANNA, reason=WHY)
    assert (hub.state("C1-3"), hub.of("C1-3")) == ("kept", set())
    assert hub.pull(full=True)["PRE_NODE"]["unchanged"] == 4
    assert service.entries(hub.runtime) == []
    hub.sound()
    hub.rebuilt_equal(empty_runtime)


def test_only_what_waits_in_quarantine_is_waived(refused: WorkHub) -> None:
    number = refused.number("n1")
    with pytest.raises(service.NotDone, match="a reason is needed"):
        service.waive(refused.runtime, number, actor=ANNA, reason=" ")
    service.waive(refused.runtime, number, actor=ANNA, reason=WHY)
    with pytest.raises(service.NotDone, match="is waived"):
        service.waive(refused.runtime, number, actor=BERND, reason=WHY)
    with pytest.raises(service.NotFound):
        service.waive(refused.runtime, 99_999, actor=BERND, reason=WHY)


def test_all_records_of_one_rule_are_judged_again(hub: WorkHub, department: Department) -> None:
    department.case("C1")
    for number in range(3):
        department.put("PRE_NODE", UNID=f"n{number}", PROJID="C1", PHASE_CODE="SIGNED")
    department.put("PRE_NODE", UNID="", PROJID="C1")
    hub.pull()
    shutil.copytree(PROFILE, department.folder / "own")
    codes = department.folder / "own" / "codes" / "phase.csv"
    codes.write_text(codes.read_text(encoding="utf-8") + "SIGNED,undertake,会签,chosen\n", encoding="utf-8")
    department.declare(profile="./own")
    assert service.replay(hub.runtime, "labour", ids=[hub.number("n0")], actor=ANNA) == {"new": 1}
    assert service.replay(hub.runtime, "labour", rule="unknown_code", actor=ANNA) == {"new": 2}
    assert [one.rules for one in service.entries(hub.runtime)] == [("missing_key",)]
    assert hub.rows("SELECT actor, what FROM quality.work_log") == [(ANNA, "replay"), (ANNA, "replay")]
    with pytest.raises(service.NotDone, match="no rule"):
        service.replay(hub.runtime, "labour", rule="nonsense", actor=ANNA)
    hub.sound()
