"""Writes what a stream's folder, mapping and bounds promise as a file of the Open Data Contract Standard, version 3.1.

ODCS is Bitol's standard for data contracts (bitol-io/open-data-contract-standard); datacontract-cli and many catalogues
read its files. One file a stream, since each stream has a shape, a key and a promise of its own. The fields are the
source's own, as they come; what becomes of them is told by the mapping, and by lineage.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from connectors.source import Expect, Source, StreamSpec
from hub.documents import Documents
from normalization.mapping import load_mapping
from normalization.model import StreamMapping
from pipeline.pulls.bounds import bounded
from pipeline.runtime import Runtime
from pipeline.telling.province import GRACE

VERSION: Final = "v3.1.0"
"""The version of the standard that the files keep to."""

_TYPES: Final = frozenset({"string", "number", "integer", "boolean", "object", "array"})
_OPTIONS: Final = {
    "string": ("minLength", "maxLength", "pattern"),
    "number": ("minimum", "maximum"),
    "integer": ("minimum", "maximum"),
}


def contracts(runtime: Runtime, source: Source) -> dict[str, dict[str, Any]]:
    """Return the contract of each stream of a source, by stream; bounds are those that hold now.

    Raises:
        ConfigError: the source's mapping is faulty.
    """
    source = bounded(runtime, source)
    return contracts_of(source, runtime.documents)


def contracts_of(source: Source, documents: Documents) -> dict[str, dict[str, Any]]:
    """Return the contract of each stream as its folder alone says it."""
    mapping = load_mapping(source.mapping, documents)
    return {
        name: _contract(source, spec, mapping.streams[name], mapping.version) for name, spec in source.streams.items()
    }


def write(found: Mapping[str, dict[str, Any]], source: Source, folder: Path) -> list[Path]:
    """Write one file a stream, each whole or not at all; return them."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, contract in found.items():
        file = folder / f"{source.code}.{_plain(name)}.odcs.yaml"
        begun = file.with_suffix(".begun")
        begun.write_text(as_yaml(contract), encoding="utf-8")
        begun.replace(file)
        files.append(file)
    return files


def as_yaml(contract: Mapping[str, Any]) -> str:
    """Return a contract as YAML, in the order of the standard."""
    return str(yaml.safe_dump(contract, allow_unicode=True, sort_keys=False, width=120))


