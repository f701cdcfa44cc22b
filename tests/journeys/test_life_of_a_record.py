"""What becomes of a record: new, unchanged, updated, stale, conflicting, deleted, quarantined, parked, released."""

from __future__ import annotations

from pipeline.afterwards.replay import replay
from sharedrepo.telling.ledger import check
from tests.departments import Department
from tests.journeys.conftest import Hub


def test_a_clean_case_arrives_whole_and_a_second_pull_changes_nothing(hub: Hub, department: Department) -> None:
    department.case("C1")
    first = hub.pull()
    assert {name: one["new"] for name, one in first.items()} == {
        "PRE_APASINFO": 1, "PRE_ACCEPT": 1, "PRE_NODE": 4, "PRE_TRANSACT": 1,
    }  # fmt: skip
    assert hub.findings() == set()
    assert hub.one("SELECT state, events, closing_outcome FROM core.case_overview") == ("closed", 5, "granted")
    second = hub.pull()
    assert sum(one["new"] + one["updated"] for one in second.values()) == 0
    assert sum(one["unchanged"] for one in second.values()) == 7
    assert check(hub.runtime.engine) == []


def test_a_correction_replaces_the_row_and_history_keeps_the_image(hub: Hub, department: Department) -> None:
    department.case("C1")
    hub.pull()
    department.change("PRE_NODE", {"UNID": "C1-3"}, OPINION="材料需要复核", DATAVERSION=2)
    assert hub.pull()["PRE_NODE"]["updated"] == 1
    assert hub.one("SELECT opinion FROM core.stage_event WHERE stage = 'review'") == "材料需要复核"
    old = hub.one("SELECT opinion, closed_by > batch_id FROM core_history.stage_event")
    assert old == ("同意", True)
    assert hub.one("SELECT count(*) FROM core_history.approval_case") == 0


def test_a_higher_version_with_the_same_content_changes_no_row(hub: Hub, department: Department) -> None:
    department.case("C1")
    hub.pull()
    department.change("PRE_NODE", {"UNID": "C1-3"}, DATAVERSION=2)
    assert hub.pull()["PRE_NODE"]["updated"] == 0
    assert hub.one("SELECT count(*) FROM core_history.stage_event") == 0
    assert hub.one("SELECT order_value FROM ledger.source_record WHERE source_key = 'C1-3'") == 2


def test_an_older_version_is_stale_and_flagged_once(hub: Hub, department: Department) -> None:
    department.case("C1")
    department.change("PRE_NODE", {"UNID": "C1-3"}, DATAVERSION=5, OPINION="新")
    hub.pull()
    department.change("PRE_NODE", {"UNID": "C1-3"}, DATAVERSION=4, OPINION="旧")
    assert hub.pull()["PRE_NODE"]["stale"] == 1
    assert hub.pull()["PRE_NODE"]["stale"] == 1
    assert hub.one("SELECT opinion FROM core.stage_event WHERE stage = 'review'") == "新"
    assert hub.one("SELECT count(*) FROM quality.finding WHERE rule = 'stale_version'") == 1


def test_the_same_version_with_other_content_is_refused_and_the_first_stays(hub: Hub, department: Department) -> None:
    department.case("C1")
    hub.pull()
    department.change("PRE_NODE", {"UNID": "C1-3"}, OPINION="别的内容")
    assert hub.pull()["PRE_NODE"]["quarantined"] == 1
    assert hub.one("SELECT opinion FROM core.stage_event WHERE stage = 'review'") == "同意"
    assert ("version_conflict", "C1-3") in hub.findings()
    again = hub.pull()["PRE_NODE"]
    assert (again["quarantined"], again["unchanged"]) == (0, 4), "a bad record read again is unchanged"
    entry = hub.one("SELECT waiting_id FROM ledger.waiting WHERE status = 'open'")
    assert replay(hub.runtime, hub.source()).counts == {}, "which content is right, a person decides"
    assert replay(hub.runtime, hub.source(), [entry]).counts == {"updated": 1}
    assert hub.one("SELECT opinion FROM core.stage_event WHERE stage = 'review'") == "别的内容"
    assert check(hub.runtime.engine) == []


def test_a_deletion_closes_the_image_and_a_late_older_version_does_not_bring_it_back(
    hub: Hub, department: Department
) -> None:
    department.case("C1")
    hub.pull()
    department.change("PRE_NODE", {"UNID": "C1-2"}, SYNC_STATUS="D", DATAVERSION=3)
    assert hub.pull()["PRE_NODE"]["deleted"] == 1
    assert hub.one("SELECT count(*) FROM core.stage_event WHERE stage = 'undertake'") == 0
    assert hub.one("SELECT count(*) FROM core_history.stage_event WHERE stage = 'undertake'") == 1
    department.change("PRE_NODE", {"UNID": "C1-2"}, SYNC_STATUS="U", DATAVERSION=2)
    assert hub.pull()["PRE_NODE"]["stale"] == 1
    assert hub.one("SELECT count(*) FROM core.stage_event WHERE stage = 'undertake'") == 0
    assert check(hub.runtime.engine) == []


