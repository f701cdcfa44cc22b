"""A repository that is lost is filled again from the archive: every batch, judged as it was judged then."""

from __future__ import annotations

import pytest

from hub.errors import RepositoryError
from pipeline.afterwards.rebuild import rebuild
from pipeline.afterwards.replay import accept, replay
from pipeline.runtime import Runtime
from sharedrepo.telling.digest import digest
from sharedrepo.telling.ledger import check
from tests.crash.campaign import day_one, day_two
from tests.departments import Department
from tests.journeys.conftest import Hub


def _equal(hub: Hub, other: Runtime) -> None:
    """Rebuild beside, and compare table by table."""
    done = rebuild(other)
    assert done.batches > 0
    mine, theirs = digest(hub.runtime.engine), digest(other.engine)
    assert {name for name in mine if mine[name] != theirs[name]} == set()
    assert check(other.engine) == []


@pytest.mark.parametrize("slice_size", [5, 20_000])
def test_two_days_with_everything_in_them_are_rebuilt(
    hub: Hub, department: Department, empty_runtime: Runtime, slice_size: int
) -> None:
    object.__setattr__(hub.runtime, "settings", hub.runtime.settings.model_copy(update={"slice_size": slice_size}))
    day_one(department)
    hub.pull()
    day_two(department)
    hub.pull()
    assert {row[0] for row in hub.rows("SELECT DISTINCT kind FROM ledger.batch")} == {"pull", "release", "take_back"}
    _equal(hub, empty_runtime)


def test_a_case_that_came_back_after_its_children_were_taken_back_is_rebuilt(
    hub: Hub, department: Department, empty_runtime: Runtime
) -> None:
    department.case("C1")
    hub.pull()
    department.change("PRE_APASINFO", {"PROJID": "C1"}, SYNC_STATUS="D", DATAVERSION=2)
    hub.pull()
    department.change("PRE_APASINFO", {"PROJID": "C1"}, SYNC_STATUS="U", DATAVERSION=3)
    department.change("PRE_NODE", {"UNID": "C1-2"}, OPINION="更正", DATAVERSION=2)
    hub.pull()
    _equal(hub, empty_runtime)


def test_replays_are_rebuilt(hub: Hub, department: Department, empty_runtime: Runtime) -> None:
    department.case("C1")
    hub.pull()
    department.change("PRE_NODE", {"UNID": "C1-3"}, OPINION="别的内容")
    department.put("PRE_NODE", UNID="bad", PROJID="C1", PHASE_CODE="SIGNED")
    hub.pull()
    conflict = hub.one("SELECT waiting_id FROM ledger.waiting WHERE rules @> '{version_conflict}'")
    assert replay(hub.runtime, hub.source()).counts == {"quarantined": 1}
    assert replay(hub.runtime, hub.source(), [conflict]).counts == {"updated": 1}
    _equal(hub, empty_runtime)


def test_a_held_unit_and_its_acceptance_are_rebuilt(hub: Hub, department: Department, empty_runtime: Runtime) -> None:
    department.declare(each={"expect": {"rows": {"min": 3}}, "cursor": {"field": "CREATE_TIME", "lookback": "P400D"}})
    for number in range(5):
        department.case(f"C{number}")
    hub.pull()
    department.clear("PRE_ACCEPT")
    department.put("PRE_ACCEPT", PROJID="C1", HANDER_DEPTNAME="新的处室", DATAVERSION=2)
    hub.pull()
    held = hub.one("SELECT batch_id FROM ledger.batch WHERE status = 'held'")
    assert ("volume_below", "pre_accept") in hub.findings()
    assert hub.one("SELECT count(*) FROM core.acceptance WHERE unit_name = '新的处室'") == 0
    with pytest.raises(RepositoryError, match="no reason"):
        accept(hub.runtime, hub.source(), held, " ")
    merged = accept(hub.runtime, hub.source(), held, "the department merged its lists", actor="account:li")
    assert merged.counts == {"updated": 1}
    assert hub.one("SELECT status FROM ledger.batch WHERE batch_id = :id", id=held) == "accepted"
    assert ("volume_below", "pre_accept") not in hub.findings()
    assert hub.one("SELECT count(*) FROM core.acceptance WHERE unit_name = '新的处室'") == 1
    said = "SELECT reason, actor FROM ledger.batch WHERE kind = 'accept'"
    assert tuple(hub.one(said)) == ("the department merged its lists", "account:li")
    assert check(hub.runtime.engine) == []
    _equal(hub, empty_runtime)
    assert tuple(Hub(empty_runtime, department).one(said)) == ("the department merged its lists", "account:li")


def test_a_unit_that_is_still_held_is_rebuilt_as_held(hub: Hub, department: Department, empty_runtime: Runtime) -> None:
    department.declare(each={"expect": {"rows": {"min": 3}}})
    department.case("C1")
    hub.pull()
    assert hub.one("SELECT count(*) FROM ledger.batch WHERE status = 'held'") > 0
    _equal(hub, empty_runtime)


def test_only_what_is_held_can_be_accepted(hub: Hub, department: Department) -> None:
    department.case("C1")
    hub.pull()
    with pytest.raises(RepositoryError, match="holds no batch"):
        accept(hub.runtime, hub.source(), 1, "because")


def test_a_repository_that_holds_batches_is_not_rebuilt_into(hub: Hub, department: Department) -> None:
    department.case("C1")
    hub.pull()
    with pytest.raises(RepositoryError, match="holds 4 batches"):
        rebuild(hub.runtime)


def test_an_archive_object_that_never_committed_is_left_out(
    hub: Hub, department: Department, empty_runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies after the archive and before the commit; the department changes the record meanwhile."""
    department.case("C1")
    hub.pull()
    department.change("PRE_NODE", {"UNID": "C1-3"}, OPINION="从未提交的说法", DATAVERSION=2)

    def dies(*_a: object, **_k: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.writing.batches.register", dies)
        with pytest.raises(ConnectionError):
            hub.pull()
    department.change("PRE_NODE", {"UNID": "C1-3"}, OPINION="后来的说法", DATAVERSION=3)
    hub.pull()
    _equal(hub, empty_runtime)
