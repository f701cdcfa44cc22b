"""Seals the log: entries are hashed into Merkle trees (RFC 6962), each head chained to the one before and signed.

A seal takes what no open transaction can still precede: entries whose transaction lies below the oldest one that still
runs. What commits late under a lower number is found by the next seal. Each seal is a small transaction of its own that
locks nothing a check needs; one sealer works at a time. Where each seal begins and ends follows from its transaction
numbers, so that verifying needs nothing but the log and the heads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from hub.errors import RepositoryError
from sharedrepo.keyring.signing import BadSignature, Signer, opened
from verification.audit.log import COVERED, leaf
from verification.receipts import canonical

KIND: Final = "hub-head+jws"
MOST_ENTRIES: Final = 5_000
"""About so many entries one seal takes: a minute of traffic is sealed in several small transactions."""
START: Final = bytes(32)
"""What the first head is chained to."""

_LAST = "SELECT number, through_tx, total, head FROM audit.seal ORDER BY number DESC LIMIT 1"
_SAFE = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_RANGE = f"""SELECT {", ".join(COVERED)} FROM audit.entry WHERE tx >= :first AND tx < :end ORDER BY entry_id"""
_END = """SELECT coalesce(max(tx) + 1, :safe) FROM (
    SELECT tx FROM audit.entry WHERE tx >= :first AND tx < :safe ORDER BY tx LIMIT :most) AS t"""


class LogBroken(RepositoryError):
    """The log of checks is not as it was sealed, or cannot be sealed."""

    exit_status = 65


def tree_head(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash of leaves (RFC 6962, 2.1); of none, the hash of nothing."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        pairs = [hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def head_of(claims: Mapping[str, Any]) -> bytes:
    """Return the digest that the next seal is chained to."""
    return hashlib.sha256(b"\x02" + canonical(dict(claims))).digest()


def _now() -> datetime:
    return datetime.now(UTC)


def seal(engine: sa.Engine, signer: Signer, *, clock: Callable[[], datetime] = _now) -> int:
    """Seal all that can be sealed; return how many entries were. Where another sealer is at work nothing is done.

    Raises:
        LogBroken: the server counts its transactions from a lower number than the last seal: it was restored from a
            dump, and `hub audit verify` must look at it first.
    """
    sealed = 0
    while True:
        done, more = _one(engine, signer, clock())
        sealed += done
        if not more:
            return sealed


def _one(engine: sa.Engine, signer: Signer, now: datetime) -> tuple[int, bool]:
    with engine.begin() as connection:
        if not connection.scalar(sa.text("SELECT pg_try_advisory_xact_lock(hashtext('hub.seal'))")):
            return 0, False
        last = connection.execute(sa.text(_LAST)).first()
        number, first, total, before = (0, 0, 0, START) if last is None else last
        safe = connection.scalar(sa.text(_SAFE)) or 0
        if safe < first:
            raise LogBroken(
                f"the server's transactions are at {safe}, the last seal went to {first}: it was restored from a dump. "
                f"Set them forward by `pg_resetwal --next-transaction-id`, then run `hub audit verify`."
            )
        end = connection.scalar(sa.text(_END), {"first": first, "safe": safe, "most": MOST_ENTRIES})
        rows = connection.execute(sa.text(_RANGE), {"first": first, "end": end}).mappings().all()
        if not rows:
            return 0, False
        claims = {
            "number": number + 1, "sealed_at": now.isoformat(), "first_tx": first, "end_tx": end,
            "entries": len(rows),
            "total": total + len(rows), "root": tree_head([leaf(dict(row)) for row in rows]).hex(),
            "before": bytes(before).hex(),
        }  # fmt: skip
        connection.execute(
            sa.text("""INSERT INTO audit.seal (number, sealed_at, through_tx, entries, total, root, head, signature)
                       VALUES (:number, :sealed_at, :end_tx, :entries, :total, decode(:root, 'hex'), :head,
                           :signature)"""),
            {**claims, "head": head_of(claims), "signature": signer.sign(canonical(claims), KIND)},
        )
        return len(rows), len(rows) >= MOST_ENTRIES


def oldest_unsealed(engine: sa.Engine) -> datetime | None:
    """Return when the oldest entry without a seal was written; None where all are sealed."""
    query = """SELECT min(recorded_at) FROM audit.entry
               WHERE tx >= coalesce((SELECT through_tx FROM audit.seal ORDER BY number DESC LIMIT 1), 0)"""
    with engine.connect() as connection:
        found: datetime | None = connection.scalar(sa.text(query))
        return found


def heads(engine: sa.Engine, *, after: int = 0, limit: int = 1_000) -> list[dict[str, Any]]:
    """Return heads by number: departments keep them, and can prove by any of them what the log held."""
    query = """SELECT number, sealed_at, entries, total, encode(root, 'hex') AS root, encode(head, 'hex') AS head,
               signature FROM audit.seal WHERE number > :after ORDER BY number LIMIT :limit"""
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query), {"after": after, "limit": limit}).mappings()
        return [{**row, "sealed_at": row["sealed_at"].astimezone(UTC).isoformat()} for row in rows]


def last_head(engine: sa.Engine) -> dict[str, Any] | None:
    """Return the newest head; None where nothing was ever sealed."""
    with engine.connect() as connection:
        number = connection.scalar(sa.text("SELECT max(number) FROM audit.seal"))
    return None if number is None else heads(engine, after=number - 1)[0]


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying found: what was looked at, and every fault."""

    seals: int
    entries: int
    unsealed: int
    faults: tuple[str, ...]


