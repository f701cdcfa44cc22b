"""How personal values are written alike before they are hashed, and how they are masked before they are shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Literal

Kind = Literal["number", "name", "phone"]
"""What a look-up hash is made of."""

_SPACES = re.compile(r"\s+")
_DOTS = re.compile(r"[•‧∙⋅・･．․.]")
_NUMBER_NOISE = re.compile(r"[\s\-‐‑‒–—―−]+")
_PHONE_NOISE = re.compile(r"[^0-9+]+")
_CHINA_PREFIX = re.compile(r"^(?:\+|00)86")
_PLACE = re.compile(r"^.*?(?:特别行政区|自治区|自治州|[省市区县旗盟])(?:.{1,8}?(?:自治州|[市区县旗盟]))*")

_MIDDLE_DOT = "·"
_LONG_NUMBER = 8
_PHONE_DIGITS = 7


def normalize_name(text: str) -> str:
    """Write a name one way: NFKC, no spaces, one middle dot, no difference of case."""
    folded = unicodedata.normalize("NFKC", text)
    if folded.isascii():
        return _SPACES.sub("", folded).casefold()
    return _DOTS.sub(_MIDDLE_DOT, _SPACES.sub("", folded)).casefold()


def normalize_number(text: str) -> str:
    """Write an id number one way: NFKC, no spaces and hyphens, capital letters."""
    return _NUMBER_NOISE.sub("", unicodedata.normalize("NFKC", text)).upper()


def normalize_phone(text: str) -> str:
    """Write a phone number one way: its digits, without China's country prefix."""
    return _CHINA_PREFIX.sub("", _PHONE_NOISE.sub("", unicodedata.normalize("NFKC", text))).replace("+", "00")


NORMALIZERS: dict[Kind, Callable[[str], str]] = {
    "number": normalize_number,
    "name": normalize_name,
    "phone": normalize_phone,
}


def normalize(kind: Kind, text: str) -> str:
    """Write a value of this kind the one way that it is hashed in."""
    return NORMALIZERS[kind](text)


def mask_name(text: str) -> str:
    """Show the first character of a Chinese name, or the first letter of each word of a Latin one."""
    name = unicodedata.normalize("NFKC", text).strip()
    if name.isascii():
        words = name.split()
        return " ".join(word[0] + "***" if len(name) > 1 else "*" for word in words)
    return name[0] + "*" * (len(name) - 1) if len(name) > 1 else "*" * len(name)


def mask_number(text: str) -> str:
    """Show the first three and the last two characters of a long number, of a short one nothing."""
    number = normalize_number(text)
    if len(number) < _LONG_NUMBER:
        return "*" * len(number)
    return number[:3] + "*" * (len(number) - 5) + number[-2:]


def mask_phone(text: str) -> str:
    """Show the first three and the last two digits of a phone number, of a short one nothing."""
    phone = normalize_phone(text)
    if len(phone) < _PHONE_DIGITS:
        return "*" * len(phone)
    return phone[:3] + "*" * (len(phone) - 5) + phone[-2:]


def mask_address(text: str) -> str:
    """Show the province, city and district of a Chinese address and hide the rest; of others nothing."""
    address = unicodedata.normalize("NFKC", text).strip()
    if not address:
        return ""
    place = _PLACE.match(address)
    return (place.group() if place else "") + "****"
