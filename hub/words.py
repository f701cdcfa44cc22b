"""The words of the pages and reports in Chinese and English: one catalogue, `words.csv`, for both."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("zh", "en")
"""The languages that pages speak; the first is the one for those who ask for none of them."""
HTML_LANG: Final = {"zh": "zh-Hans", "en": "en"}
"""How HTML names each of them (BCP 47)."""
_MOST_PREFERENCES = 20


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return key → language → words.

    Raises:
        ValueError: a key stands twice.
    """
    found: dict[str, dict[str, str]] = {}
    with Path(__file__).with_name("words.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["key"] in found:
                raise ValueError(f"words.csv: {row['key']!r} stands twice")
            found[row["key"]] = {language: row[language] for language in LANGUAGES}
    return found


class Words:
    """The words of one language; called with a key, and with what is put into its {places}."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, key: str, **put: object) -> str:
        """Return the words of a key.

        Raises:
            KeyError: there is no such key in the catalogue.
        """
        said = catalogue()[key][self.language]
        return said.format(**put) if put else said

    def or_code(self, prefix: str, code: str) -> str:
        """Return the words of a code of a closed set (`prefix.code`); the code itself where it is not known here."""
        found = catalogue().get(f"{prefix}.{code}")
        return code if found is None else found[self.language]


def chosen(accepted: str | None, picked: str | None = None) -> str:
    """Return the language for a reader: the one that was picked, else the first that `Accept-Language` prefers."""
    if picked in LANGUAGES:
        return str(picked)
    ranked = sorted(_preferences(accepted or ""), key=lambda one: -one[0])
    return next((language for weight, language in ranked if weight > 0), LANGUAGES[0])


def _preferences(accepted: str) -> list[tuple[float, str]]:
    found = []
    for part in accepted[:500].split(",")[:_MOST_PREFERENCES]:
        tag, _, more = part.partition(";")
        language = tag.strip().lower().split("-")[0]
        if language in LANGUAGES:
            found.append((_weight(more), language))
    return found


def _weight(said: str) -> float:
    name, _, number = said.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(number) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0
