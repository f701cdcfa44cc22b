"""GB 11643-1999."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from hub.identifiers import resident_id

numbers = st.builds(
    resident_id.make,
    st.integers(110000, 999999).map(str),
    st.dates(date(1850, 1, 1), date(2026, 12, 31)),
    st.integers(0, 999),
)


@pytest.mark.parametrize(
    "number",
    [
        "11010519491231002X",  # the standard's own example
        "11010519491231002x",
        "330185199003071223",  # 临安, no longer a code
        "810000199001010019",  # residence permit of a person from Hong Kong
        "360426199101010071",  # python-stdnum's own example
        "330106900307122",  # 15 digits
    ],
)
def test_good_numbers(number: str) -> None:
    assert resident_id.fault(number) is None


@pytest.mark.parametrize("region", ["820000", "830000", "911124", "330113", "330105", "999999"])
def test_the_region_is_never_a_fault(region: str) -> None:
    assert resident_id.fault(resident_id.make(region, date(1975, 5, 6), 12)) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "neither 18 nor 15 characters"),
        ("1101051949123100", "neither 18 nor 15 characters"),
        ("110105194912310020", "the check character does not fit"),
        ("11010519491331002X", "the birth date inside is not real"),
        ("11010519490229002X", "the birth date inside is not real"),
        ("11010500000101002X", "the birth date inside is not real"),
        ("1101051949123100²X", "a character other than digits (or X at the end)"),
        ("11010519491231002Y", "a character other than digits (or X at the end)"),
        ("330106900231122", "the birth date inside is not real"),
    ],
)
def test_a_bad_number_is_told_why(text: str, reason: str) -> None:
    assert resident_id.fault(text) == reason


def test_a_birth_after_the_day_of_judging_is_a_fault() -> None:
    number = resident_id.make("330106", date(2026, 5, 2), 1)
    assert resident_id.fault(number) is None
    assert resident_id.fault(number, on=date(2026, 5, 2)) is None
    assert resident_id.fault(number, on=date(2026, 5, 1)) == "the birth date inside lies in the future"


def test_the_birth_date_is_read_from_both_forms() -> None:
    assert resident_id.birth_date("11010519491231002X") == date(1949, 12, 31)
    assert resident_id.birth_date("330106900307122") == date(1990, 3, 7)
    assert resident_id.birth_date("330106900307998") == date(1890, 3, 7)
    assert resident_id.birth_date("nobody") is None


@given(numbers)
def test_made_numbers_are_good(number: str) -> None:
    assert resident_id.fault(number) is None


@given(numbers, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_every_single_wrong_character_is_found(number: str, place: int, other: str) -> None:
    wrong = number[:place] + other + number[place + 1 :]
    assert (resident_id.fault(wrong) is None) == (wrong == number)


@given(numbers, st.integers(0, 16))
def test_every_exchange_of_neighbours_is_found(number: str, place: int) -> None:
    wrong = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert (resident_id.fault(wrong) is None) == (wrong == number)


@given(numbers)
def test_the_check_character_is_that_of_stdnum(number: str) -> None:
    assert ric.calc_check_digit(number) == number[-1]


@pytest.mark.parametrize("number", ["810000199001010019", resident_id.make("330185", date(1990, 3, 7), 122)])
def test_stdnum_refuses_good_numbers_for_their_region(number: str) -> None:
    assert resident_id.fault(number) is None
    assert not ric.is_valid(number)


def test_stdnum_falls_over_a_region_that_we_do_not_look_up() -> None:
    number = resident_id.make("330113", date(1990, 1, 1), 1)  # 临平, made in 2021
    assert resident_id.fault(number) is None
    with pytest.raises(KeyError):
        ric.is_valid(number)
