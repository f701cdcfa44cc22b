"""The structure judge: what it refuses, what it flags, all at once, and that nothing fells it."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import orjson
import pytest

from hub.errors import InternalError
from hub.findings import UNIT, Finding
from validation import structure
from validation.drift import ENOUGH
from validation.explain import MAX_DEPTH, MAX_FAULTS, Explainer, Fault, explain
from validation.structure import StructureJudge

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "ID": {"type": "string", "minLength": 1, "maxLength": 10, "pattern": "^[0-9A-Z]+$"},
        "NAME": {"type": ["string", "null"], "maxLength": 4},
        "SYNC": {"type": ["string", "null"], "enum": ["I", "U", "D", None]},
        "VALUE": {"type": ["integer", "null"], "minimum": 0, "maximum": 100},
        "NODES": {
            "type": "array",
            "items": {"type": "object", "properties": {"N": {"type": "string"}}, "required": ["N"]},
        },
    },
    "required": ["ID"],
}


def record(**fields: Any) -> dict[str, Any]:
    return {"ID": "A1", "NAME": "名", "SYNC": "I", "VALUE": 1, "NODES": [], **fields}


def judged(*records: Any, contract: str | None = None, **options: Any) -> list[Finding]:
    return StructureJudge(SCHEMA, contract, **options).judge(list(records))


def brief(findings: list[Finding]) -> list[tuple[int, str, str | None, str]]:
    return [(one.record, one.rule, one.pointer, one.detail.get("keyword", "")) for one in findings]


def test_good_records_give_no_finding() -> None:
    assert judged(record(), record(NAME=None, SYNC=None, VALUE=None, NODES=[{"N": "受理"}])) == []


def test_no_records_give_no_finding() -> None:
    assert judged() == []


def test_all_faults_of_a_record_come_at_once_sorted_by_place() -> None:
    found = judged(record(), record(ID="a b c d e f g", SYNC="X", VALUE=101, NODES=[{"N": 1}, {}]))
    assert brief(found) == [
        (UNIT, "changed_type", "/NODES/*/N", ""),
        (1, "schema_violation", "/ID", "maxLength"),
        (1, "schema_violation", "/ID", "pattern"),
        (1, "schema_violation", "/NODES/1/N", "required"),
        (1, "schema_violation", "/SYNC", "enum"),
        (1, "schema_violation", "/VALUE", "maximum"),
        (1, "changed_type", "/NODES/*/N", ""),
    ]
    assert all(one.refuses for one in found)
    assert [one.field for one in found] == ["NODES", "ID", "ID", "NODES", "SYNC", "VALUE", "NODES"]


def test_a_field_without_a_name_is_named_at_its_place() -> None:
    """The screen leaves empty names out of its paths (a CSV whose header has a gap gives such a field)."""
    schema = {"properties": {"": {"type": "string"}, "N": {"properties": {"": {"type": "string"}}}}}
    found = StructureJudge(schema, "evolve").judge([{"": 1, "N": {"": 2}}, {"": "x", "N": {"": "y"}}])
    assert brief(found) == [(UNIT, "changed_type", "/", ""), (UNIT, "changed_type", "/N/", "")]
    assert [one.field for one in found] == ["", "N"]


def test_details_say_what_was_expected_and_never_the_value() -> None:
    found = judged(record(NAME="王小明的儿子", SYNC="张三", ID="身份"))
    details = {one.detail["keyword"]: dict(one.detail) for one in found}
    assert details["maxLength"] == {"keyword": "maxLength", "expected": "maxLength 4", "length": "6"}
    assert details["enum"]["expected"] == "one of I, U, D, null"
    assert details["pattern"]["expected"] == "the form ^[0-9A-Z]+$"
    assert not any("王小明" in word or "张三" in word for one in found for word in one.detail.values())


def test_values_are_personal_unless_the_field_may_be_shown() -> None:
    found = judged(record(NAME="王小明的儿子", SYNC="X"), shown={"SYNC"})
    assert [(one.field, one.value, one.personal) for one in found] == [
        ("NAME", "王小明的儿子", True),
        ("SYNC", "X", False),
    ]


def test_the_same_records_give_the_same_findings_in_the_same_order() -> None:
    records = [record(SYNC="X", VALUE=-1, extra=1, more=2), record(ID="")]
    assert judged(*records) == judged(*json.loads(json.dumps(records)))


def test_an_undeclared_field_is_one_finding_a_slice() -> None:
    found = judged(record(), record(new=1), record(new="2", other=3), contract="evolve")
    assert [(one.record, one.rule, one.field, one.detail["count"], one.refuses) for one in found] == [
        (UNIT, "unknown_field", "new", "2", False),
        (UNIT, "unknown_field", "other", "1", False),
    ]
    assert [one.detail["types"] for one in found] == ["integer|string", "integer"]


@pytest.mark.parametrize("contract", ["quarantine", "freeze"])
def test_an_undeclared_field_refuses_each_record_unless_the_contract_evolves(contract: str) -> None:
    found = judged(record(), record(new=1), record(new=2, SYNC="X"), contract=contract)
    assert brief(found) == [
        (UNIT, "unknown_field", "/new", ""),
        (1, "unknown_field", "/new", ""),
        (2, "schema_violation", "/SYNC", "enum"),
        (2, "unknown_field", "/new", ""),
    ]
    assert all(one.refuses for one in found)


def test_the_contract_and_not_the_schema_decides_on_undeclared_fields() -> None:
    closed = {**SCHEMA, "additionalProperties": False}
    assert [one.rule for one in StructureJudge(closed).judge([record(new=1)])] == ["unknown_field"]


def test_very_many_undeclared_fields_do_not_flood_the_steward() -> None:
    found = judged(record(**{f"f{number}": 1 for number in range(5000)}))
    assert len(found) == 51
    assert found[-1].detail["fields"] == "4950"


def test_a_required_field_that_is_absent_refuses_its_record() -> None:
    gone = record()
    del gone["ID"]
    assert brief(judged(record(), gone)) == [(1, "schema_violation", "/ID", "required")]


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in record().items() if key != name}


def test_a_declared_field_absent_from_every_record_of_a_table_is_missing() -> None:
    found = judged(without("NAME"), without("NAME"))
    assert [(one.record, one.rule, one.field, one.detail["count"]) for one in found] == [
        (UNIT, "missing_field", "NAME", "2")
    ]


def test_a_field_left_empty_is_not_missing() -> None:
    assert judged(record(NAME=None)) == []


def test_records_that_leave_out_what_is_empty_miss_nothing_unless_there_are_many() -> None:
    unlike = [without("NAME"), {**without("NAME"), "SYNC": None}]
    del unlike[1]["SYNC"]
    assert judged(*unlike) == []
    assert [one.field for one in judged(*unlike * ENOUGH)] == ["NAME"]
    assert judged(*unlike * ENOUGH, sparse=True) == []
    assert StructureJudge({**SCHEMA, "x-sparse": True}).judge([without("NAME")]) == []


def test_marks_of_deletion_miss_nothing() -> None:
    assert judged({"ID": "A1", "SYNC": "D"}) == []


@pytest.mark.parametrize("thing", [None, 1, "text", [], [1]])
def test_what_is_no_object_is_refused(thing: Any) -> None:
    found = judged(record(), thing)
    assert brief(found) == [(1, "schema_violation", "", "type")]


def test_a_record_nested_very_deep_is_refused_quickly_and_the_rest_is_not_touched() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    start = time.process_time()
    found = judged(record(NODES=deep), record(), record(new=deep))
    assert time.process_time() - start < 2, "it was looked through to its depths"
    assert [(one.record, one.rule, one.detail.get("keyword")) for one in found if one.record >= 0] == [
        (0, "schema_violation", "depth"),
        (2, "schema_violation", "depth"),
    ]
    while deep:  # the interpreter itself would take it down by recursion on some builds
        deep = deep[0]


@pytest.mark.parametrize(("levels", "kept"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
def test_the_depth_allowed_is_what_the_archive_can_write(levels: int, kept: bool) -> None:
    deep: Any = 1
    for _ in range(levels - 1):
        deep = [deep]
    nested = {"new": deep}
    assert (StructureJudge({"type": "object"}).judge([nested, {}])[-1].record == UNIT) == kept
    if kept:
        orjson.dumps(nested)


def test_half_a_surrogate_pair_is_refused_and_shown_safely() -> None:
    found = judged(record(NAME="\ud800"), record(**{"bad\udfff": 1}))
    assert [(one.record, one.rule) for one in found] == [
        (UNIT, "unknown_field"),
        (0, "schema_violation"),
        (1, "schema_violation"),
    ]
    for one in found:
        orjson.dumps([one.field, one.pointer, dict(one.detail), one.value])


def test_control_characters_are_left_to_normalization() -> None:
    assert judged(record(NAME="a\x00b")) == []


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused_where_a_number_is_declared(number: float) -> None:
    schema = {"type": "object", "properties": {"V": {"type": "number"}}}
    found = StructureJudge(schema).judge([{"V": 1.5}, {"V": number}])
    assert [(one.record, one.pointer, one.detail["expected"]) for one in found] == [(1, "/V", "a number")]


def test_long_integers_are_numbers_and_absurd_ones_are_refused() -> None:
    schema = {"type": "object", "properties": {"V": {"type": "integer"}}}
    assert StructureJudge(schema).judge([{"V": 330106202601050000001}, {"V": -(2**70)}]) == []
    assert [one.record for one in StructureJudge(schema).judge([{"V": 10**5000}])] == [0]


@pytest.mark.parametrize("value", [b"bytes", Decimal("1.5"), {1, 2}])
def test_a_value_that_json_does_not_have_is_our_fault_and_nobody_elses(value: Any) -> None:
    with pytest.raises(InternalError, match="JSON values only"):
        judged(record(NAME=value))


def test_a_record_with_very_many_faults_lists_a_bounded_number() -> None:
    assert len(judged(record(NODES=[{}] * 10_000))) == MAX_FAULTS


def test_pointers_escape_as_the_standard_says() -> None:
    schema = {"type": "object", "properties": {"a/b~c": {"type": "string"}}}
    assert StructureJudge(schema).judge([{"a/b~c": 1}])[0].pointer == "/a~1b~0c"


def test_a_schema_outside_the_vocabulary_is_not_judged_by() -> None:
    with pytest.raises(ValueError, match="format"):
        StructureJudge({"properties": {"A": {"type": "string", "format": "date"}}})


def test_a_contract_that_there_is_not_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="evolve, freeze, quarantine"):
        StructureJudge(SCHEMA, "discard")


def test_good_records_are_screened_and_not_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen is compiled; what explains takes fifty times as long and is asked about refused records alone."""
    asked: list[Any] = []

    def listening(explainer: Explainer, one: Any) -> list[Fault]:
        asked.append(one)
        return explain(explainer, one)

    monkeypatch.setattr(structure, "explain", listening)
    wrong = record(ID="")
    records = [*(record(ID=f"A{number}") for number in range(20_000)), wrong]
    assert StructureJudge(SCHEMA).judge(records[:-1]) == []
    assert asked == []
    assert {one.record for one in StructureJudge(SCHEMA).judge(records)} == {20_000}
    assert asked == [wrong]
