"""YAML that remembers its lines, so that every fault of a mapping can be shown where it stands.

Words are words: `on`, `no` and `0123` stay text (YAML 1.1 would make them true, false and 83, which are no codes of
any department). A key that stands twice is a fault, not a silent overwrite.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hub.errors import ConfigError, Fault
from hub.yamlsafe import MAX_BYTES, YamlFault, compose

_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?[0-9]+\.[0-9]+")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Mark:
    """A value of a YAML file and its line: a dict of marks, a list of marks, or a plain value.

    `text` is a plain value as it was written, before YAML made a number or a truth value of it.
    """

    value: Any
    line: int
    text: str = ""

    def items(self) -> Iterator[tuple[str, Mark]]:
        """Walk the members of a mapping."""
        return iter(self.value.items())


@dataclass(slots=True)
class Faults:
    """The faults found so far in one file and the files beside it."""

    file: Path
    found: list[Fault] = field(default_factory=list)

    def add(self, line: int, message: str, *, file: Path | None = None) -> None:
        """Note one fault, of this file unless another is named."""
        self.found.append(Fault(str(file or self.file), line, message))

    def raise_all(self) -> None:
        """Raise what was found, if anything was.

        Raises:
            ConfigError: every fault with file and line.
        """
        if self.found:
            raise ConfigError(list(dict.fromkeys(self.found)))

    def table(
        self, mark: Mark | None, what: str, *, known: Collection[str], required: Collection[str] = ()
    ) -> dict[str, Mark]:
        """Return the members of a YAML mapping; note what is unknown or missing, or that it is no mapping at all."""
        if mark is None or not isinstance(mark.value, dict):
            self.add(mark.line if mark else 1, f"{what} must be a mapping of {', '.join(known)}")
            return {}
        for name, member in mark.items():
            if name not in known:
                self.add(member.line, f"{what} has no part {name!r}{suggestion(name, known)}")
        for name in required:
            if name not in mark.value:
                self.add(mark.line, f"{what} needs {name!r}")
        return {name: member for name, member in mark.items() if name in known}

    def text(self, mark: Mark, what: str) -> str | None:
        """Return a non-empty text (a number counts as the text it was written as); note anything else."""
        if isinstance(mark.value, dict | list) or mark.value is None or not mark.text.strip():
            self.add(mark.line, f"{what} must be a text")
            return None
        return mark.text

    def texts(self, mark: Mark, what: str) -> list[str]:
        """Return a non-empty list of texts; note anything else."""
        if not isinstance(mark.value, list) or not mark.value:
            self.add(mark.line, f"{what} must be a list of texts such as [A, B]")
            return []
        return [text for member in mark.value if (text := self.text(member, f"a member of {what}")) is not None]


def suggestion(name: str, known: Collection[str]) -> str:
    """Word what was perhaps meant, else what exists."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else f" (known: {', '.join(sorted(known))})"


def read_marked(faults: Faults) -> Mark | None:
    """Read the YAML file of `faults`; None and a fault where it is none."""
    try:
        with faults.file.open("rb") as handle:
            node = compose(handle.read(MAX_BYTES + 1), words=True)
    except FileNotFoundError:
        faults.add(1, "there is no such file")
        return None
    except OSError as error:
        faults.add(1, f"this file cannot be read: {error.strerror}")
        return None
    except YamlFault as fault:
        faults.add(fault.line, f"this file {fault}")
        return None
    if node is None:
        faults.add(1, "this file is empty")
        return None
    return _mark(node, faults, 0)


def _mark(node: yaml.Node, faults: Faults, depth: int) -> Mark:
    line = node.start_mark.line + 1
    if depth > _DEEPEST:
        faults.add(line, f"this is nested deeper than {_DEEPEST} levels")
        return Mark(None, line)
    if isinstance(node, yaml.SequenceNode):
        return Mark([_mark(member, faults, depth + 1) for member in node.value], line)
    if isinstance(node, yaml.MappingNode):
        return Mark(_members(node, faults, depth), line)
    quoted = bool(getattr(node, "style", None))
    return Mark(node.value if quoted else _plain(node.value), line, node.value)


def _members(node: yaml.MappingNode, faults: Faults, depth: int) -> dict[str, Mark]:
    members: dict[str, Mark] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            faults.add(line, "a name must be a text")
            continue
        if key.value in members:
            faults.add(line, f"{key.value!r} stands twice; first in line {members[key.value].line}")
        member = _mark(value, faults, depth + 1)
        members[key.value] = Mark(member.value, line, member.text)
    return members


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
