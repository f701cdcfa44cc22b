"""Cases written as the merge writes them, with items in the catalogue, for tests of supervision."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hub.workdays import ZONE
from sharedrepo.models import TABLES
from sharedrepo.writing import overview

ORGAN = "11330000002482285J"
ITEM = f"{ORGAN}2330117021000"
_HASH = b"\x00"


def at(said: str | datetime | None) -> datetime | None:
    """Read an instant of the province: `2026-03-02`, or `2026-03-02 09:30`."""
    if said is None or isinstance(said, datetime):
        return said
    read = datetime.fromisoformat(said)
    return read if read.tzinfo else read.replace(tzinfo=ZONE)


def limit(said: str | None) -> dict[str, Any] | None:
    """Read a limit: `10 working_day`."""
    if said is None:
        return None
    value, unit = said.split(" ")
    return {"value": int(value), "unit": unit}


class World:
    """Writes what departments would have sent, case by case."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._count = 0
        with engine.begin() as connection:
            self.system = int(
                connection.execute(
                    sa.text(
                        "INSERT INTO core.source_system (code, title, kind) VALUES ('clock', 'clock', 'database') "
                        "RETURNING source_system_id"
                    )
                ).scalar_one()
            )
            self.stream = int(connection.execute(sa.text(
                """INSERT INTO ledger.stream (source_system_id, name, last_success_at) VALUES (:s, 'S', '2100-01-01')
                   RETURNING stream_id"""),
                {"s": self.system}).scalar_one())  # fmt: skip

    @classmethod
    def of(cls, engine: sa.Engine) -> World:
        """Return who writes on in a hub that another world began; records get numbers of their own."""
        world = cls.__new__(cls)
        world.engine, world._count = engine, 900_000
        with engine.connect() as connection:
            one = connection.exec_driver_sql("SELECT source_system_id, stream_id FROM ledger.stream").one()
        world.system, world.stream = one.source_system_id, one.stream_id
        return world

    def batch(self, connection: sa.Connection, recorded: datetime) -> int:
        """Enter a batch."""
        self._count += 1
        return int(connection.execute(sa.text(
            """INSERT INTO ledger.batch (source_system_id, seq, stream_id, kind, mapping_version, read_at,
                   recorded_at, read, new)
               VALUES (:system, :seq, :stream, 'pull', '1', :at, :at, 1, 1) RETURNING batch_id"""),
            {"system": self.system, "seq": self._count, "stream": self.stream, "at": recorded},
        ).scalar_one())  # fmt: skip

    def item(
        self, code: str = ITEM, *, promised: str | None = "10 working_day", legal: str | None = "20 working_day",
        since: date = date(2000, 1, 1), stages: dict[str, str] | None = None, organ: str = ORGAN, **content: Any,
    ) -> int:  # fmt: skip
        """Publish a version of an item, whatever it says; return its version_id."""
        said = {"name": "事项", "item_type": "01", "kind": "promised", **content}
        for name, value in (("promised_limit", limit(promised)), ("legal_limit", limit(legal))):
            if value is not None:
                said.setdefault(name, value)
        if stages:
            said["stages"] = [{"stage": name, "limit": limit(one)} for name, one in stages.items()]
        with self.engine.begin() as connection:
            item_id = connection.execute(sa.text(
                """INSERT INTO catalog.item (code, organ) VALUES (:code, :organ)
                   ON CONFLICT (code) DO UPDATE SET organ = excluded.organ RETURNING item_id"""),
                {"code": code, "organ": organ}).scalar_one()  # fmt: skip
            return int(connection.execute(sa.text(
                """INSERT INTO catalog.item_version (item_id, version, state, change, reason, content, effective_on,
                       drafted_by, published_at)
                   SELECT :item, count(*) + 1, 'published', 'new', 'a test', CAST(:content AS jsonb), :since, 'test',
                       now()
                   FROM catalog.item_version WHERE item_id = :item RETURNING version_id"""),
                {"item": item_id, "content": json.dumps(said), "since": since}).scalar_one())  # fmt: skip

    def case(
        self, number: str = "C1", *, applied: str | None = "2026-03-02 09:00",
        accepted: str | None = "2026-03-02 10:00", closed: str | None = None, outcome: str = "granted",
        item: str | None = ITEM, kind: str | None = None,
        region: str | None = "330000", declared: str | None = None, not_accepted: bool = False,
        pauses: Sequence[tuple[str | None, str | None]] = (), extensions: Sequence[dict[str, Any]] = (),
        supplements: Sequence[tuple[str | None, str | None]] = (), stages: Sequence[tuple[Any, ...]] = (),
        delivered: str | None = None, parallel: bool = False, recorded: str = "2026-03-02 10:00", organ: str = ORGAN,
        pause_kind: str | None = "expert_review",
    ) -> int:  # fmt: skip
        """Write a case with all that belongs to it; return its case_id.

        A pause is (start, end), either may be None; a stage is (name, start, end) or (name, start, end, outcome).
        """
        said = {name: value for name, value in locals().items() if name != "self"}
        with self.engine.begin() as connection:
            batch = self.batch(connection, at(recorded))  # type: ignore[arg-type]  # it is said
            case_id = self._case(connection, batch, **said)
            self._closing(connection, batch, **said)
            self.refresh(connection, case_id)
        return case_id

    def _case(self, connection: sa.Connection, batch: int, **said: Any) -> int:
        case_id, common = self._record(connection, batch), {"batch_id": batch, "content_hash": _HASH}
        self._put(connection, "approval_case", record_id=case_id, part=0, source_system_id=self.system,
            case_number=said["number"], handling_organ=said["organ"], reporting_organ=said["organ"],
            region=said["region"], item_code=said["item"], case_kind=said["kind"], applied_at=at(said["applied"]),
            applied_at_precision=said["applied"] and "s", **common)  # fmt: skip

        def child(table: str, **values: Any) -> None:
            self._put(
                connection,
                table,
                record_id=self._record(connection, batch),
                part=0,
                case_id=case_id,
                **values,
                **common,
            )

        if said["accepted"] or said["declared"]:
            child("acceptance", outcome="accepted", accepted_at=at(said["accepted"]), due_at=at(said["declared"]))
        if said["not_accepted"]:
            child("acceptance", outcome="not_accepted", reason="不属于本机关职权")
        for start, end in said["pauses"]:
            child("suspension", suspension_kind=said["pause_kind"], started_at=at(start), ended_at=at(end))
        for one in said["extensions"]:
            child("suspension", suspension_kind="extension", **{
                "approver_hash": b"\x01", "approver_mask": "王**", "allowed_value": 10, "allowed_unit": "working_day",
                **one, "started_at": at(one.get("started_at")), "ended_at": at(one.get("ended_at")),
            })  # fmt: skip
        for told, received in said["supplements"]:
            child("supplement", told_at=at(told), received_at=at(received))
        for name, start, end, *how in said["stages"]:
            child("stage_event", stage=name, started_at=at(start), finished_at=at(end), outcome=how[0] if how else None)
        if said["delivered"]:
            child("delivery", delivered_at=at(said["delivered"]))
        if said["parallel"]:
            child("case_link", other_number="P1", link_kind="parallel")
        return case_id

    def _closing(self, connection: sa.Connection, batch: int, **said: Any) -> None:
        common = {"batch_id": batch, "content_hash": _HASH}
        if said["closed"]:
            self._put(connection, "decision", record_id=self._record(connection, batch), part=0,
                source_system_id=self.system, case_number=said["number"], decision_kind="decision",
                outcome=said["outcome"], decided_at=at(said["closed"]), decided_at_precision="s", closing=True,
                **common)  # fmt: skip

    def refresh(self, connection: sa.Connection, *cases: int) -> None:
        """Write the overview of cases as a batch does."""
        with connection.connection.cursor() as cursor:
            overview.begin(cursor)
            overview.touch(cursor, self.system, cases=cases, numbers=())
            overview.refresh(cursor)
            cursor.execute("DROP TABLE stage_touched, case_facts")

    def _record(self, connection: sa.Connection, batch: int) -> int:
        self._count += 1
        return int(connection.execute(sa.text(
            """INSERT INTO ledger.source_record (stream_id, source_key, received_hash, state, first_batch_id,
                   batch_id, row) VALUES (:stream, :key, '\\x00', 'kept', :batch, :batch, 1) RETURNING record_id"""),
            {"stream": self.stream, "key": f"k{self._count}", "batch": batch}).scalar_one())  # fmt: skip

    def _put(self, connection: sa.Connection, table: str, **row: Any) -> None:
        connection.execute(sa.insert(TABLES[table]).values(row))

    def clock(self, case_id: int, now: str | None = None, view: str = "clock_now") -> dict[str, Any]:
        """Return the clock of a case as it stands at a moment."""
        with self.engine.begin() as connection:
            if now:
                connection.execute(sa.text("SELECT set_config('hub.now', :now, true)"), {"now": str(at(now))})
            return dict(connection.execute(
                sa.text(f"SELECT * FROM supervision.{view} WHERE case_id = :case"), {"case": case_id}
            ).mappings().one())  # fmt: skip


def day_of(instant: datetime | None) -> str | None:
    """Return the province's day of an instant, as text."""
    return None if instant is None else instant.astimezone(ZONE).date().isoformat()


def end_of(day: str) -> datetime:
    """Return the last second of a day in the province."""
    return datetime.fromisoformat(day).replace(tzinfo=ZONE) + timedelta(days=1, seconds=-1)