def verify(engine: sa.Engine, jwks: dict[str, Any], *, kept: Mapping[str, Any] | None = None) -> Verified:
    """Compare the log with its seals, and these with a head that somebody kept: that one finds a tail cut off.

    `kept` is a head as `heads` returned it.
    """
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        found = connection.execute(sa.text("SELECT * FROM audit.seal ORDER BY number")).mappings()
        seals = [dict(row) for row in found]
        faults, before, first, total = list(_against(seals, kept, jwks)), START, 0, 0
        for place, one in enumerate(seals, 1):
            if one["number"] != place:
                faults.append(f"seal {place} is missing: the next one is {one['number']}")
                break
            faults += _judged(connection, one, jwks, before, first, total)
            before, first, total = bytes(one["head"]), one["through_tx"], one["total"]
        unsealed = connection.scalar(sa.text("SELECT count(*) FROM audit.entry WHERE tx >= :first"), {"first": first})
    return Verified(len(seals), total, unsealed or 0, tuple(faults))


def _judged(
    connection: sa.Connection, one: Mapping[str, Any], jwks: dict[str, Any], before: bytes, first: int, total: int
) -> Iterator[str]:
    try:
        claims = opened(one["signature"], jwks, KIND)
    except BadSignature as error:
        yield f"seal {one['number']}: {error}"
        return
    if head_of(claims) != bytes(one["head"]) or claims["before"] != before.hex() or claims["first_tx"] != first:
        yield f"seal {one['number']} does not follow the one before it"
    said = (one["number"], one["through_tx"], one["entries"], one["total"], bytes(one["root"]).hex())
    if said != tuple(claims[name] for name in ("number", "end_tx", "entries", "total", "root")):
        yield f"seal {one['number']}: its row is not what was signed"
    rows = connection.execute(sa.text(_RANGE), {"first": first, "end": claims["end_tx"]}).mappings().all()
    if len(rows) != claims["entries"] or total + len(rows) != claims["total"]:
        yield f"seal {one['number']}: {len(rows)} entries, {claims['entries']} were sealed: some were removed or added"
    elif tree_head([leaf(dict(row)) for row in rows]).hex() != claims["root"]:
        yield f"seal {one['number']}: an entry was changed, or entries were put into another order"


def _against(seals: Sequence[Mapping[str, Any]], kept: Mapping[str, Any] | None, jwks: dict[str, Any]) -> Iterator[str]:
    if kept is None:
        return
    try:
        claims = opened(str(kept.get("signature")), jwks, KIND)
    except BadSignature as error:
        yield f"the kept head: {error}"
        return
    found = [one for one in seals if one["number"] == claims["number"]]
    if not found:
        yield f"the kept head is number {claims['number']}, the log ends at {len(seals)}: its tail was cut off"
    elif bytes(found[0]["head"]) != head_of(claims):
        yield f"seal {claims['number']} is another one than the kept head"
