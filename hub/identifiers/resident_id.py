"""居民身份证号码, the citizen's number of GB 11643-1999: region (6), birth date (8), sequence (3), check character.

The same form and check serve the residence permits of people from Hong Kong, Macao and Taiwan (81, 82, 83…) and, since
2023, the permanent-residence cards of foreigners (9, then place and nationality). The region is the one at first
registration, often abolished since, and new ones come every year: it is never looked up, so never a fault.
The older form of 15 digits (birth year in two digits, no check) is no longer issued, but stands in old records.
"""

from __future__ import annotations

from datetime import date

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_LENGTH = 18
_OLD_LENGTH = 15
FIRST_YEAR = 1850
"""Nobody in a record of this century was born before; an earlier year is a slip."""


def check_character(first: str) -> str:
    """Compute the check character of the first 17 digits: ISO 7064 MOD 11-2.

    It notices every single wrong digit and every exchange of two neighbours.

    Raises:
        ValueError: `first` is not 17 digits.
    """
    if len(first) != _LENGTH - 1 or not _digits(first):
        raise ValueError("a resident number begins with 17 digits")
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(first, WEIGHTS, strict=True)) % 11]


def make(region: str, born: date, sequence: int) -> str:
    """Return the number of a person first registered in `region`; an odd sequence (0 to 999) is a man's."""
    first = f"{region}{born:%Y%m%d}{sequence:03d}"
    return first + check_character(first)


def birth_date(text: str) -> date | None:
    """Return the birth date that the number states; None where it states no real date."""
    if len(text) == _LENGTH and _digits(text[6:14]):
        return _date(text[6:10], text[10:14])
    if len(text) == _OLD_LENGTH and _digits(text):
        # Sequence numbers 996 to 999 were kept for people born before 1900.
        return _date(("18" if text[12:] >= "996" else "19") + text[6:8], text[8:12])
    return None


def fault(text: str, *, on: date | None = None) -> str | None:
    """Say why `text` is no resident number; None if it is one.

    A small x is accepted as check character: keyboards write it, and it leaves no doubt. With `on`, a birth date after
    that day is a fault too.
    """
    if len(text) not in (_LENGTH, _OLD_LENGTH):
        return "neither 18 nor 15 characters"
    if not _digits(text[:17]) or (len(text) == _LENGTH and text[17] not in "0123456789Xx"):
        return "a character other than digits (or X at the end)"
    born = birth_date(text)
    if born is None or born.year < FIRST_YEAR:
        return "the birth date inside is not real"
    if on is not None and born > on:
        return "the birth date inside lies in the future"
    if len(text) == _LENGTH and text[17].upper() != check_character(text[:17]):
        return "the check character does not fit"
    return None


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _date(year: str, month_day: str) -> date | None:
    try:
        return date(int(year), int(month_day[:2]), int(month_day[2:]))
    except ValueError:
        return None