def _contract(source: Source, spec: StreamSpec, stream: StreamMapping, version: str) -> dict[str, Any]:
    title = f"{source.title.get('zh', source.code)} · {spec.name}"
    found: dict[str, Any] = {
        "apiVersion": VERSION,
        "kind": "DataContract",
        "id": f"hub://source/{source.code}/{spec.name}",
        "name": title,
        "version": version,
        "status": "active",
        "domain": "administrative-approval",
        "dataProduct": source.code,
        "description": {
            "purpose": f"{source.title.get('en', title)}: records of {spec.name}, pulled into the shared repository.",
            "limitations": source.legal_basis,
        },
        "schema": [_table(spec, stream)],
        "team": {"name": source.owner.name, "description": f"{source.owner.organ}; {source.owner.contact}"},
    }
    if source.schedule is not None:
        found["slaProperties"] = [
            {"property": "frequency", "value": source.schedule, "unit": f"cron ({source.time_zone})"},
            {"property": "latency", "value": int(GRACE.total_seconds() // 60), "unit": "minutes"},
        ]
    found["customProperties"] = [
        {"property": name, "value": value} for name, value in _customs(source, spec).items() if value is not None
    ]
    return found


def _customs(source: Source, spec: StreamSpec) -> dict[str, Any]:
    """Return what the hub promises or asks and the standard has no word for."""
    budget = spec.budget
    return {
        "kind": source.kind,
        "profile": source.profile,
        "organ": source.organ,
        "changesOfShape": spec.contract.as_dict(),
        "deletion": spec.deletion,
        "cursor": spec.cursor.field if spec.cursor else None,
        "errorBudget": {"records": budget.records, "percent": budget.percent} if budget else None,
    }


def _table(spec: StreamSpec, stream: StreamMapping) -> dict[str, Any]:
    """Describe the stream as a table: its fields, its key, and how many rows a delivery has."""
    key = [part.field.name for part in stream.key.parts]
    personal = {one.path[0] for one in stream.personal}
    schema: Mapping[str, Any] = stream.schema
    required = set(schema.get("required", ()))
    properties = [
        _property(name, body, required=name in required, key=key, personal=name in personal)
        for name, body in schema.get("properties", {}).items()
    ]
    table: dict[str, Any] = {
        "name": spec.name,
        "physicalName": str(spec.options.get("table", spec.name)),
        "logicalType": "object",
        "description": str(schema.get("title", spec.name)),
        "properties": properties,
    }
    if quality := [*_rows(spec.expect), *_unique(key, stream)]:
        table["quality"] = quality
    return table


def _property(name: str, body: Mapping[str, Any], *, required: bool, key: list[str], personal: bool) -> dict[str, Any]:
    """Describe one field; a personal one is classified so."""
    kind, empty = _type(body)
    found: dict[str, Any] = {"name": name, "logicalType": kind, "required": required and not empty}
    if words := body.get("label_zh") or body.get("title") or body.get("description"):
        found["description"] = str(words)
    if name in key:
        found |= {"primaryKey": True, "primaryKeyPosition": key.index(name) + 1}
    found["classification"] = "personal" if personal else "internal"
    if options := {one: body[one] for one in _OPTIONS.get(kind, ()) if one in body}:
        found["logicalTypeOptions"] = options
    if kind == "object":
        inner = set(body.get("required", ()))
        found["properties"] = [
            _property(one, it, required=one in inner, key=[], personal=personal)
            for one, it in body.get("properties", {}).items()
        ]
    if kind == "array":
        found["items"] = _property("item", body.get("items") or {}, required=False, key=[], personal=personal)
    if quality := _field_quality(name, body, required=found["required"]):
        found["quality"] = quality
    return found


def _field_quality(name: str, body: Mapping[str, Any], *, required: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if required:
        found.append(_check(f"{name}_filled", "nullValues", "completeness", mustBe=0))
    if codes := [one for one in body.get("enum", ()) if one is not None]:
        found.append(
            _check(f"{name}_listed", "invalidValues", "conformity", mustBe=0, arguments={"validValues": codes})
        )
    return found


def _rows(expect: Expect | None) -> list[dict[str, Any]]:
    """Return the bounds of a delivery: below the least nothing is published, above the most is warned of."""
    if expect is None:
        return []
    found = []
    if expect.least is not None:
        found.append(_check("rows_at_least", "rowCount", "completeness", mustBeGreaterOrEqualTo=expect.least))
    if expect.most is not None:
        found.append(
            _check("rows_at_most", "rowCount", "completeness", "warning", mustBeLessOrEqualTo=expect.most)
        )  # fmt: skip
    return found


def _unique(key: list[str], stream: StreamMapping) -> list[dict[str, Any]]:
    """Return that the key is given once; a fingerprint is no key, equal rows are counted."""
    if stream.key.fingerprint or not key:
        return []
    return [_check("key_unique", "duplicateValues", "uniqueness", mustBe=0, arguments={"properties": key})]


def _check(name: str, metric: str, dimension: str, severity: str = "error", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "library", "metric": metric, "dimension": dimension, "severity": severity, **more}


def _type(body: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the logical type of a JSON Schema's field, and whether it may be null; what has none is text."""
    kinds = body.get("type", "string")
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    named = [one for one in kinds if one in _TYPES]
    return named[0] if named else "string", "null" in kinds


def _plain(name: str) -> str:
    """Return a stream's name as a part of a file's name."""
    return "".join(one if one.isalnum() or one in "-_" else "_" for one in name)
