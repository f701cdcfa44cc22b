"""Certificate identifiers (GB/T 36904-2018), item codes (GB/T 39554.1-2020), telephone numbers."""

from __future__ import annotations

import csv
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from hub.identifiers import certificate_id, item_code, phone
from tests.conftest import SHARED_DATA

REAL = [
    "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
]

payloads = st.text(alphabet=certificate_id.ALPHABET, min_size=1, max_size=70)


@pytest.mark.parametrize("identifier", REAL)
def test_real_certificate_identifiers_are_good(identifier: str) -> None:
    assert certificate_id.fault(identifier) is None


@given(payloads)
def test_the_check_character_is_that_of_iso_7064(payload: str) -> None:
    assert certificate_id.check_character(payload) == mod_37_36.calc_check_digit(payload)


@given(payloads, st.integers(0, 69), st.sampled_from(certificate_id.ALPHABET))
def test_every_single_wrong_character_changes_the_check(payload: str, place: int, other: str) -> None:
    place %= len(payload)
    wrong = payload[:place] + other + payload[place + 1 :]
    same = certificate_id.check_character(wrong) == certificate_id.check_character(payload)
    assert same == (wrong == payload)


def test_nearly_every_exchange_of_neighbours_changes_the_check() -> None:
    pairs = [(a, b) for a in certificate_id.ALPHABET for b in certificate_id.ALPHABET if a != b]
    missed = sum(
        certificate_id.check_character(head + a + b) == certificate_id.check_character(head + b + a)
        for head in ("", "1", "ZQ", "330100")
        for a, b in pairs
    )
    assert missed / (4 * len(pairs)) < 0.005


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not begin with 1.2.156.3005.2"),
        ("1.2.156.3005.2.", "not five parts after the root (type, issuer, serial, version, check character)"),
        (REAL[0][:-1] + "1", "the check character does not fit"),
        (REAL[0][:-2], "not five parts after the root (type, issuer, serial, version, check character)"),
        (REAL[0].replace("W009", "W09"), "the certificate type is not formed as the standard says"),
        (REAL[2].replace("340100", "34010"), "the issuing body is not formed as the standard says"),
        (REAL[0].replace("2025052201", "2" * 21), "the serial is not formed as the standard says"),
        (REAL[0].replace("2025052201", "abc"), "the serial is not formed as the standard says"),
        (REAL[0].replace(".002.", ".2."), "the version is not formed as the standard says"),
    ],
)
def test_a_bad_certificate_identifier_is_told_why(text: str, reason: str) -> None:
    assert certificate_id.fault(text) == reason


def test_made_certificate_identifiers_are_good() -> None:
    made = certificate_id.make("11100000000013338W009", "11330105002500287C", "2025052201", "002")
    assert made == REAL[0]


@pytest.mark.parametrize(
    ("code", "form"),
    [
        ("340117021000", "base"),
        ("370117002011", "base"),
        ("000120001000", "base"),
        ("11341800A72824253Z3340117021000", "implementation"),
        ("11341800A72824253Z334011702100001", "handling"),
    ],
)
def test_item_codes_in_use_are_good(code: str, form: str) -> None:
    assert item_code.form(code) == form
    assert item_code.claims_standard(code)
    assert item_code.fault(code) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("34011702100", "not 12 or 31 or 33 characters"),
        ("11341800A72824253Z334011702100", "not 12 or 31 or 33 characters"),
        ("990117021000", "the base code begins with neither 00 nor a province"),
        ("349917021000", "characters 3 and 4 of the base code are no type of item (01 to 10, 20)"),
        ("3401170210O0", "the base code has a character other than digits"),
        ("11341800A72824253Z9340117021000", "character 19 is no level of exercise (1 to 6)"),
        ("1134中800A72824253Z3340117021000", "the first 18 characters are not formed as a credit code"),
        ("11341800A72824253Z3340117021000--", "the last two characters are neither digits nor letters"),
    ],
)
def test_a_bad_item_code_is_told_why(text: str, reason: str) -> None:
    assert item_code.fault(text) == reason


def test_an_item_code_of_another_form_than_expected_is_a_fault() -> None:
    assert item_code.fault("340117021000", expected="implementation") == "not 31 characters"


@pytest.mark.parametrize(
    "local", ["其他-02491-006", "350128103XK01003", "XK00001001", "511A0138000000", "1234567890123456"]
)
def test_numbers_of_older_schemes_do_not_claim_to_be_standard(local: str) -> None:
    assert not item_code.claims_standard(local)


def test_a_cut_implementation_code_still_claims_to_be_one() -> None:
    assert item_code.claims_standard("11341800A72824253Z334011702100")


@given(st.text(alphabet=string.printable + "无１", max_size=40))
def test_any_text_gets_an_answer(text: str) -> None:
    for fault in (item_code.fault, certificate_id.fault, phone.fault):
        assert fault(text) is None or isinstance(fault(text), str)
    item_code.claims_standard(text)


@pytest.mark.parametrize(
    "number",
    [
        "13857112345",
        "+8613857112345",
        "0086-13857112345",
        "0571-88331705",
        "0571-8833170",
        "057188331705",
        "0571—88331705",
        "(0571)88331705",
        "0571-88331705-801",
        "0571-88331705转801",
        "0571-88331705、88331706",
        "13857112345/0571-88331705",
        "138 5711 2345",
        "88331705",
        "400-820-8820",
        "12345",
        "+41 44 668 18 00",
        "＋８６１３８５７１１２３４５",
    ],
)
def test_numbers_that_can_be_called(number: str) -> None:
    assert phone.fault(number) is None


@pytest.mark.parametrize(
    "number",
    ["", " ", "1385711234", "138571123456", "12857112345", "57188331705", "0571-88331", "0571-null", "无", "x" * 500],
)
def test_numbers_that_cannot_be_called(number: str) -> None:
    assert phone.fault(number) is not None


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the real data of ../shared/data is not there")
def test_real_numbers_are_mostly_good_and_lost_zeros_are_found() -> None:
    with (SHARED_DATA / "results/zhejiang/travel_agencies.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        column = next(rows).index("phoneNumber")
        said = [row[column] for row in rows if row[column]]
    bad = [number for number in said if phone.fault(number) is not None]
    without_zero = [number for number in bad if number.startswith("57") and number.isdigit()]
    assert len(bad) / len(said) < 0.15
    assert len(without_zero) > 100
