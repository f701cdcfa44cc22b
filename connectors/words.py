"""What of another program's free words is shown: only words of a closed list, so that no person's name comes through.

A service's fault, or the message of its answer, may say anything: a name, a number, an address, a whole record. Masking
what looks like a person would miss what does not. So a word is shown if it belongs to the language of interfaces, and
stands as `…` otherwise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

SHOWN = 120
"""So many characters are shown at most."""

_WORDS = frozenset(
    word
    for line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for word in line.split()
)
_TOKEN = re.compile(r"[A-Za-z]+|\d+|[\u4e00-\u9fff]+|[\s\u3000]+|[.,:;!?()/，。：；！？（）、-]|.", re.DOTALL)
_CHINESE_WORD = re.compile(
    "|".join(sorted((word for word in _WORDS if not word.isascii()), key=len, reverse=True)) + "|.", re.DOTALL
)
_NUMBER = re.compile(r"\d(?:[\s-]?\d){5,}")
"""Six digits and more, however they are set apart, may be those of a person; a status, a line, a count has fewer."""
_ADDRESS = re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://\S+")
_CODE = re.compile(r"[A-Z]{0,12}[._:-]?-?\d{1,5}|true|false|ok", re.ASCII)
"""What codes of answers look like: `-1`, `404`, `E0012`. No name of a person has a digit."""
_GAP = "…"


def plain(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text with everything but words of the lists, short numbers and punctuation left out.

    Empty where no word of it is known; `secrets` are left out even where they are words.
    """
    shown: list[str] = []
    for secret in filter(None, secrets):
        text = text.replace(secret, _GAP)
    said = _ADDRESS.sub(_GAP, unicodedata.normalize("NFKC", text[: 20 * SHOWN]))
    for token in _TOKEN.findall(said):
        shown += _of(token)
    if not any(one.isalpha() for one in shown):
        return ""
    line = _NUMBER.sub(_GAP, " ".join("".join(shown).split()))
    line = re.sub(rf"{_GAP}(?:[^\w{_GAP}]*{_GAP})+", _GAP, line)
    return line if len(line) <= SHOWN else line[:SHOWN].rstrip() + _GAP


def code_or_plain(text: str, secrets: Iterable[str] = ()) -> str:
    """Return what a service says of an answer: a code as it stands, free words as `plain` shows them, or `nothing`."""
    if _CODE.fullmatch(text) and text not in set(secrets):
        return text
    return plain(text, secrets) or ("words that are not shown" if text.strip() else "nothing")


def _of(token: str) -> list[str]:
    first = token[0]
    if first.isspace():
        return [" "]
    if first.isascii() and first.isalpha():
        return [token if token.lower() in _WORDS else _GAP]
    if first.isdigit():
        return [token if token.isascii() else _GAP]
    if "\u4e00" <= first <= "\u9fff":
        words = _CHINESE_WORD.findall(token)
        return [word if word in _WORDS else _GAP for word in words]
    return [token if re.fullmatch(r"[.,:;!?()/，。：；！？（）、-]", token) else _GAP]
