"""One record opened: raw beside mapped, the faulty places marked, findings, proposals and history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from hub import jsontext
from hub.contract import RULES as CHANGES
from hub.findings import rule
from hub.mends import taken
from normalization.apply import translate
from normalization.model import Field, StreamMapping
from pipeline.afterwards import deeds
from pipeline.afterwards.deeds import Deed
from pipeline.preparing.desk import Desk
from pipeline.preparing.replacing import put_right
from pipeline.pulls.exchange import desk_of
from pipeline.pulls.mapped import mapping_of
from pipeline.runtime import Runtime
from quality.worklist import log
from quality.worklist.base import Base, base_of, source_of
from quality.worklist.entries import Kind

HIDDEN = "(protected)"


@dataclass(frozen=True, slots=True)
class Becomes:
    """A canonical column that a raw field goes into, and what it became there; None where it could not be read."""

    table: str
    column: str
    label_zh: str
    value: Any
    mapping_line: int


@dataclass(frozen=True, slots=True)
class RawField:
    """One field of the record as the source sent it, and what the mapping makes of it.

    `was` is what the source said where two people have mended it (`by_hand`); where the source's folder puts the value
    right (`mended` all the same), `raw` is what the source said. `rules` are those that it breaches, and `faulty` says
    that there are any. `ignored` is the mapping's reason for not reading it.
    """

    pointer: str
    label_zh: str
    raw: Any
    was: Any
    mended: bool
    by_hand: bool
    faulty: bool
    rules: tuple[str, ...]
    becomes: tuple[Becomes, ...]
    ignored: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A record of the work list; without reveal every value of it reads `(protected)`.

    `text` is what was received where it is no record. `findings`, `proposals` and `history` are rows with plain
    members; `history` begins with the oldest.
    """

    number: int
    kind: Kind
    source: str
    stream: str
    organ: str
    key: str
    case: str | None
    version: int | None
    state: str
    unit: str | None
    row: int
    since: datetime
    revealed: bool
    text: str | None
    fields: list[RawField]
    findings: list[dict[str, Any]]
    proposals: list[dict[str, Any]]
    history: list[dict[str, Any]]


def opened(
    runtime: Runtime, number: int, *, reveal: bool = False, actor: str | None = None, reason: str | None = None,
    kind: Kind = "quarantined",
) -> Opened:  # fmt: skip
    """Open a record; with `reveal` its values are shown, and who saw them when and why is logged.

    Raises:
        NotFound: there is no such record, or its source is no longer declared.
        NotDone: values are to be revealed to nobody, or for no reason.
        RepositoryError: it was erased.
    """
    who, why = (log.known(actor), log.reasoned(reason)) if reveal else ("", "")
    base = base_of(runtime, number, kind)
    findings = _findings(runtime, base)
    if reveal:
        deeds.write(runtime, Deed(who, "reveal", reason=why, **names_of(base)))
    return Opened(
        number, base.kind, base.source, base.stream, base.organ, base.key, base.case, base.version, base.state,
        base.unit, base.row, base.since, reveal, _text(base, reveal=reveal),
        _fields(runtime, base, findings, reveal=reveal), findings, proposals_of(runtime, base, reveal=reveal),
        _history(runtime, base),
    )  # fmt: skip


def names_of(base: Base) -> dict[str, Any]:
    """Return what the log names a record by."""
    return {"stream_id": base.stream_id, "waiting_id": base.waiting_id, "record_id": base.record_id}


def _text(base: Base, *, reveal: bool) -> str | None:
    if base.record is not None:
        return None
    return base.text if reveal else HIDDEN


def _findings(runtime: Runtime, base: Base) -> list[dict[str, Any]]:
    """Read what is said of this version of the record, and of its stream where that is why it waits."""
    query = sa.text(
        """SELECT rule, effect, field, pointer, shown, detail FROM quality.finding
           WHERE state = 'open' AND ((record_id = :record AND waits = :waits)
               OR (record_id IS NULL AND stream_id = :stream AND rule = ANY(:rules)))
           ORDER BY effect DESC, finding_id"""
    )
    asked = {
        "record": base.record_id, "waits": base.kind == "quarantined", "stream": base.stream_id,
        "rules": [one for one in base.rules if one in CHANGES],
    }  # fmt: skip
    with runtime.engine.connect() as connection:
        return [worded(dict(row)) for row in connection.execute(query, asked).mappings()]


def worded(row: dict[str, Any]) -> dict[str, Any]:
    """Add the words of a finding's rule, in both languages."""
    said = rule(row["rule"])
    return {**row, "title": said.title, "title_zh": said.title_zh, "hint": said.hint, "hint_zh": said.hint_zh}


