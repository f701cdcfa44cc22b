"""A card's dossier (案卷): one printable page that holds its evidence, its seal and its life, and loads nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment

from hub import templating
from hub.words import LANGUAGES, Words
from supervision.cards import evidence

MOST_RECORDS: Final = 8
"""Records of the case that the page shows: the rest is counted, and stands in the evidence."""
MOST_DAYS: Final = 16
MOST_DEEDS: Final = 7


@cache
def _templates() -> Environment:
    made = templating.environment([Path(__file__).parent / "templates"])
    made.filters["moment"] = _moment
    return made


def page(card: Mapping[str, Any], jwks: dict[str, Any], language: str = LANGUAGES[0]) -> str:
    """Return the page of a card as `reading.found` gives it, in a language, with what its seal proves by these keys."""
    language = language if language in LANGUAGES else LANGUAGES[0]
    said = _said(card["evidence"])
    records, days = said.get("records") or [], (said.get("calendar") or {}).get("days_not_counted") or []
    shown: str = _templates().get_template("dossier.html").render(
        t=Words(language), language=language, card=card, said=said, clock=said.get("clock") or {},
        case=said["case"] or _Said(), stage=said.get("stage"), feed=said.get("feed"), item=said.get("item") or {},
        records=records[-MOST_RECORDS:], records_left=max(0, len(records) - MOST_RECORDS),
        days=days[-MOST_DAYS:], days_left=max(0, len(days) - MOST_DAYS),
        deeds=card["deeds"][-MOST_DEEDS:], deeds_left=max(0, len(card["deeds"]) - MOST_DEEDS),
        digest=hashlib.sha256(evidence.canonical(card["evidence"])).hexdigest(), fault=evidence.verify(card, jwks),
    )  # fmt: skip
    return shown


class _Said(dict[str, Any]):
    """A part of the evidence, in which what was not known is left out."""

    def __missing__(self, _name: str) -> None:
        return None


def _said(value: Any) -> Any:
    if isinstance(value, dict):
        return _Said({name: _said(one) for name, one in value.items()})
    return [_said(one) for one in value] if isinstance(value, list) else value


def _moment(said: Any) -> str:
    """Write an instant of the evidence, which is a text there, as pages show instants."""
    if isinstance(said, str):
        try:
            said = datetime.fromisoformat(said)
        except ValueError:
            return str(said)
    return templating.instant(said)
