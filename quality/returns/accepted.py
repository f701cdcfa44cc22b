"""All that was accepted of a department's own records: a CSV and a JSON-lines file a document, streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hub import jsontext
from hub.documents import Document
from hub.settings import private_folder
from pipeline.afterwards import deeds
from pipeline.afterwards.deeds import Deed
from pipeline.runtime import Runtime
from quality.returns.writing import file_name, write_stream
from quality.worklist import log
from sharedrepo.models import TABLES

MENDED = "hub:mended"
"""The column that says which of the record's own fields the hub put right: what stands there is not what was sent."""
_PAGE = 2_000
_HIDDEN = frozenset({"record_id", "part", "source_system_id", "case_id", "batch_id", "content_hash", "sealed"})

Progress = Callable[[int, str], None]


def accepted(
    runtime: Runtime, source: str, organ: str, folder: Path, *, reveal: bool, actor: str,
    progress: Progress | None = None,
) -> dict[str, int]:  # fmt: skip
    """Write all that is kept of an organ's records of one source; return the rows by document.

    Persons are shown by their masks; with `reveal` in clear, and who wrote it when is logged.
    """
    who = log.known(actor)
    private_folder(folder)
    out: dict[str, int] = {}
    if reveal:
        why, detail = "its own accepted data, for the department", {"source": source, "organ": organ}
        deeds.write(runtime, Deed(who, "reveal", source=source, reason=why, detail=detail))
    for name in TABLES:
        header, rows = _rows(runtime, name, source, organ, reveal=reveal)
        first = next(rows, None)
        if first is None:
            continue
        path = folder / file_name(source, organ, "accepted", name, ending="csv")
        out[name] = write_stream(path, header, _counted(_joined(first, rows), name, progress))
    done = {"source": source, "organ": organ, "accepted": out}
    deeds.write(runtime, Deed(who, "return", source=source, detail=done))
    return out


def organs_of(runtime: Runtime, source: str) -> list[str]:
    """Return the organs of which a source's records are kept."""
    query = sa.text(
        """SELECT DISTINCT o.organ FROM ledger.source_record AS r
           JOIN ledger.stream AS s ON s.stream_id = r.stream_id
           JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
           JOIN quality.record_organ AS o ON o.record_id = r.record_id
           WHERE r.state = 'kept' AND ss.code = :source ORDER BY 1"""
    )
    with runtime.engine.connect() as connection:
        return [str(organ) for (organ,) in connection.execute(query, {"source": source})]


def _joined(first: dict[str, Any], rest: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    yield from rest


def _counted(rows: Iterator[dict[str, Any]], name: str, progress: Progress | None) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield row
        if progress is not None:
            progress(1, name)


def _rows(
    runtime: Runtime, name: str, source: str, organ: str, *, reveal: bool
) -> tuple[list[str], Iterator[dict[str, Any]]]:
    """Return the columns of a document as the department sees them, and its rows, read through a cursor."""
    table, document = TABLES[name], runtime.documents[name]
    plain = [one.name for one in table.columns if one.name not in _HIDDEN and "hash" not in one.info]
    of_case = "case_id" in table.columns
    personal = [one.name for one in document.columns.values() if one.personal]
    header = ["source_key", *(["case_number"] if of_case else []), *plain, *(personal if reveal else []), MENDED]
    listed = ", ".join(f't."{one}"' for one in plain)
    query = f"""
        SELECT r.source_key{", c.case_number" if of_case else ""}, {listed}{", t.sealed" if personal else ""},
            (SELECT string_agg(DISTINCT f.pointer, ' ') FROM quality.finding AS f
             WHERE f.record_id = t.record_id AND f.state = 'open' AND f.rule = 'value_mended') AS "{MENDED}"
        FROM core.{name} AS t
        JOIN ledger.source_record AS r ON r.record_id = t.record_id
        JOIN ledger.stream AS s ON s.stream_id = r.stream_id
        JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
        JOIN quality.record_organ AS o ON o.record_id = t.record_id
        {"JOIN core.approval_case AS c ON c.record_id = t.case_id" if of_case else ""}
        WHERE ss.code = :source AND o.organ = :organ ORDER BY t.record_id, t.part"""
    return header, _read(runtime, query, document, {"source": source, "organ": organ}, reveal=reveal)


def _read(
    runtime: Runtime, query: str, document: Document, values: Mapping[str, Any], *, reveal: bool
) -> Iterator[dict[str, Any]]:
    personal = [one.name for one in document.columns.values() if one.personal]
    with runtime.engine.connect().execution_options(stream_results=True, yield_per=_PAGE) as connection:
        for row in connection.execute(sa.text(query), values).mappings():
            said = {name: _plain(value) for name, value in row.items() if name != "sealed"}
            if reveal and personal:
                sealed = row["sealed"]
                clear = {} if sealed is None else jsontext.loads(
                    runtime.protector.unseal(bytes(sealed), context=document.name)
                )  # fmt: skip
                said |= {name: clear.get(name) for name in personal}
            yield said


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
