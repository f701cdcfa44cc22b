"""Values that a system is known to send wrong are put right before judging, as its source.yml says."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
import yaml

from connectors.loading import load_sources
from hub.errors import ConfigError
from hub.mends import Replacement
from hub.table import TEXT, Column, Table
from pipeline.preparing.replacing import put_right
from pipeline.pulls.exchange import desk_of
from pipeline.pulls.mapped import mapping_of
from pipeline.runtime import Runtime
from quality.worklist import service
from tests.departments import Department
from tests.quality.worklist.conftest import ANNA, WorkHub

ONE = {"field": "PHASE_CODE", "from": "SIGNED", "to": "ACCEPT", "reason": "the department's letter of 3 March"}


def _with(department: Department, *corrections: dict[str, Any]) -> None:
    """Declare all four streams, corrections on PRE_NODE alone."""
    department.declare()
    file = department.folder / "source.yml"
    body = yaml.safe_load(file.read_text(encoding="utf-8"))
    body["streams"]["PRE_NODE"]["corrections"] = list(corrections)
    file.write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")


def test_the_next_pull_is_put_right_and_says_so(hub: WorkHub, department: Department, empty_runtime: Runtime) -> None:
    _with(department, ONE)
    department.case("C1")
    department.put("PRE_NODE", UNID="n1", PROJID="C1", PHASE_CODE="SIGNED")
    hub.pull()
    assert (hub.state("n1"), hub.of("n1")) == ("kept", {"value_mended"})
    assert hub.rows("SELECT shown, detail FROM quality.finding WHERE rule = 'value_mended'") == [
        ("SIGNED", {"reason": ONE["reason"], "by": "source.yml"})
    ]
    record = service.opened(hub.runtime, hub.record("n1"), kind="flagged")
    assert [(one.pointer, one.by_hand) for one in record.fields if one.mended] == [("/PHASE_CODE", False)]
    assert hub.pull(full=True)["PRE_NODE"]["unchanged"] == 5
    hub.sound()
    hub.rebuilt_equal(empty_runtime)


def test_what_waits_is_put_right_by_a_replay(refused: WorkHub, department: Department, empty_runtime: Runtime) -> None:
    hub = refused
    _with(department, ONE)
    assert hub.pull(full=True)["PRE_NODE"]["unchanged"] == 5, "what was received is the same as before"
    assert service.replay(hub.runtime, "labour", rule="unknown_code", actor=ANNA) == {"new": 1}
    assert hub.of("n1") == {"value_mended"}
    hub.sound()
    hub.rebuilt_equal(empty_runtime)


def test_a_rebuild_uses_the_corrections_of_then(hub: WorkHub, department: Department, empty_runtime: Runtime) -> None:
    _with(department, ONE)
    department.case("C1")
    department.put("PRE_NODE", UNID="n1", PROJID="C1", PHASE_CODE="SIGNED")
    hub.pull()
    _with(department, {**ONE, "to": "REVIEW"})
    department.put("PRE_NODE", UNID="n2", PROJID="C1", PHASE_CODE="SIGNED")
    hub.pull()
    stages = dict(
        hub.rows("SELECT r.source_key, e.stage FROM core.stage_event AS e JOIN ledger.source_record AS r "
                 "USING (record_id) WHERE r.source_key LIKE 'n%'")
    )  # fmt: skip
    assert stages == {"n1": "accept", "n2": "review"}
    assert hub.one("SELECT count(DISTINCT mapping_version) FROM ledger.batch") == 2
    department.folder.joinpath("source.yml").unlink()
    hub.rebuilt_equal(empty_runtime)


def test_a_correction_is_bound_to_days_and_does_not_lead_into_another(hub: WorkHub, department: Department) -> None:
    _with(
        department,
        {**ONE, "from": "A1", "to": "B1", "until": "2026-03-02"},
        {**ONE, "from": "A1", "to": "APPROVE", "since": "2026-03-03"},
        {**ONE, "from": "B1", "to": "REVIEW"},
    )
    department.case("C1")
    for key, code, day in (("n1", "A1", "02"), ("n2", "A1", "03"), ("n3", "B1", "02")):
        department.put("PRE_NODE", UNID=key, PROJID="C1", PHASE_CODE=code, CREATE_TIME=f"2026-03-{day} 23:30:00")
    hub.pull()
    stages = dict(
        hub.rows("SELECT r.source_key, e.stage FROM core.stage_event AS e JOIN ledger.source_record AS r "
                 "USING (record_id) WHERE r.source_key LIKE 'n%'")
    )  # fmt: skip
    assert stages == {"n2": "approve", "n3": "review"}
    assert hub.state("n1") == "quarantined", "B1 came of a correction and is not put right once more"


def test_nothing_said_can_be_filled_and_a_number_is_compared_as_text(hub: WorkHub, department: Department) -> None:
    _with(
        department,
        {"field": "NODE_NAME", "from": None, "to": "窗口受理", "reason": "r"},
        {"field": "ACTION", "from": 1, "to": "2", "reason": "r"},
    )
    department.case("C1")
    department.put("PRE_NODE", UNID="n1", PROJID="C1", NODE_NAME=None)
    hub.pull()
    assert hub.one(
        "SELECT e.local_node FROM core.stage_event AS e JOIN ledger.source_record AS r USING (record_id) "
        "WHERE r.source_key = 'n1'"
    ) == "窗口受理"  # fmt: skip


FAULTS = [
    ({"field": "PHASE_KODE"}, "no field 'PHASE_KODE'"),
    ({"field": "UNID"}, "tells records or their versions apart"),
    ({"to": "SIGNED"}, "the same as `from`"),
    ({"since": "2026-13-01"}, "is no day"),
    ({"until": "2026-03-01", "since": "2026-03-02"}, "lies before since"),
    ({"reason": ""}, "should be non-empty|too short"),
    ({"form": "x"}, "unknown key 'form'; did you mean 'from'"),
]


@pytest.mark.parametrize(("part", "why"), FAULTS, ids=[why for _part, why in FAULTS])
def test_a_fault_is_told_with_file_and_line(department: Department, part: dict[str, Any], why: str) -> None:
    _with(department, {**ONE, **part})
    with pytest.raises(ConfigError, match=why) as caught:
        load_sources([department.folder.parent])
    (fault,) = caught.value.faults
    lines = department.folder.joinpath("source.yml").read_text(encoding="utf-8").splitlines()
    assert fault.file.endswith("source.yml")
    assert next(iter(part)) in lines[fault.line - 1] or "field" in lines[fault.line - 1]


def test_one_value_is_not_put_right_in_two_ways(department: Department) -> None:
    _with(department, ONE, {**ONE, "to": "REVIEW"})
    with pytest.raises(ConfigError, match="what number 1 says already"):
        load_sources([department.folder.parent])
    _with(department, {**ONE, "until": "2026-03-01"}, {**ONE, "to": "REVIEW", "since": "2026-03-02"})
    assert load_sources([department.folder.parent])


@pytest.mark.parametrize("to", ["other", 7, True, None])
def test_columns_and_records_are_put_right_alike(hub: WorkHub, department: Department, to: Any) -> None:
    desk = desk_of(hub.runtime, hub.source(), mapping_of(hub.runtime, hub.source()), "PRE_NODE", datetime.now(UTC))
    said = (Replacement("OPINION", "bad", to, "r"), Replacement("DATAVERSION", 3, to, "r"))
    desk = dataclasses.replace(desk, mapping=dataclasses.replace(desk.mapping, corrections=said))
    records = [{"OPINION": "bad", "DATAVERSION": 3}, {"OPINION": None, "DATAVERSION": 4}]
    table = Table(
        [Column("OPINION", pa.array(["bad", None], TEXT)), Column("DATAVERSION", pa.array(["3", "4"], TEXT), True)], 2
    )
    by_rows, told = put_right(desk, records)
    by_columns, told_again = put_right(desk, table)
    assert list(by_columns) == list(by_rows) == [{"OPINION": to, "DATAVERSION": to}, records[1]]
    assert told == told_again
    assert records[0] == {"OPINION": "bad", "DATAVERSION": 3}, "what was received stays as it is"
