"""The small language of formulas: decimal numbers, measures by name, and a handful of functions; nothing is executed.

Sums, differences and products are exact, or the formula fails; what rounds says how far (`round`, `ratio`), always half
up, away from zero. So every machine, in whatever version, language or time zone, comes to the same last digit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import (
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)
from fractions import Fraction
from typing import Final

LONGEST: Final = 400
DEEPEST: Final = 12
MOST_PLACES: Final = 6
DIGITS: Final = 50
"""No measure and no score comes near so many; an exact result that needs more is a fault of the formula."""

_EXACT: Final = Context(prec=DIGITS, traps=[Inexact, InvalidOperation, Overflow, DivisionByZero])
_TOKEN: Final = re.compile(r" *(?:([0-9]{1,12}(?:\.[0-9]{1,12})?)|([a-z][a-z0-9_]{0,60})|(<=|>=|==|[-+*<>(),]))")
_RULES: Final = {
    "min": (2, 8), "max": (2, 8), "floor": (1, 1), "round": (2, 2), "ratio": (4, 4), "if": (3, 3),
}  # fmt: skip
"""The functions, with the fewest and the most arguments of each."""
_WORDS: Final = ("and", "or")


class BadExpression(ValueError):
    """An expression is not of the language, or cannot be worked out exactly."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A part of an expression: `op` says which, `parts` are what it is made of."""

    op: str
    parts: tuple[Expression, ...] = ()
    name: str = ""
    number: Decimal = Decimal(0)

    @property
    def truth(self) -> bool:
        """Say whether it is true or false, and no number."""
        return self.op in ("<", "<=", ">", ">=", "==", *_WORDS)

    def names(self) -> Iterator[str]:
        """Yield the names of what it counts with, from left to right."""
        if self.op == "name":
            yield self.name
        for one in self.parts:
            yield from one.names()


def parse(text: str) -> Expression:
    """Read an expression.

    Raises:
        BadExpression: with what is wrong and, where it can be said, at which character.
    """
    if len(text) > LONGEST:
        raise BadExpression(f"it is longer than {LONGEST} characters")
    return _Reader(_tokens(text)).whole()


def worked_out(expression: Expression, values: Mapping[str, Decimal]) -> Decimal:
    """Return the value of an expression of numbers.

    Raises:
        BadExpression: it cannot be worked out exactly.
    """
    with localcontext(_EXACT):
        try:
            return _number(expression, values) + Decimal(0)
        except (Inexact, InvalidOperation, Overflow) as error:
            raise BadExpression(f"it has more than {DIGITS} digits: round it where it grows") from error


def holds(expression: Expression, values: Mapping[str, Decimal]) -> bool:
    """Say whether an expression is true.

    Raises:
        BadExpression: it cannot be worked out exactly.
    """
    with localcontext(_EXACT):
        try:
            return _holds(expression, values)
        except (Inexact, InvalidOperation, Overflow) as error:
            raise BadExpression(f"it has more than {DIGITS} digits: round it where it grows") from error


def half_up(numerator: Decimal, denominator: Decimal, places: int) -> Decimal:
    """Return a quotient, rounded half up (away from zero) to places; worked out in whole numbers, thus exactly."""
    exact = Fraction(numerator) / Fraction(denominator) * 10**places
    whole = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return Decimal(whole if exact >= 0 else -whole).scaleb(-places, _EXACT)


def rounded(value: Decimal, places: int) -> Decimal:
    """Return a number rounded half up (away from zero) to places; there is no minus zero."""
    found = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, Context(prec=DIGITS))
    return found or abs(found)


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    while place < len(text.rstrip(" ")):
        token = _TOKEN.match(text, place)
        if token is None:
            raise BadExpression(f"{text[place : place + 12].strip()!r} at character {place + 1} is not of the language")
        found.append(next(one for one in token.groups() if one is not None))
        place = token.end()
    return found