def test_children_wait_for_their_case_and_are_released_with_it(hub: Hub, department: Department) -> None:
    department.put("PRE_NODE", UNID="n1", PROJID="C1")
    department.put("PRE_ACCEPT", PROJID="C1")
    first = hub.pull()
    assert (first["PRE_NODE"]["parked"], first["PRE_ACCEPT"]["parked"]) == (1, 1)
    assert hub.one("SELECT count(*) FROM core.stage_event") == 0
    assert check(hub.runtime.engine) == []
    department.put("PRE_APASINFO", PROJID="C1")
    hub.pull()
    assert hub.one("SELECT count(*) FROM core.stage_event") == 1
    assert hub.one("SELECT count(*) FROM core.acceptance") == 1
    assert hub.rows("SELECT kind, read, new FROM ledger.batch WHERE kind = 'release' ORDER BY seq") == [
        ("release", 1, 1), ("release", 1, 1),
    ]  # fmt: skip
    assert check(hub.runtime.engine) == []


def test_children_are_taken_back_when_their_case_goes_and_released_when_it_returns(
    hub: Hub, department: Department
) -> None:
    department.case("C1")
    hub.pull()
    department.change("PRE_APASINFO", {"PROJID": "C1"}, SYNC_STATUS="D", DATAVERSION=2)
    hub.pull()
    assert hub.one("SELECT count(*) FROM core.stage_event") == 0
    assert hub.one("SELECT count(*) FROM core_history.stage_event") == 5
    assert hub.one("SELECT count(*) FROM ledger.waiting WHERE status = 'open' AND kind = 'parked'") == 6
    assert check(hub.runtime.engine) == []
    department.change("PRE_APASINFO", {"PROJID": "C1"}, SYNC_STATUS="U", DATAVERSION=3)
    hub.pull()
    assert hub.one("SELECT count(*) FROM core.stage_event") == 5
    assert hub.one("SELECT state, events FROM core.case_overview") == ("closed", 5)
    assert check(hub.runtime.engine) == []


def test_a_parked_record_that_waits_too_long_is_told_to_its_department(hub: Hub, department: Department) -> None:
    department.declare(each={"parking": "PT0S"})
    department.put("PRE_NODE", UNID="n1", PROJID="C-lost")
    hub.pull()
    assert ("parent_missing", "n1") in hub.findings()


def test_an_unknown_deciding_code_is_refused_and_replayed_when_mended(hub: Hub, department: Department) -> None:
    department.case("C1")
    department.put("PRE_NODE", UNID="bad", PROJID="C1", PHASE_CODE="SIGNED", CREATE_TIME="2026-03-05 10:00:00")
    assert hub.pull()["PRE_NODE"]["quarantined"] == 1
    assert ("unknown_code", "bad") in hub.findings()
    assert hub.pull()["PRE_NODE"]["unchanged"] == 5
    assert replay(hub.runtime, hub.source()).counts == {"quarantined": 1}, "nothing was mended yet"
    department.change("PRE_NODE", {"UNID": "bad"}, PHASE_CODE="REVIEW")
    assert hub.pull()["PRE_NODE"]["new"] == 1
    assert hub.one("SELECT count(*) FROM ledger.waiting WHERE status = 'open'") == 0
    assert ("unknown_code", "bad") not in hub.findings()
    assert check(hub.runtime.engine) == []


def test_an_unreadable_value_is_kept_as_empty_and_stands_in_its_finding(hub: Hub, department: Department) -> None:
    department.case("C1")
    department.change("PRE_NODE", {"UNID": "C1-2"}, END_TIME="昨天下午")
    hub.pull()
    assert hub.one("SELECT finished_at FROM core.stage_event WHERE stage = 'undertake'") is None
    assert ("unreadable_value", "C1-2") in hub.findings()
    assert hub.one("SELECT shown FROM quality.finding WHERE rule = 'unreadable_value'") == "昨天下午"


def test_the_same_key_many_times_in_one_slice_counts_each_record_once(hub: Hub, department: Department) -> None:
    for version in (2, 1, 3, 3):
        department.put("PRE_APASINFO", PROJID="C1", DATAVERSION=version, SERVICENAME=f"第{version}版")
    found = hub.pull()["PRE_APASINFO"]
    assert found["read"] == 4
    assert found["new"] + found["updated"] + found["stale"] + found["unchanged"] == 4
    assert hub.one("SELECT item_name FROM core.approval_case") == "第3版"
    assert check(hub.runtime.engine) == []


def test_a_dry_run_keeps_nothing(hub: Hub, department: Department) -> None:
    department.case("C1")
    assert hub.pull(dry_run=True)["PRE_APASINFO"]["new"] == 1
    assert hub.one("SELECT count(*) FROM core.approval_case") == 0
    assert hub.one("SELECT count(*) FROM ledger.batch") == 0
    assert hub.runtime.archive.list("labour/") == []


def test_a_case_that_two_records_claim_is_refused_to_the_second(hub: Hub, department: Department) -> None:
    department.case("C1")
    hub.pull()
    with hub.runtime.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE ledger.source_record SET source_key = 'other' WHERE source_key = 'C1' AND stream_id = 1"
        )
    found = hub.pull()["PRE_APASINFO"]
    assert found["quarantined"] == 1
    assert ("identity_conflict", "C1") in hub.findings()
