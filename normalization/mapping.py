"""Load a mapping: how the fields of a department's records become canonical documents.

The language is described in docs/integrate/mapping-language.md. A mapping is strict: each field that the raw schema
declares is used or ignored with a reason, each code list is closed, and every fault is told at once with file and line.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from hub.documents import Documents
from hub.errors import ConfigError
from normalization.codelists import CodeLine
from normalization.marked import Faults, read_marked
from normalization.model import (
    CodeList,
    ColumnMap,
    Field,
    Key,
    Mapping,
    Operation,
    StreamMapping,
    TimeField,
    When,
    Yield,
)
from normalization.streams import read_stream

__all__ = [
    "CodeList",
    "ColumnMap",
    "ConfigError",
    "Field",
    "Key",
    "Mapping",
    "Operation",
    "StreamMapping",
    "TimeField",
    "When",
    "Yield",
    "load_mapping",
]

LANGUAGE = 1
"""The version of the mapping language; a mapping says it as `version: 1`."""


def load_mapping(path: Path, documents: Documents) -> Mapping:
    """Read the mapping file `path` with the raw schemas and code lists beside it.

    Raises:
        ConfigError: something is wrong; every fault of all these files is listed with file and line.
    """
    faults = Faults(path)
    root = read_marked(faults)
    lists: dict[str, tuple[CodeLine, ...]] = {}
    streams: dict[str, StreamMapping] = {}
    if root is not None:
        parts = faults.table(root, "a mapping", known=("version", "streams"), required=("version", "streams"))
        if "version" in parts and parts["version"].value != LANGUAGE:
            faults.add(parts["version"].line, f"this hub reads mappings of version {LANGUAGE}")
        members = parts.get("streams")
        if members is not None and (not isinstance(members.value, dict) or not members.value):
            faults.add(members.line, "`streams` is a mapping from a stream's name to its parts")
        elif members is not None:
            read = {name: read_stream(name, mark, faults, documents, lists) for name, mark in members.items()}
            streams = {name: stream for name, stream in read.items() if stream is not None}
    faults.raise_all()
    return Mapping(path, _version(path, streams, lists), streams)


def _version(path: Path, streams: dict[str, StreamMapping], lists: dict[str, tuple[CodeLine, ...]]) -> str:
    """Hash all that decides what the mapping does: itself, its code lists, raw schemas, and the columns it fills."""
    digest = hashlib.blake2b(digest_size=8)
    files = [path, *sorted(path.parent / "codes" / f"{name}.csv" for name in lists)]
    files += sorted({stream.schema_path for stream in streams.values()})
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name}:{len(content)}:".encode() + content)
    columns = {
        repr((made.table, column.column))
        for stream in streams.values()
        for made in stream.yields
        for column in made.columns
    }
    digest.update("\n".join(sorted(columns)).encode())
    return digest.hexdigest()
