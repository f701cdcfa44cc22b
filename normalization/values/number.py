"""Numbers: whole numbers and exact decimals, in half- or full-width digits, with or without thousands commas.

A unit is never guessed: `3万元`, `20工作日` and `5%` are unreadable unless the mapping's code list says what they are.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from normalization.values.common import Read, Unreadable, map_uniques
from normalization.values.text import clean_text

INTEGER = pa.int64()

_PLAIN_COLUMN = r"^(0|-?[1-9][0-9]{0,14})(\.[0-9]{0,9}[1-9])?$"
_WHOLE_COLUMN = r"^-?[0-9]{1,18}$"
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?")
_EXPONENT = re.compile(r"([+-]?[0-9](?:\.[0-9]+)?)[eE][+-]?[0-9]{1,3}")
_LARGEST = 2**63 - 1
_DIGITS = 30


def read_integer_scalar(value: str) -> int | None:
    """Read one whole number; None where nothing is said.

    Raises:
        Unreadable: it is no whole number that fits 64 bits.
    """
    number = _number(value)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise Unreadable("this is not a whole number")
    whole = int(number)
    if abs(whole) > _LARGEST:
        raise Unreadable("this number is too large")
    return whole


def read_decimal_scalar(value: str) -> str | None:
    """Read one exact decimal as plain text without trailing zeros after the point; None where nothing is said.

    Raises:
        Unreadable: it is no number, or has more than 30 digits.
    """
    number = _number(value)
    if number is None:
        return None
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def _number(value: str) -> Decimal | None:
    cleaned = clean_text(unicodedata.normalize("NFKC", value))
    if cleaned is None:
        return None
    if len(cleaned) > 2 * _DIGITS or not (_NUMBER.fullmatch(cleaned) or _EXPONENT.fullmatch(cleaned)):
        raise Unreadable("this is not a number such as 1200 or 1,200.50")
    number = Decimal(cleaned.replace(",", ""))
    if number.adjusted() >= _DIGITS or number.as_tuple().exponent < -_DIGITS:  # type: ignore[operator]  # finite by its pattern
        raise Unreadable("this number has too many digits")
    return number


def read_integer(texts: pa.Array) -> Read:
    """Read a column of whole numbers."""
    plain = pc.match_substring_regex(texts, _WHOLE_COLUMN)
    if pc.all(plain, min_count=0).as_py():
        return Read(texts.cast(INTEGER))
    return map_uniques(texts, read_integer_scalar, INTEGER)


def read_decimal(texts: pa.Array) -> Read:
    """Read a column of exact decimals; those that are plain already stay as they are."""
    plain = pc.match_substring_regex(texts, _PLAIN_COLUMN)
    rest = pc.fill_null(pc.invert(plain), False)
    rows = np.flatnonzero(rest.to_numpy(zero_copy_only=False))
    if not len(rows):
        return Read(texts)
    slow = map_uniques(texts.take(pa.array(rows)), read_decimal_scalar)
    values = pc.replace_with_mask(texts, rest, slow.values)
    return Read(values, {int(rows[row]): fault for row, fault in slow.faults.items()})
