"""Sentences for people that stay readable in both languages: worded in English, with what was put into them kept apart.

Refusals and errors are worded in English, for logs, commands and programs. Pages show them in the reader's language:
`sentences.csv` has the Chinese of each, by its English. A sentence with values in it is made by `sentence`, so that its
words can be found there after the values were put in; one without values is looked up as it is.
"""

from __future__ import annotations

import csv
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hub.words import LANGUAGES, Words

_FEWEST = 10
"""Characters of its own that a sentence has at least, to be known by them."""


class Code(str):
    """A code of a closed set within a sentence: `family.code` of the catalogue has its words."""

    __slots__ = ("family",)
    family: str

    def __new__(cls, family: str, code: str) -> Code:
        """Make the code; in English sentences it stands as it is."""
        made = super().__new__(cls, code)
        made.family = family
        return made


class Codes(tuple[Code, ...]):
    """Codes of closed sets that a sentence lists."""

    __slots__ = ()

    @classmethod
    def of(cls, family: str, codes: Iterable[str]) -> Codes:
        """Make the list out of the codes of one family."""
        return cls(Code(family, one) for one in codes)

    def __format__(self, spec: str) -> str:
        return format(", ".join(self), spec)


class Several(tuple[str, ...]):
    """Sentences that stand in one another, one after the other."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return format("; ".join(self), spec)


class Sentence(str):
    """A sentence in English that knows its words (`template`) and the values that were put into them."""

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, object]


def sentence(template: str, /, **values: object) -> Sentence:
    """Put values into the {places} of a sentence that stands in `sentences.csv`."""
    made = Sentence(template.format(**values))
    made.template, made.values = template, values
    return made


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence as a page shows it, and the language it came to be in."""

    text: str
    language: str

    def __str__(self) -> str:
        return self.text


@cache
def sentences() -> Mapping[str, str]:
    """Return English template → Chinese template.

    Raises:
        ValueError: a sentence stands twice.
    """
    found: dict[str, str] = {}
    with Path(__file__).with_name("sentences.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["en"] in found:
                raise ValueError(f"sentences.csv: {row['en']!r} stands twice")
            found[row["en"]] = row["zh"]
    return found


def spoken(told: str | BaseException, language: str) -> Spoken:
    """Return a sentence in a language; in English where nobody worded it in that one."""
    if isinstance(told, BaseException):
        first = told.args[0] if told.args else ""
        told = _of_parts(told) or (first if isinstance(first, str) else str(told))
    if language == "en":
        return Spoken(str(told), "en")
    template = told.template if isinstance(told, Sentence) else told
    worded = sentences().get(template)
    if worded is None:
        return Spoken(str(told), "en")
    if not isinstance(told, Sentence):
        return Spoken(worded, language)
    return Spoken(worded.format(**{name: _put(value, language) for name, value in told.values.items()}), language)


def recognised(text: str, language: str) -> str:
    """Return a sentence that was kept as plain text, in a language; as it is where nobody worded it.

    What was put into its {places} is taken out of the text again.
    """
    if language == "en" or text in sentences():
        return spoken(text, language).text
    for pattern, worded in _patterns():
        if found := pattern.fullmatch(text):
            parts = string.Formatter().parse(worded)
            return "".join(said + (found[name] if name else "") for said, name, _, _ in parts)
    return text


@cache
def _patterns() -> Sequence[tuple[re.Pattern[str], str]]:
    """Return how sentences with values look when those were put in, the most exact first."""
    made = []
    for template, worded in sentences().items():
        parts = [(said, name) for said, name, _, _ in string.Formatter().parse(template)]
        words, names = sum(len(said) for said, _ in parts), [name for _, name in parts if name]
        if names and len(set(names)) == len(names) and words >= _FEWEST:
            pattern = "".join(re.escape(said) + (f"(?P<{name}>.+)" if name else "") for said, name in parts)
            made.append((words, re.compile(pattern), worded))
    return [(pattern, worded) for _, pattern, worded in sorted(made, key=lambda one: -one[0])]


def _of_parts(error: BaseException) -> Sentence | None:
    """Return an error that says `what: got. next step` and keeps the last two by themselves, made of these parts."""
    got, step = getattr(error, "got", None), getattr(error, "next_step", None)
    tail = f": {got}. {step}"
    if not (isinstance(got, str) and isinstance(step, str) and str(error).endswith(tail)):
        return None
    return sentence("{what}: {got}. {next_step}", what=str(error).removesuffix(tail), got=got, next_step=step)


def _put(value: object, language: str) -> object:
    if isinstance(value, Several):
        return "；".join(str(_put(one, language)) for one in value)
    if isinstance(value, Codes):
        return "、".join(str(_put(one, language)) for one in value)
    if isinstance(value, Code):
        return Words(language).or_code(value.family, value)
    return spoken(value, language).text if isinstance(value, str) and language in LANGUAGES else value
