"""Telephone numbers as Chinese records hold them: mobile, fixed line, service numbers, numbers from abroad.

A field often holds several, parted by 、 , ; / or a space, and an extension after 转, - or #. All must be good.
The numbering plan (工业和信息化部, 电信网编号计划): mobiles are 11 digits from 13 to 19, fixed lines 0 and 2 or
3 digits of area with 7 or 8 digits, 400 and 800 have 7 more, service numbers are short, those abroad follow E.164.
A number without its leading 0 (a spreadsheet took it for a quantity) is a fault: 139 of 2,084 in one open data set.
"""

from __future__ import annotations

import re
import unicodedata

_APART = re.compile(r"[、,;/\s]+")
_DASHES = re.compile(r"[‐‑‒–—―−－]+|-{2,}")
_GOOD = re.compile(
    r"(?:(?:\+|00)?86-?)?(?:1[3-9][0-9]{9}"  # mobile
    r"|\(?0[1-9][0-9]{1,2}\)?-?[2-9][0-9]{6,7}"  # fixed line with area
    r"|[48]00-?[0-9]{3}-?[0-9]{4})"  # 400 and 800
    r"(?:(?:-|转|#|ext\.?)[0-9]{1,6})?"
    r"|[2-9][0-9]{6,7}(?:(?:-|转|#)[0-9]{1,6})?"  # fixed line without area
    r"|1[0-9]{2,4}|9[0-9]{4,7}"  # service numbers: 12345, 95588
    r"|(?:\+|00)(?!86)[1-9][0-9]{6,14}",  # abroad
    re.IGNORECASE,
)
_LIMIT = 100


def fault(text: str) -> str | None:
    """Say why `text` is no telephone number, or no list of such; None if it is."""
    if len(text) > _LIMIT:
        return "far too long"
    folded = _DASHES.sub("-", unicodedata.normalize("NFKC", text)).strip()
    numbers = [number for number in _APART.split(folded) if number]
    if not numbers:
        return "empty"
    if all(_GOOD.fullmatch(number) for number in numbers) or _GOOD.fullmatch(_APART.sub("", folded)):
        return None
    return (
        "not a number of the numbering plan" if len(numbers) == 1 else "one of the numbers is not of the numbering plan"
    )
