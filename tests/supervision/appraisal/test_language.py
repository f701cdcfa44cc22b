"""The language of formulas: exact, small, and closed to everything else."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, getcontext, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervision.appraisal.language import BadExpression, half_up, holds, parse, rounded, worked_out

NUMBERS = st.decimals(min_value=-(10**9), max_value=10**9, places=4, allow_nan=False, allow_infinity=False)


def value(text: str, **values: str) -> str:
    return f"{worked_out(parse(text), {name: Decimal(said) for name, said in values.items()}):f}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 2 - 3", "5"),
        ("-2 * -3", "6"),
        ("0.1 + 0.2", "0.3"),
        ("min(3, 1, 2)", "1"),
        ("max(0, 1 - 5)", "0"),
        ("floor(2.999)", "2"),
        ("floor(-0.1)", "-1"),
        ("round(2.675, 2)", "2.68"),
        ("round(0.125, 2)", "0.13"),
        ("round(-0.125, 2)", "-0.13"),
        ("round(-0.001, 2)", "0.00"),
        ("ratio(1, 3, 4, 0)", "0.3333"),
        ("ratio(2, 3, 4, 0)", "0.6667"),
        ("ratio(1, 8, 2, 0)", "0.13"),
        ("ratio(5, 0, 4, 1)", "1"),
        ("if(1 < 2, 10, 20)", "10"),
        ("if(1 > 2 or 2 >= 2, 10, 20)", "10"),
        ("if(1 > 2 and 2 >= 2, 10, 20)", "20"),
    ],
)
def test_each_operation_gives_the_number_that_a_person_expects(text: str, expected: str) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('id')",
        "().__class__.__bases__[0]",
        "a.b",
        "a[0]",
        "lambda: 1",
        "1 / 3",
        "2 ** 9",
        "9 % 2",
        "'text'",
        "1; 2",
        "eval(1)",
        "open(1)",
        "min(1)",
        "ratio(1, 2)",
        "ratio(1, 2, 3.5, 0)",
        "ratio(1, 2, a, 0)",
        "round(1, 9)",
        "if(1, 2, 3)",
        "1 < 2 < 3",
        "1 + (2 < 3)",
        "1 and 2",
        "1e9",
        "１ + ２",
        "0x10",
        "1_000",
        "",
        "(",
        "1 +",
        "+ 1",
        "1 2",
        "and",
        "a\x00b",
        "99999999999999999999",
        "(" * 50 + "1" + ")" * 50,
        "-" * 50 + "1",
        "1" + " + 1" * 200,
    ],
)
def test_what_is_not_of_the_language_is_refused_and_nothing_of_it_is_run(text: str) -> None:
    with pytest.raises(BadExpression):
        parse(text)


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        parse(text)
    except BadExpression:
        return
    assert set(text) <= set("0123456789abcdefghijklmnopqrstuvwxyz_.+-*<>=(), ")


@given(NUMBERS, NUMBERS.filter(bool), st.integers(0, 6))
def test_a_quotient_is_rounded_as_whole_numbers_round_it(above: Decimal, below: Decimal, places: int) -> None:
    found = half_up(above, below, places)
    exact = Fraction(above) / Fraction(below)
    distance = abs(Fraction(found) - exact)
    assert distance <= Fraction(1, 2 * 10**places)
    if distance == Fraction(1, 2 * 10**places):
        assert abs(Fraction(found)) > abs(exact), "half goes away from zero"


@given(NUMBERS, st.integers(0, 3))
def test_rounding_is_that_of_the_library(number: Decimal, places: int) -> None:
    assert rounded(number, places) == number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def test_a_sum_that_would_lose_digits_is_refused_and_not_rounded() -> None:
    deep = " * ".join(["999999999999.999999999999"] * 3)
    with pytest.raises(BadExpression, match="digits"):
        value(deep)


def test_whatever_context_the_program_has_the_result_is_the_same() -> None:
    with localcontext() as context:
        context.prec, context.rounding = 3, "ROUND_UP"
        assert value("a + b", a="123456.789", b="0.001") == "123456.790"
        assert value("ratio(2, 3, 6, 0)") == "0.666667"
    assert getcontext().prec == 28


def test_comparisons_hold_or_do_not() -> None:
    assert holds(parse("closed < 5 or feeds == 0"), {"closed": Decimal(4), "feeds": Decimal(1)})
    assert not holds(parse("closed < 5 and feeds == 0"), {"closed": Decimal(4), "feeds": Decimal(1)})
