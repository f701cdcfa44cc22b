"""A record is mended by hand with four eyes, and the source's own newer word ends the mend."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.afterwards.retranslate import retranslate
from pipeline.runtime import Runtime
from quality.worklist import service
from tests.departments import Department
from tests.quality.worklist.conftest import ANNA, BERND, WorkHub

GOOD = {"PHASE_CODE": "ACCEPT"}
WHY = "the department confirmed the code by telephone"


def _mend(hub: WorkHub, key: str = "n1", changes: dict[str, object] | None = None) -> dict[str, int]:
    proposal = service.propose(hub.runtime, hub.number(key), changes or GOOD, actor=ANNA, reason=WHY)
    return service.approve(hub.runtime, proposal, actor=BERND)


def test_a_refused_record_is_mended_by_two(refused: WorkHub, empty_runtime: Runtime) -> None:
    hub = refused
    assert _mend(hub) == {"new": 1}
    assert hub.state("n1") == "kept"
    assert hub.one("SELECT stage FROM core.stage_event JOIN ledger.source_record USING (record_id) "
                   "WHERE source_key = 'n1'") == "accept"  # fmt: skip
    assert hub.of("n1") == {"value_mended"}, "it says so wherever its findings are shown"
    assert hub.rows("SELECT kind, read, new FROM ledger.batch WHERE kind = 'correction'") == [("correction", 1, 1)]
    hub.sound()
    hub.rebuilt_equal(empty_runtime)


def test_the_same_bad_record_sent_again_does_not_undo_the_mend(refused: WorkHub, empty_runtime: Runtime) -> None:
    hub = refused
    _mend(hub)
    assert hub.pull(full=True)["PRE_NODE"]["unchanged"] == 5
    assert hub.state("n1") == "kept"
    hub.sound()
    hub.rebuilt_equal(empty_runtime)


def test_a_newer_version_of_the_source_ends_the_mend(
    refused: WorkHub, department: Department, empty_runtime: Runtime
) -> None:
    hub = refused
    _mend(hub)
    department.change("PRE_NODE", {"UNID": "n1"}, PHASE_CODE="REVIEW", DATAVERSION=2)
    assert hub.pull()["PRE_NODE"]["updated"] == 1
    assert hub.of("n1") == set()
    assert hub.one("SELECT status FROM quality.correction") == "lapsed"
    hub.sound()
    hub.rebuilt_equal(empty_runtime)


def test_the_sources_own_content_of_the_same_version_comes_before_the_mend(
    refused: WorkHub, department: Department, empty_runtime: Runtime
) -> None:
    hub = refused
    _mend(hub)
    department.change("PRE_NODE", {"UNID": "n1"}, PHASE_CODE="REVIEW")
    assert hub.pull()["PRE_NODE"]["updated"] == 1
    assert hub.one("SELECT status FROM quality.correction") == "lapsed"
    hub.sound()
    hub.rebuilt_equal(empty_runtime)


def test_a_record_that_is_sent_again_correctly_leaves_quarantine_by_itself(
    refused: WorkHub, department: Department
) -> None:
    hub = refused
    proposal = service.propose(hub.runtime, hub.number("n1"), GOOD, actor=ANNA, reason=WHY)
    department.change("PRE_NODE", {"UNID": "n1"}, PHASE_CODE="ACCEPT", DATAVERSION=2)
    hub.pull()
    assert (hub.state("n1"), hub.of("n1")) == ("kept", set())
    assert service.entries(hub.runtime) == []
    with pytest.raises(service.NotDone, match="lapsed already"):
        service.approve(hub.runtime, proposal, actor=BERND)
    hub.sound()


def test_nobody_approves_an_own_proposal(refused: WorkHub) -> None:
    proposal = service.propose(refused.runtime, refused.number("n1"), GOOD, actor=ANNA, reason=WHY)
    with pytest.raises(service.NotDone, match="four eyes"):
        service.approve(refused.runtime, proposal, actor=ANNA)
    assert refused.state("n1") == "quarantined"


def test_a_correction_that_does_not_pass_is_refused_with_all_that_is_wrong(refused: WorkHub) -> None:
    wrong = {"PHASE_CODE": "NEVER", "START_TIME": "yesterday", "NAME": "测试"}
    with pytest.raises(service.CorrectionRefused) as caught:
        service.propose(refused.runtime, refused.number("n1"), wrong, actor=ANNA, reason=WHY)
    assert {one["pointer"] for one in caught.value.findings} >= {"/PHASE_CODE", "/START_TIME"}
    assert refused.rows("SELECT 1 FROM quality.correction") == []
    assert "yesterday" not in str(caught.value), "what people typed may be personal"


def test_a_kept_record_with_a_flag_is_mended_too(hub: WorkHub, department: Department, empty_runtime: Runtime) -> None:
    department.case("C1")
    department.put("PRE_NODE", UNID="n1", PROJID="C1", START_TIME="2026-03-02 09:30:15", END_TIME="2026-03-02 08:00:00")
    hub.pull()
    (entry,) = service.entries(hub.runtime, kind="flagged", rule="ended_before_started")
    changes = {"END_TIME": "2026-03-02 10:00:00"}
    proposal = service.propose(hub.runtime, entry.number, changes, actor=ANNA, reason=WHY, kind="flagged")
    assert service.approve(hub.runtime, proposal, actor=BERND) == {"updated": 1}
    assert hub.of("n1") == {"value_mended"}
    assert hub.pull(full=True)["PRE_NODE"]["unchanged"] == 5
    assert service.entries(hub.runtime, kind="flagged") == []
    hub.sound()
    hub.rebuilt_equal(empty_runtime)


def test_a_second_correction_stands_on_the_first(hub: WorkHub, department: Department, empty_runtime: Runtime) -> None:
    department.case("C1")
    department.put("PRE_NODE", UNID="n1", PROJID="C1", PHASE_CODE="SIGNED", END_TIME="2026-03-02 08:00:00")
    hub.pull()
    _mend(hub)
    assert hub.of("n1") == {"value_mended", "ended_before_started"}
    changes = {"END_TIME": "2026-03-02 10:00:00"}
    proposal = service.propose(hub.runtime, hub.record("n1"), changes, actor=BERND, reason=WHY, kind="flagged")
    assert service.approve(hub.runtime, proposal, actor=ANNA) == {"updated": 1}
    assert hub.rows("SELECT field, detail ->> 'approved_by' FROM quality.finding "
                    "WHERE rule = 'value_mended' AND state = 'open' ORDER BY 1") == [
        ("END_TIME", ANNA), ("PHASE_CODE", BERND)
    ]  # fmt: skip
    assert hub.pull(full=True)["PRE_NODE"]["unchanged"] == 5
    hub.sound()
    hub.rebuilt_equal(empty_runtime)


def test_a_mended_child_waits_for_its_case_and_stays_mended(
    hub: WorkHub, department: Department, empty_runtime: Runtime
) -> None:
    department.put("PRE_NODE", UNID="n1", PROJID="C9", PHASE_CODE="SIGNED")
    hub.pull()
    assert _mend(hub) == {"parked": 1}
    department.case("C9")
    hub.pull()
    assert hub.state("n1") == "kept"
    assert "value_mended" in hub.of("n1")
    assert hub.pull(full=True)["PRE_NODE"]["unchanged"] == 5
    department.change("PRE_APASINFO", {"PROJID": "C9"}, SYNC_STATUS="D", DATAVERSION=2)
    hub.pull()
    assert hub.state("n1") == "parked"
    department.change("PRE_APASINFO", {"PROJID": "C9"}, SYNC_STATUS="U", DATAVERSION=3)
    hub.pull()
    assert hub.state("n1") == "kept"
    assert "value_mended" in hub.of("n1")
    assert hub.one("SELECT status FROM quality.correction") == "applied"
    hub.sound()
    hub.rebuilt_equal(empty_runtime)


def test_a_record_without_a_readable_key_gets_one(hub: WorkHub, department: Department, empty_runtime: Runtime) -> None:
    department.case("C1")
    department.put("PRE_NODE", UNID="", PROJID="C1")
    hub.pull()
    (entry,) = service.entries(hub.runtime, rule="missing_key")
    proposal = service.propose(hub.runtime, entry.number, {"UNID": "n7"}, actor=ANNA, reason=WHY)
    assert service.approve(hub.runtime, proposal, actor=BERND) == {"new": 1}
    assert hub.state("n7") == "kept"
    assert service.entries(hub.runtime) == []
    assert hub.pull(full=True)["PRE_NODE"]["unchanged"] == 5
    hub.sound()
    hub.rebuilt_equal(empty_runtime)


def test_the_key_and_the_version_are_not_corrected_by_hand(refused: WorkHub) -> None:
    for changes, why in (({"UNID": "n2"}, "the key"), ({"DATAVERSION": 9}, "the version"), ({"NONE": 1}, "no field")):
        with pytest.raises(service.NotDone, match=why):
            service.propose(refused.runtime, refused.number("n1"), changes, actor=ANNA, reason=WHY)
    with pytest.raises(service.NotDone, match="nothing would change"):
        service.propose(refused.runtime, refused.number("n1"), {"PHASE_CODE": "SIGNED"}, actor=ANNA, reason=WHY)


def test_a_rejected_proposal_changes_nothing(refused: WorkHub) -> None:
    proposal = service.propose(refused.runtime, refused.number("n1"), GOOD, actor=ANNA, reason=WHY)
    service.reject(refused.runtime, proposal, actor=BERND, reason="ask the department first")
    with pytest.raises(service.NotDone, match="rejected already"):
        service.approve(refused.runtime, proposal, actor=BERND)
    assert refused.state("n1") == "quarantined"


def test_values_are_locked_wherever_they_are_kept(refused: WorkHub) -> None:
    service.propose(refused.runtime, refused.number("n1"), {**GOOD, "NAME": "欧阳修远"}, actor=ANNA, reason=WHY)
    text = str(refused.rows("SELECT * FROM quality.correction")) + str(refused.rows("SELECT * FROM quality.work_log"))
    assert "欧阳修远" not in text
    assert "ACCEPT" not in text


def test_a_retranslation_keeps_the_mend(refused: WorkHub, empty_runtime: Runtime) -> None:
    hub = refused
    _mend(hub)
    done = retranslate(hub.runtime, hub.source(), datetime(2020, 1, 1, tzinfo=UTC), apply=True)
    assert done.counts["unchanged"] > 0
    assert hub.of("n1") == {"value_mended"}
    assert hub.pull(full=True)["PRE_NODE"]["unchanged"] == 5
    assert hub.one("SELECT status FROM quality.correction") == "applied"
    hub.sound()
    hub.rebuilt_equal(empty_runtime)


def test_the_same_content_from_the_source_itself_ends_the_mend(
    refused: WorkHub, department: Department, empty_runtime: Runtime
) -> None:
    hub = refused
    _mend(hub)
    department.change("PRE_NODE", {"UNID": "n1"}, PHASE_CODE="ACCEPT", DATAVERSION=2)
    assert hub.pull()["PRE_NODE"]["unchanged"] == 5
    assert hub.of("n1") == set()
    assert hub.one("SELECT status FROM quality.correction") == "lapsed"
    hub.sound()
    hub.rebuilt_equal(empty_runtime)
