"""What a mapping says, once it is read: frozen values without a trace of YAML but the lines."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from hub.documents import Column
from hub.mends import Replacement


@cache
def _pointer(path: tuple[str, ...]) -> str:
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a source's record: by name, or by JSON pointer (`/applicant/name`) where it is nested."""

    name: str = field(compare=False)
    path: tuple[str, ...]

    @classmethod
    def of(cls, name: str) -> Field:
        """Read a field's name as mappings write it (RFC 6901 where it begins with a slash)."""
        if not name.startswith("/"):
            return cls(name, (name,))
        return cls(name, tuple(part.replace("~1", "/").replace("~0", "~") for part in name[1:].split("/")))

    @property
    def pointer(self) -> str:
        """Write the JSON pointer that findings show."""
        return _pointer(self.path)


@dataclass(frozen=True, slots=True)
class TimeField:
    """A field that holds a time: a key part, an order or a report time; `time` is false where it is plain text."""

    field: Field
    time: bool = False
    formats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """How the source tells its records apart: by its own key, or by a fingerprint of named fields."""

    parts: tuple[TimeField, ...]
    fingerprint: bool
    line: int


@dataclass(frozen=True, slots=True)
class Operation:
    """The field that says what happened to a record; `delete` and `keep` list its codes."""

    field: Field
    delete: frozenset[str]
    keep: frozenset[str] | None
    line: int


@dataclass(frozen=True, slots=True)
class When:
    """A condition of a yield: a field is one of some codes, or says something, or says nothing."""

    field: Field
    among: frozenset[str] | None = None
    present: bool = True


@dataclass(frozen=True, slots=True)
class CodeList:
    """A closed list of a source's codes and what they mean; None: the list says that it means nothing here."""

    name: str
    values: ReadOnly[str, str | None]
    labels: ReadOnly[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """How one canonical column is made.

    `how` is `field` (one or more `fields`: joined by `join`, or the first that says something), `const`, `organ`,
    `region` (of the source) or `record_key`.
    """

    column: Column
    line: int
    how: str = "field"
    fields: tuple[Field, ...] = ()
    join: str | None = None
    cut: tuple[int, int] | None = None
    formats: tuple[str, ...] = ()
    precision: str | None = None
    codes: CodeList | None = None
    unlisted: str | None = None
    const: Any = None


@dataclass(frozen=True, slots=True)
class Yield:
    """One canonical row that a record gives: its table, when it does, and its columns."""

    table: str
    when: tuple[When, ...]
    columns: tuple[ColumnMap, ...]
    line: int


@dataclass(frozen=True, slots=True)
class StreamMapping:
    """How the records of one stream are told apart, ordered and translated.

    `schema` is the raw record's JSON Schema. `personal` names the fields whose values findings may not show.
    `corrections` are the source's own, which its declaration adds to the mapping.
    """

    name: str
    line: int
    schema_path: Path
    schema: ReadOnly[str, Any]
    key: Key
    yields: tuple[Yield, ...]
    ignore: ReadOnly[str, str]
    case: Field | None = None
    order: TimeField | None = None
    operation: Operation | None = None
    reported_at: TimeField | None = None
    organ_from: Field | None = None
    process: str | None = None
    exclude: tuple[tuple[When, ...], ...] = ()
    personal: frozenset[Field] = frozenset()
    corrections: tuple[Replacement, ...] = ()

    @property
    def identity_fields(self) -> tuple[Field, ...]:
        """List the fields that tell records apart, each once."""
        times = [*self.key.parts, *(found for found in (self.order, self.reported_at) if found)]
        named = [self.case, self.operation.field if self.operation else None, self.organ_from]
        return tuple(dict.fromkeys([*(found.field for found in times), *(found for found in named if found)]))

    @property
    def row_fields(self) -> tuple[Field, ...]:
        """List the fields of which rows are made, each once."""
        read = [field for made in self.yields for column in made.columns for field in column.fields]
        asked = [when.field for made in self.yields for when in made.when]
        asked += [when.field for conditions in self.exclude for when in conditions]
        of_source = (
            [self.organ_from]
            if self.organ_from and any(column.how == "organ" for made in self.yields for column in made.columns)
            else []
        )
        return tuple(dict.fromkeys([*read, *asked, *of_source]))

    @property
    def tables(self) -> tuple[str, ...]:
        """List the tables that this stream fills, each once, in the mapping's order."""
        return tuple(dict.fromkeys(found.table for found in self.yields))


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping: its streams, where it stands, and a short hash of all that decides what it does."""

    path: Path
    version: str
    streams: ReadOnly[str, StreamMapping]

    def line_of(self, stream: str, part: int, column: str) -> int:
        """Tell the line that made a column of the row `part` of a record (for `hub trace`)."""
        made = self.streams[stream].yields[part]
        return next((found.line for found in made.columns if found.column.name == column), made.line)
