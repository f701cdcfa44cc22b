"""Reads YAML so that each value knows the file and line where it stands, and within limits.

A folder is written by hand, but by other hands than ours: a file that nests without end, or whose aliases stand for
millions of values, is told as a fault of that file, before anything is built from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hub.errors import Fault

Path_ = tuple[str | int, ...]

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Eight times as fast where PyYAML was built with libyaml, as all its wheels are; both take and refuse the same."""

MAX_BYTES = 1 << 20
MAX_DEPTH = 60
MAX_VALUES = 100_000
"""Values of one file, those behind an alias counted each time they stand somewhere."""

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
        text = _bounded(file).decode("utf-8")
        _refuse_depth(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                marked.data = _build(loader, node, (), marked)
        finally:
            loader.dispose()
    except _BeyondLimits as error:
        marked.data = None
        marked.faults.append(Fault(marked.file, error.line, str(error)))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        marked.faults.append(Fault(marked.file, line, f"is not YAML: {error.problem}"))
    except (UnicodeDecodeError, yaml.reader.ReaderError):
        marked.faults.append(Fault(marked.file, 1, "is not UTF-8 text"))
    except OSError as error:
        marked.faults.append(Fault(marked.file, 1, f"cannot be read: {error.strerror}"))
    return marked


class _BeyondLimits(Exception):
    """A file is larger, deeper or fuller than any that a person writes."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(f"{words}: a file that people keep by hand is smaller; split it or write it plainly")
        self.line = line


def _bounded(file: Path) -> bytes:
    with file.open("rb") as handle:
        data = handle.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _BeyondLimits(1, f"has more than {MAX_BYTES:,} bytes")
    return data


def _refuse_depth(text: str) -> None:
    """Refuse what nests too deep from its events alone: composing it would exhaust the stack, even the C stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise _BeyondLimits(line, f"nests deeper than {MAX_DEPTH} levels")


def _build(loader: Any, node: yaml.Node, path: Path_, marked: Marked) -> Any:
    line = node.start_mark.line + 1
    marked.places.setdefault(path, (marked.file, line))
    if len(path) > MAX_DEPTH:
        raise _BeyondLimits(line, "has an alias for something that it stands in")
    if len(marked.places) > MAX_VALUES:
        raise _BeyondLimits(line, f"stands for more than {MAX_VALUES:,} values")
    if not isinstance(node, yaml.ScalarNode) and node.tag not in _COLLECTIONS:
        marked.faults.append(Fault(marked.file, line, f"{node.tag} is no tag that is known here; leave it out"))
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


def _scalar(loader: Any, node: yaml.Node, marked: Marked) -> Any:
    """Build one scalar; dates stay text, because a source file never means a Python date."""
    if node.tag == "tag:yaml.org,2002:timestamp":
        return node.value
    try:
        return loader.construct_object(node)
    except (yaml.YAMLError, ValueError):  # a number of 5,000 digits is no number to Python
        words = f"{str(node.value)[:40]!r} cannot be read as {node.tag}"
        marked.faults.append(Fault(marked.file, node.start_mark.line + 1, words))
        return None
