"""What every system made of examples has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.source import Source, StreamSpec
from hub.records import Record
from kit.samples import Samples

USER, SECRET = "hub", "examples-only"
"""The account of every system of examples that asks who comes."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """A system made of examples: where it answers, how its source declares it, and how a record is put in."""

    source: Source
    url: str
    add: Callable[[str, Record], None]


def filling(samples: Samples, spec: StreamSpec) -> list[Record]:
    """Return the records that fill a stream: its valid examples, but for those whose cursor value is of another sort.

    Examples show every form that a department may write; one system writes one, or it could have no cursor.
    """
    records = [one.record for one in samples.of(spec.name, valid=True)]
    if spec.cursor is None:
        return records
    name = spec.cursor.field.lstrip("/")
    sorts = [_sort(record.get(name)) for record in records]
    return [record for record, sort in zip(records, sorts, strict=True) if sort == sorts[0]]


def _sort(value: Any) -> tuple[str, bool]:
    return type(value).__name__, str(value).isdecimal()
