"""A repository that holds credentials and cases of two departments, written as the merge writes them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hub.workdays import local_day
from pipeline.runtime import Runtime
from sharedrepo.models import HISTORY, TABLES
from verification.evidence import feeds
from verification.rights import access

ISSUER = "11330000002482285J"
ASKER = "11330000002483659R"
OTHER = "113300000024864972"
FIRM, FIRM_NAME = "91330106MA2B00019Q", "杭州青山建设有限公司"
PERSON, PERSON_NAME = "330185199003071223", "王晓岚"
LICENCE = "食品经营许可证"
PURPOSE = "前置审批核验"
NOW = datetime.now(UTC).replace(microsecond=0)


def today() -> date:
    """The day in China, as the hub sees it at this moment."""
    return local_day(datetime.now(UTC))


class Registry:
    """Writes what departments would have sent."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime, self.engine, self.protector = runtime, runtime.engine, runtime.protector
        self._count = 0

    def run(self, query: str, **values: Any) -> Any:
        with self.engine.begin() as connection:
            done = connection.execute(sa.text(query), values)
            return done.scalar() if done.returns_rows else None

    def stream(self, name: str, *, organ: str = ISSUER, through: datetime | None = NOW, basis: str = "declared") -> int:
        """A source with one stream; `through` is the instant up to which it is complete."""
        source = self.run(
            """INSERT INTO core.source_system (code, title, organ, kind) VALUES (:name, :name, :organ, 'database')
               ON CONFLICT (code) DO UPDATE SET title = excluded.title RETURNING source_system_id""",
            name=name, organ=organ,
        )  # fmt: skip
        return int(self.run(
            """INSERT INTO ledger.stream (source_system_id, name, complete_through, complete_basis, last_success_at)
               VALUES (:source, 'S', :through, :basis, '2100-01-01')
               ON CONFLICT (source_system_id, name) DO UPDATE SET complete_through = excluded.complete_through
               RETURNING stream_id""",
            source=source, through=through, basis=basis if through else None,
        ))  # fmt: skip

    def through(self, name: str, at: datetime | None) -> None:
        """Move the instant up to which a stream is complete."""
        self.run(
            """UPDATE ledger.stream SET complete_through = :at FROM core.source_system AS ss
               WHERE ss.source_system_id = stream.source_system_id AND ss.code = :name""",
            name=name, at=at,
        )  # fmt: skip

    def batch(self, stream: int, recorded: datetime = NOW) -> int:
        self._count += 1
        return int(self.run(
            """INSERT INTO ledger.batch (source_system_id, seq, stream_id, kind, mapping_version, read_at, recorded_at,
                   newest_report, read, new)
               SELECT source_system_id, :seq, stream_id, 'pull', '1', :at, :at, :at, 1, 1
               FROM ledger.stream WHERE stream_id = :stream RETURNING batch_id""",
            seq=self._count, at=recorded, stream=stream,
        ))  # fmt: skip

    def record(self, stream: int, batch: int) -> int:
        self._count += 1
        return int(self.run(
            """INSERT INTO ledger.source_record (stream_id, source_key, received_hash, state, first_batch_id, batch_id,
                   row) VALUES (:stream, :key, '\\x00', 'kept', :batch, :batch, 1) RETURNING record_id""",
            stream=stream, key=f"k{self._count}", batch=batch,
        ))  # fmt: skip

    def put(self, table: str, **row: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.insert(TABLES[table]).values(row))

    def credential(
        self, number: str = "JY-001", *, source: str = "market", recorded: datetime = NOW - timedelta(days=30),
        holder: tuple[str | None, str | None] = (FIRM, FIRM_NAME), periods: tuple[tuple[str, date | None], ...] = (),
        **over: Any,
    ) -> int:  # fmt: skip
        """A credential, valid from 2025-01-01 to 2035-12-31; return its record."""
        stream = self.stream(source, through=self._through(source))
        batch = self.batch(stream, recorded)
        record = over.pop("record_id", None) or self.record(stream, batch)
        system = self.run("SELECT source_system_id FROM ledger.stream WHERE stream_id = :s", s=stream)
        row = {
            "record_id": record, "part": 0, "source_system_id": system, "issuer": ISSUER, "credential_type": LICENCE,
            "number": number, "version": "001", "valid_from": date(2025, 1, 1), "valid_to": date(2035, 12, 31),
            "issued_at": datetime(2025, 1, 1, 2, tzinfo=UTC), "issued_at_precision": "d", "status": "valid",
            **self.holder(*holder), "batch_id": batch, "content_hash": b"\x00", "reported_at": recorded, **over,
        }  # fmt: skip
        self.put("credential", **row)
        for place, (status, since) in enumerate(periods, 1):
            at = None if since is None else datetime(since.year, since.month, since.day, tzinfo=UTC)
            self.put(
                "credential_status", record_id=record, part=place, status=status, since=at,
                since_precision=at and "d", batch_id=batch, content_hash=b"\x00",
            )  # fmt: skip
        feeds.learn(self.engine, wait=True)
        return int(record)

    def _through(self, source: str) -> datetime | None:
        found = self.run(
            """SELECT s.complete_through FROM ledger.stream AS s JOIN core.source_system AS ss USING (source_system_id)
               WHERE ss.code = :name""",
            name=source,
        )  # fmt: skip
        return found or NOW

    def holder(self, number: str | None, name: str | None, *, prefix: str = "holder_") -> dict[str, Any]:
        context = "credential" if prefix else "case_party"
        made = self.protector.protect(context=context, number=number, name=name)
        return {
            f"{prefix}number_hash": made.number_hash, f"{prefix}number_mask": made.number_mask,
            f"{prefix}name_hash": made.name_hash, f"{prefix}name_mask": made.name_mask, "sealed": made.sealed,
        }  # fmt: skip

    def case(
        self, number: str = "A-1", *, source: str = "asker", organ: str = ASKER, applied: date = date(2026, 5, 1),
        accepted: date | None = date(2026, 5, 4), state: str = "in_progress", item: str | None = None,
        party: tuple[str | None, str | None] = (FIRM, FIRM_NAME), project: str | None = None, **overview: Any,
    ) -> int:  # fmt: skip
        """A case with an applicant."""
        stream = self.stream(source, organ=organ)
        batch = self.batch(stream)
        record = self.record(stream, batch)
        system = self.run("SELECT source_system_id FROM ledger.stream WHERE stream_id = :s", s=stream)
        base = {"batch_id": batch, "content_hash": b"\x00"}
        self.put(
            "approval_case", record_id=record, part=0, source_system_id=system, case_number=number,
            handling_organ=organ, reporting_organ=organ, item_code=item, **base,
        )  # fmt: skip
        self.put(
            "case_party", record_id=record, part=1, case_id=record, role="applicant",
            **self.holder(*party, prefix=""), **base,
        )  # fmt: skip
        if project is not None:
            self.put(
                "case_identifier", record_id=record, part=2, case_id=record, scheme="project", number=project, **base
            )
        self.run(
            """INSERT INTO core.case_overview (case_id, state, events, applied_at, accepted_at, pauses_open, due_at,
                   review_first)
               VALUES (:id, :state, 1, :applied, :accepted, 0, :due, :review)""",
            id=record, state=state, applied=applied, accepted=accepted, due=overview.get("due"),
            review=overview.get("review"),
        )  # fmt: skip
        return record

    def decision(self, case_number: str, *, source: str, outcome: str = "granted", on: date, **over: Any) -> int:
        stream = self.stream(source)
        batch = self.batch(stream)
        record = self.record(stream, batch)
        system = self.run("SELECT source_system_id FROM ledger.stream WHERE stream_id = :s", s=stream)
        at = datetime(on.year, on.month, on.day, 2, tzinfo=UTC)
        self.put("decision", **{
            "record_id": record, "part": 0, "source_system_id": system, "case_number": case_number, "outcome": outcome,
            "decision_kind": "decision", "decided_at": at, "decided_at_precision": "d", "batch_id": batch,
            "content_hash": b"\x00", **over,
        })  # fmt: skip
        feeds.learn(self.engine, wait=True)
        return record

    def behind(self) -> None:
        """A feed that is nine days behind, and does not have the credential that `body` asks about."""
        self.share()
        self.grant()
        self.case()
        self.credential("another")
        self.through("market", NOW - timedelta(days=9))

    def replace(self, record: int, *, at: datetime, **changes: Any) -> None:
        """Replace a credential's image as the merge does: the old one goes into history."""
        table, twin = TABLES["credential"], HISTORY["credential"]
        stream = self.run("SELECT stream_id FROM ledger.source_record WHERE record_id = :r", r=record)
        batch = self.batch(int(stream), at)
        with self.engine.begin() as connection:
            old = connection.execute(sa.select(table).where(table.c.record_id == record)).mappings().one()
            connection.execute(sa.insert(twin).values({**old, "closed_by": batch}))
            connection.execute(
                sa.update(table).where(table.c.record_id == record).values(batch_id=batch, **changes)
            )  # fmt: skip

    def share(
        self, code: str = LICENCE, kind: str = "credential_type", class_: str = "conditional", **more: Any
    ) -> None:
        access.share(
            self.engine, kind=kind, code=code, sharing_class=class_, legal_ground="省政府令", actor="office", **more
        )

    def grant(self, code: str = LICENCE, kind: str = "credential_type", organ: str = ASKER, **over: Any) -> int:
        said = {
            "purpose": PURPOSE, "legal_basis": "《行政许可法》", "valid_from": date(2026, 1, 1), "valid_to": None,
            "stale_allowed": False, **over,
        }  # fmt: skip
        number = access.ask(self.engine, organ=organ, kind=kind, code=code, actor="asker", today=today(), **said)
        access.answer(self.engine, number, granted=True, reason="依法", actor="issuer")
        return number


def body(**over: Any) -> dict[str, Any]:
    """A question about the credential of `Registry.credential`."""
    held = {"type": LICENCE, "number": "JY-001", "holder_number": FIRM, "holder_name": FIRM_NAME}
    shown = {**held, **over.pop("credential", {})}
    return {"kind": "credential", "case": "A-1", "purpose": PURPOSE, "credential": shown, **over}


def text(value: Any) -> bytes:
    return json.dumps(value).encode()
