"""Values of an item's content in words, for tables that set what stands beside what is proposed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.words import Words


def in_words(words: Words, name: str, value: Any) -> str:
    """Return a value of a field in a language: codes by their meaning, limits with their unit, lists in one line."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return words("item.yes" if value else "item.no")
    if isinstance(value, list):
        return "；".join(in_words(words, name, one) for one in value) or words("item.none")
    if isinstance(value, Mapping):
        return _object(words, value)
    # The type of an item has its words under `type`; all other codes have theirs under the name of their field.
    return words.or_code(f"item.{'type' if name == 'item_type' else name}", str(value))


def _object(words: Words, value: Mapping[str, Any]) -> str:
    if value.keys() == {"value", "unit"}:
        return f"{value['value']} {words.or_code('item.unit', value['unit'])}"
    if "any_of" in value:
        options = f" {words('item.or')} ".join(in_words(words, "any_of", one) for one in value["any_of"])
        held = (words.or_code("item.holder", value["holder"]), words.or_code("item.valid_on", value["valid_on"]))
        return f"{value['name']} ({', '.join(held)}): {options}"
    return ", ".join(in_words(words, inner, one) for inner, one in value.items())
