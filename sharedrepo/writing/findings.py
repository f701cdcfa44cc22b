"""Findings kept: one open row for each breach; a record that is judged anew closes what it no longer breaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from hub.findings import Finding
from sharedrepo.staging import stage

_COLUMNS = (
    "record_id bigint, unit text, row integer, rule text, effect text, field text, pointer text, shown text,"
    " sealed bytea, detail jsonb, waits boolean"
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A finding with the record and the place it speaks about; `sealed` is its raw value, protected.

    `waits` marks what is said of a refused version, which waits in quarantine beside the one that stands: it goes when
    that version goes.
    """

    finding: Finding
    record_id: int | None
    unit: str | None
    row: int | None
    sealed: bytes | None
    waits: bool = False


def write(
    cursor: stage.Cursor, *, stream_id: int, batch_id: int, placed: Sequence[Placed],
    judged: Sequence[int] = (), judged_waiting: Sequence[int] = (),
) -> None:  # fmt: skip
    """Write the findings of a batch.

    What was said before of the records `judged`, and of the waiting versions of the records `judged_waiting`, speaks no
    more unless it is said again. A finding that is open already stays as it is: reading the same fault again opens
    nothing new.
    """
    if not placed and not judged and not judged_waiting:
        return
    stage.fresh(cursor, "stage_finding", _COLUMNS)
    stage.fresh(cursor, "stage_judged", "record_id bigint, waits boolean")
    waits = [False] * len(judged) + [True] * len(judged_waiting)
    stage.copy(cursor, "stage_judged", {"record_id": [*judged, *judged_waiting], "waits": waits})
    _stage(cursor, placed)
    same = """f.rule = s.rule AND f.field IS NOT DISTINCT FROM s.field AND f.pointer IS NOT DISTINCT FROM s.pointer
              AND f.shown IS NOT DISTINCT FROM s.shown AND f.waits = s.waits"""
    if waits:
        cursor.execute(
            f"""
            UPDATE quality.finding AS f SET state = 'closed', closed_by = %s
            FROM stage_judged AS j
            WHERE f.record_id = j.record_id AND f.waits = j.waits AND f.state = 'open' AND f.case_id IS NULL
              AND NOT EXISTS (SELECT FROM stage_finding AS s WHERE s.record_id = f.record_id AND {same})
            """,
            (batch_id,),
        )
    if placed:
        cursor.execute(
            f"""
            INSERT INTO quality.finding
                (stream_id, record_id, unit, row, rule, effect, field, pointer, shown, sealed, detail, waits, batch_id)
            SELECT DISTINCT ON (record_id, unit, rule, field, pointer, shown, waits)
                %(stream)s, record_id, unit, row, rule, effect, field, pointer, shown, sealed, detail, waits, %(batch)s
            FROM stage_finding AS s
            WHERE NOT EXISTS (
                SELECT FROM quality.finding AS f
                WHERE f.state = 'open' AND f.stream_id = %(stream)s AND {same}
                  AND f.record_id IS NOT DISTINCT FROM s.record_id
                  AND (s.record_id IS NOT NULL OR f.unit IS NOT DISTINCT FROM s.unit))
            ORDER BY record_id, unit, rule, field, pointer, shown, waits, row
            """,
            {"stream": stream_id, "batch": batch_id},
        )


def close_settled(cursor: stage.Cursor, *, batch_id: int, record_ids: Sequence[int]) -> None:
    """Close what was said of waiting versions of these records that wait no longer."""
    if not record_ids:
        return
    cursor.execute(
        """UPDATE quality.finding AS f SET state = 'closed', closed_by = %s
           WHERE f.waits AND f.state = 'open' AND f.record_id = ANY(%s) AND NOT EXISTS (
               SELECT FROM ledger.waiting AS w
               WHERE w.record_id = f.record_id AND w.status = 'open' AND w.kind = 'quarantined')""",
        (batch_id, list(record_ids)),
    )


def _stage(cursor: stage.Cursor, placed: Sequence[Placed]) -> None:
    stage.copy(
        cursor,
        "stage_finding",
        {
            "record_id": stage.integers([one.record_id for one in placed]),
            "unit": stage.texts([one.unit for one in placed]),
            "row": stage.integers([one.row for one in placed]),
            "rule": stage.texts([one.finding.rule for one in placed]),
            "effect": stage.texts(["refuse" if one.finding.refuses else "flag" for one in placed]),
            "field": stage.texts([_field(one.finding) for one in placed]),
            "pointer": stage.texts([one.finding.pointer for one in placed]),
            "shown": stage.texts([_shown(one.finding) for one in placed]),
            "sealed": stage.bytea([one.sealed for one in placed]),
            "detail": stage.texts([orjson.dumps(dict(one.finding.detail)).decode() for one in placed]),
            "waits": [one.waits for one in placed],
        },
    )


def _field(finding: Finding) -> str | None:
    return f"{finding.table}.{finding.field}" if finding.table and finding.field else finding.field


def _shown(finding: Finding) -> str | None:
    """Return the value as people may see it: never one of a person, and never long."""
    return None if finding.personal or finding.value is None else finding.value[:80]
