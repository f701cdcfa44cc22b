"""How names and numbers are compared (docs/verify/comparison.md publishes these rules).

Two names are the same where their keys are: written as NFKC, rare characters out of the private area of older fonts,
brackets of every kind alike, one middle dot, no spaces, no variation selectors, no difference of case. Simplified and
traditional forms stay different characters, for they may be different people. A text in which a character was lost
(`?`, `□`, U+FFFD and the like) can be compared with nothing: nothing is guessed.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from hub.protect.text import normalize_number

_BRACKETS: Final = {ord(one): "(" for one in "（［｛〔【〖〈《「『[{<"} | {
    ord(one): ")" for one in "）］｝〕】〗〉》」』]}>"
}
_NOISE: Final = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
_DOTS: Final = re.compile(r"[•‧∙⋅・･．․.]")
_LOST: Final = re.compile(r"[?？□■◻▯〓*\ufffd\u2ff0-\u2fff\ue000-\uf8ff]")
_TWO_BYTES_FROM, _TWO_BYTES_TO = 0xE815, 0xE864
_PRIVATE_FIRST, _PRIVATE_LAST = 0xE000, 0xF8FF
_GAP = 0x7F
# GB 18030-2022, 4.4: characters that GB 18030-2005 still kept in the private area and that Unicode has since encoded.
_SINCE_2022: Final = dict(zip(
    (0xE816, 0xE817, 0xE818, 0xE81E, 0xE826, 0xE82B, 0xE82C, 0xE831, 0xE832, 0xE83B, 0xE843, 0xE854, 0xE855, 0xE864),
    (0x20087, 0x20089, 0x200CC, 0x9FB4, 0x9FB5, 0x9FB6, 0x9FB7, 0x215D7, 0x9FB8, 0x2298F, 0x9FB9, 0x9FBA, 0x241FE,
     0x9FBB), strict=True,
))  # fmt: skip
_CREDIT_CODE, _ORGANISATION_CODE = 18, 9
_RESIDENT_ID = re.compile(r"[0-9]{17}[0-9X]")


def _private() -> dict[int, str]:
    """Make the table from the private characters that GBK fonts used (bytes FE50 to FEA0) to those of Unicode."""
    table = {}
    for point in range(_TWO_BYTES_FROM, _TWO_BYTES_TO + 1):
        second = 0x50 + point - _TWO_BYTES_FROM
        second += second >= _GAP
        found = chr(_SINCE_2022[point]) if point in _SINCE_2022 else bytes((0xFE, second)).decode("gb18030")
        if not _PRIVATE_FIRST <= ord(found) <= _PRIVATE_LAST:
            table[point] = found
    return table


_PRIVATE: Final = _private()


def key(name: str) -> str:
    """Write a name the one way in which names are compared."""
    known = unicodedata.normalize("NFKC", name.translate(_PRIVATE).translate(_BRACKETS))
    return _DOTS.sub("·", _NOISE.sub("", known)).translate(_BRACKETS).casefold()


def same(one: str, other: str) -> bool | None:
    """Say whether two names are the same; None where a character of one is lost, so that nobody can tell."""
    first, second = key(one), key(other)
    if first == second:
        return None if _LOST.search(first) else True
    return None if _LOST.search(first) or _LOST.search(second) else False


def number_forms(number: str) -> tuple[str, ...]:
    """Return the ways in which a document's number may be written: width, brackets, spaces and case aside."""
    stripped = number.strip()
    plain = _NOISE.sub("", unicodedata.normalize("NFKC", stripped).translate(_BRACKETS))
    forms = [stripped, unicodedata.normalize("NFKC", stripped), plain, plain.upper()]
    if "(" in plain:
        forms += [
            plain.replace("(", left).replace(")", right) for left, right in ("〔〕", "[]", "（）", "【】", "［］")
        ]
    return tuple(dict.fromkeys(forms))


def holder_forms(number: str) -> tuple[str, ...]:
    """Return the ways in which a holder's number may be written: width, blanks, hyphens and case aside.

    Not the older ones that it holds: what bore one could not be told to be this holder's.
    """
    stripped = number.strip()
    plain = normalize_number(stripped)
    forms = (stripped, unicodedata.normalize("NFKC", stripped), plain, plain.lower())
    return tuple(dict.fromkeys(forms))


def contained(number: str) -> str | None:
    """Return the older number that a holder's number holds: organisation code in credit code, 15 digits in 18.

    GB 32100-2015 puts the organisation code (GB 11714) into places 9 to 17; GB 11643-1999 added century and check
    character to the number of fifteen digits.
    """
    plain = normalize_number(number)
    if _RESIDENT_ID.fullmatch(plain) and plain[6:8] == "19":
        return plain[:6] + plain[8:17]
    if len(plain) == _CREDIT_CODE and not _RESIDENT_ID.fullmatch(plain):
        return plain[8:17]
    return None


def same_number(one: str, other: str) -> bool:
    """Say whether two holders' numbers are of one holder: equal, or one holds the other."""
    first, second = normalize_number(one), normalize_number(other)
    return first == second or contained(first) == second or contained(second) == first
