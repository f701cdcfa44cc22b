"""One waiting record, shown to the person who works on it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hub import jsontext
from hub.contract import RULES as CHANGES
from hub.errors import RepositoryError
from hub.findings import rule
from pipeline.runtime import Runtime

HIDDEN = "(protected)"


def entry(runtime: Runtime, number: int, *, reveal: bool) -> dict[str, Any]:
    """Return a waiting record and its findings; without `reveal`, only the values that findings may show.

    Raises:
        RepositoryError: there is no such entry, or it was erased.
    """
    with runtime.engine.connect() as connection:
        found = connection.execute(
            sa.text(
                """SELECT w.record_id, w.stream_id, w.rules,
                          w.payload, w.kind, w.status, w.unit, w.row, y.code AS source
                   FROM ledger.waiting AS w JOIN ledger.stream AS s USING (stream_id)
                   JOIN core.source_system AS y USING (source_system_id) WHERE w.waiting_id = :id"""
            ),
            {"id": number},
        ).one_or_none()
        if found is None:
            raise RepositoryError(f"no waiting record {number}; `hub quarantine list` shows those that there are.")
        rows = connection.execute(
            sa.text(
                """SELECT rule, effect, field, pointer, shown, detail FROM quality.finding
                   WHERE state = 'open' AND (record_id = :id
                       OR (record_id IS NULL AND stream_id = :stream AND rule = ANY(:rules)))"""
            ),
            {"id": found.record_id, "stream": found.stream_id, "rules": [one for one in found.rules if one in CHANGES]},
        ).mappings()
        findings = [{**row, "title": rule(row["rule"]).title, "hint": rule(row["rule"]).hint} for row in rows]
    if found.payload is None:
        raise RepositoryError(
            f"what waited as {number} was erased: the archive's data keys of its month were destroyed. "
            f"`hub batch list {found.source}` names the erasure and its reason."
        )
    payload = runtime.archive.data_keys.unlock(found.source, bytes(found.payload))
    try:
        record: dict[str, Any] = jsontext.loads(payload)
    except ValueError:
        record = {"text": payload.decode("utf-8", "replace")}
    shown = record if reveal else {name: HIDDEN if value is not None else None for name, value in record.items()}
    return {
        "id": number,
        "kind": found.kind,
        "state": found.status,
        "unit": found.unit,
        "row": found.row,
        "record": shown,
        "findings": findings,
    }