class _Reader:
    """Reads tokens from left to right, each rule of the grammar a function."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens, self._place, self._depth = tokens, 0, 0

    def whole(self) -> Expression:
        made = self._either()
        if self._place < len(self._tokens):
            raise BadExpression(f"{self._tokens[self._place]!r} stands where the expression is over")
        return made

    def _next(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _take(self, *those: str) -> str:
        found = self._next()
        if found not in those:
            return ""
        self._place += 1
        return found

    def _must(self, that: str) -> None:
        if not self._take(that):
            raise BadExpression(f"{that!r} is missing before {self._next() or 'the end'!r}")

    def _either(self) -> Expression:
        return self._chain(self._both, "or", truths=True)

    def _both(self) -> Expression:
        return self._chain(self._compared, "and", truths=True)

    def _compared(self) -> Expression:
        left = self._sum()
        if op := self._take("<", "<=", ">", ">=", "=="):
            return _of(op, left, self._sum())
        return left

    def _sum(self) -> Expression:
        return self._chain(self._product, "+", "-")

    def _product(self) -> Expression:
        return self._chain(self._single, "*")

    def _chain(self, part: Callable[[], Expression], *ops: str, truths: bool = False) -> Expression:
        made = part()
        while op := self._take(*ops):
            made = _of(op, made, part(), truths=truths)
        return made

    def _single(self) -> Expression:
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadExpression(f"it nests deeper than {DEEPEST} levels")
        made = self._unwrapped()
        self._depth -= 1
        return made

    def _unwrapped(self) -> Expression:
        if self._take("-"):
            return _of("-", Expression("number"), self._single())
        if self._take("("):
            made = self._either()
            self._must(")")
            return made
        token = self._next()
        if not token or not (token[0].isdigit() or token[0].isalpha()) or token in _WORDS:
            raise BadExpression(f"a number, a name or a function is missing before {token or 'the end'!r}")
        self._place += 1
        if token[0].isdigit():
            return Expression("number", number=Decimal(token))
        return self._call(token) if self._take("(") else Expression("name", name=token)

    def _call(self, name: str) -> Expression:
        if name not in _RULES:
            raise BadExpression(f"there is no function {name!r} (there are: {', '.join(sorted(_RULES))})")
        parts = [self._either()]
        while self._take(","):
            parts.append(self._either())
        self._must(")")
        fewest, most = _RULES[name]
        if not fewest <= len(parts) <= most:
            raise BadExpression(f"{name} takes {fewest}{f' to {most}' if most > fewest else ''} values")
        return _checked(name, tuple(parts))


def _checked(name: str, parts: tuple[Expression, ...]) -> Expression:
    truths = [one.truth for one in parts]
    if truths != ([True, False, False] if name == "if" else [False] * len(parts)):
        raise BadExpression(f"{name} takes {'a comparison and two numbers' if name == 'if' else 'numbers'}")
    places = parts[{"round": 1, "ratio": 2}[name]] if name in ("round", "ratio") else None
    if places is not None and not (places.op == "number" and places.number in range(MOST_PLACES + 1)):
        raise BadExpression(f"{name} names its decimal places as a number from 0 to {MOST_PLACES}")
    return Expression(name, parts)


def _of(op: str, left: Expression, right: Expression, *, truths: bool = False) -> Expression:
    if left.truth is not truths or right.truth is not truths:
        raise BadExpression(f"{op!r} stands between {'comparisons' if truths else 'numbers'} only")
    return Expression(op, (left, right))


def _number(one: Expression, values: Mapping[str, Decimal]) -> Decimal:
    if one.op == "number":
        return one.number
    if one.op == "name":
        return values[one.name]
    if one.op == "if":
        return _number(one.parts[1 if _holds(one.parts[0], values) else 2], values)
    if one.truth:
        raise BadExpression("it is a comparison, and a number is needed")
    return _WORK[one.op]([_number(part, values) for part in one.parts])


def _holds(one: Expression, values: Mapping[str, Decimal]) -> bool:
    if one.op == "and":
        return all(_holds(part, values) for part in one.parts)
    if one.op == "or":
        return any(_holds(part, values) for part in one.parts)
    if not one.truth:
        raise BadExpression("it is a number, and a comparison is needed")
    left, right = (_number(part, values) for part in one.parts)
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right, "==": left == right}[one.op]


def _ratio(said: Sequence[Decimal]) -> Decimal:
    return half_up(said[0], said[1], int(said[2])) if said[1] else said[3]


_WORK: Final[Mapping[str, Callable[[Sequence[Decimal]], Decimal]]] = {
    "+": lambda said: said[0] + said[1],
    "-": lambda said: said[0] - said[1],
    "*": lambda said: said[0] * said[1],
    "min": min,
    "max": max,
    "floor": lambda said: said[0].to_integral_value(ROUND_FLOOR),
    "round": lambda said: rounded(said[0], int(said[1])),
    "ratio": _ratio,
}
