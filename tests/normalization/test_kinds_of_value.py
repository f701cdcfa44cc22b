"""Texts, identifiers, numbers, yes and no, codes, regions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normalization.values import boolean, code, number, region, text
from normalization.values.common import TEXT, Read, Unknown, Unreadable, text_of, texts_of


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("  同意，  材料齐全。 ", "同意， 材料齐全。"),
        ("第一行\r\n第二行", "第一行 第二行"),
        ("全角　空格", "全角 空格"),
        ("Ａ－１（试行）", "Ａ－１（试行）"),
        ("no\u00a0break", "no break"),
        ("\ufeff受理", "受理"),
        ("a\u202eb", "ab"),
        ("x\x00y\x07", "xy"),
        ("\x00", None),
        ("　", None),
        ("", None),
    ],
)
def test_text_keeps_what_is_visible(said: str, kept: str | None) -> None:
    assert text.clean_text(said) == kept


def test_identifiers_come_in_half_width() -> None:
    assert text.clean_identifier("浙旅许可（２００９）３８５号") == "浙旅许可(2009)385号"
    assert text.clean_identifier(" a1b2 ") == "a1b2"
    assert text.clean_number("３３０１０６ 1990 0101 123x") == "33010619900101123x"
    assert text.clean_number("　") is None


def test_control_characters_are_taken_away_and_told() -> None:
    read = text.read_text(texts_of(["a\x00b", "a b", "a\x00b", "\ud800c", None, "tab\tis blank"]))
    assert read.values.to_pylist() == ["ab", "a b", "ab", "c", None, "tab is blank"]
    assert read.mended == {0: "U+0000", 2: "U+0000", 3: "U+0000"}


ANY_TEXT = st.text(max_size=20) | st.text(alphabet=" \t\n　\u00a0\u200b\ufeff\x00\x07aA１－（中", max_size=12)


@given(st.lists(ANY_TEXT | st.none(), max_size=20))
@settings(max_examples=400, deadline=None)
def test_columns_of_text_are_cleaned_as_each_of_their_values(texts: list[str | None]) -> None:
    ways: list[tuple[Callable[[pa.Array], Read], Callable[[str], str | None]]] = [
        (text.read_text, text.clean_text),
        (text.read_identifier, text.clean_identifier),
        (text.read_number, text.clean_number),
    ]
    for column, scalar in ways:
        expected = [None if said is None else scalar(said) for said in texts]
        assert column(texts_of(texts)).values.to_pylist() == expected
        assert all(kept is None or (kept and "\x00" not in kept and scalar(kept) == kept) for kept in expected)


@given(
    st.lists(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=5)
        | st.lists(st.integers(), max_size=2)
    )
)
def test_any_json_value_has_a_text(values: list[Any]) -> None:
    expected = [text_of(value) for value in values]
    assert texts_of(values).to_pylist() == expected
    assert all(found is None or found.encode() is not None for found in expected)


def test_one_is_not_true() -> None:
    assert texts_of([1, True, 1.0, "1", None, {"b": 1, "a": [None]}]).to_pylist() == [
        "1",
        "true",
        "1",
        "1",
        None,
        '{"a":[null],"b":1}',
    ]
    assert texts_of([2**70, 1]).to_pylist() == [str(2**70), "1"]


@pytest.mark.parametrize(
    ("said", "whole", "exact"),
    [
        ("20", 20, "20"),
        ("２０", 20, "20"),
        ("1,200", 1200, "1200"),
        ("１，２００．５０", None, "1200.5"),
        ("-0.0", 0, "0"),
        ("+3", 3, "3"),
        ("12.00", 12, "12"),
        ("1e3", 1000, "1000"),
        ("0.1", None, "0.1"),
        ("9223372036854775807", 2**63 - 1, "9223372036854775807"),
    ],
)
def test_numbers(said: str, whole: int | None, exact: str) -> None:
    assert number.read_decimal_scalar(said) == exact
    if whole is None:
        with pytest.raises(Unreadable, match="whole"):
            number.read_integer_scalar(said)
    else:
        assert number.read_integer_scalar(said) == whole


@pytest.mark.parametrize(
    "said", ["3万元", "20工作日", "5%", "1,20", "1.2.3", "12-", "NaN", "inf", "1e999", "0x10", "9" * 40]
)
def test_no_unit_is_guessed(said: str) -> None:
    with pytest.raises(Unreadable):
        number.read_decimal_scalar(said)
    with pytest.raises(Unreadable):
        number.read_integer_scalar(said)


def test_a_number_too_large_for_the_database_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="too large"):
        number.read_integer_scalar("9223372036854775808")


@given(
    st.lists(
        st.none() | st.integers(-(10**20), 10**20).map(str) | st.text(alphabet="0123456789.,-+eE ", max_size=8),
        max_size=20,
    )
)
@settings(max_examples=300, deadline=None)
def test_columns_of_numbers_are_read_as_each_of_their_values(texts: list[str | None]) -> None:
    ways: list[tuple[Callable[[pa.Array], Read], Callable[[str], object]]] = [
        (number.read_integer, number.read_integer_scalar),
        (number.read_decimal, number.read_decimal_scalar),
    ]
    for column, scalar in ways:
        expected, bad = [], set()
        for row, said in enumerate(texts):
            try:
                expected.append(None if said is None else scalar(said))
            except Unreadable:
                expected.append(None)
                bad.add(row)
        read = column(pa.array(texts, TEXT))
        assert (read.values.to_pylist(), set(read.faults)) == (expected, bad)


def test_yes_and_no() -> None:
    read = boolean.read_column(texts_of(["是", "否", "1", 0, True, "Ｎ", " yes ", "", None, "有"]))
    assert read.values.to_pylist() == [True, False, True, False, True, False, True, None, None, None]
    assert set(read.faults) == {9}


def test_a_code_is_looked_up_strictly() -> None:
    codes = {"01": "accept", "1": "review", "承办": "undertake", "9": None}
    read = code.read_column(texts_of(["０１", " 01 ", "1", "承办", "9", "02", "", None]), codes)
    assert read.values.to_pylist() == ["accept", "accept", "review", "undertake", None, None, None, None]
    assert set(read.faults) == {5}
    assert isinstance(read.faults[5], Unknown)
    assert read.faults[5].known == "01, 1, 承办, 9"
    assert code.read_scalar("02", codes, "other") == "other"
    with pytest.raises(Unknown, match="code list") as caught:
        code.read_scalar("x", {str(made): "v" for made in range(40)})
    assert caught.value.known.endswith("and 28 more")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("330106", "330106"),
        ("３３０１０６", "330106"),
        ("330106001", "330106"),
        ("330106001002", "330106"),
        ("3301", "330100"),
        ("33", "330000"),
        ("杭州市", "杭州市"),
        ("", None),
    ],
)
def test_regions_have_six_digits(said: str, kept: str | None) -> None:
    assert region.read_scalar(said) == kept
    assert region.read_column(pa.array([said], TEXT)).values.to_pylist() == [kept]


def test_other_digits_are_no_region() -> None:
    with pytest.raises(Unreadable, match="6 digits"):
        region.read_scalar("33010")
