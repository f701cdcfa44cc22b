"""What waits beside what stands, and whose findings are whose: refused versions never hide readable ones."""

from __future__ import annotations

from sharedrepo.telling.ledger import check
from tests.departments import Department
from tests.journeys.conftest import Hub


def _open(hub: Hub) -> list[tuple[str, int]]:
    return [tuple(row) for row in hub.rows(
        "SELECT kind, order_value FROM ledger.waiting WHERE status = 'open' ORDER BY kind, order_value")]  # fmt: skip


def test_an_older_version_that_can_be_read_stands_while_a_newer_one_waits(hub: Hub, department: Department) -> None:
    department.case("C1")
    department.put("PRE_NODE", UNID="n", PROJID="C1", PHASE_CODE="SIGNED", DATAVERSION=2)
    hub.pull()
    department.change("PRE_NODE", {"UNID": "n"}, PHASE_CODE="REVIEW", DATAVERSION=1)
    assert hub.pull()["PRE_NODE"]["new"] == 1
    assert hub.one("SELECT state, order_value FROM ledger.source_record WHERE source_key = 'n'") == ("kept", 1)
    assert _open(hub) == [("quarantined", 2)]
    assert ("unknown_code", "n") in hub.findings()
    department.change("PRE_NODE", {"UNID": "n"}, DATAVERSION=3)
    hub.pull()
    assert (_open(hub), ("unknown_code", "n") in hub.findings()) == ([], False)
    assert check(hub.runtime.engine) == []


def test_a_refused_version_replaces_an_older_refused_one_and_its_findings(hub: Hub, department: Department) -> None:
    department.case("C1")
    department.change("PRE_NODE", {"UNID": "C1-3"}, END_TIME="昨天")
    hub.pull()
    for version, code in ((2, "FIRST"), (3, "SECOND")):
        department.change("PRE_NODE", {"UNID": "C1-3"}, PHASE_CODE=code, DATAVERSION=version)
        hub.pull()
    assert _open(hub) == [("quarantined", 3)]
    shown = hub.rows("SELECT rule, shown, waits FROM quality.finding WHERE state = 'open' ORDER BY rule, waits")
    assert shown == [
        ("unknown_code", "SECOND", True),
        ("unreadable_value", "昨天", False),
        ("unreadable_value", "昨天", True),
    ]
    assert check(hub.runtime.engine) == []


def test_a_refused_version_does_not_push_out_one_that_waits_for_its_case(hub: Hub, department: Department) -> None:
    department.put("PRE_NODE", UNID="n", PROJID="C1")
    hub.pull()
    department.change("PRE_NODE", {"UNID": "n"}, PHASE_CODE="SIGNED", DATAVERSION=2)
    hub.pull()
    assert _open(hub) == [("parked", 1), ("quarantined", 2)]
    assert check(hub.runtime.engine) == []
    department.put("PRE_APASINFO", PROJID="C1")
    hub.pull()
    assert hub.one("SELECT count(*) FROM core.stage_event") == 1
    assert _open(hub) == [("quarantined", 2)]
    assert check(hub.runtime.engine) == []


def test_a_version_that_moves_to_a_case_that_is_not_here_waits_for_it(hub: Hub, department: Department) -> None:
    department.case("C1")
    hub.pull()
    department.change("PRE_NODE", {"UNID": "C1-3"}, PROJID="C2", DATAVERSION=2)
    assert hub.pull()["PRE_NODE"]["parked"] == 1
    assert hub.one("SELECT count(*) FROM core.stage_event WHERE stage = 'review'") == 0
    assert hub.one("SELECT count(*) FROM core_history.stage_event") == 1
    assert ("approve_without_review", "C1") in hub.findings()
    department.put("PRE_APASINFO", PROJID="C2")
    hub.pull()
    assert (
        hub.one("""SELECT c.case_number
                     FROM core.stage_event AS e
                     JOIN core.approval_case AS c ON c.record_id = e.case_id
                    WHERE e.stage = 'review'""")
        == "C2"
    )
    assert check(hub.runtime.engine) == []


def test_findings_of_a_deleted_record_close(hub: Hub, department: Department) -> None:
    department.case("C1")
    department.change("PRE_NODE", {"UNID": "C1-3"}, END_TIME="昨天")
    hub.pull()
    department.change("PRE_NODE", {"UNID": "C1-3"}, SYNC_STATUS="D", DATAVERSION=2)
    hub.pull()
    assert ("unreadable_value", "C1-3") not in hub.findings()


def test_a_mended_value_closes_its_finding_though_nothing_kept_changes(hub: Hub, department: Department) -> None:
    """An unreadable value is kept as empty: mended to empty, the row is the same and the finding is not."""
    department.case("C1")
    department.change("PRE_NODE", {"UNID": "C1-3"}, END_TIME="昨天")
    hub.pull()
    department.change("PRE_NODE", {"UNID": "C1-3"}, END_TIME="", DATAVERSION=2)
    assert hub.pull()["PRE_NODE"]["updated"] == 0
    assert ("unreadable_value", "C1-3") not in hub.findings()


def test_equal_versions_in_one_slice_wait_and_are_released_with_their_case(hub: Hub, department: Department) -> None:
    for version in (1, 2):
        department.put("PRE_NODE", UNID="n", PROJID="C1", DATAVERSION=version)
    assert hub.pull()["PRE_NODE"]["parked"] == 2
    assert _open(hub) == [("parked", 2)]
    for version in (1, 2):
        department.put("PRE_APASINFO", PROJID="C1", DATAVERSION=version)
    hub.pull()
    assert hub.one("SELECT count(*) FROM core.stage_event") == 1
    assert _open(hub) == []
    assert check(hub.runtime.engine) == []


def test_a_version_of_equal_content_and_one_of_other_content_in_one_slice(hub: Hub, department: Department) -> None:
    department.case("C1")
    hub.pull()
    department.clear("PRE_NODE", UNID="C1-3")
    base = {"UNID": "C1-3", "PROJID": "C1", "PHASE_CODE": "REVIEW", "START_TIME": "2026-03-04 09:30:15",
            "END_TIME": "2026-03-04 15:00:00", "CREATE_TIME": "2026-03-04 15:10:00"}  # fmt: skip
    department.put("PRE_NODE", **base, DATAVERSION=2)
    department.put("PRE_NODE", **base, DATAVERSION=3, OPINION="第三版")
    found = hub.pull()["PRE_NODE"]
    assert (found["unchanged"], found["updated"]) == (4, 1)
    assert hub.one("SELECT order_value, state FROM ledger.source_record WHERE source_key = 'C1-3'") == (3, "kept")
    assert hub.one("SELECT opinion FROM core.stage_event WHERE stage = 'review'") == "第三版"
