"""Reads YAML into nodes that know their lines, within limits.

The files are written by hand, but by other hands than ours: one that nests without end, or whose aliases stand for
millions of values, is told as a fault with its line before anything is built from it.
"""

from __future__ import annotations

from typing import Any

import yaml

MAX_BYTES = 1 << 20
MAX_DEPTH = 60
MAX_VALUES = 100_000
"""Values of one file, those behind an alias counted each time they stand somewhere."""

Node = yaml.Node

_TYPED: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: type[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Eight times as fast where PyYAML was built with libyaml, as all its wheels are; both take and refuse the same."""


class YamlFault(Exception):
    """A text is no YAML, or is larger, deeper or fuller than any that a person writes; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def compose(data: bytes, *, words: bool = False) -> Node | None:
    """Return the root node of a document, None of an empty one; with `words` every scalar is tagged as text.

    Raises:
        YamlFault: it is not UTF-8, not YAML, more than one document, or beyond the limits.
    """
    if len(data) > MAX_BYTES:
        raise _beyond(1, f"has more than {MAX_BYTES:,} bytes")
    loader = _WORDS if words else _TYPED
    try:
        text = data.decode("utf-8-sig")
        _refuse_depth(text, loader)
        node: Node | None = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        written = data.rstrip().count(b"\n") + 1  # what is missing at the end is missed behind the last line
        raise YamlFault(min(line, written), f"is not YAML: {error.problem}") from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise YamlFault(line, "is not UTF-8 text") from None
    except yaml.reader.ReaderError:
        raise YamlFault(1, "is not YAML: it holds a character that no text has") from None
    if node is not None:
        _refuse_fullness(node)
    return node


def _refuse_depth(text: str, loader: type[Any]) -> None:
    """Refuse what nests too deep from its events alone: composing it would exhaust the stack, even the C stack."""
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _beyond(event.start_mark.line + 1 if event.start_mark else 1, f"nests deeper than {MAX_DEPTH} levels")


def _refuse_fullness(root: Node) -> None:
    """Count what the document stands for when every alias is followed, and refuse one that never ends."""
    values, waiting = 0, [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        values += 1
        line = node.start_mark.line + 1
        if depth > MAX_DEPTH:
            raise _beyond(line, "has an alias for something that it stands in")
        if values > MAX_VALUES:
            raise _beyond(line, f"stands for more than {MAX_VALUES:,} values")
        if isinstance(node, yaml.SequenceNode):
            waiting += [(member, depth + 1) for member in node.value]
        elif isinstance(node, yaml.MappingNode):
            waiting += [(member, depth + 1) for pair in node.value for member in pair]


def _beyond(line: int, words: str) -> YamlFault:
    return YamlFault(line, f"{words}: a file that people keep by hand is smaller; split it or write it plainly")
