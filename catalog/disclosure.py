"""What may be shown of an item to everybody: decided by the disclosure class that its content says.

| class | what is shown |
|---|---|
| `public` 公开 | everything |
| `on_request` 依申请公开, or none said | name, type, numbers, organ, state and days; the rest is asked for |
| `internal` 不公开 | nothing, as if it were not there |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMED = ("name", "name_en", "item_type", "disclosure")
"""What is shown of an item whose content is given on request only."""


class Said(dict[str, Any]):
    """What a content says; a field that it does not say is None, which templates ask for by name."""

    def __missing__(self, name: str) -> None:
        """Return None for a field that is not said."""


def shown(content: Mapping[str, Any]) -> Said:
    """Return of a content what its disclosure class allows, of an internal one nothing."""
    said: Said = _said(content)
    if said["disclosure"] == "public":
        return said
    names = () if said["disclosure"] == "internal" else NAMED
    return Said({name: said[name] for name in names if name in said})


def _said(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Said({name: _said(inner) for name, inner in value.items()})
    return [_said(inner) for inner in value] if isinstance(value, list) else value
