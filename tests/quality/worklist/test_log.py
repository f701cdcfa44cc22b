"""The log of deeds: who saw whose values and why; only added to, readable, and brought back by a rebuild."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import typer
from typer.testing import CliRunner

from hub.errors import RepositoryError
from pipeline import cli as commands
from pipeline.afterwards.rebuild import rebuild
from pipeline.afterwards.trace import Look, trace
from pipeline.runtime import Runtime
from quality.worklist import cli, service, told
from sharedrepo.telling.digest import digest
from tests.departments import Department
from tests.quality.worklist.conftest import ANNA, BERND, WorkHub

GOOD = {"PHASE_CODE": "ACCEPT"}
_LOG = """SELECT w.at, w.actor, w.what, s.name, r.source_key, w.waiting_id IS NULL, w.correction_id IS NULL, w.reason,
                 w.detail
          FROM quality.work_log AS w LEFT JOIN ledger.stream AS s USING (stream_id)
          LEFT JOIN ledger.source_record AS r USING (record_id) ORDER BY w.work_id"""
_PROPOSALS = """SELECT c.correction_id, r.source_key, c.fields, c.reason, c.status, c.proposed_by, c.proposed_at,
                       c.decided_by, c.decision, c.base_hash, c.received_hash
                FROM quality.correction AS c JOIN ledger.source_record AS r USING (record_id)
                ORDER BY c.proposed_at"""


def rows(runtime: Runtime, query: str) -> list[tuple[Any, ...]]:
    with runtime.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def test_personal_values_are_traced_only_with_a_reason(hub: WorkHub, department: Department) -> None:
    department.case("C1", APPLYNAME="郑立新")
    hub.pull()
    for reason in ("", "  \n ", "x" * 1_001):
        with pytest.raises(RepositoryError, match="a reason of 1 to 1000 characters is needed"):
            trace(hub.runtime, "approval_case", "C1", reveal=Look("cli:li", reason))
    assert rows(hub.runtime, _LOG) == [], "nothing was shown, so nothing is logged"
    (hidden,) = trace(hub.runtime, "approval_case", "C1")
    assert "郑立新" not in repr(hidden)
    assert rows(hub.runtime, _LOG) == []
    (shown,) = trace(hub.runtime, "approval_case", "C1", reveal=Look("cli:li", "complaint\n 12345-7"))
    assert "郑立新" in repr(shown)
    ((_at, actor, what, _stream, key, _w, _c, reason, detail),) = rows(hub.runtime, _LOG)
    assert (actor, what, key, reason) == ("cli:li", "reveal", "C1", "complaint 12345-7")
    assert detail == {"table": "core.approval_case"}
    assert "郑立新" not in str(rows(hub.runtime, "SELECT * FROM quality.work_log"))


def test_the_command_asks_for_the_reason_and_the_log_tells_who(
    hub: WorkHub, department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    department.case("C1")
    hub.pull()
    monkeypatch.setattr(Runtime, "open", classmethod(lambda *_: hub.runtime))
    monkeypatch.setattr(getpass, "getuser", lambda: "li")
    app = typer.Typer()
    app.command()(commands.trace)

    def walk(*words: str) -> Any:
        return CliRunner().invoke(app, ["approval_case", "C1", "--json", *words])

    assert isinstance(walk("--reveal").exception, RepositoryError)
    assert walk("--reveal", "--reason", "complaint").exit_code == 0
    assert walk().exit_code == 0
    done = CliRunner().invoke(cli.quarantine, ["log", "--what", "reveal", "--json"])
    (line,) = json.loads(done.stdout)["log"]
    assert (line["actor"], line["source"], line["key"], line["reason"]) == ("cli:li", "labour", "C1", "complaint")
    assert CliRunner().invoke(cli.quarantine, ["log", "labour", "--who", "cli:li"]).output.count("complaint") == 1


def test_a_long_key_stands_masked_in_the_log_that_people_read(hub: WorkHub, department: Department) -> None:
    department.case("330102199001011234")
    hub.pull()
    trace(hub.runtime, "approval_case", "330102199001011234", reveal=Look(ANNA, "why"))
    (line,) = told.lines(hub.runtime.engine)
    assert line.key == "3301…1234"


@pytest.mark.parametrize(
    "change",
    ["UPDATE quality.work_log SET actor = 'nobody'", "DELETE FROM quality.work_log", "TRUNCATE quality.work_log"],
)
def test_nobody_takes_a_line_out_of_the_log(refused: WorkHub, change: str) -> None:
    service.opened(refused.runtime, refused.number("n1"), reveal=True, actor=ANNA, reason="a complaint")
    with pytest.raises(sa.exc.IntegrityError, match="only added to"), refused.runtime.engine.begin() as connection:
        connection.exec_driver_sql(change)
    assert len(rows(refused.runtime, _LOG)) == 1


def _undecided(hub: WorkHub) -> None:
    service.propose(hub.runtime, hub.number("n1"), GOOD, actor=ANNA, reason="by telephone")


def _rejected(hub: WorkHub) -> None:
    number = service.propose(hub.runtime, hub.number("n1"), GOOD, actor=ANNA, reason="a guess")
    service.reject(hub.runtime, number, actor=BERND, reason="ask them first")
    _undecided(hub)


def _approved(hub: WorkHub) -> None:
    number = service.propose(hub.runtime, hub.number("n1"), GOOD, actor=ANNA, reason="by telephone")
    service.propose(hub.runtime, hub.number("n1"), {"PHASE_CODE": "REVIEW"}, actor=BERND, reason="another guess")
    service.approve(hub.runtime, number, actor=BERND)


def _waived(hub: WorkHub) -> None:
    _undecided(hub)
    service.opened(hub.runtime, hub.number("n1"), reveal=True, actor=ANNA, reason="a complaint")
    service.replay(hub.runtime, "labour", actor=BERND)
    service.waive(hub.runtime, hub.number("n1"), actor=BERND, reason="a test record")


def _sent_again(hub: WorkHub) -> None:
    _undecided(hub)
    hub.department.change("PRE_NODE", {"UNID": "n1"}, PHASE_CODE="STILL_WRONG", DATAVERSION=2)
    hub.pull()


def _flagged(hub: WorkHub) -> None:
    hub.department.put("PRE_NODE", UNID="n2", PROJID="C1", PHASE_CODE="ACCEPT", NAME="无")
    hub.pull()
    number = hub.record("n2")
    service.propose(hub.runtime, number, {"NAME": "李明"}, actor=ANNA, reason="r", kind="flagged")


@pytest.mark.parametrize("life", [_undecided, _rejected, _approved, _waived, _sent_again, _flagged])
def test_a_rebuild_brings_back_proposals_and_the_log(
    refused: WorkHub, empty_runtime: Runtime, life: Callable[[WorkHub], None]
) -> None:
    life(refused)
    done = rebuild(empty_runtime)
    mine, theirs = rows(refused.runtime, _LOG), rows(empty_runtime, _LOG)
    assert done.deeds == len(mine) > 0
    assert theirs == mine
    here, there = rows(refused.runtime, _PROPOSALS), rows(empty_runtime, _PROPOSALS)
    for mine, theirs in zip(here, there, strict=True):
        if (mine[4], theirs[4]) == ("proposed", "lapsed"):  # its record has moved on, as its approval finds
            with pytest.raises(service.NotDone, match="it lapses"):
                service.approve(refused.runtime, mine[0], actor=BERND)
    here = rows(refused.runtime, _PROPOSALS)
    assert [one[1:9] for one in there] == [one[1:9] for one in here]
    undecided = [[one[1:] for one in found if one[4] == "proposed"] for found in (here, there)]
    assert undecided[0] == undecided[1], "what is still to be decided on is of the same record, to the letter"
    assert bool(undecided[1]) is (life in (_undecided, _rejected, _flagged))
    ours, others = digest(refused.runtime.engine), digest(empty_runtime.engine)
    assert {name for name in ours if ours[name] != others[name]} == set()


def test_what_was_proposed_before_a_rebuild_is_approved_after_it(refused: WorkHub, empty_runtime: Runtime) -> None:
    _undecided(refused)
    rebuild(empty_runtime)
    other = WorkHub(empty_runtime, refused.department)
    ((number, shown),) = rows(empty_runtime, "SELECT correction_id, sealed FROM quality.correction")
    assert "ACCEPT" not in str(bytes(shown)), "locked as before"
    assert service.approve(empty_runtime, number, actor=BERND) == {"new": 1}
    assert other.state("n1") == "kept"


def test_a_deed_lies_in_the_archive_without_a_readable_word(refused: WorkHub) -> None:
    service.propose(refused.runtime, refused.number("n1"), {"PHASE_CODE": "ACCEPT"}, actor=ANNA, reason="郑立新说的")
    (key,) = refused.runtime.archive.list("_deeds/")
    stored = refused.runtime.settings.archive_location
    text = b"".join(one.read_bytes() for one in _files(stored) if "_deeds" in str(one))
    assert text
    assert "郑立新".encode() not in text
    assert b"ACCEPT" not in text
    assert "n1" not in str(refused.runtime.archive.head(key))


def _files(url: str) -> list[Any]:

    return [one for one in Path(url).rglob("*") if one.is_file()]
