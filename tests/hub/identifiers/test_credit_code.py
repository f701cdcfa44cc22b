"""GB 32100-2015 and GB 11714-1997."""

from __future__ import annotations

import csv
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from hub.identifiers import credit_code, organisation_code
from tests.conftest import SHARED_DATA

GOOD = [
    "91330106MA2B00019Q",
    "92330782MA2B00019N",
    "N2330185MA2B00019M",
    "A1330000MA2B00019U",
    "11100000000013338W",  # in real certificate identifiers: a ministry and two local organs
    "11330105002500287C",
    "11430000006122244L",
    "11100000MB03271699",
    "91110000600037341L",  # python-stdnum's own example
]

bodies = st.text(alphabet=credit_code.ALPHABET, min_size=8, max_size=8)
codes = st.builds(
    credit_code.make,
    bodies,
    department=st.sampled_from("123456789ANY"),
    kind=st.sampled_from("1239"),
    region=st.integers(110000, 829999).map(str),
)


@pytest.mark.parametrize("code", GOOD)
def test_real_and_computed_codes_are_good(code: str) -> None:
    assert credit_code.fault(code) is None
    assert organisation_code.fault(code[8:17]) is None


def test_a_published_vector_with_another_check_character_is_a_fault() -> None:
    """The reference prints 91330000MA2B000195; both the standard's sum and python-stdnum give W."""
    assert credit_code.fault("91330000MA2B000195") == "the check character does not fit"
    assert credit_code.check_character("91330000MA2B00019") == uscc.calc_check_digit("91330000MA2B00019") == "W"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not 18 characters"),
        ("9.13E+17", "not 18 characters"),
        ("91330106ma2b00019q", "small letters"),
        ("9133010OMA2B00019Q", "one of the letters I, O, S, V, Z, which the standard leaves out"),
        ("９1330106MA2B00019Q", "a character other than digits and capital letters"),
        ("9133010AMA2B00019Q", "characters 3 to 8 are not the digits of a region"),
        ("91330106MA2B000190", "the check character does not fit"),
    ],
)
def test_a_bad_code_is_told_why(text: str, reason: str) -> None:
    assert credit_code.fault(text) == reason


def test_the_organisation_code_inside_is_checked_too() -> None:
    wrong = "91330106" + "MA2B00010"
    assert organisation_code.fault("MA2B00010") is not None
    assert "organisation code inside" in str(credit_code.fault(wrong + credit_code.check_character(wrong)))


@given(codes)
def test_made_codes_are_good(code: str) -> None:
    assert credit_code.fault(code) is None


@given(codes, st.integers(0, 17), st.sampled_from(credit_code.ALPHABET))
def test_every_single_wrong_character_is_found(code: str, place: int, other: str) -> None:
    wrong = code[:place] + other + code[place + 1 :]
    assert (credit_code.fault(wrong) is None) == (wrong == code)


@given(codes, st.integers(0, 17), st.integers(0, 17))
def test_every_exchange_is_found_but_the_one_the_standard_cannot_see(code: str, one: int, other: int) -> None:
    swapped = list(code)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    wrong = "".join(swapped)
    if wrong != code and {one, other} != {0, 17}:
        assert credit_code.fault(wrong) is not None


@given(codes)
def test_where_stdnum_takes_a_code_we_do(code: str) -> None:
    """python-stdnum is right where it accepts; it refuses A…, N…, Y… because it wants eight leading digits."""
    assert uscc.is_valid(code) == code[0].isdigit()


@given(st.text(alphabet=string.printable + "无，Ａ", max_size=20), st.integers(0, 20))
def test_any_text_gets_an_answer_that_does_not_quote_it(text: str, place: int) -> None:
    """A sign that stands in no answer of ours would be seen in one that quotes."""
    credit_code.fault(text)
    reason = credit_code.fault(text[:place] + "囧" + text[place:])
    assert reason is not None
    assert "囧" not in reason


@pytest.mark.parametrize("code", ["083372204", "08337220-4", "MA2B00019", "00001333-8", "D2143569X"])
def test_organisation_codes_with_and_without_hyphen(code: str) -> None:
    assert organisation_code.fault(code) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("08337220", "not 9 characters"),
        ("08337220--4", "not 9 characters"),
        ("0833722O4", "the check character does not fit"),
        ("08337220Y", "the last character is neither a digit nor X"),
        ("0833722中4", "a character other than digits and capital letters"),
    ],
)
def test_a_bad_organisation_code_is_told_why(text: str, reason: str) -> None:
    assert organisation_code.fault(text) == reason


@given(st.text(alphabet=string.digits, min_size=8, max_size=8), st.integers(0, 8), st.sampled_from(string.digits))
def test_every_single_wrong_digit_of_an_organisation_code_is_found(body: str, place: int, other: str) -> None:
    code = organisation_code.make(body)
    wrong = code[:place] + other + code[place + 1 :]
    assert (organisation_code.fault(wrong) is None) == (wrong == code)


@given(st.text(alphabet=string.digits, min_size=8, max_size=8), st.integers(0, 6))
def test_every_exchange_of_neighbouring_digits_of_an_organisation_code_is_found(body: str, place: int) -> None:
    code = organisation_code.make(body)
    wrong = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert (organisation_code.fault(wrong) is None) == (wrong == code)


def test_a_letter_eleven_away_is_what_the_old_standard_cannot_see() -> None:
    assert organisation_code.check_character("0" * 8) == organisation_code.check_character("B" + "0" * 7)


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the real data of ../shared/data is not there")
def test_504_of_2078_real_codes_are_bad() -> None:
    with (SHARED_DATA / "results/zhejiang/travel_agencies.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        column = next(rows).index("unifiedSocialCreditCode")
        said = [row[column] for row in rows if row[column]]
    assert len(said) == 2078
    assert sum(credit_code.fault(code) is not None for code in said) == 504
