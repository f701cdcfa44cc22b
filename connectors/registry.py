"""Opens the connector of a source: its kind's, or the one class of its own connector.py."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from connectors.seam import Connections, Connector, KeyedHash
from connectors.source import Source
from hub.errors import ConfigError, Fault, InternalError


def open_connector(source: Source, connections: Connections, *, keyed_hash: KeyedHash | None = None) -> Connector:
    """Return the connector of `source`; nothing is connected yet.

    `connections` resolves the source's connection id to a URL (kind push has none), `keyed_hash` fingerprints delivered
    files (kinds files and xes read only with one).

    Raises:
        ConfigError: the source's connector.py does not hold one connector class.
    """
    make = _own_class(source) if source.kind == "own" else _kind_class(source.kind)
    url = connections(source.connection) if source.connection else ""
    connector: Connector = make(source, url, keyed_hash)
    return connector


KINDS: Mapping[str, tuple[str, str]] = {
    "database": ("connectors.kinds.database", "DatabaseConnector"),
    "exchange_table": ("connectors.kinds.exchange_table", "ExchangeTableConnector"),
    "files": ("connectors.kinds.files", "FilesConnector"),
    "push": ("connectors.kinds.push", "PushConnector"),
    "queue": ("connectors.kinds.queue", "QueueConnector"),
    "rest": ("connectors.kinds.rest", "RestConnector"),
    "soap": ("connectors.kinds.soap", "SoapConnector"),
    "workbook": ("connectors.kinds.workbook", "WorkbookConnector"),
    "xes": ("connectors.kinds.xes", "XesConnector"),
}
"""The module and class of each kind. A kind is imported when it is used: its packages are heavy, and DAG files list
sources."""


def _kind_class(kind: str) -> Callable[..., Any]:
    if kind not in KINDS:
        raise InternalError(f"kind {kind!r} has passed the schema but has no connector")
    module, name = KINDS[kind]
    made: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return made


def _own_class(source: Source) -> Callable[..., Any]:
    """Load the one class of connector.py that has the connector's three verbs."""
    file = source.folder / "connector.py"
    name = f"hub_source_{source.code.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ConfigError([Fault(str(file), 1, "cannot be loaded as Python")])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if member.__module__ == name
        and all(callable(getattr(member, verb, None)) for verb in ("check", "discover", "read"))
    ]
    if len(found) != 1:
        names = ", ".join(one.__name__ for one in found) or "none"
        raise ConfigError([Fault(str(file), 1, f"must hold one class with check, discover and read; it holds {names}")])
    own: Callable[..., Any] = found[0]
    return own
