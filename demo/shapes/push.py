"""The records of the REST shape, told by the department itself: posts to the hub, and its answer to each record.

One department has it (source folder `hall-posts`). Its own program keeps what it has to tell in an outbox
(`outbox.sqlite` of the department's folder); `demo.services.poster` sends that away and keeps the answers.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from demo.model import Answered, Defect, Department, Placed, UnitMark, Work
from demo.shapes.layout import department_folder, department_place
from demo.shapes.rest import STREAMS
from demo.shapes.told import ToldShape

OUTBOX = "outbox.sqlite"
"""The outbox of a department's program: posts in their order, and what each was answered."""
RECORDS_A_POST = 200
GAP_IN = "steps"
"""The stream of which a number is lost, where that is the defect."""


class PushShape(ToldShape):
    """Posts of records, numbered in each stream."""

    name = "push"
    carries = ToldShape.carries | {"lost_number"}

    def write(
        self, department: Department, work: Work, home: Path, day: int, *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Put the day's posts into the outbox, and yield each record with its expectation."""
        plans = {plan.kind: plan for plan in work.plans(department.code, day)}
        posts: dict[str, list[tuple[int, str]]] = {stream: [] for stream in STREAMS}
        for delivery in self.numbered(department, work, day):
            body = "" if dry else self.written(delivery)
            posts[delivery.entry.stream].append((delivery.row or 0, body))
            yield self.placed(department, delivery, day)
        if not dry:
            file = department_folder(home, department.code) / OUTBOX
            _fill(file, posts, fresh=day == 1, lost=GAP_IN if "lost_number" in plans else None)
        yield from self.spoiled_units(department, work, home, day, plans, dry=dry)

    def spoiled_units(
        self, department: Department, work: Work, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Name the finding of the number that the department's program lost."""
        yield from super().spoiled_units(department, work, home, day, plans, dry=dry)
        if "lost_number" in plans:
            yield UnitMark(department.code, GAP_IN, None, day, "envelope_gap", "lost_number")

    def answers(self, department: str, home: Path) -> Iterator[Answered]:
        """Yield what the hub answered to each record."""
        file = department_place(home, department) / OUTBOX
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as outbox:
            for stream, rows, answer in outbox.execute("SELECT stream, rows, answer FROM post ORDER BY id"):
                told = json.loads(answer)["records"] if answer else []
                for place, row in enumerate(json.loads(rows)):
                    said = told[place] if place < len(told) else None
                    failed = None if said is None else said["outcome"] == "quarantined"
                    yield Answered(stream, row, failed, worded=bool(said and said["errors"]))


def _fill(file: Path, posts: Mapping[str, list[tuple[int, str]]], *, fresh: bool, lost: str | None) -> None:
    """Put the records of each stream into numbered posts; of the stream `lost` the first number goes nowhere."""
    if fresh:
        file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file, timeout=30)) as outbox, outbox:
        outbox.execute(
            "CREATE TABLE IF NOT EXISTS post (id INTEGER PRIMARY KEY, stream TEXT, number INTEGER, records INTEGER,"
            " rows TEXT, body TEXT, answer TEXT)"
        )
        for stream, records in posts.items():
            (number,) = outbox.execute(
                "SELECT coalesce(max(number), 0) FROM post WHERE stream = ?", (stream,)
            ).fetchone()
            number += stream == lost
            for start in range(0, len(records), RECORDS_A_POST):
                some = records[start : start + RECORDS_A_POST]
                number += 1
                body = f"[{','.join(text for _, text in some)}]"
                rows = json.dumps([row for row, _ in some])
                outbox.execute(
                    "INSERT INTO post (stream, number, records, rows, body) VALUES (?, ?, ?, ?, ?)",
                    (stream, number, len(some), rows, body),
                )
