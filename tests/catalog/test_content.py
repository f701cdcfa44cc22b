"""What an item's version says is judged by its contract and for contradictions, all faults at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.content import CENTRAL, faults, missing
from catalog.limits import Limit, exceeds, total
from hub.documents import SCHEMAS
from hub.identifiers import credit_code, item_code
from tests.catalog.items import CODE, ORGAN, content

EXAMPLES = sorted((SCHEMAS / "catalog/item/v1/examples/valid").glob("*.json"))


def told(said: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    return [(one.pointer, one.rule) for one in faults(CODE, said, **more)]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_of_the_contract_are_faultless(file: Any) -> None:
    assert faults("任意", json.loads(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("over", "found"),
    [
        ({"name": ""}, [("/name", "shape")]),
        ({"surprise": 1}, [("", "shape")]),
        ({"place": "二楼\ud800"}, [("", "half_character")]),
        ({"place": "😀"}, []),
        ({"promised_limit": {"value": 21, "unit": "working_day"}}, [("/promised_limit", "promise_over_law")]),
        ({"stages": [{"stage": "review", "limit": {"value": 11, "unit": "working_day"}}]},
         [("/stages", "stages_over_promise")]),
        ({"stages": [{"stage": "review"}, {"stage": "review"}]}, [("/stages", "stage_twice")]),
        ({"fee": {"charged": True}}, [("/fee/basis", "fee_without_basis")]),
        ({"item_type": "07"}, [("/item_type", "type_differs")]),
        ({"requirements": [{"name": "g", "holder": "applicant", "valid_on": "application", "any_of": []}]},
         [("/requirements/0/any_of", "empty_group")]),
        ({"requirements": [{"name": "g", "holder": "applicant", "valid_on": "application",
                            "any_of": [{"credential": "营业执照", "item": "X"}, {}]}]},
         [("/requirements/0/any_of/0", "option_unclear"), ("/requirements/0/any_of/1", "option_unclear")]),
        ({"requirements": [{"name": "g", "holder": "applicant", "valid_on": "application",
                            "any_of": [{"credential": "营业执照", "issued_by": "11330000002482285K"}]}]},
         [("/requirements/0/any_of/0/issued_by", "organ_unreadable")]),
        ({"legal_basis": ["法"] * 201}, [("/legal_basis", "too_many")]),
        ({"legal_basis": ["法" * 2000] * 60}, [("", "too_large")]),
    ],
)  # fmt: skip
def test_each_fault_is_found_at_its_place(over: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert told(content(**over)) == found


def test_what_is_not_complete_is_named_and_an_immediate_item_needs_no_limit() -> None:
    assert missing(content()) == ()
    assert missing(content(fee=..., promised_limit=...)) == ("promised_limit", "fee")
    assert missing(content(kind="immediate", legal_limit=..., promised_limit=...)) == ()


def test_all_faults_are_told_at_once() -> None:
    said = content(item_type="07", fee={"charged": True}, promised_limit={"value": 30, "unit": "working_day"})
    assert {rule for _, rule in told(said)} == {"type_differs", "fee_without_basis", "promise_over_law"}


def test_what_the_base_item_fixes_a_lower_level_cannot_change() -> None:
    central = {name: content()[name] for name in CENTRAL if name in content()}
    assert told(content(place="二楼", promised_limit={"value": 5, "unit": "working_day"}), central=central) == []
    changed = content(name="另一个名称", legal_limit={"value": 30, "unit": "working_day"})
    assert told(changed, central=central) == [("/name", "central_field"), ("/legal_limit", "central_field")]


UNITS = st.sampled_from(["working_day", "calendar_day", "month", "year"])
LIMITS = st.builds(Limit, st.integers(0, 400), UNITS)


@given(LIMITS, LIMITS)
def test_no_two_limits_exceed_each_other(one: Limit, other: Limit) -> None:
    assert not (exceeds(one, other) and exceeds(other, one))
    assert one.span[0] <= one.span[1]


@given(LIMITS)
def test_a_limit_does_not_exceed_itself(one: Limit) -> None:
    assert exceeds(one, one) is False


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        (Limit(21, "working_day"), Limit(20, "working_day"), True),
        (Limit(1, "year"), Limit(12, "month"), False),
        (Limit(13, "month"), Limit(1, "year"), True),
        (Limit(20, "working_day"), Limit(25, "calendar_day"), None),
        (Limit(30, "working_day"), Limit(20, "calendar_day"), True),
        (Limit(5, "working_day"), Limit(3, "month"), False),
        (Limit(20, "working_day"), Limit(1, "month"), None),
    ],
)
def test_limits_in_unlike_units_are_compared_only_where_it_is_certain(
    one: Limit, other: Limit, answer: bool | None
) -> None:
    assert exceeds(one, other) is answer


def test_limits_of_unlike_units_are_not_added_up() -> None:
    assert total([Limit(3, "working_day"), Limit(2, "working_day")]) == Limit(5, "working_day")
    assert total([Limit(3, "working_day"), Limit(2, "calendar_day")]) is None
    assert total([]) is None


def test_the_test_item_bears_a_number_of_the_standard() -> None:
    assert credit_code.fault(ORGAN) is None
    assert item_code.fault(CODE, expected="implementation") is None
