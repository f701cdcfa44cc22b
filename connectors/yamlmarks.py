"""Reads YAML so that each value knows the file and line where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from hub.errors import Fault
from hub.yamlsafe import MAX_BYTES, YamlFault, compose

Path_ = tuple[str | int, ...]

_COLLECTIONS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


@dataclass(slots=True)
class Marked:
    """A YAML document as plain data, with the place of every key and item."""

    data: Any
    file: str
    places: dict[Path_, tuple[str, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def place(self, path: Path_) -> tuple[str, int]:
        """Return file and line of the value at `path`, or of the nearest value around it."""
        for length in range(len(path), -1, -1):
            if (found := self.places.get(path[:length])) is not None:
                return found
        return self.file, 1

    def fault(self, path: Path_, message: str) -> None:
        """Note a fault of the value at `path`."""
        self.faults.append(Fault(*self.place(path), message))


def read_marked(file: Path, shown: str | None = None) -> Marked:
    """Read a YAML file; what is wrong with it stands in `faults`, and `data` is None where nothing was readable."""
    marked = Marked(None, shown or str(file))
    try:
        with file.open("rb") as handle:
            node = compose(handle.read(MAX_BYTES + 1))
        if node is not None:
            marked.data = _build(node, (), marked)
    except YamlFault as fault:
        marked.faults.append(Fault(marked.file, fault.line, str(fault)))
    except OSError as error:
        marked.faults.append(Fault(marked.file, 1, f"cannot be read: {error.strerror}"))
    return marked


def _build(node: yaml.Node, path: Path_, marked: Marked) -> Any:
    line = node.start_mark.line + 1
    marked.places.setdefault(path, (marked.file, line))
    if not isinstance(node, yaml.ScalarNode) and node.tag not in _COLLECTIONS:
        marked.faults.append(Fault(marked.file, line, f"{node.tag} is no tag that is known here; leave it out"))
    if isinstance(node, yaml.MappingNode):
        return {key: _build(value, (*path, key), marked) for key, value in _pairs(node, path, marked)}
    if isinstance(node, yaml.SequenceNode):
        return [_build(value, (*path, index), marked) for index, value in enumerate(node.value)]
    return _scalar(node, marked)


def _pairs(node: yaml.MappingNode, path: Path_, marked: Marked) -> Iterator[tuple[str, yaml.Node]]:
    seen: set[str] = set()
    for key_node, value in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            marked.faults.append(Fault(marked.file, line, "a key must be plain text"))
            continue
        key = str(key_node.value)
        if key in seen:
            marked.faults.append(Fault(marked.file, line, f"{key!r} stands twice"))
            continue
        seen.add(key)
        marked.places[(*path, key)] = (marked.file, line)
        yield key, value


def _scalar(node: yaml.Node, marked: Marked) -> Any:
    """Build one scalar; dates stay text, because a source file never means a Python date."""
    if node.tag == "tag:yaml.org,2002:timestamp":
        return node.value
    try:
        return SafeConstructor().construct_object(node)
    except (yaml.YAMLError, ValueError):  # a number of 5,000 digits is no number to Python
        words = f"{str(node.value)[:40]!r} cannot be read as {node.tag}"
        marked.faults.append(Fault(marked.file, node.start_mark.line + 1, words))
        return None
