"""The log of checks: sealed without gaps, and whatever is done to it afterwards is found."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

from hub.refusals import Unavailable
from pipeline.runtime import Runtime
from sharedrepo.keyring import signing
from sharedrepo.keyring.signing import Ed25519Signer
from sharedrepo.models import entry
from verification.audit import sealing
from verification.audit.log import Entry, leaf, write
from verification.audit.sealing import tree_head
from verification.audit.watch import Watch


class Log:
    def __init__(self, runtime: Runtime) -> None:
        self.engine, self.signer = runtime.engine, Ed25519Signer.of(runtime.protector.ring)
        with self.engine.begin() as connection:
            signing.publish(connection, self.signer)

    def add(self, count: int = 1) -> None:
        raw = self.engine.raw_connection()
        with raw.cursor() as cursor:
            write(cursor, [self.entry(str(place)) for place in range(count)])
        raw.commit()
        raw.close()

    @staticmethod
    def entry(purpose: str = "p") -> Entry:
        return Entry(datetime.now(UTC), "credential", "match", None, 1, "ORGAN", None, purpose, personal=b"name")

    def seal(self) -> int:
        return sealing.seal(self.engine, self.signer)

    def faults(self, kept: dict[str, Any] | None = None) -> tuple[str, ...]:
        return sealing.verify(self.engine, signing.published(self.engine), kept=kept).faults

    def tamper(self, *statements: str) -> None:
        """What somebody who owns the server can do: take the guards off first."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for one in statements:
                connection.exec_driver_sql(one)


@pytest.fixture
def log(runtime: Runtime) -> Log:
    return Log(runtime)


def test_every_entry_is_sealed_once_and_heads_are_chained(log: Log) -> None:
    log.add(3)
    assert (log.seal(), log.seal()) == (3, 0)
    log.add(2)
    assert log.seal() == 2
    first, second = sealing.heads(log.engine)
    assert (first["entries"], second["entries"], second["total"]) == (3, 2, 5)
    said = signing.opened(second["signature"], signing.published(log.engine), sealing.KIND)
    assert said["before"] == first["head"]
    done = sealing.verify(log.engine, signing.published(log.engine))
    assert (done.seals, done.entries, done.unsealed, done.faults) == (2, 5, 0, ())


def test_a_lower_number_that_commits_after_a_seal_is_in_the_next_one(log: Log, database: str) -> None:
    late = psycopg2.connect(database)
    with late.cursor() as cursor:
        write(cursor, [log.entry("late")])  # its number is given, its transaction stays open
        log.add(2)
        assert log.seal() == 0, "what an open transaction can still precede is not sealed"
        late.commit()
    late.close()
    assert log.seal() == 3
    with log.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT min(entry_id) FROM audit.entry WHERE purpose = 'late'")) == 1
    log.add()
    assert (log.seal(), log.faults()) == (1, ())


def test_a_transaction_that_began_before_a_seal_and_writes_after_it_is_found_by_the_next(
    log: Log, database: str
) -> None:
    early = psycopg2.connect(database)
    with early.cursor() as cursor:
        log.add()
        assert log.seal() == 1
        log.add(2)
        write(cursor, [log.entry("early")])
        assert log.seal() in (0, 2)
        early.commit()
    early.close()
    assert log.seal() in (1, 3)
    assert log.faults() == ()
    done = sealing.verify(log.engine, signing.published(log.engine))
    assert (done.entries, done.unsealed) == (4, 0)


_SET = "UPDATE audit.entry SET"
_MORE = "INSERT INTO audit.entry (recorded_at, tx, kind, outcome) SELECT recorded_at, tx, 'x', 'x' FROM audit.entry"
TAMPERING = {
    "changed": (f"{_SET} outcome = 'mismatch' WHERE entry_id = 2", "changed"),
    "moved in time": (f"{_SET} recorded_at = recorded_at + interval '1 ms' WHERE entry_id = 2", "changed"),
    "removed": ("DELETE FROM audit.entry WHERE entry_id = 2", "removed"),
    "reordered": (f"{_SET} entry_id = 5 - entry_id WHERE entry_id IN (2, 3)", "another order"),
    "put into another seal": (f"{_SET} tx = (SELECT max(tx) FROM audit.entry) WHERE entry_id = 2", "removed"),
    "added": (f"{_MORE} WHERE entry_id = 2", "added"),
    "seal changed": ("UPDATE audit.seal SET root = '\\x00' WHERE number = 1", "not what was signed"),
    "seal forged": ("UPDATE audit.seal SET signature = 'a.b.c' WHERE number = 1", "cannot be read"),
    "seal removed": ("DELETE FROM audit.seal WHERE number = 1", "missing"),
}