def _fields(runtime: Runtime, base: Base, findings: list[dict[str, Any]], *, reveal: bool) -> list[RawField]:
    if base.record is None:
        return []
    source = source_of(runtime, base.source)
    desk = desk_of(runtime, source, mapping_of(runtime, source), base.stream, datetime.now(UTC))
    stream = desk.mapping
    faulty = _faulty(findings)
    was = {} if base.mend is None else base.mend.original
    right = {one["pointer"] for one in findings if one["rule"] == "value_mended"}
    became = _became(desk, base)
    out = []
    for pointer in _pointers(stream, base, faulty):
        field = Field.of(pointer)
        raw = taken(base.record, field.path)
        rules = tuple(sorted({rule for place, rule in faulty if place == pointer}))
        out.append(
            RawField(
                pointer=pointer,
                label_zh=str(stream.schema.get("properties", {}).get(field.path[0], {}).get("title", "")),
                raw=_shown(raw, reveal=reveal),
                was=_shown(was.get(pointer), reveal=reveal),
                mended=pointer in was or pointer in right,
                by_hand=pointer in was,
                faulty=bool(rules),
                rules=rules,
                becomes=tuple(
                    Becomes(one.table, one.column, one.label_zh, _shown(one.value, reveal=reveal), one.mapping_line)
                    for one in became.get(pointer, ())
                ),
                ignored=_ignored(stream, field),
            )
        )
    return out


def _shown(value: Any, *, reveal: bool) -> Any:
    return value if reveal or value is None else HIDDEN


def _faulty(findings: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return the places that findings name, each with its rule; a finding may name several."""
    return {
        (place, one["rule"])
        for one in findings if one["pointer"] and one["rule"] != "value_mended"
        for place in str(one["pointer"]).split(", ") if place.startswith("/")
    }  # fmt: skip


def _pointers(stream: StreamMapping, base: Base, faulty: set[tuple[str, str]]) -> list[str]:
    """Return the places of a record in a person's order: as the schema declares, then what came beside, then depths."""
    record = base.record or {}
    declared = stream.schema.get("properties", {})
    top = [Field((name), (name,)).pointer for name in dict.fromkeys([*declared, *record])]
    deep = [one.pointer for one in (*stream.identity_fields, *stream.row_fields) if len(one.path) > 1]
    found = [place for place, _rule in sorted(faulty)]
    return list(dict.fromkeys([*top, *deep, *found]))


def _ignored(stream: StreamMapping, field: Field) -> str | None:
    return next((reason for name, reason in stream.ignore.items() if Field.of(name) == field), None)


def _became(desk: Desk, base: Base) -> dict[str, list[Becomes]]:
    """Translate the record as it is and say, by raw field, what became of it."""
    stream = desk.mapping
    records, _mended = put_right(desk, [base.record or {}])
    done = translate(stream, records, desk.context, [base.key])
    out: dict[str, list[Becomes]] = {}
    admitted = {part for rows in done.tables.values() for part in rows.part.tolist()}
    for number, made in enumerate(stream.yields):
        if admitted and number not in admitted:
            continue  # what the record would be if it were another kind of record
        rows = done.tables.get(made.table)
        frame = None if rows is None else rows.frame[rows.part == number]
        for column in made.columns:
            value = None if frame is None else _plain(frame[column.column.name].iloc[0])
            told = Becomes(made.table, column.column.name, column.column.label_zh, value, column.line)
            for field in column.fields:
                out.setdefault(field.pointer, []).append(told)
    return out


def _plain(value: Any) -> Any:
    """Return a value of a frame as JSON has it."""
    import pandas as pd  # noqa: PLC0415  # heavy, and only where a record is opened

    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124  # NaN is not itself
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def proposals_of(runtime: Runtime, base: Base, *, reveal: bool) -> list[dict[str, Any]]:
    """Return the corrections that were proposed for a record, oldest first."""
    query = sa.text(
        """SELECT correction_id AS id, status, fields, sealed, reason, proposed_by, proposed_at, decided_by, decided_at,
                  decision, batch_id AS batch
           FROM quality.correction WHERE record_id = :record OR waiting_id = :waiting ORDER BY correction_id"""
    )
    with runtime.engine.connect() as connection:
        rows = connection.execute(query, {"record": base.record_id, "waiting": base.waiting_id}).mappings().all()
    out = []
    for row in rows:
        said = dict(row)
        sealed = said.pop("sealed")
        said["changes"] = _changes(runtime, base.source, sealed, said["fields"], reveal=reveal)
        out.append(said)
    return out


def _changes(runtime: Runtime, source: str, sealed: bytes | None, fields: list[str], *, reveal: bool) -> dict[str, Any]:
    if not reveal or sealed is None:
        return dict.fromkeys(fields, HIDDEN)
    said: dict[str, Any] = jsontext.loads(runtime.archive.data_keys.unlock(source, bytes(sealed)))
    return said


def _history(runtime: Runtime, base: Base) -> list[dict[str, Any]]:
    """Return what happened to a record, oldest first: the batches that brought and closed it, and people's deeds."""
    query = sa.text(
        """SELECT recorded_at AS at, 'hub' AS actor, kind AS what, reason, batch_id AS batch FROM ledger.batch
           WHERE batch_id IN (:came, :closed)
              OR batch_id IN (SELECT batch_id FROM ledger.source_record WHERE record_id = :record)
           UNION ALL
           SELECT at, actor, what, reason, NULL FROM quality.work_log
           WHERE record_id = :record OR waiting_id = :waiting
           ORDER BY at"""
    )
    asked = {
        "came": base.batch_id, "closed": base.closed_by, "record": base.record_id, "waiting": base.waiting_id,
    }  # fmt: skip
    with runtime.engine.connect() as connection:
        return [dict(row) for row in connection.execute(query, asked).mappings()]
