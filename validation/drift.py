"""Tells how records differ from what their stream declares: new fields, missing fields, values of another type.

A change is told once a slice, with its count and the types that were seen. Where its mode refuses, each record that
shows it has a finding of its own besides, which is not kept: it says that the record waits, and why.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub import jsontext
from hub.contract import Contract
from hub.findings import UNIT, Finding
from hub.records import Record
from hub.table import Column, Table
from validation.explain import Fault, show

ENOUGH = 1000
"""From so many records on, a field that none of them has is missed even where records leave out empty fields."""

MOST_FIELDS = 50
"""So many new fields are named; what is more is told as a number."""

_NOT_NULL = ["string", "number", "boolean", "object", "array"]


@dataclass(slots=True)
class Change:
    """One change: in how many records it shows, and which types were seen there."""

    rule: str
    name: str
    pointer: str
    declared: str = ""
    count: int = 0
    types: set[str] = field(default_factory=set)

    def told(self, contract: Contract, records: int) -> Finding:
        """Return the finding that tells of it."""
        detail = {"count": str(self.count), "records": str(records), "contract": contract.mode(self.rule)}
        if self.types:
            detail["types"] = "|".join(sorted(self.types))
        if self.declared:
            detail["declared"] = self.declared
        refuse = contract.mode(self.rule) != "evolve"
        return Finding(UNIT, self.rule, field=self.name, pointer=self.pointer, detail=detail, refuse=refuse)

    def on(self, index: int, contract: Contract) -> Finding:
        """Return the finding that refuses one record for it."""
        words = {"unknown_field": "no such field", "missing_field": "a field", "changed_type": self.declared}
        detail = {"expected": words[self.rule], "contract": contract.mode(self.rule)}
        if self.types:
            detail["types"] = "|".join(sorted(self.types))
        return Finding(index, self.rule, field=self.name, pointer=self.pointer, detail=detail, refuse=True)


def fields_of(records: Sequence[Record]) -> set[str]:
    """Return the fields that occur."""
    if isinstance(records, Table):
        return set(records.names) if len(records) else set()
    return set().union(*(record for record in records if isinstance(record, dict)))


def new_fields(records: Sequence[Record], names: Sequence[str]) -> list[Change]:
    """Tell of each of the undeclared fields `names` how often it comes, and what it holds."""
    return [_new_field(records, name) for name in names]


def _new_field(records: Sequence[Record], name: str) -> Change:
    change = Change("unknown_field", show(name) or "", pointer_of((name,)))
    if isinstance(records, Table):
        column = records.column(name)
        change.count, change.types = len(records), set() if column is None else _types(column)
        return change
    values = [record[name] for record in records if isinstance(record, dict) and name in record]
    change.count, change.types = len(values), set(map(jsontext.type_of, values))
    return change


def _types(column: Column) -> set[str]:
    """Tell the JSON types in a column."""
    found = {"null"} if column.texts.null_count else set()
    if column.texts.null_count == len(column.texts):
        return found
    if not column.literal:
        return found | {"string"}
    said = column.texts.drop_null().unique().to_pylist()
    return found | {"boolean" if text in ("true", "false") else "integer" for text in said}


def missing_fields(names: Sequence[str], records: int, properties: Mapping[str, Any]) -> list[Change]:
    """Tell of the declared fields `names` that none of the records has them."""
    return [
        Change("missing_field", show(name) or "", pointer_of((name,)), types_of(properties.get(name)), records)
        for name in names
    ]


def absence_counts(records: Sequence[Record], fields: Collection[str], declared: Collection[str]) -> bool:
    """Say whether an absent field is missing, and not merely empty.

    A table, and rows below one header, have every column, if only as null. Records that differ in their fields leave
    out what is empty, so that only many of them prove something; what names little more than its key proves nothing.
    """
    if not records or 2 * len(set(declared) & set(fields)) < len(declared):
        return False
    if isinstance(records, Table) or len(records) >= ENOUGH:
        return True
    return {len(record) for record in records if isinstance(record, dict)} == {len(fields)}


class Retyped:
    """The values of another type than declared, gathered record by record: each change once a record."""

    def __init__(self) -> None:
        self.changes: dict[str, Change] = {}
        self.of_record: dict[int, dict[str, Change]] = {}

    def add(self, index: int, path: Sequence[str | int], declared: str, got: str) -> None:
        """Note that record `index` has a value of type `got` at `path`."""
        parts = tuple("*" if isinstance(part, int) else part for part in path)
        pointer, name = pointer_of(parts), show(str(path[0])) or ""
        declared = "|".join(sorted(declared.split("|")))
        change = self.changes.setdefault(pointer, Change("changed_type", name, pointer, declared))
        change.types.add(got)
        mine = self.of_record.setdefault(index, {})
        if pointer not in mine:
            change.count += 1
            mine[pointer] = Change("changed_type", name, pointer, declared)
        mine[pointer].types.add(got)


def pointer_of(path: Sequence[str | int]) -> str:
    """Write the place as JSON pointer; `*` stands for every member of an array."""
    return Fault(tuple(show(part) or "" if isinstance(part, str) else part for part in path), "", {}, None).pointer


def types_of(schema: Any) -> str:
    """Return the types that a field's schema allows, as people read them; empty where it allows any."""
    said = schema.get("type", ()) if isinstance(schema, Mapping) else ()
    return "|".join([said] if isinstance(said, str) else said)


def loosened(schema: Mapping[str, Any], missing: Collection[str] = ()) -> dict[str, Any]:
    """Return the schema without its types and without the fields that no record has: what is left is no drift.

    Where null is not allowed it stays so: an empty field is no change of type.
    """
    loose = _loose(schema)
    loose["type"] = "object"  # what is no record at all cannot be kept
    if "required" in loose:
        loose["required"] = [name for name in loose["required"] if name not in missing]
    return loose


def _loose(schema: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(schema)
    types = out.pop("type", None)
    if types is not None and "null" not in ([types] if isinstance(types, str) else types):
        out["type"] = _NOT_NULL
    if isinstance(out.get("properties"), Mapping):
        out["properties"] = {name: _loose(inner) for name, inner in out["properties"].items()}
    if isinstance(out.get("items"), Mapping):
        out["items"] = _loose(out["items"])
    return out


def settled(schema: Mapping[str, Any], rule: str, name: str | None, pointer: str | None, types: str) -> bool:
    """Say whether a change that was told before is none any more, since the declaration was mended."""
    declared = schema.get("properties", {})
    if rule == "unknown_field":
        return name in declared
    if name not in declared or rule == "missing_field":
        return name not in declared or bool(schema.get("x-sparse"))
    allowed = _allowed(schema, pointer or "")
    return allowed is None or set(types.split("|")) <= allowed


def _allowed(schema: Mapping[str, Any], pointer: str) -> set[str] | None:
    """Return the types that the schema allows at a place, None for any."""
    for part in _parts(pointer):
        inner = schema.get("items") if part == "*" else schema.get("properties", {}).get(part)
        if not isinstance(inner, Mapping):
            return None
        schema = inner
    found = set(filter(None, types_of(schema).split("|")))
    return (found | {"integer"} if "number" in found else found) or None


def _parts(pointer: str) -> Iterator[str]:
    return (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
