"""Records that wait: refused ones in quarantine, children whose case has not come; and how they leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sharedrepo.staging import stage

_COLUMNS = (
    "record_id bigint, kind text, case_number text, order_value bigint, received_hash bytea, rules text[], unit text,"
    " row integer, payload bytea, mend bytea, organ text"
)


@dataclass(frozen=True, slots=True)
class Waiter:
    """A record that goes and waits; `payload` is the record as received, locked."""

    record_id: int
    kind: str
    case_number: str | None
    order: int | None
    received: bytes
    rules: tuple[str, ...]
    unit: str | None
    row: int
    payload: bytes
    mend: bytes | None = None
    """How the hub mended it before it came to wait, locked."""
    organ: str | None = None
    """The organ that it names: whose it is while no row of it stands."""


def add(cursor: stage.Cursor, *, stream_id: int, batch_id: int, read_at: object, waiters: Sequence[Waiter]) -> None:
    """Write the records that wait.

    A record that waits for its case replaces what waits under its key in older versions; a refused one replaces only
    refused ones, for it is no word against one that can be read; a conflicting version waits beside them all.
    """
    if not waiters:
        return
    stage.fresh(cursor, "stage_waiting", _COLUMNS)
    stage.copy(
        cursor,
        "stage_waiting",
        {
            "record_id": stage.integers([one.record_id for one in waiters]),
            "kind": stage.texts([one.kind for one in waiters]),
            "case_number": stage.texts([one.case_number for one in waiters]),
            "order_value": stage.integers([one.order for one in waiters]),
            "received_hash": stage.bytea([one.received for one in waiters]),
            "rules": stage.texts(["{" + ",".join(one.rules) + "}" for one in waiters]),
            "unit": stage.texts([one.unit for one in waiters]),
            "row": stage.integers([one.row for one in waiters]),
            "payload": stage.bytea([one.payload for one in waiters]),
            "mend": stage.bytea([one.mend for one in waiters]),
            "organ": stage.texts([one.organ for one in waiters]),
        },
    )
    cursor.execute(
        """
        UPDATE ledger.waiting AS w SET status = 'superseded', closed_by = %(batch)s
        FROM stage_waiting AS s
        WHERE w.record_id = s.record_id AND w.status IN ('open', 'waived') AND NOT ('version_conflict' = ANY(s.rules))
          AND (s.kind = 'parked' OR w.kind = 'quarantined')
          AND (w.order_value IS NULL OR s.order_value IS NULL OR w.order_value <= s.order_value)
        """,
        {"batch": batch_id},
    )
    cursor.execute(
        """
        INSERT INTO ledger.waiting (record_id, stream_id, kind, case_number, order_value, received_hash, rules, unit,
                                    row, batch_id, since, payload, mend, organ)
        SELECT record_id, %(stream)s, kind, case_number, order_value, received_hash, rules, unit,
               row, %(batch)s, %(since)s, payload, mend, organ
        FROM stage_waiting ORDER BY record_id, row
        """,
        {"stream": stream_id, "batch": batch_id, "since": read_at},
    )


def supersede(cursor: stage.Cursor, *, batch_id: int, record_ids: Sequence[int], status: str = "superseded") -> None:
    """Close what waited under records that now stand, or wait for their case, at the same or a higher version."""
    if not record_ids:
        return
    cursor.execute(
        """
        UPDATE ledger.waiting AS w SET status = %(status)s, closed_by = %(batch)s
        FROM ledger.source_record AS r
        WHERE r.record_id = w.record_id AND w.status IN ('open', 'waived') AND w.record_id = ANY(%(ids)s)
          AND (w.kind = 'quarantined' OR r.state <> 'parked')
          AND (w.order_value IS NULL OR r.order_value IS NULL OR w.order_value <= r.order_value)
        """,
        {"batch": batch_id, "ids": list(record_ids), "status": status},
    )


def found_key(cursor: stage.Cursor, *, stream_id: int, batch_id: int, keys: Sequence[str]) -> None:
    """Let records go whose key could not be read when they came: each stands under its own key now.

    `keys` are those that the hub had given them; most never had one.
    """
    cursor.execute(
        """WITH gone AS (
               UPDATE ledger.source_record SET state = 'excluded'
               WHERE stream_id = %(stream)s AND source_key = ANY(%(keys)s) AND state = 'quarantined' RETURNING record_id
           ), closed AS (
               UPDATE quality.finding SET state = 'closed', closed_by = %(batch)s
               WHERE state = 'open' AND record_id IN (SELECT record_id FROM gone)
           )
           UPDATE ledger.waiting SET status = 'replayed', closed_by = %(batch)s
           WHERE status = 'open' AND record_id IN (SELECT record_id FROM gone)""",
        {"stream": stream_id, "batch": batch_id, "keys": list(keys)},
    )


@dataclass(frozen=True, slots=True)
class Released:
    """A record that need wait no longer."""

    waiting_id: int
    stream_id: int
    row: int
    unit: str | None
    payload: bytes
    key: str
    rules: tuple[str, ...] = ()
    received: bytes = b""
    mend: bytes | None = None


_READ = """SELECT w.waiting_id, w.stream_id, w.row, w.unit, w.payload, r.source_key, w.rules, w.received_hash, w.mend
           FROM ledger.waiting AS w JOIN ledger.source_record AS r USING (record_id)"""


def quarantined(cursor: stage.Cursor, stream_id: int, ids: Sequence[int], *, rule: str | None = None) -> list[Released]:
    """Read the open quarantine entries of a stream, of these ids or this rule alone, in the order in which they came.

    The entries of a rule are those that it sent to quarantine.
    """
    cursor.execute(
        f"""
        {_READ} WHERE w.stream_id = %(stream)s AND w.kind = 'quarantined' AND w.status = 'open'
          AND (cardinality(%(ids)s::bigint[]) = 0 OR w.waiting_id = ANY(%(ids)s))
          AND (%(rule)s::text IS NULL OR %(rule)s = ANY(w.rules)) ORDER BY w.waiting_id
        """,
        {"stream": stream_id, "ids": list(ids), "rule": rule},
    )
    return _released(cursor)


def open_entries(cursor: stage.Cursor, ids: Sequence[int]) -> list[Released]:
    """Read the open entries of these ids, whether they are refused or wait for their case."""
    cursor.execute(f"{_READ} WHERE w.status = 'open' AND w.waiting_id = ANY(%s) ORDER BY w.waiting_id", (list(ids),))
    return _released(cursor)


def _released(cursor: stage.Cursor) -> list[Released]:
    return [
        Released(
            number, stream, row, unit, bytes(payload), key, tuple(rules), bytes(received),
            None if mend is None else bytes(mend),
        )
        for number, stream, row, unit, payload, key, rules, received, mend in cursor.fetchall()
    ]  # fmt: skip


def named(cursor: stage.Cursor, stream_id: int, marks: Sequence[tuple[str, bytes]]) -> list[int]:
    """Return the open quarantine entries of a stream by their records' keys and hashes as received."""
    cursor.execute(
        """SELECT w.waiting_id FROM ledger.waiting AS w JOIN ledger.source_record AS r USING (record_id)
           JOIN unnest(%(keys)s::text[], %(marks)s::bytea[]) AS m (source_key, received_hash)
             ON m.source_key = r.source_key AND m.received_hash = w.received_hash
           WHERE w.stream_id = %(stream)s AND w.kind = 'quarantined' AND w.status = 'open' ORDER BY 1""",
        {"stream": stream_id, "keys": [key for key, _ in marks], "marks": [mark for _, mark in marks]},
    )
    return [int(number) for (number,) in cursor.fetchall()]


