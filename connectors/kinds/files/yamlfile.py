"""Reads YAML documents with a list of records, as registers that people keep by hand in a repository.

Every value is text, as in CSV: no word becomes a truth value and no version number a decimal fraction. The document is
read within the limits of `hub.yamlsafe`: at most a mebibyte, and no aliases that stand for millions of values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import yaml

from connectors.kinds.files.jsonfile import checked
from connectors.kinds.files.where import Where
from connectors.limits import Limits
from connectors.pointer import find
from connectors.slices import Row
from hub.records import BrokenRecord
from hub.yamlsafe import MAX_BYTES, YamlFault, compose

_NOTHING = frozenset({"", "~", "null"})
"""Plain words that stand for no value."""
_BOUNDS = ("more than", "deeper than", "an alias")
"""How the faults begin that no honest file has."""


class YamlReader:
    """Reads one YAML document: the list of records that option `record` points to, the whole document by default."""

    def __init__(self, handle: BinaryIO, options: Mapping[str, Any], limits: Limits, where: Where) -> None:
        self.handle, self.options, self.limits, self.where = handle, options, limits, where
        self.declared: dict[str, int] = {}

    def rows(self) -> Iterator[Row]:
        """Yield each object of the list with the number of its line.

        Raises:
            RefuseUnit: the document is no YAML, too large, too deep, or has no such list.
        """
        with self.handle:
            data = self.handle.read(MAX_BYTES + 1)
        try:
            root = compose(data, words=True)
        except YamlFault as fault:
            said = f"line {fault.line}: {fault}"
            raise (
                self.where.hostile(said) if any(one in said for one in _BOUNDS) else self.where.refused(said)
            ) from None
        lines = data.decode("utf-8-sig").split("\n")
        for node in self._records(root):
            first, last = node.start_mark.line, node.end_mark.line
            raw = "\n".join(lines[first : max(last, first + 1)])
            yield first + 1, checked(_built(node, first + 1, raw), first + 1, raw, self.limits, self.where)

    def _records(self, root: yaml.Node | None) -> list[yaml.Node]:
        """Return the nodes of the list of records, so that each knows its line."""
        if root is None:
            raise self.where.truncated("the document is empty")
        try:
            found = find(_outline(root), str(self.options.get("record", "")))
        except KeyError as error:
            raise self.where.refused(f"the document has nothing at {error}", hint="Mend `record`.") from None
        if not isinstance(found, list):
            raise self.where.refused("the records are no list", hint="Let `record` point to the list of records.")
        return found


def _outline(node: yaml.Node) -> Any:
    """Return mappings and lists as such down to the records, which stay nodes."""
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _outline(value) for key, value in node.value}
    return list(node.value) if isinstance(node, yaml.SequenceNode) else node.value


def _built(node: yaml.Node, number: int, raw: str) -> Any:
    """Build a record of texts; a field that stands twice makes it a broken one."""
    if isinstance(node, yaml.SequenceNode):
        return _first_broken([_built(one, number, raw) for one in node.value])
    if not isinstance(node, yaml.MappingNode):
        plain = isinstance(node, yaml.ScalarNode) and not node.style
        return None if plain and node.value in _NOTHING else node.value
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value in found:
            message = f"line {key.start_mark.line + 1}: a field stands twice, or its name is no text"
            return BrokenRecord(number, "unreadable_record", message, raw)
        built = _built(value, number, raw)
        if isinstance(built, BrokenRecord):
            return built
        found[str(key.value)] = built
    return found


def _first_broken(values: list[Any]) -> Any:
    return next((one for one in values if isinstance(one, BrokenRecord)), values)


def open_yaml(handle: BinaryIO, options: Mapping[str, Any], limits: Limits, where: Where) -> YamlReader:
    """Return the reader of one file of format yaml."""
    return YamlReader(handle, options, limits, where)
