"""The rejected rows of a department, read from quarantine page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from connectors.source import Source
from hub import jsontext
from hub.findings import rule
from pipeline.pulls.exchange import desk_of
from pipeline.pulls.mapped import mapping_of
from pipeline.runtime import Runtime
from quality.returns import forms
from quality.returns.forms import Form
from quality.worklist.entries import Entry, entries
from quality.worklist.opened import HIDDEN

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Rejected:
    """One rejected row: all its columns as text, and the record itself with what may not be shown hidden."""

    stream: str
    cells: dict[str, str]
    record: dict[str, Any]


def forms_of(runtime: Runtime, source: Source, organ: str) -> dict[str, Form]:
    """Return the forms of a source's streams for one of its organs."""
    mapping, now = mapping_of(runtime, source), datetime.now(UTC)
    desks = {name: desk_of(runtime, source, mapping, name, now) for name in source.streams}
    return {name: Form.of(source.code, organ, desk.mapping, desk.shown) for name, desk in desks.items()}


def organs_of(runtime: Runtime, source: str) -> list[str]:
    """Return the organs that answer for rejected rows of a source; the empty one where nobody is named."""
    query = sa.text(
        """SELECT DISTINCT o.organ FROM ledger.waiting AS w
           JOIN ledger.stream AS s ON s.stream_id = w.stream_id
           JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
           JOIN quality.record_organ AS o ON o.record_id = w.record_id
           WHERE w.status = 'open' AND w.kind = 'quarantined' AND ss.code = :source ORDER BY 1"""
    )
    with runtime.engine.connect() as connection:
        return [str(organ) for (organ,) in connection.execute(query, {"source": source})]


def rejected(runtime: Runtime, form: Form, *, reveal: bool) -> Iterator[Rejected]:
    """Yield the rejected rows of one stream and organ, at most as many as a return holds."""
    after, left = 0, forms.MOST_ROWS
    while left > 0:
        size = min(_PAGE, left)
        page = entries(runtime, source=form.source, stream=form.stream, organ=form.organ, after=after, limit=size)
        if page:
            yield from _rows(runtime, form, page, reveal=reveal)
            after, left = page[-1].number, left - len(page)
        if len(page) < size:
            return


def _rows(runtime: Runtime, form: Form, page: Sequence[Entry], *, reveal: bool) -> Iterator[Rejected]:
    numbers = [one.number for one in page]
    with runtime.engine.connect() as connection:
        bodies = {
            number: (bytes(payload), bytes(received), record)
            for number, payload, received, record in connection.execute(
                sa.text(
                    """SELECT waiting_id, payload, received_hash, record_id FROM ledger.waiting
                       WHERE waiting_id = ANY(:ids) AND payload IS NOT NULL"""
                ),
                {"ids": numbers},
            )
        }
        told: dict[int, list[Any]] = {}
        for said in connection.execute(
            sa.text(
                """SELECT record_id, rule, field, pointer, detail FROM quality.finding
                   WHERE state = 'open' AND waits AND record_id = ANY(:ids) ORDER BY effect DESC, finding_id"""
            ),
            {"ids": [record for _body, _received, record in bodies.values()]},
        ):
            told.setdefault(said.record_id, []).append(said)
    for one in page:
        if one.number in bodies:
            payload, received, record_id = bodies[one.number]
            body = runtime.archive.data_keys.unlock(form.source, payload)
            named = {
                forms.SOURCE: form.source, forms.ORGAN: form.organ, forms.STREAM: form.stream,
                forms.ENTRY: str(one.number), forms.KEY: one.key,
                forms.TOKEN: forms.token(
                    runtime.protector, form.source, form.organ, form.stream, one.number, one.key, received
                ),
            }  # fmt: skip
            record = _record(form, body, reveal=reveal)
            cells = {name: forms.cell_of(record.get(name)) for name in form.fields}
            yield Rejected(form.stream, {**named, **words(told.get(record_id, ())), **cells}, record)


def _record(form: Form, body: bytes, *, reveal: bool) -> dict[str, Any]:
    """Read a record; what may be a person's is hidden, and what came as no record has no fields."""
    try:
        record = jsontext.loads(body)
    except ValueError:
        return {}
    if not isinstance(record, dict):
        return {}
    if reveal:
        return record
    return {
        name: value if value is None or value == "" or name in form.shown else HIDDEN
        for name, value in record.items()
    }  # fmt: skip


def words(findings: Sequence[Any]) -> dict[str, str]:
    """Say what is wrong with a row and what to do, in Chinese and in English: a line a finding."""
    wrong_zh: list[str] = []
    wrong_en: list[str] = []
    hints_zh: dict[str, None] = {}
    hints_en: dict[str, None] = {}
    for one in findings:
        said = rule(one.rule)
        place = (one.pointer or one.field or "").lstrip("/").replace(", /", ", ")
        detail = "; ".join(f"{name}: {text}" for name, text in (one.detail or {}).items())
        before = f"{place}: " if place else ""
        wrong_zh.append(before + said.title_zh)
        wrong_en.append(before + said.title + (f" ({detail})" if detail else ""))
        hints_zh[said.hint_zh] = hints_en[said.hint] = None
    parts = (wrong_zh, wrong_en, hints_zh, hints_en)
    return {name: forms.cell_of("\n".join(part)) for name, part in zip(forms.TOLD, parts, strict=True)}
