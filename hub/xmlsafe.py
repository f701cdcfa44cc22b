"""Parses XML from outside: no network, no document type, no entities, bounded depth and text, errors sorted.

libxml2's own limits stay on (`huge_tree=False`): 256 levels, 10 million characters a text, a bounded growth by
entities. On top of them every document with a document type declaration is refused: no feed of records needs one,
and both entity bombs and external entities begin there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from lxml import etree

Sort = Literal["truncated", "malformed", "encoding", "unsafe"]

_PROLOG = 1 << 16
_TAIL = 1 << 12
_GAP = 8 << 20
"""Bytes between two elements that a caller waits for: until one comes, everything stays in memory."""
_UNSAFE = re.compile(r"resource limit|[Ee]xcessive|amplification|entity loop|huge|too long|too big", re.IGNORECASE)
_ENCODING_CODES = frozenset({9, 31, 32, 81})  # xmlError: invalid char, unknown and unsupported encoding, invalid bytes
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)


class XmlFault(ValueError):
    """What is wrong with a document as a whole; the message never quotes the document's text."""

    def __init__(self, sort: Sort, message: str, line: int = 0) -> None:
        self.sort, self.line = sort, line
        super().__init__(f"{message} (line {line})" if line else message)


class Reads(Protocol):
    """Anything that bytes can be read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes."""


class BoundedReader:
    """Reads on from another reader up to a limit, and remembers the last bytes for telling how a document ended."""

    def __init__(self, inner: Reads, limit: int) -> None:
        self.inner, self.limit, self.count, self.tail, self.ended = inner, limit, 0, b"", False
        self.mark = 0

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes.

        Raises:
            XmlFault: there are more bytes than the limit.
        """
        chunk = self.inner.read(size if size and size > 0 else _PROLOG)
        self.count += len(chunk)
        self.ended = not chunk
        self.tail = (self.tail + chunk[-_TAIL:])[-_TAIL:]
        if self.count > self.limit:
            raise XmlFault("unsafe", f"the document has more than {self.limit:,} bytes")
        if self.count - self.mark > _GAP:
            raise XmlFault("unsafe", f"the document has more than {_GAP:,} bytes without a record")
        return chunk


def safe_parser(schema: etree.XMLSchema | None = None) -> etree.XMLParser:
    """Return a parser that reaches no network, loads no DTD and expands no entity."""
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True, collect_ids=False, schema=schema,
    )  # fmt: skip


def parse(data: bytes) -> etree._ElementTree:
    """Parse a whole document held in memory.

    Raises:
        XmlFault: it is no well-formed document, or an unsafe one.
    """
    _refuse_doctype(data[:_PROLOG])
    try:
        tree = etree.ElementTree(etree.fromstring(data, safe_parser()))  # this is the safe parser
    except etree.XMLSyntaxError as error:
        raise _sorted(error, data[-_TAIL:], ended=True) from None
    if _doctype(tree):
        raise XmlFault("unsafe", "the document has a document type declaration")
    return tree


def iterate(
    handle: Reads, *, events: Sequence[str] = ("end",), tags: Sequence[str] | None = None, limit: int
) -> Iterator[tuple[str, etree._Element]]:
    """Yield parse events of a document while it is read; the caller clears what it is done with.

    Raises:
        XmlFault: it is no well-formed document, an unsafe one, or has more bytes than `limit`.
    """
    reader = BoundedReader(handle, limit)
    head = reader.read(_PROLOG)
    _refuse_doctype(head)
    source = _Rejoined(head, reader)
    walk: Any = etree.iterparse(
        source,
        events=tuple(events),
        tag=None if tags is None else tuple(tags),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    first = True
    try:
        for event, element in walk:
            if first:
                first = False
                if _doctype(element.getroottree()):
                    raise XmlFault("unsafe", "the document has a document type declaration")
            reader.mark = reader.count
            yield event, element
    except etree.XMLSyntaxError as error:
        if source.fault is not None:
            raise source.fault from None
        raise _sorted(error, reader.tail, ended=reader.ended or not reader.inner.read(1)) from None


class Pruner:
    """Takes elements that are done with out of a growing tree, so that a document of any length stays small.

    What stands before the first record of a parent is kept: fields of the parent that its records repeat.
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[etree._Element, int, etree._Element]] = {}
        self._last: tuple[etree._Element | None, etree._Element] | None = None

    def done(self, element: etree._Element) -> None:
        """Empty a record and drop what lies between it and the first record of its parent, on every level."""
        element.clear()
        parent = element.getparent()
        if self._last is not None and self._last[0] is parent is not None and element.getprevious() is self._last[1]:
            parent.remove(self._last[1])  # the usual case, ten times as fast: only the record before lies between
        else:
            self._sweep(element)
        self._last = (parent, element)

    def _sweep(self, element: etree._Element) -> None:
        chain = [element, *element.iterancestors()]
        for level in range(len(chain) - 1):
            child, parent = chain[level], chain[level + 1]
            depth = len(chain) - level
            kept = self._kept.get(depth)
            if kept is None or kept[0] is not parent:
                self._kept[depth] = (parent, parent.index(child), child)
            elif kept[2] is child:
                return  # this level was swept when its child came, and so were those above
            else:
                position = parent.index(child)
                if position > kept[1]:
                    del parent[kept[1] : position]
                self._kept[depth] = (parent, kept[1], child)


