"""Reads XML: one record for each element that an XPath names, streamed; a declared XSD judges each file first.

Fields are XPaths from the record element; those of its parents (`../NO`) must stand before the first record, as a
message's header does. Direct children and attributes that no field reads come along under their own names, so that
the structure judge sees what a department added.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from lxml import etree

from connectors.kinds.files.where import Where
from connectors.limits import MIB, Limits
from connectors.slices import Row
from hub.errors import RefuseUnit
from hub.records import BrokenRecord, Record
from hub.xmlsafe import Pruner, XmlFault, iterate, load_schema, parse, unquoted

_WHOLE = 64 * MIB
"""Files that an XSD judges are held whole: only so can each breach be told to the record that it is in."""
_XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_STEP = re.compile(r"(?:\./)?(@?)(?:[\w.-]+:)?([\w.-]+)(?:$|[/\[])")
_SHOWN = 5


class SchemaBreach(RefuseUnit):
    """A file breaks its XSD outside of any record."""

    rule = "schema_violation"
    next_step = "Compare the file with the XSD of this stream."


class XmlReader:
    """Reads the records of one XML file; a record's row is its place among the records.

    `alone` says that nothing but these records may stand in it: a breach of the XSD elsewhere is no other stream's.
    """

    def __init__(
        self, handle: BinaryIO, options: Mapping[str, Any], limits: Limits, where: Where, *, alone: bool = False
    ) -> None:
        self.handle, self.options, self.limits, self.where, self.alone = handle, options, limits, where, alone
        self.declared: dict[str, int] = {}
        self.spaces: dict[str, str] = dict(options.get("namespaces", {}))
        self.steps = _record_steps(str(options["record"]), self.spaces)
        self.fields = _fields(options.get("fields"), self.spaces)

    def rows(self) -> Iterator[Row]:
        """Yield each record with its number.

        Raises:
            RefuseUnit: the document is cut off, malformed, unsafe, or breaks its XSD outside of any record.
        """
        with self.handle:
            try:
                breaches = self._judge() if "xsd" in self.options else {}
                yield from self._read(breaches)
            except XmlFault as fault:
                raise worded(fault, self.where) from None

    def _read(self, breaches: Mapping[int, list[str]]) -> Iterator[Row]:
        pruner, number = Pruner(), 0
        for _, element in iterate(self.handle, tags=(self.steps[-1],), limit=self.limits.unpacked_bytes):
            if not _fits(element, self.steps):
                continue
            number += 1
            if number in breaches:
                yield number, self._broken(number, breaches[number], element)
            else:
                yield number, self._record(number, element)
            pruner.done(element)

    def _record(self, number: int, element: etree._Element) -> Record | BrokenRecord:
        most = self.limits.columns
        if self.fields is None:
            record = _plain(element, most)
        else:
            record = {name: read(element) for name, read in self.fields.reads}
            record.update(self.fields.left_over(element, record, most))
        too_long = any(isinstance(value, str) and len(value) > self.limits.cell_chars for value in record.values())
        if too_long or len(record) > most:
            raise self.where.hostile(f"record {number} has a value or a number of fields beyond the limits")
        return record

    def _broken(self, number: int, messages: list[str], element: etree._Element) -> BrokenRecord:
        text = "; ".join(messages[:_SHOWN]) + (f"; and {len(messages) - _SHOWN} more" if len(messages) > _SHOWN else "")
        raw = etree.tostring(element, encoding="unicode", with_tail=False)
        return BrokenRecord(number, "schema_violation", text, raw)

    def _judge(self) -> dict[int, list[str]]:
        """Judge the whole file by its XSD; return the breaches within each record by the record's number."""
        data = self.handle.read(_WHOLE + 1)
        self.handle.seek(0)
        if len(data) > _WHOLE:
            raise self.where.hostile("a file that an XSD judges is too large", known=f"at most {_WHOLE:,} bytes")
        tree, schema = parse(data), load_schema(Path(self.options["xsd"]))
        if schema.validate(tree):
            return {}
        numbers = {one: number for number, one in enumerate(self._records(tree), 1)}
        found: dict[int, list[str]] = {}
        log: Any = schema.error_log  # its stub does not know that it can be walked
        for error in log:
            number = _owner(tree, error.path, numbers)
            message = unquoted(str(error.message))
            if number is None and not self.alone and self._is_elsewhere(tree, error, numbers):
                continue  # a record of another kind in the same file: its own stream refuses it
            if number is None:
                raise SchemaBreach(
                    source=self.where.source, stream=self.where.stream, unit=self.where.unit,
                    got=f"line {error.line} breaks the XSD: {message}",
                )  # fmt: skip
            found.setdefault(number, []).append(message)
        return found

    def _is_elsewhere(self, tree: etree._ElementTree, error: Any, numbers: Mapping[etree._Element, int]) -> bool:
        """Say whether a breach lies in a record of another kind, and so says nothing about this stream."""
        if numbers:
            return not _around(tree, error.path, numbers)
        # No record of this kind is there to compare with: what lies below the records' level, or at it and is expected
        # there, is another kind's.
        level = len(self.steps) - 1 if not self.steps[0] else len(self.steps) + 1
        depth = str(error.path).count("/")
        return depth > level or (depth == level and "not expected" not in str(error.message))

    def _records(self, tree: etree._ElementTree) -> Iterator[etree._Element]:
        return (one for one in tree.iter(self.steps[-1]) if _fits(one, self.steps))