def test_whatever_is_done_to_the_log_is_found(log: Log) -> None:
    log.add(4)
    log.seal()
    log.add(2)
    log.seal()
    log.tamper(
        "CREATE SCHEMA kept",
        "CREATE TABLE kept.entry AS TABLE audit.entry",
        "CREATE TABLE kept.seal AS TABLE audit.seal",
    )
    columns = ", ".join(column.name for column in entry.columns)
    for what, (statement, word) in TAMPERING.items():
        log.tamper(statement)
        assert any(word in fault for fault in log.faults()), (what, log.faults())
        log.tamper(
            "DELETE FROM audit.entry", f"INSERT INTO audit.entry ({columns}) SELECT {columns} FROM kept.entry",
            "DELETE FROM audit.seal", "INSERT INTO audit.seal SELECT * FROM kept.seal",
        )  # fmt: skip
        assert log.faults() == ()


def test_a_tail_that_was_cut_off_is_found_by_a_head_that_somebody_kept(log: Log) -> None:
    log.add(2)
    log.seal()
    log.add(2)
    log.seal()
    kept = sealing.heads(log.engine)[-1]
    log.tamper("DELETE FROM audit.seal WHERE number = 2", "DELETE FROM audit.entry WHERE entry_id > 2")
    assert log.faults() == (), "by itself a shorter log is in order"
    assert "tail was cut off" in log.faults(kept)[0]
    log.add(2)
    log.seal()
    assert "another one than the kept head" in log.faults(kept)[0]


def test_the_log_is_only_added_to_and_personal_parts_can_be_erased(log: Log) -> None:
    log.add(2)
    log.seal()
    for statement in (
        "UPDATE audit.entry SET outcome = 'x'", "DELETE FROM audit.entry", "UPDATE audit.entry SET personal = 'other'",
        "UPDATE audit.seal SET total = 0", "DELETE FROM audit.seal", "TRUNCATE audit.seal",
    ):  # fmt: skip
        with pytest.raises(sa.exc.IntegrityError), log.engine.begin() as connection:
            connection.exec_driver_sql(statement)
    with log.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit.entry SET personal = NULL, subject_hash = NULL WHERE entry_id = 1")
    assert log.faults() == ()


def test_a_server_restored_from_a_dump_is_not_sealed_over(log: Log) -> None:
    log.add()
    log.seal()
    log.tamper("UPDATE audit.seal SET through_tx = through_tx + 1000000")
    with pytest.raises(sealing.LogBroken, match="restored from a dump"):
        log.seal()


def test_many_entries_are_sealed_in_several_small_transactions(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MOST_ENTRIES", 3)
    for _ in range(8):
        log.add()
    assert log.seal() == 8
    assert [one["entries"] for one in sealing.heads(log.engine)] == [3, 3, 2]
    assert log.faults() == ()


def test_checks_are_refused_where_an_entry_waits_for_its_seal_too_long(log: Log) -> None:
    log.add()
    oldest = sealing.oldest_unsealed(log.engine)
    assert oldest is not None
    now = oldest.timestamp()
    watch = Watch(60, clock=lambda: now + 61)
    watch.mind()
    watch.saw(now)
    with pytest.raises(Unavailable, match="not been sealed"):
        watch.mind()
    log.seal()
    assert sealing.oldest_unsealed(log.engine) is None
    watch.saw(None)
    watch.mind()
    for later, refused in ((59, False), (62, True)):
        idle = iter((now, now + later))
        dead = Watch(60, clock=lambda idle=idle: next(idle))  # type: ignore[misc]  # bound for this round
        dead.saw(None)
        if refused:
            with pytest.raises(Unavailable):
                dead.mind()
        else:
            dead.mind()


def test_a_tree_head_is_that_of_rfc_6962() -> None:
    # Test vectors of the reference implementation of Certificate Transparency (RFC 6962, 2.1).

    leaves = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43", bytes(range(0x50, 0x58)),
              bytes(range(0x60, 0x70))]  # fmt: skip
    hashed = [hashlib.sha256(b"\x00" + one).digest() for one in leaves]
    assert tree_head([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert tree_head(hashed[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert tree_head(hashed[:3]).hex() == "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
    assert tree_head(hashed).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_the_leaf_covers_no_personal_part() -> None:
    row = dict.fromkeys(("check_id", "client_id", "organ", "grant_id", "purpose", "confirmed", "answer", "receipt"))
    base = {**row, "entry_id": 1, "recorded_at": datetime(2026, 1, 1, tzinfo=UTC), "kind": "k", "outcome": "o"}
    assert leaf({**base, "personal": b"a"}) == leaf({**base, "personal": None})
    assert leaf(base) != leaf({**base, "recorded_at": base["recorded_at"] + timedelta(microseconds=1)})  # type: ignore[operator]  # a time