class _Rejoined:
    """Gives back the bytes that were looked at, then those behind them; keeps a fault that lxml would reword."""

    def __init__(self, head: bytes, rest: BoundedReader) -> None:
        self.head, self.rest = head, rest
        self.fault: XmlFault | None = None

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes."""
        if self.head:
            taken, self.head = (self.head[:size], self.head[size:]) if size > 0 else (self.head, b"")
            return taken
        try:
            return self.rest.read(size)
        except XmlFault as fault:
            self.fault = fault
            raise


def load_schema(path: Path) -> etree.XMLSchema:
    """Load an XSD of ours; what it includes must lie beside it.

    Raises:
        XmlFault: it is no schema.
    """
    try:
        return etree.XMLSchema(etree.parse(str(path), etree.XMLParser(no_network=True, resolve_entities=False)))  # ours
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError, OSError) as error:
        raise XmlFault("malformed", f"{path.name} is no XML schema: {error}") from None


_VALUE = re.compile(r"(?:[Tt]he )?value '.*?' (?=is|has|does|must|cannot)", re.DOTALL)
_ATOM = re.compile(r": '.*' is not a valid value", re.DOTALL)


def unquoted(message: str) -> str:
    """Return a schema validator's message without the value that it quotes, which may be a person's."""
    return _ATOM.sub(": the text is not a valid value", _VALUE.sub("the value ", message)).strip()


def _doctype(tree: etree._ElementTree) -> bool:
    docinfo: Any = tree.docinfo
    return bool(docinfo.doctype)


def _refuse_doctype(head: bytes) -> None:
    if _DOCTYPE.search(head):
        raise XmlFault("unsafe", "the document has a document type declaration")


def _sorted(error: etree.XMLSyntaxError, tail: bytes, *, ended: bool) -> XmlFault:
    """Tell a document that was cut off from one that is wrong within."""
    facts: Any = error
    code, (line, _), words = facts.code, facts.position or (0, 0), str(facts.msg or "")
    if _UNSAFE.search(words):
        return XmlFault("unsafe", "the document breaks a limit of depth, length or growth", line)
    if code in _ENCODING_CODES:
        return XmlFault("encoding", "the document's bytes are not in its declared encoding", line)
    if ended and (not tail.rstrip().endswith(b">") or code == _NOT_FINISHED or not tail):
        return XmlFault("truncated", "the document ends before its last element is closed", line)
    return XmlFault("malformed", "the document is not well-formed", line)


_NOT_FINISHED = 77  # xmlError: the document ended while elements were open


__all__ = ["BoundedReader", "Pruner", "XmlFault", "iterate", "load_schema", "parse", "safe_parser", "unquoted"]
