"""The records of the REST shape, told by the department itself: messages on queues, and an answer to each.

One department has it (source folder `hall-message-queue`). The broker is the demonstration's (`demo.services.broker`);
its messages lie in `broker.sqlite` of the department's folder, so that what is not acknowledged outlives the broker.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType

from demo.model import Answered, Defect, Department, Placed, UnitMark, Work
from demo.shapes.layout import department_folder, department_place
from demo.shapes.rest import STREAMS
from demo.shapes.told import ToldShape

QUEUES = "broker.sqlite"
"""The store of a department's virtual host."""
ANSWERS = "answers"
"""The queue that takes the hub's answers."""


class QueueShape(ToldShape):
    """Messages on queues, one for each kind of record."""

    name = "queue"
    carries = ToldShape.carries | {"no_json_message"}

    def write(
        self, department: Department, work: Work, home: Path, day: int, *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Publish the day's messages, and yield each record with its expectation."""
        plans = {plan.kind: plan for plan in work.plans(department.code, day)}
        numbers = self.numbered(department, work, day)
        if dry:
            for delivery in numbers:
                yield self.placed(department, delivery, day)
        else:
            with _Queues(department_folder(home, department.code) / QUEUES, fresh=day == 1) as queues:
                for delivery in numbers:
                    body = self.written(delivery)
                    queues.publish(delivery.entry.stream, f"{delivery.row}", body)
                    yield self.placed(department, delivery, day)
        yield from self.spoiled_units(department, work, home, day, plans, dry=dry)

    def spoiled_units(
        self, department: Department, work: Work, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Publish a message that broke off in the department's own program."""
        yield from super().spoiled_units(department, work, home, day, plans, dry=dry)
        if "no_json_message" in plans:
            if not dry:
                with _Queues(department_folder(home, department.code) / QUEUES, fresh=False) as queues:
                    queues.publish("steps", "0", '{"id": "broken", "stage":')
            yield Placed(
                department.code, "steps", None, day, "quarantined", rules=("unreadable_record",),
                defect="no_json_message", row=0,
            )  # fmt: skip

    def answers(self, department: str, home: Path) -> Iterator[Answered]:
        """Yield what the hub answered to each message."""
        with closing(sqlite3.connect(f"file:{department_place(home, department) / QUEUES}?mode=ro", uri=True)) as (
            connection
        ):
            for (body,) in connection.execute("SELECT body FROM message WHERE queue = ? ORDER BY id", (ANSWERS,)):
                said = json.loads(body)
                for one in said["records"]:
                    failed = one["outcome"] == "quarantined"
                    yield Answered(said["queue"], int(said["message_id"]), failed, worded=bool(one["errors"]))


class _Queues:
    """The queues of a department as the broker keeps them: messages in the order in which they came."""

    def __init__(self, file: Path, *, fresh: bool) -> None:
        self._file, self._fresh = file, fresh

    def __enter__(self) -> _Queues:
        if self._fresh:
            self._file.unlink(missing_ok=True)
        self._connection = sqlite3.connect(self._file, timeout=30)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("CREATE TABLE IF NOT EXISTS queue (name TEXT PRIMARY KEY)")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT, message_id TEXT,"
            " delivered INTEGER DEFAULT 0, body BLOB)"
        )
        self._connection.execute("CREATE INDEX IF NOT EXISTS message_queue ON message (queue, id)")
        names = [(name,) for name in (*STREAMS, ANSWERS)]
        self._connection.executemany("INSERT OR IGNORE INTO queue VALUES (?)", names)
        return self

    def publish(self, queue: str, message_id: str, body: str) -> None:
        """Put one message behind the others of its queue."""
        self._connection.execute(
            "INSERT INTO message (queue, message_id, body) VALUES (?, ?, ?)", (queue, message_id, body.encode())
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._connection.commit()
        finally:
            self._connection.close()
