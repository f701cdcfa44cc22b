"""A record is changed at a place without touching the record that it was, and a mend says what it was."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.mends import Mend, Step, changed, taken

names = st.text(min_size=1, max_size=3)
scalars = st.none() | st.booleans() | st.integers() | st.text()
records = st.dictionaries(
    names, st.recursive(scalars, lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=6)
)


@given(records, st.lists(names, min_size=1, max_size=3).map(tuple), scalars)
def test_what_is_put_at_a_place_stands_there_and_the_record_stays(
    record: dict[str, Any], path: tuple[str, ...], value: Any
) -> None:
    before = copy.deepcopy(record)
    try:
        after = changed(record, path, value)
    except ValueError:
        return  # the path leads through something that is no object
    assert taken(after, path) == value
    assert record == before
    assert {name: said for name, said in after.items() if name != path[0]} == {
        name: said for name, said in record.items() if name != path[0]
    }


def test_a_place_in_a_list_is_changed_and_none_is_invented() -> None:
    record = {"items": [{"code": "1"}, {"code": "2"}]}
    assert changed(record, ("items", "1", "code"), "3") == {"items": [{"code": "1"}, {"code": "3"}]}
    with pytest.raises(ValueError, match="no place 2"):
        changed(record, ("items", "2", "code"), "3")
    with pytest.raises(ValueError, match="is no object"):
        changed({"name": "x"}, ("name", "first"), "y")


def test_a_mend_remembers_what_the_source_said_first() -> None:
    one = Step(
        {"/A": "1", "/B": None}, "first", "anna", "2026-03-01T00:00:00+00:00", "bernd", "2026-03-02T00:00:00+00:00"
    )
    two = Step({"/A": "2"}, "second", "bernd", "2026-03-03T00:00:00+00:00", "anna", "2026-03-04T00:00:00+00:00")
    mend = Mend(b"\x00\xff", (one,)).with_step(two)
    assert mend.original == {"/A": "1", "/B": None}
    assert Mend.loads(mend.dumps()) == mend
