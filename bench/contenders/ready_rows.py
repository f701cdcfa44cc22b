"""The limits: the rows that the hub made, loaded by hand, with the same merge and by plain COPY."""

from __future__ import annotations

import sys
from collections.abc import Callable

from bench.contenders.base import CannotRun, Course
from bench.contenders.hub import TEMPLATE
from bench.measure import Measure, run
from bench.ready import Ready

TARGET = "bench_ready"


class ReadyRows:
    """The ready rows of every table that the hub wrote, into tables that `make` makes ready."""

    def __init__(self, name: str, way: str, title: str, make: Callable[[Course, Ready], None]) -> None:
        self.name, self.title, self._way, self._make = name, title, way, make

    def prepare(self, course: Course) -> None:
        """The hub's first load is the preparation."""

    def run(self, course: Course) -> Measure:
        """Load into a fresh database."""
        if course.ready is None:
            raise CannotRun("the hub has made no rows ready")
        self._make(course, course.ready)
        course.server.settle()
        measure = run(
            [
                sys.executable, "-m", "bench.drivers.ready_load", "--way", self._way,
                "--url", course.server.url(TARGET), "--ready", str(course.ready.folder),
            ],
            records=course.size.records,
            server_cpu=course.server.cpu,
        )  # fmt: skip
        for table, rows in course.ready.rows.items():
            course.must_hold(TARGET, table, rows)
        return measure

    def close(self, course: Course) -> None:
        """Drop the database."""
        course.server.drop(TARGET)


def production_tables(course: Course, ready: Ready) -> None:
    """Make an empty repository: all tables with all their constraints and indexes."""
    course.server.create(TARGET, template=TEMPLATE)
    with course.server.connect(TARGET) as cursor:
        cursor.execute(ready.given)


def bare_tables(course: Course, ready: Ready) -> None:
    """Make the same tables without any index or constraint (columns that are never empty stay so)."""
    course.server.create(TARGET, template=TEMPLATE)
    with course.server.connect(TARGET) as cursor:
        cursor.execute("CREATE SCHEMA made")
        for table in ready.rows:
            bare = f"made.{table.split('.', 1)[1]}"
            cursor.execute(f"CREATE TABLE {bare} (LIKE {table})")
            cursor.execute(f"DROP TABLE {table} CASCADE")
            cursor.execute(f"ALTER TABLE {bare} SET SCHEMA {table.split('.', 1)[0]}")
