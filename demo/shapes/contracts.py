"""The interface that a department was given: the raw schemas of its format, from which its columns follow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from demo.shapes.record import Stream

ROOT = Path(__file__).resolve().parent.parent.parent
PROFILES = ROOT / "connectors" / "profiles"
SOURCES = ROOT / "demo" / "sources"


@cache
def _properties(file: Path) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))["properties"]
    return properties


def _leaves(properties: Mapping[str, Any], above: str = "") -> Mapping[str, Any]:
    """Return the fields by name, nested ones as `object/member`."""
    found: dict[str, Any] = {}
    for name, spec in properties.items():
        if "properties" in spec:
            found.update(_leaves(spec["properties"], f"{above}{name}/"))
        else:
            found[above + name] = spec
    return found


def contract(  # a table of words, read by eye
    folder: Path,
    name: str,
    *,
    key: tuple[str, ...],
    case: str | None = None,
    order: str | None = None,
    hangs: bool = True,
    decides: str | None = None,
    other: str | None = None,
    text: str | None = None,
    moment: str | None = None,
    required: str | None = None,
) -> Stream:
    """Return a stream whose fields are those of `<name>.schema.json` in `folder`; the rest is as in `Stream`."""
    leaves = _leaves(_properties(folder / f"{name}.schema.json"))
    longest = None if text is None else (text, int(leaves[text]["maxLength"]))
    named = [*key, *filter(None, (case, order, decides, other, text, moment, required))]
    if unknown := [field for field in named if field not in leaves]:
        raise ValueError(f"{folder.name}/{name}.schema.json has no field {unknown}")
    return Stream(name, tuple(leaves), key, case, order, hangs, decides, other, longest, moment, required)


def by_name(*streams: Stream) -> Mapping[str, Stream]:
    """Return streams by name, in order."""
    return {stream.name: stream for stream in streams}