def waive(cursor: stage.Cursor, *, ids: Sequence[int], batch_id: int) -> list[int]:
    """Let refused records go for good; return the record ids.

    A record of which nothing else stands or waits is excluded from now on; what stands under its key stays.
    """
    cursor.execute(
        """WITH gone AS (
               UPDATE ledger.waiting SET status = 'waived', closed_by = %(batch)s
               WHERE waiting_id = ANY(%(ids)s) AND status = 'open' RETURNING waiting_id, record_id
           ), excluded AS (
               UPDATE ledger.source_record AS r SET state = 'excluded'
               WHERE r.record_id IN (SELECT record_id FROM gone) AND r.state = 'quarantined' AND NOT EXISTS (
                   SELECT FROM ledger.waiting AS other WHERE other.record_id = r.record_id
                   AND other.status = 'open' AND other.waiting_id <> ALL(%(ids)s))
           )
           SELECT DISTINCT record_id FROM gone""",
        {"ids": list(ids), "batch": batch_id},
    )
    return [int(record) for (record,) in cursor.fetchall()]


def payload(cursor: stage.Cursor, waiting_id: int) -> bytes | None:
    """Read the locked payload of one entry; None where there is no such entry."""
    cursor.execute("SELECT payload FROM ledger.waiting WHERE waiting_id = %s", (waiting_id,))
    found = cursor.fetchone()
    return None if found is None else bytes(found[0])


def children_of(cursor: stage.Cursor, source_system_id: int, case_numbers: Sequence[str]) -> list[Released]:
    """Read the parked records whose case has now come, highest version first within a key."""
    if not case_numbers:
        return []
    cursor.execute(
        f"""
        {_READ} WHERE w.status = 'open' AND w.kind = 'parked' AND w.case_number = ANY(%s)
          AND w.stream_id IN (SELECT stream_id FROM ledger.stream WHERE source_system_id = %s)
        ORDER BY w.stream_id, w.record_id, w.order_value DESC NULLS LAST
        """,
        (stage.TextArray(case_numbers), source_system_id),
    )
    return _released(cursor)


def close(cursor: stage.Cursor, *, waiting_ids: Sequence[int], batch_id: int, status: str) -> None:
    """Close entries that were taken in again; those that the same batch has overtaken say how, too."""
    cursor.execute(
        """UPDATE ledger.waiting SET status = %(status)s, closed_by = %(batch)s
           WHERE waiting_id = ANY(%(ids)s) AND (status = 'open' OR closed_by = %(batch)s)""",
        {"status": status, "batch": batch_id, "ids": list(waiting_ids)},
    )
