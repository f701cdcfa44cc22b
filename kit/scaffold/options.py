"""What a stream of each kind must say at least, as a scaffold writes it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from connectors.judging import SCHEMA

_LOOKBACK = "PT10M"
_WITH_CURSOR = frozenset({"database", "rest"})

PAGES: dict[str, Any] = {
    "records": "/data",
    "paging": {"style": "page", "param": "page", "size_param": "size", "size": 100},
}
"""How a scaffold supposes that a service answers; for the whole source."""

FLAG: dict[str, Any] = {"flag": {"column": "STATE", "waiting": ["0"], "claimed": "1", "done": "2", "failed": "3"}}
"""The flag column of exchange tables as a scaffold supposes it; for the whole source."""

_CONNECTIONS = {
    "database": "postgresql://reader:PASSWORD@HOST:5432/DATABASE",
    "exchange_table": "mysql://hub:PASSWORD@HOST:3306/DATABASE",
    "files": "/the/department/folder",
    "queue": "amqps://hub:PASSWORD@HOST/VHOST",
    "rest": "https://:TOKEN@HOST/base",
    "soap": "https://user:PASSWORD@HOST/service?wsdl",
    "workbook": "/the/folder/of/filled/workbooks",
    "xes": "/the/department/folder",
    "own": "whatever connector.py understands",
}


def connection_example(kind: str) -> str:
    """Return what a connection of this kind looks like."""
    return _CONNECTIONS.get(kind, "its address")


def source_options(kind: str) -> dict[str, Any]:
    """Return the options that all streams of a source of this kind share."""
    return dict({"rest": PAGES, "exchange_table": FLAG}.get(kind, {}))


def stream_options(kind: str, stream: str) -> dict[str, Any]:
    """Return the options of one stream."""
    known: dict[str, dict[str, Any]] = {
        "database": {"table": stream},
        "files": {"path": f"{stream}_[0-9]*.csv", "format": "csv"},
        "rest": {"path": stream, "since": {"param": "changedSince"}},
        "soap": {"operation": stream, "records": "records/record"},
        "workbook": {"path": "*.xlsx"},
        "xes": {"path": f"{stream}_[0-9]*.xes", "level": "trace"},
    }
    if kind in known:
        return known[kind]
    return _required(_definition(kind), stream)


def cursor(kind: str, field: str | None, *, time: bool) -> dict[str, Any] | None:
    """Return the cursor that a stream of this kind can have; a time looks back for what was committed late."""
    if field is None or kind not in _WITH_CURSOR:
        return None
    return {"field": field, "lookback": _LOOKBACK} if time else {"field": field}


@functools.cache
def _schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return found


def _definition(kind: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _schema()["$defs"].get(kind, {})
    return found


def _required(definition: Mapping[str, Any], stream: str) -> dict[str, Any]:
    """Make the smallest options that a kind's own schema takes: its required ones, each with a value to replace."""
    given = definition.get("properties", {})
    return {name: _value(given.get(name, {}), stream) for name in definition.get("required", ())}


def _value(spec: Mapping[str, Any], stream: str) -> Any:
    """Return the first value that a schema names, else the smallest of its type."""
    for words in ("const", "default"):
        if words in spec:
            return spec[words]
    if "enum" in spec:
        return spec["enum"][0]
    by_type = {"object": _required(spec, stream), "array": [stream], "boolean": True}
    numbers = dict.fromkeys(("integer", "number"), spec.get("minimum", 1))
    return {**by_type, **numbers}.get(str(spec.get("type")), stream)
