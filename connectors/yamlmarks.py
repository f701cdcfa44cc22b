"""Reads YAML so that each value knows the file and line where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hub.errors import Fault

Path_ = tuple[str | int, ...]


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
        loader = yaml.SafeLoader(file.read_text(encoding="utf-8"))
        try:
            node = loader.get_single_node()
            if node is not None:
                marked.data = _build(loader, node, (), marked)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        marked.faults.append(Fault(marked.file, line, f"is not YAML: {error.problem}"))
    except (UnicodeDecodeError, yaml.reader.ReaderError):
        marked.faults.append(Fault(marked.file, 1, "is not UTF-8 text"))
    except OSError as error:
        marked.faults.append(Fault(marked.file, 1, f"cannot be read: {error.strerror}"))
    return marked


def _build(loader: yaml.SafeLoader, node: yaml.Node, path: Path_, marked: Marked) -> Any:
    marked.places.setdefault(path, (marked.file, node.start_mark.line + 1))
    if isinstance(node, yaml.MappingNode):
        return {key: _build(loader, value, (*path, key), marked) for key, value in _pairs(node, path, marked)}
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, value, (*path, index), marked) for index, value in enumerate(node.value)]
    return _scalar(loader, node, marked)


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


def _scalar(loader: yaml.SafeLoader, node: yaml.Node, marked: Marked) -> Any:
    """Build one scalar; dates stay text, because a source file never means a Python date."""
    if node.tag == "tag:yaml.org,2002:timestamp":
        return node.value
    try:
        return loader.construct_object(node)
    except yaml.YAMLError:
        marked.faults.append(
            Fault(marked.file, node.start_mark.line + 1, f"{node.value!r} cannot be read as {node.tag}")
        )
        return None
