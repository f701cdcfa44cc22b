"""The log of checks: one row a check, a refusal or a reading of the log, written before the answer goes out.

What a seal covers (`leaf`) holds nobody's name or number: of question and answer it holds the receipt, which commits to
them under a salt. Salt and question lie beside it, locked, and can be erased without breaking the chain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg2
import psycopg2.extensions
from psycopg2.extras import execute_values

from verification.receipts import canonical

Cursor = psycopg2.extensions.cursor
CONTEXT: Final = "audit.entry"
"""What personal parts are sealed for."""
COVERED: Final = (
    "entry_id", "recorded_at", "check_id", "kind", "client_id", "organ", "grant_id", "purpose", "confirmed", "outcome",
    "answer", "receipt",
)  # fmt: skip
"""The columns that a seal covers."""
_WRITTEN: Final = (*COVERED[1:], "personal", "subject_hash", "relied")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log."""

    recorded_at: datetime
    kind: str
    outcome: str
    check_id: str | None = None
    client_id: int | None = None
    organ: str | None = None
    grant_id: int | None = None
    purpose: str | None = None
    confirmed: str | None = None
    answer: str | None = None
    receipt: str | None = None
    personal: bytes | None = None
    subject_hash: bytes | None = None
    relied: list[int] | None = None
    """The records that a positive answer stands on."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """The idempotency key of a request, its body, and the answer that is told again; all hashed or locked."""

    client_id: int
    key_hash: bytes
    body_hash: bytes
    check_id: str
    """Of a single check its number, of a part of a file the file's."""
    sealed: bytes


_TYPES: Final = (
    "timestamptz", "uuid", "text", "int", "text", "bigint", "text", "text", "text", "text", "text", "bytea", "bytea",
    "bigint[]",
)  # fmt: skip
_COLUMNS: Final = ", ".join(_WRITTEN)
_MARKS: Final = ", ".join(["%s"] * len(_WRITTEN))
_INSERT: Final = f"INSERT INTO audit.entry ({_COLUMNS}) VALUES ({_MARKS})"
_MANY: Final = f"INSERT INTO audit.entry ({_COLUMNS}) VALUES %s"
_KEYED: Final = """WITH kept AS (
    INSERT INTO audit.answer_key (client_id, key_hash, body_hash, check_id, sealed) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING RETURNING 1)"""


def write(cursor: Cursor, entries: Sequence[Entry], keyed: Keyed | None = None) -> bool:
    """Write entries in one statement; say whether: under a key that another request was first with, nothing is."""
    rows = [_values(one) for one in entries]
    if keyed is not None:
        return _write_keyed(cursor, rows, keyed)
    if len(rows) == 1:
        cursor.execute(_INSERT, rows[0])
    else:
        execute_values(cursor, _MANY, rows, page_size=len(rows))
    return True


def _write_keyed(cursor: Cursor, rows: Sequence[Sequence[Any]], keyed: Keyed) -> bool:
    cast = ", ".join(f"%s::{one}" for one in _TYPES)
    values = ", ".join(cursor.mogrify(f"({cast})", row).decode() for row in rows)
    key = cursor.mogrify(
        _KEYED, (keyed.client_id, keyed.key_hash, keyed.body_hash, keyed.check_id, keyed.sealed)
    ).decode()  # fmt: skip
    # Already filled in: a text without values is sent as it is, whatever signs stand in it.
    cursor.execute(
        f"{key} INSERT INTO audit.entry ({_COLUMNS}) SELECT v.* FROM (VALUES {values}) AS v "
        "WHERE EXISTS (SELECT FROM kept)"
    )
    return bool(cursor.rowcount)


def _values(entry: Entry) -> tuple[Any, ...]:
    return tuple(getattr(entry, name) for name in _WRITTEN)


def earlier(cursor: Cursor, client_id: int, key_hash: bytes) -> tuple[bytes, bytes] | None:
    """Return body hash and locked answer of an earlier request under an idempotency key."""
    cursor.execute(
        "SELECT body_hash, sealed FROM audit.answer_key WHERE client_id = %s AND key_hash = %s", (client_id, key_hash)
    )
    row = cursor.fetchone()
    return None if row is None else (bytes(row[0]), bytes(row[1]))


def leaf(row: Mapping[str, Any]) -> bytes:
    """Return the digest of an entry's covered columns (RFC 6962: leaves begin with 0)."""
    said = {name: row[name] for name in COVERED}
    said["recorded_at"] = row["recorded_at"].astimezone(UTC).isoformat()
    said["check_id"] = None if row["check_id"] is None else str(row["check_id"])
    return hashlib.sha256(b"\x00" + canonical(said)).digest()
