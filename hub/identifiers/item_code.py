"""Codes of approval items (政务服务事项, GB/T 39554.1-2020): structure only, they carry no check character.

base            基本编码     12: subject 2 (00 the state, else the province) + type 2 + field 2 + main 3 + sub 3
implementation  实施编码     31: credit code of the body 18 + level 1 (1 state … 6 village) + base code 12
handling        业务办理项   33: implementation code 31 + 2

Older provincial numbers (贵州 10, 湖北 16, 福建 350128103XK01003, 浙江 其他-02491-006) are in daily use and are not
codes of this standard: `claims_standard` tells which texts mean to be.
"""

from __future__ import annotations

import re
from typing import Literal

from hub.sentences import sentence

Form = Literal["base", "implementation", "handling"]

_LENGTHS: dict[int, Form] = {12: "base", 31: "implementation", 33: "handling"}
_SUBJECTS = re.compile(r"00|1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-6]|71|81|82")
_TYPES = re.compile(r"0[1-9]|10|20")
_BODY = re.compile(r"[0-9A-Z]{2}[0-9]{6}[0-9A-Z]{10}")
_LEVELS = "123456"
_BODY_LENGTH = 18
_BASE = 12


def form(text: str) -> Form | None:
    """Return which of the three codes `text` is by its length; None for another length."""
    return _LENGTHS.get(len(text))


def claims_standard(text: str) -> bool:
    """Say whether `text` means to be a code of the standard, and not a number of an older local scheme.

    It does if it has one of the three lengths in digits and letters only, or is longer than a credit code and begins
    with one: a cut or lengthened implementation code.
    """
    if not (text.isascii() and text.isalnum()):
        return False
    return form(text) is not None or (len(text) > _BODY_LENGTH and _BODY.match(text) is not None)


def fault(text: str, *, expected: Form | None = None) -> str | None:
    """Say why `text` is no item code (of the expected form, if given); None if it is one.

    The body's part is judged by its form alone: its check character is the business of whoever gave the code.
    """
    found = form(text)
    if found is None or (expected is not None and found != expected):
        wanted = [length for length, name in _LENGTHS.items() if expected in (None, name)]
        return sentence("not {wanted} characters", wanted=" or ".join(map(str, wanted)))
    if found == "base":
        return _base_fault(text)
    if _BODY.fullmatch(text[:_BODY_LENGTH]) is None:
        return "the first 18 characters are not formed as a credit code"
    if text[_BODY_LENGTH] not in _LEVELS:
        return "character 19 is no level of exercise (1 to 6)"
    if not (text[31:].isascii() and text[31:].isalnum()) and text[31:]:
        return "the last two characters are neither digits nor letters"
    return _base_fault(text[_BODY_LENGTH + 1 : _BODY_LENGTH + 1 + _BASE])


def make(base: str, *, body: str | None = None, level: str = "2", handling: str = "") -> str:
    """Return the base code itself, or the implementation (with `handling`: the handling) code of it at a body."""
    return base if body is None else f"{body}{level}{base}{handling}"


def _base_fault(base: str) -> str | None:
    if not (base.isascii() and base.isdigit()):
        return "the base code has a character other than digits"
    if _SUBJECTS.fullmatch(base[:2]) is None:
        return "the base code begins with neither 00 nor a province"
    if _TYPES.fullmatch(base[2:4]) is None:
        return "characters 3 and 4 of the base code are no type of item (01 to 10, 20)"
    return None
