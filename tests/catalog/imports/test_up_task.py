"""Rows of the national platform (`up_task`) as a file: all is read or left out by name; codes are the profile's."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from catalog.errors import FileRefused
from catalog.imports import up_task
from catalog.imports.entries import ITEM_TYPES
from catalog.imports.service import take_in
from catalog.life import Doer
from tests.catalog.items import CODE, ORGAN

PROFILE = Path(__file__).resolve().parents[3] / "connectors" / "profiles" / "national-up-pro"
HUB = Doer("cli:keeper", "hub")


def row(**over: Any) -> dict[str, Any]:
    said = {
        "row_guid": "i-1", "task_name": "食品经营许可", "catalog_code": CODE[19:], "task_code": CODE,
        "task_type": "01", "task_state": 1, "task_version": 2, "by_law": "《食品安全法》第三十五条",
        "dept_code": ORGAN, "anticipate_day": 20, "anticipate_type": "1", "promise_day": "10.0", "promise_type": 1,
        "special_procedure": "检验、听证", "is_fee": "0", "project_type": "2", "result_type": "10",
        "result_name": "食品经营许可证", "online_handle_depth": "4", "link_way": "0571-1",
        "plan_effective_date": "2024-01-01 00:00:00", "plan_cancel_date": None, "cd_operation": "I",
        "prerequisites": '[["330131001000", "330131002000"], ["330117020000"]]', "local_task_code": "其他-02491-006",
        **over,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value is not ...}


def file(folder: Path, *rows: Any, name: str = "up_task.json") -> Path:
    path = folder / name
    lines = name.endswith(".jsonl")
    path.write_text("\n".join(map(json.dumps, rows)) if lines else json.dumps(rows), encoding="utf-8")
    return path


def as_csv(folder: Path, *rows: Mapping[str, Any]) -> Path:
    path = folder / "up_task.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as lines:
        table = csv.DictWriter(lines, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def codes(name: str) -> dict[str, str]:
    with (PROFILE / "codes" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return {one["code"]: one["value"] for one in csv.DictReader(lines)}


def test_codes_and_fields_are_those_of_the_profile() -> None:
    assert codes("project_type") == up_task.KINDS
    assert codes("task_state") == up_task.STATES
    assert codes("limit_unit") == {**up_task.LIMIT_UNITS, "4": "hour"}, "the catalogue counts no hours"
    assert {one.zfill(2): word for one, word in codes("task_type").items()} == ITEM_TYPES
    schema = json.loads((PROFILE / "up_task.schema.json").read_text(encoding="utf-8"))
    assert set(schema["properties"]) <= up_task.READ | set(up_task.LEFT_OUT)
    assert not up_task.READ & set(up_task.LEFT_OUT)


def test_a_row_says_the_same_in_each_form(tmp_path: Path) -> None:
    (said,) = up_task.read(file(tmp_path, row()))
    assert said.faults == ()
    assert (said.code, said.base_code, said.organ) == (CODE, CODE[19:], ORGAN)
    assert said.effective_on == date(2024, 1, 1)
    assert said.numbers == {"local_task_code": "其他-02491-006"}
    assert said.content == {
        "name": "食品经营许可", "item_type": "01", "kind": "promised",
        "legal_limit": {"value": 20, "unit": "working_day"},
        "promised_limit": {"value": 10, "unit": "working_day"}, "legal_basis": ["《食品安全法》第三十五条"],
        "fee": {"charged": False}, "procedures": ["testing", "hearing"], "online_depth": "4", "telephone": "0571-1",
        "results": [{"kind": "credential", "type": "食品经营许可证", "name": "食品经营许可证"}],
        "requirements": [
            {"name": "前置审批1", "holder": "applicant", "valid_on": "acceptance",
             "any_of": [{"item": "330131001000"}, {"item": "330131002000"}]},
            {"name": "前置审批2", "holder": "applicant", "valid_on": "acceptance",
             "any_of": [{"item": "330117020000"}]},
        ],
    }  # fmt: skip
    for other in (file(tmp_path, row(), name="up_task.jsonl"), as_csv(tmp_path, row())):
        (again,) = up_task.read(other)
        assert (again.content, again.faults, again.effective_on) == (said.content, (), said.effective_on)


def test_an_item_that_was_cancelled_was_in_force_before_and_a_second_import_changes_nothing(
    engine: sa.Engine, tmp_path: Path
) -> None:
    path = file(tmp_path, row(task_state="3", plan_cancel_date="2025-06-01"))
    assert [one.fate for one in take_in(engine, up_task.read(path), HUB, reason="国家平台").lines] == ["new"]
    with engine.connect() as connection:
        held = connection.execute(sa.text("SELECT status, valid_from, valid_to FROM catalog.in_force ORDER BY 2")).all()
    assert [tuple(one) for one in held] == [
        ("in_force", date(2024, 1, 1), date(2025, 6, 1)), ("abolished", date(2025, 6, 1), None),
    ]  # fmt: skip
    assert [one.fate for one in take_in(engine, up_task.read(path), HUB, reason="再次").lines] == ["unchanged"]


@pytest.mark.parametrize(
    ("said", "pointer", "rule"),
    [
        ({"surprise": 1}, "/surprise", "unknown_field"),
        ({"task_state": 9}, "/task_state", "unknown_code"),
        ({"anticipate_type": "4"}, "/anticipate_type", "unknown_code"),
        ({"anticipate_type": None}, "/anticipate_type", "unit_missing"),
        ({"promise_day": "soon"}, "/promise_day", "unreadable"),
        ({"promise_day": True}, "/promise_day", "shape"),
        ({"is_fee": "maybe"}, "/is_fee", "unknown_code"),
        ({"result_type": "77"}, "/result_type", "unknown_code"),
        ({"special_procedure": "看情况"}, "/special_procedure", "unknown_code"),
        ({"plan_effective_date": "1.1.2024"}, "/effective_on", "unreadable_day"),
        ({"prerequisites": "[[]"}, "/requirements", "unreadable"),
        ({"cd_operation": "D"}, "/cd_operation", "deleted_row"),
        ({"catalog_code": ..., "task_type": "77"}, "/item_type", "unknown_code"),
    ],
)
def test_what_cannot_be_read_is_told_at_its_field(
    said: dict[str, Any], pointer: str, rule: str, tmp_path: Path
) -> None:
    (found,) = up_task.read(file(tmp_path, row(**said)))
    assert (pointer, rule) in {(one.pointer, one.rule) for one in found.faults}


@pytest.mark.parametrize(("name", "body"), [("a.json", b"{}"), ("a.json", b"["), ("a.jsonl", b"{"), ("a.csv", b"\xff")])
def test_a_file_of_another_form_is_refused_whole(name: str, body: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(body)
    with pytest.raises(FileRefused):
        list(up_task.read(tmp_path / name))


def test_a_row_with_more_cells_than_names_and_one_that_is_no_object_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("task_name\na,b\n", encoding="utf-8")
    (tmp_path / "a.jsonl").write_text("[1]\n", encoding="utf-8")
    for name in ("a.csv", "a.jsonl"):
        (found,) = up_task.read(tmp_path / name)
        assert [one.rule for one in found.faults] == ["shape"]
