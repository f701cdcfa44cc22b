"""The limit `columns` counts what lies within fields, too, and stops soon after it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kinds.push.body import read_body
from connectors.kinds.push.options import PushOptions
from connectors.limits import Limits
from connectors.sizes import fields_of_record
from hub import jsontext
from hub.records import BrokenRecord

DEEP: dict[str, dict[str, Any]] = {
    "an object": {"a": {f"f{number}": 1 for number in range(60)}},
    "objects in a list": {"a": [{"b": 1, "c": 2}] * 30},
    "lists of lists": {"a": [[1] * 10] * 10},
    "plain fields": {f"f{number}": 1 for number in range(60)},
}


@pytest.mark.parametrize("name", DEEP)
def test_a_post_with_too_many_fields_anywhere_is_a_broken_record(name: str) -> None:
    options = PushOptions(Limits(columns=50))
    (held,) = read_body(jsontext.dumps(DEEP[name]), "application/json", options, source="s", stream="t")
    assert isinstance(held, BrokenRecord)
    assert "limit `columns`: 50" in held.message
    (fine,) = read_body(b'{"a": {"b": [1, 2]}}', "application/json", options, source="s", stream="t")
    assert fine == {"a": {"b": [1, 2]}}


_VALUES = st.recursive(st.none() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


def whole(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    return len(value) + sum(whole(one) for one in (value.values() if isinstance(value, dict) else value))


@given(st.dictionaries(st.text(), _VALUES))
def test_within_the_limit_every_field_is_counted_once(record: dict[str, Any]) -> None:
    assert fields_of_record(record, 10**9) == whole(record)


def test_counting_ends_soon_after_the_limit() -> None:
    record = {"a": [{str(number): 1 for number in range(1_000)} for _ in range(3_000)]}
    assert 2_000 < fields_of_record(record, 2_000) < 10_000
