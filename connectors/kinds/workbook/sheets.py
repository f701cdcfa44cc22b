"""What the sheets of a source's workbook look like: made from its mapping, raw schemas and code lists.

A sheet is one stream. Its version is a short hash of its columns and their codes: a workbook that was made before they
changed is told from one that was made since.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from connectors.source import Source
from connectors.yamlmarks import read_marked
from hub.errors import ConfigError, Fault

GUIDE, CODES, STAMP = "填写说明 Guide", "代码 Codes", "hub"
"""The sheets that hold no records; the last one is hidden and says what the workbook was made for."""

HEADINGS, EXAMPLE, NAMES, FIRST, LAST = 1, 2, 3, 4, 20_000
"""The rows of a sheet: headings for people, an example, the names of the fields, and those that people fill in.

The reader looks for the names and reads below them: the example stands above, and is never read.
"""

_LONGEST_NAME = 31
_UNFIT = re.compile(r"[\[\]:*?/\\]")


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the raw record as people see it: `codes` are its code list's lines (code, meaning), if it has one."""

    field: str
    label: str
    required: bool
    longest: int | None
    note: str
    codes: tuple[tuple[str, str], ...]
    types: frozenset[str] = frozenset({"string"})

    @property
    def heading(self) -> str:
        """Return what stands above the column; a star marks what must be filled in."""
        return ("＊" if self.required else "") + self.label


@dataclass(frozen=True, slots=True)
class Sheet:
    """One stream's sheet: its name and its columns in their order."""

    name: str
    stream: str
    columns: tuple[Column, ...]

    @property
    def version(self) -> str:
        """Return the mark of its columns and codes, as people compare it: eight hexadecimal digits."""
        said = [[*astuple(one)[:3], sorted(one.types), [code for code, _ in one.codes]] for one in self.columns]
        text = json.dumps([self.name, said], ensure_ascii=False)
        return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def sheets_of(source: Source) -> tuple[Sheet, ...]:
    """Return the sheets of a source's streams, in their order.

    Raises:
        ConfigError: the mapping, a raw schema or a code list cannot be read, or a sheet cannot be made of it.
    """
    bodies = _streams(source.mapping)
    found: dict[str, Sheet] = {}
    for stream, spec in source.streams.items():
        name = str(spec.options.get("sheet", stream))
        if len(name) > _LONGEST_NAME or _UNFIT.search(name) or name in {GUIDE, CODES, STAMP, *found}:
            raise ConfigError(
                [Fault(str(source.mapping), 1, f"stream {stream}: Excel allows no sheet {name!r}, or no second")]
            )
        found[name] = Sheet(name, stream, tuple(_columns(source.mapping, stream, bodies.get(stream, {}))))
    return tuple(found.values())


def _streams(mapping: Path) -> dict[str, dict[str, Any]]:
    marked = read_marked(mapping)
    streams = marked.data.get("streams") if isinstance(marked.data, dict) else None
    if marked.faults or not isinstance(streams, dict):
        raise ConfigError(marked.faults or [Fault(str(mapping), 1, "has no `streams`")])
    return {str(name): body for name, body in streams.items() if isinstance(body, dict)}


def _columns(mapping: Path, stream: str, body: Mapping[str, Any]) -> Iterator[Column]:
    """Yield the columns of a stream: the plain fields of its raw schema, in its order."""
    schema = _schema(mapping.parent / str(body.get("schema")))
    key = body.get("key")
    required = {
        *schema.get("required", ()),
        *(one for one in (key if isinstance(key, list) else ()) if isinstance(one, str)),
    }
    lists = dict(_code_lists(mapping.parent, body))
    for name, spec in schema.get("properties", {}).items():
        types = _types(spec)
        if {"object", "array"} & types:
            if name in required:
                fault = f"stream {stream}: no cell can hold the required field {name!r} ({', '.join(sorted(types))})"
                raise ConfigError([Fault(str(mapping.parent / str(body.get("schema"))), 1, fault)])
            continue
        label = str(spec.get("title") or spec.get("label_zh") or name)
        codes = lists.get(name) or tuple((str(value), "") for value in spec.get("enum", ()) if value is not None)
        note = str(spec.get("description", ""))
        yield Column(name, label, name in required, spec.get("maxLength"), note, codes, frozenset(types))


def _types(spec: Mapping[str, Any]) -> set[str]:
    types = spec.get("type", ["string", "null"])
    return {types} if isinstance(types, str) else set(types)


def _schema(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            [Fault(str(file), 1, f"is no JSON Schema that can be read ({type(error).__name__})")]
        ) from None
    return found if isinstance(found, dict) else {}


def _code_lists(folder: Path, body: Mapping[str, Any]) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Yield each field that is looked up in a code list, with the list; one with unlisted words is no closed list."""
    for made in body.get("yields", ()):
        for column in made.get("columns", {}).values() if isinstance(made, dict) else ():
            if not isinstance(column, dict) or "unlisted" in column or not isinstance(column.get("from"), str):
                continue
            if isinstance(column.get("codes"), str):
                yield column["from"], _code_list(folder / "codes" / f"{column['codes']}.csv")
            elif isinstance(column.get("map"), dict):
                yield column["from"], tuple((str(code), "") for code in column["map"])


def _code_list(file: Path) -> tuple[tuple[str, str], ...]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            return tuple((line["code"], line.get("label_zh") or "") for line in csv.DictReader(handle))
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError([Fault(str(file), 1, f"is no code list that can be read ({type(error).__name__})")]) from None
