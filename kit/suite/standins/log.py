"""A folder with an event log of the examples, after IEEE 1849 (XES)."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lxml import etree

from hub.records import Record
from kit.samples import Samples
from kit.subject import Subject
from kit.suite.standins.base import StandIn
from kit.suite.standins.files import instance

_OF_CASE = "case:"
_TYPES: Mapping[type, str] = {str: "string", bool: "boolean", int: "int", float: "float"}


def make_log(subject: Subject, samples: Samples, place: Path, _stack: ExitStack) -> StandIn:
    """Write the logs: an example of a case is a trace, one of an event is an event in the trace of its case."""
    source = subject.source
    records = {name: [one.record for one in samples.of(name, valid=True)] for name in source.streams}
    count = 0

    def deliver() -> None:
        for path in {str(spec.options.get("path", "*.xes")) for spec in source.streams.values()}:
            together = [
                record for name, spec in source.streams.items()
                if spec.options.get("path", "*.xes") == path for record in records[name]
            ]  # fmt: skip
            _write(place / instance(path, count), together)

    def add(stream: str, record: Record) -> None:
        nonlocal count
        count += 1
        records[stream].append(record)
        deliver()

    deliver()
    return StandIn(source, str(place), add)


def _write(file: Path, records: Iterable[Record]) -> None:
    """Write one log; its traces are told apart by what is said of the case."""
    log = etree.Element("log", {"xes.version": "1849-2016"})
    traces: dict[str, etree._Element] = {}
    for record in records:
        case = {name.removeprefix(_OF_CASE): one for name, one in record.items() if name.startswith(_OF_CASE)}
        event = {name: one for name, one in record.items() if not name.startswith(_OF_CASE)}
        known = repr(sorted(case.items()))
        if known not in traces:
            traces[known] = etree.SubElement(log, "trace")
            _attributes(traces[known], case)
        if event:
            _attributes(etree.SubElement(traces[known], "event"), event)
    text = etree.tostring(log, xml_declaration=True, encoding="UTF-8")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(text) if file.suffix == ".gz" else text)


def _attributes(parent: etree._Element, values: Mapping[str, Any]) -> None:
    """Write attributes; `outer/inner` stands within `outer`. An empty one is left out, as a log leaves it out."""
    made: dict[str, etree._Element] = {}
    for name, value in sorted(values.items(), key=lambda one: one[0].count("/")):
        outer, _, inner = name.rpartition("/")
        if value is None:
            continue
        if isinstance(value, list):
            listed = etree.SubElement(parent, "list", {"key": name})
            for one in value:
                etree.SubElement(listed, _TYPES[type(one)], {"key": name, "value": _text(one)})
            continue
        within = made.get(outer, parent)
        key = inner if outer in made else name
        made[name] = etree.SubElement(within, _TYPES[type(value)], {"key": key, "value": _text(value)})


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
