"""组织机构代码, the organisation code of GB 11714-1997: eight characters and a check character.

Replaced in 2015 by the unified social credit code, which carries it as its characters 9 to 17. It still stands in older
systems, printed with a hyphen before the check character; both forms are accepted.
"""

from __future__ import annotations

import string

ALPHABET = string.digits + string.ascii_uppercase
"""All 36 characters: the credit code's narrower alphabet is a rule of GB 32100, not of this standard."""

WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_CHECK = "0123456789X0"
_BODY = 8
_LENGTH = 9


def check_character(body: str) -> str:
    """Compute the check character of the eight characters of `body`: MOD 11, ten written X and eleven written 0.

    Letters weigh up to 35 in a modulus of 11, so the check does not notice a character replaced by one whose value
    differs by a multiple of 11 (0 and B, 1 and C, …).

    Raises:
        ValueError: `body` is not eight characters of the alphabet.
    """
    if len(body) != _BODY or any(character not in _VALUES for character in body):
        raise ValueError("an organisation code begins with eight digits or capital letters")
    total = sum(_VALUES[character] * weight for character, weight in zip(body, WEIGHTS, strict=True))
    return _CHECK[11 - total % 11]


def make(body: str) -> str:
    """Return the organisation code of these eight characters, without hyphen."""
    return body + check_character(body)


def fault(text: str) -> str | None:
    """Say why `text` is no organisation code; None if it is one."""
    code = text[:_BODY] + text[_BODY + 1 :] if text[_BODY : _BODY + 1] == "-" else text
    if len(code) != _LENGTH:
        return "not 9 characters"
    body, check = code[:_BODY], code[_BODY]
    if any(character not in _VALUES for character in body):
        return "a character other than digits and capital letters"
    if check not in _CHECK:
        return "the last character is neither a digit nor X"
    return None if check == check_character(body) else "the check character does not fit"
