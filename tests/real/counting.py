"""Counts the real files with the standard library alone, so that the hub's figures have something to agree with."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

Attributes = dict[str, str]


@dataclass(slots=True)
class Log:
    """An event log: what its header declares, its cases, and its events each with the number of its case."""

    declared: dict[str, int] = field(default_factory=dict)
    total: int | None = None
    cases: list[Attributes] = field(default_factory=list)
    events: list[tuple[str, Attributes]] = field(default_factory=list)


def read_log(path: Path) -> Log:
    """Read an event log whole."""
    log = Log()
    with gzip.open(path) as handle:
        for _, element in ET.iterparse(handle):
            name = _local(element)
            if name == "trace":
                attributes = _attributes(element)
                log.cases.append(attributes)
                number = attributes["concept:name"]
                log.events += [(number, _attributes(one)) for one in element if _local(one) == "event"]
                element.clear()
            elif element.get("key") == "meta_concept:named_events_total":
                log.total = int(element.get("value", ""))
                log.declared = {one.get("key", ""): int(one.get("value", "")) for one in element}
    return log


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _attributes(parent: ET.Element) -> Attributes:
    return {one.get("key", ""): one.get("value", "") for one in parent if _local(one) != "event"}


def read_csv(path: Path, *, encoding: str = "utf-8-sig", skip: int = 0) -> Iterator[list[str]]:
    """Yield the rows of a CSV file, those before the header left out."""
    with path.open(encoding=encoding, newline="") as handle:
        for _ in range(skip):
            handle.readline()
        yield from csv.reader(handle)
