"""Reads event logs: IEEE 1849 (XES), plain or gzipped, streamed; the log's order is kept.

At level `event` each event is a record, with the attributes of its trace under `case:…`; at level `trace` each trace
is one. An attribute inside another is named `outer/inner`. The totals that a log declares in its header go into
`Unit.declared`: `events`, and a count for each activity.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from lxml import etree

from connectors.kinds.files.connector import FolderConnector
from connectors.kinds.files.folder import Delivered, Folder
from connectors.kinds.files.packed import Gunzip
from connectors.kinds.files.where import Where
from connectors.kinds.files.xml import worded
from connectors.limits import Limits
from connectors.slices import Row
from connectors.source import StreamSpec
from hub.records import BrokenRecord, Record
from hub.xmlsafe import Pruner, XmlFault, iterate

_TOTALS = "meta_concept:named_events_total"
_GZIP = b"\x1f\x8b"
_TEXT = frozenset({"string", "date", "id"})
_TYPES = _TEXT | {"int", "float", "boolean", "list", "container"}
_BIG = 1 << 63


class XesConnector(FolderConnector):
    """Reads the event logs of one folder."""

    def reader(self, stream: StreamSpec, folder: Folder, found: Delivered) -> XesReader:
        """Return the reader of one log."""
        return XesReader(folder.open(found), stream.options, folder.limits, folder.where(found.name))


class XesReader:
    """Reads one event log."""

    def __init__(self, handle: BinaryIO, options: Mapping[str, Any], limits: Limits, where: Where) -> None:
        self.handle, self.options, self.limits, self.where = handle, options, limits, where
        self.declared: dict[str, int] = {}
        self._pruner = Pruner()
        self._case: Record | None = None

    def rows(self) -> Iterator[Row]:
        """Yield each event (or trace) with its place in the log.

        Raises:
            RefuseUnit: the log is cut off, malformed, unsafe, or no log at all.
        """
        with self.handle:
            packed = self.handle.read(2) == _GZIP
            self.handle.seek(0)
            source = Gunzip(self.handle, self.where, self.limits) if packed else self.handle
            try:
                yield from self._read(source)
            except XmlFault as fault:
                raise worded(fault, self.where) from None

    def _read(self, source: Any) -> Iterator[Row]:
        want, number = self.options.get("level", "event"), 0
        tags = ("{*}log", "{*}trace", "{*}event")
        root = False
        for moment, element in iterate(source, events=("start", "end"), tags=tags, limit=self.limits.unpacked_bytes):
            name = _local(element)
            if moment == "start":
                root = self._enter(element, name, known=root)
                continue
            if name == "log":
                continue
            if name == "event":
                self._order(element)
            elif self._case is not None and len(element) and _local(element[-1]) != "event":
                raise self.where.refused("a trace has attributes behind its events, against IEEE 1849")
            if name == want:
                number += 1
                yield number, self._record(number, element, name)
            self._pruner.done(element)
        if not root:
            raise self.where.refused("the document is no event log: its root is not <log>")

    def _enter(self, element: etree._Element, name: str, *, known: bool) -> bool:
        """Note what stands at the start of a log or trace."""
        if name == "trace":
            per_event = self.options.get("level", "event") == "event"  # the declared totals speak of events
            if per_event and not self.declared and (log := element.getparent()) is not None:
                self.declared = _totals(log, str(self.options.get("totals", _TOTALS)))
            self._case = None
        return known or (name == "log" and element.getparent() is None)

    def _order(self, event: etree._Element) -> None:
        """Take the trace's attributes at its first event; later ones would be missing in the events before."""
        trace, before = event.getparent(), event.getprevious()
        if trace is None or _local(trace) != "trace":
            raise self.where.refused("an event stands outside of a trace")
        if self._case is None:
            self._case = {f"case:{name}": value for name, value in _attributes(trace)}
        elif before is not None and _local(before) != "event":
            raise self.where.refused("a trace has attributes behind its events, against IEEE 1849")

    def _record(self, number: int, element: etree._Element, name: str) -> Record | BrokenRecord:
        found = _attributes(element)
        record = dict(found)
        if len(record) != len(found):
            raw = etree.tostring(element, encoding="unicode", with_tail=False)
            return BrokenRecord(number, "unreadable_record", f"{name} {number} has a key twice", raw)
        if len(record) > self.limits.columns:
            raise self.where.hostile(
                f"{name} {number} has {len(record):,} attributes", known=f"{self.limits.columns:,}"
            )
        return {**(self._case or {}), **record} if name == "event" else {f"case:{key}": one for key, one in found}


@functools.lru_cache(maxsize=1_000)
def _name(tag: str) -> str:
    return tag.rpartition("}")[2]


def _local(element: etree._Element) -> str:
    return _name(str(element.tag))


def _attributes(parent: etree._Element, prefix: str = "") -> list[tuple[str, Any]]:
    """Return the attributes of a log, trace, event or attribute, those inside others as `outer/inner`."""
    found: list[tuple[str, Any]] = []
    for child in parent:
        kind = _name(str(child.tag))
        if kind not in _TYPES:
            continue
        name = prefix + child.get("key", "")
        if kind == "list":
            found.append((name, [value for one in child.iter() if (value := _value(one, _local(one))) is not None]))
            continue
        text = child.get("value")
        found.append((name, (text or None) if kind in _TEXT else _value(child, kind)))
        if len(child):
            found.extend(_attributes(child, f"{name}/"))
    return found


def _value(element: etree._Element, kind: str) -> Any:
    """Return an attribute's value; a number that none is stays the text that it was."""
    text = element.get("value")
    if not text or kind in _TEXT:
        return text or None
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        number = int(text) if kind == "int" else float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) and abs(number) < _BIG else text


def _totals(log: etree._Element, key: str) -> dict[str, int]:
    """Read the totals that a log's header declares."""
    for child in log:
        if child.get("key") == key:
            found = {"events": _count(child), **{one.get("key", ""): _count(one) for one in child}}
            return {name: count for name, count in found.items() if count is not None}
    return {}


def _count(element: etree._Element) -> int | None:
    text = element.get("value", "")
    return int(text) if text.isascii() and text.isdigit() else None
