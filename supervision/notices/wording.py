"""The texts of notices, from the table `words.csv` beside this module.

Their wordings are those of a system that runs, as its makers published them: 明日到期; 今日到期,明日即逾期;
产生逾期件,已被监察,请及时反馈; 挂起即将到期. What is put into them are card numbers, names of organs and stages,
counts and days.
"""

from __future__ import annotations

import csv
import re
import string
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from supervision.notices.terms import Language

PLACES: Final = ("organ", "card", "due", "feedback", "stage", "count")
"""All that may stand in a text."""
LONGEST_PART: Final = 60
_BLANKS = re.compile(r"\s+")
_ELLIPSIS = "…"


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return key → language → words."""
    with Path(__file__).with_name("words.csv").open(encoding="utf-8", newline="") as lines:
        return {row["key"]: {"zh": row["zh"], "en": row["en"]} for row in csv.DictReader(lines)}


def places_of(key: str) -> frozenset[str]:
    """Return the places of a key's words.

    Raises:
        KeyError: there is no such key.
    """
    return frozenset(name for _, name, _, _ in string.Formatter().parse(catalogue()[key]["zh"]) if name)


def text(key: str, put: Mapping[str, str], language: Language) -> str:
    """Return the text of a notice; what is put in is one line, and cut where it is long.

    Raises:
        KeyError: there are no such words, or one of their places is left empty.
    """
    return catalogue()[key][language].format(**{name: _one_line(put[name]) for name in places_of(key)})


def _one_line(said: str) -> str:
    """Make a part harmless: names come from sources, and a text message has no place for control characters."""
    plain = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in said)
    plain = _BLANKS.sub(" ", plain).strip()
    return plain if len(plain) <= LONGEST_PART else plain[: LONGEST_PART - 1] + _ELLIPSIS
