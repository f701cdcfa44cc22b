"""Judges the corrections that a stream declares: values that its system is known to send wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

Found = tuple[tuple[str | int, ...], str]


def correction_faults(said: list[Any], mapping: Path, mapped: dict[str, Any]) -> Iterator[Found]:
    """Yield what is wrong with a stream's corrections that their schema cannot say, each with its place in the list.

    `mapping` is the mapping's file, `mapped` what it says of the stream.
    """
    declared = declared_fields(mapping, mapped)
    fixed = _identity(mapped)
    seen: dict[tuple[str, str], list[tuple[int, dict[str, Any]]]] = {}
    for number, one in enumerate(said):
        if not isinstance(one, dict) or not {"field", "from", "to"} <= set(one):
            continue  # the schema has told it
        field = str(one["field"])
        top = field
        if field.startswith("/"):
            top = field[1:].split("/", maxsplit=1)[0].replace("~1", "/").replace("~0", "~")
        if declared is not None and top not in declared:
            yield (number, "field"), f"stream has no field {field!r} (known: {', '.join(declared)})"
        if top in fixed:
            yield (number, "field"), f"{field!r} tells records or their versions apart and is not put right here"
        if _text(one["from"]) == _text(one["to"]):
            yield (number, "to"), "is the same as `from`"
        yield from _dates(number, one)
        before = seen.setdefault((field, _text(one["from"])), [])
        for other, earlier in before:
            if _overlap(earlier, one):
                yield (number,), f"says of {field!r} what number {other + 1} says already; which one is meant?"
        before.append((number, one))


def declared_fields(mapping: Path, mapped: dict[str, Any]) -> list[str] | None:
    """Return the raw fields of the stream; None where its schema cannot be read, which the mapping's judge tells."""
    try:
        schema = json.loads((mapping.parent / str(mapped.get("schema"))).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return list(properties) if isinstance(properties, dict) else None


def _identity(mapped: dict[str, Any]) -> set[str]:
    """Return the fields by which the mapping tells records and their versions apart."""
    key = mapped.get("key", [])
    parts = key.get("fingerprint", []) if isinstance(key, dict) else key
    operation = mapped.get("operation")
    named = [*(parts if isinstance(parts, list) else [parts]), mapped.get("order")]
    named.append(operation.get("field") if isinstance(operation, dict) else None)
    return {str(one.get("time") if isinstance(one, dict) else one) for one in named if one is not None}


def _text(value: Any) -> str:
    """Write a value as values are compared: `1` and `"1"` are one, and nothing said is the empty mark."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else f"={value}"


def _dates(number: int, one: dict[str, Any]) -> Iterator[Found]:
    days: dict[str, date] = {}
    for name in ("since", "until"):
        if isinstance(one.get(name), str):
            try:
                days[name] = date.fromisoformat(one[name])
            except ValueError:
                yield (number, name), f"{one[name]!r} is no day; write one like 2026-03-01"
    if len(days) == 2 and days["since"] > days["until"]:  # noqa: PLR2004  # both of them
        yield (number, "until"), f"until {days['until']} lies before since {days['since']}"


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    first, last = str(one.get("since") or ""), str(one.get("until") or "9")
    return first <= str(other.get("until") or "9") and str(other.get("since") or "") <= last
