"""A small province written by every shape, and its systems read by the hub's own connectors."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from connectors.loading import load_sources
from connectors.registry import open_connector
from connectors.seam import Acknowledges, Receipt, Tidies
from connectors.source import Source
from demo.casework import Casework, build
from demo.model import Department, Placed, UnitMark
from demo.shapes.layout import department_folder
from demo.shapes.push import OUTBOX
from demo.shapes.registry import SHAPES, connections
from hub.documents import Documents
from hub.errors import RefuseUnit
from hub.records import Record
from normalization.apply import Context, Occurrences, identify
from normalization.mapping import Mapping, StreamMapping, load_mapping
from validation.structure import StructureJudge

SOURCES = Path(__file__).resolve().parents[2] / "demo" / "sources"
DAY = date(2026, 11, 20)


def keyed(data: bytes) -> bytes:
    """Stand for the deployment's keyed hash."""
    return hashlib.blake2b(data, key=b"test", digest_size=16).digest()


@dataclass
class Read:
    """What one stream brought on one day."""

    records: list[Record] = field(default_factory=list)
    broken: int = 0
    refused: list[str] = field(default_factory=list)
    state: Record = field(default_factory=dict)


@dataclass
class Hub:
    """Reads one source again and again, as the pipeline does."""

    source: Source
    url: str
    states: dict[str, Record] = field(default_factory=dict)

    def pull(self) -> dict[str, Read]:
        """Read every stream once."""
        connector = open_connector(self.source, lambda _: self.url, keyed_hash=keyed)
        return {name: self._stream(connector, name) for name in self.source.streams}

    def _stream(self, connector: Any, name: str) -> Read:
        read, spec = Read(state=self.states.get(name, {})), self.source.streams[name]
        while True:
            try:
                for piece in connector.read(spec, read.state, slice_size=500, full=False):
                    least = spec.expect.least if spec.expect else None
                    if piece.unit is not None and piece.unit.rows is not None and piece.unit.rows < (least or 0):
                        read.refused.append(piece.unit.name)
                    else:
                        read.records += piece.records
                        read.broken += len(piece.broken)
                    read.state = piece.state
                    if isinstance(connector, Acknowledges) and piece.tokens:
                        connector.acknowledge(spec, [Receipt(token, "new") for token in piece.tokens])
            except RefuseUnit as refusal:
                unit = refusal.unit or ""
                read.refused.append(unit)
                if refusal.left_waiting:
                    self.states[name] = read.state
                    return read
                read.state = connector.skip(spec, read.state, unit)
            else:
                self.states[name] = read.state
                if isinstance(connector, Tidies):
                    connector.tidy(spec, read.state)
                return read


@dataclass
class Posts(Hub):
    """Reads what a department's own program would post: what is new in its outbox."""

    seen: int = 0

    def pull(self) -> dict[str, Read]:
        found = {name: Read() for name in self.source.streams}
        with closing(sqlite3.connect(self.url)) as outbox:
            query = "SELECT id, stream, records, body FROM post WHERE id > ? ORDER BY id"
            for post, stream, count, body in outbox.execute(query, (self.seen,)).fetchall():
                self.seen = post
                posted = json.loads(body)
                assert len(posted) == count
                found[stream].records += posted
        return found


def province(cases: int, seed: int = 1) -> Casework:
    """Build a small province."""
    return build(seed, cases, DAY, SHAPES)


def departments(work: Casework) -> dict[str, Department]:
    """Return one department a shape: its largest."""
    found: dict[str, Department] = {}
    for department in sorted(work.province.senders, key=lambda one: one.cases):
        found[department.shape] = department
    return found


def written(
    work: Casework, department: Department, home: Path, day: int, *, dry: bool = False
) -> list[Placed | UnitMark]:
    """Let a department write a day."""
    return list(SHAPES[department.shape].write(department, work, home, day, dry=dry))


def records(said: list[Placed | UnitMark]) -> list[Placed]:
    """Return the records of what was written."""
    return [one for one in said if isinstance(one, Placed)]


def hub_of(department: Department, home: Path) -> Hub:
    """Return a hub that reads this department's own source folder."""
    source = next(one for one in sources() if one.code == department.code)
    if source.kind == "push":
        return Posts(source, str(department_folder(home, department.code) / OUTBOX))
    return Hub(source, connections(home)[department.code])


@cache
def sources() -> tuple[Source, ...]:
    """Return all sources of the demonstration."""
    return tuple(load_sources([SOURCES]))


@cache
def mapping_of(file: Path) -> Mapping:
    """Return the mapping of a source or profile."""
    return load_mapping(file, Documents.load())


def streams_of(source: Source) -> Iterator[tuple[str, StreamMapping]]:
    """Yield the mapping of each stream of a source."""
    yield from mapping_of(source.mapping).streams.items()


def keys(mapping: StreamMapping, read: Read, source: Source) -> Counter[str | None]:
    """Return the keys that the hub gives the records."""
    context = Context(source.code, source.organ, source.region, source.time_zone, datetime.now(UTC), keyed)  # type: ignore[arg-type]  # a Timestamp is a datetime
    return Counter(identify(mapping, read.records, context, Occurrences()).keys)


def judged(mapping: StreamMapping, read: Read) -> Counter[str]:
    """Return the rules that the structure judge raises on the records."""
    judge: Callable[[list[Record]], Any] = StructureJudge(dict(mapping.schema)).judge
    return Counter(finding.rule for finding in judge(read.records))
