"""The column screens say the same as the identifiers' own modules, value by value."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.identifiers import certificate_id, credit_code, phone, resident_id
from validation.rules import screens

TODAY = date(2026, 3, 10)
noise = st.text(alphabet="0123456789ABCXZx-.中 ", max_size=20)


def spoiled(good: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    """Good values, values with one character changed, other texts and nothing."""

    def spoil(value: str, place: int, character: str) -> str:
        place %= len(value)
        return value[:place] + character + value[place + 1 :]

    changed = st.builds(spoil, good, st.integers(0, 80), st.sampled_from("0123456789ABCXZx中."))
    return good | changed | noise | st.none()


credit = st.builds(credit_code.make, st.text(alphabet=credit_code.ALPHABET, min_size=8, max_size=8))
resident = st.builds(
    resident_id.make,
    st.sampled_from(["330106", "810000", "911124"]),
    st.dates(date(1840, 1, 1), date(2030, 1, 1)) | st.sampled_from([date(2000, 2, 29), date(1996, 2, 29)]),
    st.integers(0, 999),
)
certificate = st.builds(
    certificate_id.make,
    st.text(alphabet=certificate_id.ALPHABET, min_size=21, max_size=21),
    st.sampled_from(["11330105002500287C", "340100"]),
    st.text(alphabet=certificate_id.ALPHABET, min_size=1, max_size=20),
    st.integers(0, 999).map("{:03d}".format),
)


def column(values: list[str | None]) -> pa.Array:
    return pa.array([*values, None, ""], pa.large_string())[: len(values)]


@given(st.lists(spoiled(credit), max_size=8))
def test_credit_codes(values: list[str | None]) -> None:
    expected = [value is not None and credit_code.fault(value) is None for value in values]
    assert screens.credit_codes(column(values)).tolist() == expected


@given(st.lists(spoiled(resident), max_size=8))
def test_resident_ids(values: list[str | None]) -> None:
    """The screen knows the form of 18 characters with a capital X; the rest is left to the module."""
    sure = screens.resident_ids(column(values), TODAY).tolist()
    expected = [
        value is not None and len(value) == 18 and "x" not in value and resident_id.fault(value, on=TODAY) is None
        for value in values
    ]
    assert sure == expected


@given(st.lists(spoiled(certificate), max_size=8))
def test_certificate_ids(values: list[str | None]) -> None:
    expected = [value is not None and certificate_id.fault(value) is None for value in values]
    assert screens.certificate_ids(column(values)).tolist() == expected


@given(
    st.lists(st.from_regex(r"(1[3-9][0-9]{9}|0571-?[0-9]{6,9})[0-9]?", fullmatch=True) | noise | st.none(), max_size=8)
)
def test_phones(values: list[str | None]) -> None:
    for value, sure in zip(values, screens.phones(column(values)).tolist(), strict=True):
        assert not sure or phone.fault(str(value)) is None


@pytest.mark.parametrize("screen", [screens.credit_codes, screens.certificate_ids, screens.phones])
def test_a_slice_of_a_longer_column_is_judged_by_its_own_values(screen: object) -> None:
    good = {
        screens.credit_codes: "91330106MA2B00019Q",
        screens.certificate_ids: "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
        screens.phones: "13857112345",
    }[screen]  # type: ignore[index]  # the screens are the keys
    long = pa.array(["bad", good, None, good[:-1] + "!", good], pa.large_string())
    assert screen(long[1:]).tolist() == [True, False, False, True]  # type: ignore[operator]  # each is a function
