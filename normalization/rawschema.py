"""The fields of a source's raw record, as its JSON Schema declares them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from normalization.marked import Faults, suggestion
from normalization.model import Field

_SCALARS = {"integer", "number", "boolean"}

READABLE: dict[str, frozenset[str]] = {
    "instant": frozenset({"string", "integer", "number"}),
    "date": frozenset({"string", "integer", "number"}),
    "integer": frozenset({"string", "integer", "number"}),
    "decimal": frozenset({"string", "integer", "number"}),
    "boolean": frozenset({"string", "integer", "number", "boolean"}),
    "text": frozenset({"string", "integer", "number", "boolean", "array", "object"}),
}
"""The JSON types from which each kind of value can be read; kinds not named are read from scalars."""

_ANY_SCALAR = frozenset({"string", *_SCALARS})


@dataclass(slots=True)
class RawSchema:
    """A raw schema, its leaves by path, and which of them the mapping has used so far."""

    path: Path
    content: dict[str, Any]
    leaves: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)
    inner: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)
    used: dict[tuple[str, ...], int] = field(default_factory=dict)

    def field(self, name: str, line: int, faults: Faults) -> Field | None:
        """Return the field of this name and mark it as used; note where the schema has none."""
        found = self.look_up(name, line, faults)
        if found is not None:
            self.used.setdefault(found.path, line)
        return found

    def look_up(self, name: str, line: int, faults: Faults) -> Field | None:
        """Return the field of this name; note where the schema has none."""
        found = Field.of(name)
        if found.path in self.leaves or found.path in self.inner or self._inside_array(found.path):
            return found
        faults.add(
            line, f"{self.path.name} has no field {name!r}{suggestion(name, [shown(path) for path in self.leaves])}"
        )
        return None

    def types(self, found: Field) -> frozenset[str]:
        """Tell the JSON types that a field may have (without null); empty where the schema leaves it open."""
        spec = self.leaves.get(found.path) or self.inner.get(found.path) or {}
        declared = spec.get("type", [])
        return frozenset([declared] if isinstance(declared, str) else declared) - {"null"}

    def enum(self, found: Field) -> list[Any] | None:
        """Tell the closed list of values of a field, if the schema has one."""
        values = self.leaves.get(found.path, {}).get("enum")
        return values if isinstance(values, list) else None

    def unread(self, ignored: set[tuple[str, ...]]) -> Iterator[str]:
        """Walk the names of the leaves that the mapping neither uses nor ignores."""
        covered = set(self.used) | ignored
        for path in self.leaves:
            above = any(path[:length] in covered for length in range(1, len(path) + 1))
            below = any(read[: len(path)] == path for read in self.used)
            if not above and not below:
                yield shown(path)

    def _inside_array(self, path: tuple[str, ...]) -> bool:
        return any(
            "array" in self.types(Field("", path[:length])) and path[length].isdigit() for length in range(1, len(path))
        )


def shown(path: tuple[str, ...]) -> str:
    """Write a path as mappings write it: a plain name at the top, a JSON pointer below."""
    return path[0] if len(path) == 1 and not path[0].startswith("/") else Field("", path).pointer


def read_raw_schema(path: Path, line: int, faults: Faults) -> RawSchema | None:
    """Read the raw schema that the mapping names in `line`; None and a fault where there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        faults.add(line, f"there is no schema {path.name} beside the mapping")
        return None
    except (OSError, ValueError, RecursionError) as error:
        faults.add(getattr(error, "lineno", 1), f"this schema cannot be read: {error}", file=path)
        return None
    if not isinstance(content, dict) or not isinstance(content.get("properties"), dict) or not content["properties"]:
        faults.add(1, "a raw schema describes an object and lists its `properties`", file=path)
        return None
    found = RawSchema(path, content)
    _walk(content["properties"], (), found)
    return found


def _walk(properties: dict[str, Any], above: tuple[str, ...], found: RawSchema) -> None:
    for name, spec in properties.items():
        path = (*above, name)
        inner = spec.get("properties") if isinstance(spec, dict) else None
        if isinstance(inner, dict) and inner:
            found.inner[path] = spec
            _walk(inner, path, found)
        else:
            found.leaves[path] = spec if isinstance(spec, dict) else {}


def unreadable_types(kind: str, types: frozenset[str]) -> frozenset[str]:
    """Tell which of these JSON types a kind of value cannot be read from."""
    return types - READABLE.get(kind, _ANY_SCALAR)
