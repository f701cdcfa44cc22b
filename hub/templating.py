"""Templates of pages and reports (Jinja): all text is escaped, a name that is not given is a fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from hub.documents import Documents
from hub.findings import RULES
from hub.sentences import recognised, spoken
from hub.words import HTML_LANG, Words

ZONE = ZoneInfo("Asia/Shanghai")
"""The time zone in which pages and reports show instants; they say so."""


def environment(folders: Sequence[Path]) -> Environment:
    """Make the environment of templates that lie in these folders, the first that has a name wins."""
    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"number": number, "percent": percent, "instant": instant, "day": day}
    made.globals |= {"told": told, "rule_title": rule_title, "rule_hint": rule_hint}
    made.globals |= {"document_title": document_title, "details": details}
    return made


def told(sentence: str | BaseException, language: str) -> Markup:
    """Write a sentence of a refusal in a language.

    What nobody worded in that one says what is broken in the hub or its configuration: it is marked as English, and the
    reader is asked to hand it to those who look after the hub.
    """
    found = spoken(sentence, language)
    if not found.text or found.language == language:
        return escape(found.text)
    return Markup('{} <span lang="{}">{}</span>').format(
        Words(language)("trouble.operators"), HTML_LANG[found.language], found.text
    )


def details(said: Mapping[str, Any] | None, language: str, without: Sequence[str] = ()) -> str:
    """Write what is said beside a finding or a deed: names and closed codes in words, reasons in the language."""
    return " · ".join(
        f"{Words(language).or_code('detail', name)}{'：' if language == 'zh' else ': '}{_detail(name, value, language)}"
        for name, value in sorted((said or {}).items())
        if name not in without and value not in (None, "", [], {}, False)
    )


def _detail(name: str, value: Any, language: str) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{Words(language).or_code('detail', one)} {its}" for one, its in sorted(value.items()))
    if isinstance(value, list | tuple):
        return ", ".join(_detail(name, one, language) for one in value)
    if isinstance(value, bool):
        return Words(language)("detail.yes")
    if isinstance(value, str):
        coded = Words(language).or_code(f"detail.{name}", value)
        return coded if coded != value else recognised(value, language)
    return str(value)


def number(value: float | None) -> str:
    """Write a number with its thousands apart; a dash for none."""
    return "–" if value is None else f"{value:,}"


def percent(part: float, whole: float) -> str:
    """Write a share in percent; a share below the whole is never written as 100.0, one above nothing never as 0.0."""
    if not whole:
        return "–"
    shown = 100 * part / whole
    if part < whole:
        shown = min(shown, 99.9)
    if part > 0:
        shown = max(shown, 0.1)
    return f"{shown:.1f}%"


def instant(value: datetime | None) -> str:
    """Write an instant to the minute, in the zone of the pages; a dash for none."""
    return "–" if value is None else value.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")


def day(value: date | None) -> str:
    """Write a day; a dash for none."""
    return "–" if value is None else value.isoformat()


def rule_title(code: str, language: str) -> str:
    """Return what a rule says, in a language; its code where it is not in the register."""
    found = RULES.get(code)
    return code if found is None else (found.title_zh if language == "zh" else found.title)


def rule_hint(code: str, language: str) -> str:
    """Return how a breach of a rule is mended, in a language; nothing where it is not in the register."""
    found = RULES.get(code)
    return "" if found is None else (found.hint_zh if language == "zh" else found.hint)


def document_title(name: str, language: str) -> str:
    """Return what a canonical document is called, in a language; its name where no contract has it."""
    found = _documents().get(name)
    return name if found is None else (found.title_zh if language == "zh" else found.title)


@cache
def _documents() -> Documents:
    return Documents.load()
