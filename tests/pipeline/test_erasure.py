"""What a source sent in a month can be erased: nobody reads it any more, and the ledger still agrees."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from hub.errors import RepositoryError, SourceBusy
from pipeline import cli_archive
from pipeline.afterwards.erasure import erase, months
from pipeline.afterwards.replay import replay
from pipeline.runtime import Runtime
from quality.worklist.service import opened
from sharedrepo.archive import ArchiveErased
from sharedrepo.keyring import erasure as let_go
from sharedrepo.telling.ledger import check, states
from sharedrepo.telling.lists import batches, waiting
from tests.departments import Department
from tests.journeys.conftest import Hub

NAME = "欧阳不存在"
MONTH = f"{datetime.now(UTC):%Y-%m}"
LAW = "PIPL, article 47"


@pytest.fixture
def department(tmp_path: Path) -> Department:
    made = Department(tmp_path / "sources")
    made.case("C1")
    made.put("PRE_NODE", UNID="n1", PROJID="C1", PHASE_CODE="SIGNED", NAME=NAME)  # refused: unknown code
    made.put("PRE_NODE", UNID="n2", PROJID="C9", NAME=NAME)  # parked: its case has not come
    return made


@pytest.fixture
def hub(runtime: Runtime, department: Department) -> Hub:
    made = Hub(runtime, department)
    made.pull()
    return made


def _payloads(hub: Hub) -> list[bytes | None]:
    with hub.runtime.engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT payload FROM ledger.waiting ORDER BY waiting_id"))
        return [None if row[0] is None else bytes(row[0]) for row in rows]


def test_what_waits_is_locked_by_the_data_key_of_its_source_and_month(hub: Hub) -> None:
    keys = hub.runtime.archive.data_keys
    locked = [one for one in _payloads(hub) if one is not None]
    assert len(locked) == 2
    for one in locked:
        assert NAME.encode() not in one
        assert NAME in keys.unlock("labour", one).decode()
    with pytest.raises(RepositoryError, match="is missing"):
        keys.unlock("other", locked[0])
    keys.erase("labour", MONTH)
    with pytest.raises(ArchiveErased):
        keys.unlock("labour", locked[0])


def test_an_erased_month_is_gone_and_the_ledger_agrees(hub: Hub) -> None:
    kept = hub.rows("SELECT * FROM core.approval_case")
    number = waiting(hub.runtime.engine)[0]["id"]
    done = erase(hub.runtime, "labour", MONTH, LAW)
    assert (done.payloads, done.records) == (2, 2)
    assert done.data_keys == 1
    assert _payloads(hub) == [None, None]
    assert check(hub.runtime.engine) == []
    assert states(hub.runtime.engine)["excluded"] == 2
    assert hub.findings() == set()
    assert hub.rows("SELECT * FROM core.approval_case") == kept, "what was kept stays"
    assert waiting(hub.runtime.engine) == []
    with pytest.raises(RepositoryError, match="was erased"):
        opened(hub.runtime, number, reveal=True, actor="account:anna", reason="a complaint")
    with pytest.raises(ArchiveErased):
        hub.runtime.archive.open(hub.runtime.archive.list("labour/")[0])
    assert [(one["kind"], one["read"]) for one in batches(hub.runtime.engine) if one["kind"] == "erasure"] == [
        ("erasure", 0)
    ]


def test_work_goes_on_after_an_erasure(hub: Hub, department: Department) -> None:
    erase(hub.runtime, "labour", MONTH, LAW)
    department.case("C9")  # the case for which the erased record waited
    department.change("PRE_NODE", {"UNID": "n1"}, PHASE_CODE="ACCEPT", DATAVERSION=2)
    hub.pull()
    assert replay(hub.runtime, hub.source()).counts == {}
    assert check(hub.runtime.engine) == []
    assert hub.one("SELECT state FROM ledger.source_record WHERE source_key = 'n1'") == "kept"
    assert [(one.data_keys, one.erased) for one in months(hub.runtime, "labour")] == [(1, 1)], "under a new key"


def test_a_month_that_two_ciphers_locked_is_erased_whole(hub: Hub, department: Department) -> None:
    by_sm4 = Runtime.open(hub.runtime.settings.model_copy(update={"cipher": "sm4-gcm"}))
    try:
        department.put("PRE_NODE", UNID="n3", PROJID="C8", NAME=NAME)
        Hub(by_sm4, department).pull()
        assert [one and one[0] for one in _payloads(hub)] == [2, 2, 3]
        done = erase(hub.runtime, "labour", MONTH, LAW)
        assert (done.payloads, done.records, done.data_keys) == (3, 3, 1)
        assert _payloads(hub) == [None, None, None]
        assert check(hub.runtime.engine) == []
    finally:
        by_sm4.engine.dispose()


def test_an_erasure_that_was_cut_off_is_finished_by_the_same_command(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*_args: object) -> None:
        raise Killed

    keys = type(hub.runtime.archive.data_keys)
    with monkeypatch.context() as patch:
        patch.setattr(keys, "erase", killed)
        with pytest.raises(Killed):
            erase(hub.runtime, "labour", MONTH, LAW)
    assert check(hub.runtime.engine) == []
    assert erase(hub.runtime, "labour", MONTH, LAW).data_keys == 1
    assert check(hub.runtime.engine) == []


def test_nothing_is_erased_that_is_not_there_or_is_being_pulled(hub: Hub) -> None:
    with pytest.raises(RepositoryError, match="no data keys of 2001-01; months with keys: " + MONTH):
        erase(hub.runtime, "labour", "2001-01", LAW)
    with pytest.raises(RepositoryError, match="no data keys"):
        erase(hub.runtime, "nobody", MONTH, LAW)
    with hub.runtime.connection() as connection:
        with connection.cursor() as cursor:
            number = let_go.source_number(cursor, "labour")
        assert number is not None
        hub.runtime.hold_source(connection, number, "labour")
        with pytest.raises(SourceBusy):
            erase(hub.runtime, "labour", MONTH, LAW)


def test_the_command_asks_and_tells(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "open", lambda: hub.runtime)
    run = CliRunner().invoke
    declined = run(cli_archive.archive, ["erase", "labour", MONTH, "--reason", LAW], input="n\n")
    assert declined.exit_code == 1
    assert "never be read" in declined.output
    assert check(hub.runtime.engine) == []
    done = run(cli_archive.archive, ["erase", "labour", MONTH, "--reason", LAW, "--yes"])
    assert done.exit_code == 0
    assert "1 data keys of labour" in done.output
    listed = run(cli_archive.archive, ["list", "--json"])
    assert '"erased": 1' in listed.output
