"""Follows a few records from the request to the canonical row, and keeps nothing: no batch, no state, no archive.

Records are judged, translated and protected by `pipeline.preparing.prepare`, as a pull does it; what a row shows of
persons is therefore what the repository would show of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.seam import Connector
from connectors.source import StreamSpec
from hub.errors import RefuseUnit
from hub.findings import RULES, Finding
from hub.records import Slice
from kit.look import slices
from kit.masking import mask_of, shape
from kit.subject import Subject
from kit.wire import Exchange, listening, statement_of
from normalization.model import ColumnMap, StreamMapping
from pipeline.preparing.prepare import Prepared, prepare
from sharedrepo.staging.incoming import Prior, Rows
from sharedrepo.writing.known import Register

HIDDEN = "(protected)"


class NothingKnown(Register):
    """The register of a hub that has read nothing yet."""

    def __init__(self) -> None:
        """Need no repository."""

    def seen(self, keys: Any, received: Any) -> None:
        """Know no record."""

    def look_up(self, keys: Any) -> Prior:
        """Know no key."""
        del keys
        return Prior()


@dataclass(frozen=True, slots=True)
class Column:
    """One canonical value, and the line of the mapping that made it."""

    name: str
    label_zh: str
    value: Any
    made_from: str
    line: str


@dataclass(frozen=True, slots=True)
class Row:
    """One canonical row that a record gives."""

    table: str
    columns: list[Column]


@dataclass(frozen=True, slots=True)
class Told:
    """One finding, in words."""

    rule: str
    effect: str
    title: str
    title_zh: str
    place: str
    value: str | None
    detail: dict[str, str]
    hint: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One record on its way: as it came (masked), what becomes of it, its rows, and what is wrong with it."""

    row: int
    key: str
    case: str | None
    fate: str
    raw: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    findings: list[Told] = field(default_factory=list)


@dataclass(slots=True)
class StreamPreview:
    """What a look at one stream showed."""

    stream: str
    exchanges: list[Exchange] = field(default_factory=list)
    pages: list[dict[str, Any]] = field(default_factory=list)
    records: list[Seen] = field(default_factory=list)
    findings: list[Told] = field(default_factory=list)
    refused_units: list[dict[str, str]] = field(default_factory=list)


def preview(subject: Subject, connector: Connector, stream: StreamSpec, most: int) -> StreamPreview:
    """Follow the first `most` records of a stream.

    Raises:
        SourceTrouble: the source cannot be read.
    """
    out = StreamPreview(stream.name)
    desk = subject.desk(stream.name)
    asked = statement_of(connector, subject.source, stream)
    with listening() as wire:
        for piece in slices(connector, stream, {}, size=most, full=True, most=most):
            if isinstance(piece, RefuseUnit):
                out.refused_units.append({"unit": piece.unit or "", "rule": piece.rule, "message": str(piece)})
                continue
            room = most - len(out.records)
            out.pages.append(_page(piece))
            prepared = prepare(desk, piece, NothingKnown(), drop_known=False)
            out.records += list(_seen(subject, desk.mapping, piece, prepared))[:room]
            out.findings += [_told(one) for one in prepared.incoming.findings if one.record < 0]
    out.exchanges = [asked] if asked is not None else wire.exchanges
    return out


def _page(piece: Slice) -> dict[str, Any]:
    unit = piece.unit
    named = {"unit": unit.name, "bytes": unit.size or None, "modified": unit.modified} if unit else {}
    declared = dict(unit.declared) if unit else {}
    return {**named, "records": len(piece.records), "broken": len(piece.broken), "declared": declared}


def _seen(subject: Subject, mapped: StreamMapping, piece: Slice, prepared: Prepared) -> Iterator[Seen]:
    incoming = prepared.incoming
    mask = mask_of(mapped, identity=True)
    personal_key = bool({part.field for part in mapped.key.parts} & mapped.personal)
    for place, row in enumerate(incoming.rows):
        fate = (
            "refused" if incoming.refused[place]
            else "deletes" if incoming.deleted[place]
            else "excluded" if incoming.excluded[place]
            else "kept"
        )  # fmt: skip
        broken = place >= len(piece.records)
        yield Seen(
            row=row,
            key=shape(incoming.keys[place]) if personal_key else incoming.keys[place],
            case=shape(incoming.cases[place]) if mapped.case in mapped.personal else incoming.cases[place],
            fate=fate,
            raw={"unreadable": HIDDEN} if broken else mask(piece.records[place]),
            rows=[] if broken else list(_rows(subject, mapped, incoming.tables, place)),
            findings=[_told(one) for one in incoming.findings if one.record == place],
        )


def _rows(subject: Subject, mapped: StreamMapping, tables: Any, place: int) -> Iterator[Row]:
    found: list[tuple[int, Row]] = []
    for table, rows in tables.items():
        for index in (rows.record == place).nonzero()[0].tolist():
            part = int(rows.part[index])
            columns = [_column(subject.mapping.path, one, rows, index) for one in mapped.yields[part].columns]
            found.append((part, Row(table, columns)))
    yield from (row for _, row in sorted(found, key=lambda one: one[0]))


def _column(mapping: Path, made: ColumnMap, rows: Rows, index: int) -> Column:
    name = made.column.name
    return Column(
        name, made.column.label_zh, _value(made, rows, index), made_from(made), f"{shown_path(mapping)}:{made.line}"
    )


def _value(made: ColumnMap, rows: Rows, index: int) -> Any:
    name, table = made.column.name, rows.columns
    if made.column.personal:
        if f"{name}_mask" in table.column_names:
            return table[f"{name}_mask"][index].as_py()
        return HIDDEN
    if name not in table.column_names:
        return rows.case_number[index].as_py() if name == "case_number" else None
    value = table[name][index].as_py()
    if isinstance(value, datetime):
        value = value.isoformat()
    return shape(value) if made.column.privacy in {"personal", "sensitive"} else value


def made_from(made: ColumnMap) -> str:
    """Say in a word or two what a canonical column is made of."""
    if made.how == "field":
        joined = f" {made.join or '|'} ".join(one.name for one in made.fields)
        return joined + (f" (codes/{made.codes.name})" if made.codes else "")
    return {"const": f"always {made.const}", "organ": "the row's organ", "region": "the source's region"}.get(
        made.how, "the record's key"
    )


def _told(finding: Finding) -> Told:
    rule = RULES[finding.rule]
    place = finding.pointer or finding.field or ""
    return Told(
        rule=rule.code,
        effect="refuse" if finding.refuses else "flag",
        title=rule.title,
        title_zh=rule.title_zh,
        place=place,
        value=shape(finding.value) if finding.personal else finding.value,
        detail=dict(finding.detail),
        hint=rule.hint,
    )


def shown_path(path: Path) -> str:
    """Write a path as short as it is clear: below the working folder where it lies there."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)