def _around(tree: etree._ElementTree, path: str, records: Mapping[etree._Element, int]) -> bool:
    """Say whether the element at `path` holds records, so that a breach in it is one of the whole file."""
    found: Any = tree.xpath(path)
    if not found:
        return True
    return any(one in records for one in found[0].iter())


def worded(fault: XmlFault, where: Where) -> RefuseUnit:
    """Return the error of a document that cannot be read."""
    if fault.sort == "truncated":
        return where.truncated(str(fault))
    if fault.sort == "encoding":
        return where.encoding(str(fault))
    if fault.sort == "unsafe":
        return where.hostile(str(fault))
    return where.refused(str(fault))


def _record_steps(path: str, spaces: Mapping[str, str]) -> tuple[str, ...]:
    """Return the element names of a record's path, in lxml's form; a leading empty one stands for the root."""
    steps = tuple(_clark(step, spaces) for step in path.lstrip("/").split("/"))
    return ("", *steps) if path.startswith("/") and not path.startswith("//") else steps


def _clark(step: str, spaces: Mapping[str, str]) -> str:
    prefix, _, name = step.rpartition(":")
    if not prefix:
        return "{*}" + name if name != "*" else "*"
    if prefix not in spaces:
        raise XmlFault("malformed", f"prefix {prefix!r} is not declared in `namespaces`")
    return f"{{{spaces[prefix]}}}{name}"


def _fits(element: etree._Element, steps: tuple[str, ...]) -> bool:
    """Say whether an element's ancestors are those of the record's path."""
    here: etree._Element | None = element
    for step in reversed(steps):
        if not step:
            return here is None
        if here is None or not _named(here, step):
            return False
        here = here.getparent()
    return True


def _named(element: etree._Element, step: str) -> bool:
    if step == "*":
        return True
    return _local(element.tag) == step[3:] if step.startswith("{*}") else element.tag == step


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]


class _Fields:
    """The declared fields: how each is read, and which children and attributes they read."""

    def __init__(self, declared: Mapping[str, str], spaces: Mapping[str, str]) -> None:
        self.reads = [(name, _reader(path, spaces)) for name, path in declared.items()]
        firsts = [None if path.startswith(("..", "/")) else _STEP.match(path) for path in declared.values()]
        above = [path.startswith(("..", "/")) for path in declared.values()]
        self.known = all(first or up for first, up in zip(firsts, above, strict=True))
        self.children = {first.group(2) for first in firsts if first and not first.group(1)}
        self.attributes = {first.group(2) for first in firsts if first and first.group(1)}

    def left_over(self, element: etree._Element, taken: Record, most: int) -> Record:
        """Return the children and attributes that no field reads, under their own names.

        Of more than `most` names only so many come that the record has too many.
        """
        if not self.known:
            return {}
        rest = {_local(name): value for name, value in element.attrib.items() if _local(name) not in self.attributes}
        for child in element:
            name = _local(child.tag)
            if name not in self.children:
                rest[name] = _value(child)
            if len(rest) > most + len(taken):
                break
        return {name: value for name, value in rest.items() if name not in taken}


def _fields(declared: Mapping[str, str] | None, spaces: Mapping[str, str]) -> _Fields | None:
    return None if declared is None else _Fields(declared, spaces)


def _reader(path: str, spaces: Mapping[str, str]) -> Callable[[etree._Element], Any]:
    """Return a function that reads a field: one text, a list where the path finds several, None where none."""
    find = etree.XPath(path, namespaces=dict(spaces) or None, smart_strings=False)

    def read(element: etree._Element) -> Any:
        found: Any = find(element)
        if not isinstance(found, list):
            return found if isinstance(found, bool) else str(found)
        values = [one if isinstance(one, str) else _value(one) for one in found]
        return None if not values else values[0] if len(values) == 1 else values

    return read


def _value(element: etree._Element) -> Any:
    """Return an element as JSON: its text, None where it is empty or nil, an object where it has elements."""
    if len(element):
        return _plain(element)
    if element.get(_XSI_NIL) in {"true", "1"}:
        return None
    return element.text or None


def _plain(element: etree._Element, most: int | None = None) -> Record:
    """Return attributes and children under their local names; a name that stands twice gives a list.

    Of more than `most` names one more comes than that: a record of a million fields is told by its first thousands.
    """
    record: Record = {_local(name): value for name, value in element.attrib.items()}
    for child in element:
        if most is not None and len(record) > most:
            break
        name, value = _local(child.tag), _value(child)
        if name not in record:
            record[name] = value
        elif isinstance(record[name], list):
            record[name].append(value)
        else:
            record[name] = [record[name], value]
    return record


def _owner(tree: etree._ElementTree, path: str | None, numbers: Mapping[etree._Element, int]) -> int | None:
    """Return the number of the record that a validator's path lies in."""
    found: Any = tree.xpath(path) if path else []
    here: etree._Element | None = found[0] if isinstance(found, list) and found else None
    while here is not None:
        if here in numbers:
            return numbers[here]
        here = here.getparent()
    return None


def option_faults(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the XPaths of a stream's options, with the option's name."""
    spaces = dict(options.get("namespaces", {}))
    try:
        _record_steps(str(options.get("record", "")), spaces)
    except XmlFault as fault:
        yield "record", str(fault)
    for name, path in options.get("fields", {}).items():
        try:
            etree.XPath(str(path), namespaces=spaces or None)
        except (etree.XPathError, ValueError, TypeError) as error:
            yield "fields", f"{name}: {path!r} is no XPath ({error})"


def open_xml(handle: BinaryIO, options: Mapping[str, Any], limits: Limits, where: Where) -> XmlReader:
    """Return the reader of one XML file."""
    return XmlReader(handle, options, limits, where)
