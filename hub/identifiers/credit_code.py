"""统一社会信用代码, the unified social credit code of GB 32100-2015: 18 characters.

1 registering department, 1 kind of body, 6 digits of region, the 9 characters of the organisation code (GB 11714,
with its own check character) and a check character. Departments are not a closed list here: beside 1 to 9 there are
A (military), N (rural collectives), Y (others), and the standard leaves room for more; published regular expressions
and python-stdnum wrongly refuse such codes. The region is not looked up, since regions change every year.
"""

from __future__ import annotations

from hub.identifiers import organisation_code

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Digits and capital letters without I, O, S, V and Z, which are too easily misread: 31, a prime."""

WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_LENGTH = 18


def check_character(first: str) -> str:
    """Compute the check character of the first 17 characters: MOD 31 with weights 3^i.

    It notices every single wrong character and every exchange of two characters, but for one pair: the first with the
    check character itself (both weigh 1).

    Raises:
        ValueError: `first` is not 17 characters of the alphabet.
    """
    if len(first) != _LENGTH - 1 or any(character not in _VALUES for character in first):
        raise ValueError("a credit code begins with 17 characters of its alphabet")
    total = sum(_VALUES[character] * weight for character, weight in zip(first, WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def make(body: str, *, department: str = "9", kind: str = "1", region: str = "330000") -> str:
    """Return the credit code for the eight characters `body` of an organisation code; both check characters fit."""
    first = department + kind + region + organisation_code.make(body)
    return first + check_character(first)


def fault(text: str) -> str | None:
    """Say why `text` is no credit code; None if it is one.

    Small letters are a fault: the standard knows capitals only, and a register that folds them hides which system
    keeps its codes in another form.
    """
    if len(text) != _LENGTH:
        return "not 18 characters"
    if any(character not in _VALUES for character in text):
        return _alphabet_fault(text)
    if not text[2:8].isdigit():
        return "characters 3 to 8 are not the digits of a region"
    if text[-1] != check_character(text[:-1]):
        return "the check character does not fit"
    if organisation_code.fault(text[8:17]) is not None:
        return "the check character of the organisation code inside (characters 9 to 17) does not fit"
    return None


def _alphabet_fault(text: str) -> str:
    if all(character in _VALUES for character in text.upper()):
        return "small letters"
    if any(character in "IOSVZ" for character in text):
        return "one of the letters I, O, S, V, Z, which the standard leaves out"
    return "a character other than digits and capital letters"
