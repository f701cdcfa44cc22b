"""The hub itself: the first load, everything on, and the same pull again with nothing changed."""

from __future__ import annotations

import sys

import sqlalchemy as sa

from bench.contenders.base import Course, WrongRows
from bench.measure import ROOT, Measure, run
from hub.protect.keys import new_ring
from sharedrepo.migrate import upgrade

TEMPLATE = "bench_empty"
TARGET = "bench_hub"


def make_template(course: Course) -> None:
    """Make the empty repository that fresh ones are copied from."""
    course.server.create(TEMPLATE)
    engine = sa.create_engine(course.server.url(TEMPLATE, driver="psycopg2"), poolclass=sa.NullPool)
    upgrade(engine)
    engine.dispose()


class First:
    """The first load into an empty repository."""

    name = "hub"
    title = "hub: first load, everything on"

    def __init__(self) -> None:
        self._keys = new_ring().to_json()
        self._archives = 0

    def prepare(self, course: Course) -> None:
        """Nothing is needed: the empty repository is made for all."""

    def run(self, course: Course) -> Measure:
        """Load into a fresh repository with a fresh archive."""
        self._archives += 1
        course.server.create(TARGET, template=TEMPLATE)
        measure = self.pull(course)
        _check(measure, "new")
        course.must_hold(TARGET, "core.approval_case", course.size.cases)
        course.must_hold(TARGET, "core.stage_event", course.size.events)
        return measure

    def pull(self, course: Course, *arguments: str) -> Measure:
        """Pull with the hub as it stands."""
        course.server.settle()
        return run(
            [sys.executable, "-m", "bench.drivers.hub_load", *arguments],
            records=course.size.records,
            server_cpu=course.server.cpu,
            environment={
                "HUB_HOME": str(course.folder / "home"),
                "HUB_DATABASE_URL": course.server.url(TARGET),
                "HUB_ARCHIVE_URL": str(course.folder / f"archive-{self._archives}"),
                "HUB_KEYS": self._keys,
                "HUB_SOURCES": str(ROOT / "bench" / "sources"),
                "HUB_SLICE_SIZE": str(course.slice_size),
                "HUB_CONN_BENCH_DEPARTMENT": course.server.url(course.source),
            },
        )

    def close(self, course: Course) -> None:
        """Drop the repository."""
        course.server.drop(TARGET)


class Again:
    """The same pull once more, everything read again, nothing changed."""

    name = "again"
    title = "hub: the same pull again, nothing changed"

    def __init__(self, first: First) -> None:
        self._first = first

    def prepare(self, course: Course) -> None:
        """The first load is the preparation."""

    def run(self, course: Course) -> Measure:
        """Pull with `full`, so that every record is read and judged by its hash."""
        measure = self._first.pull(course, "--full")
        _check(measure, "unchanged")
        return measure

    def close(self, course: Course) -> None:
        """The first load's repository goes with it."""


def _check(measure: Measure, outcome: str) -> None:
    report = measure.said["report"]
    counted = sum(one[outcome] for one in report["streams"])
    if not report["balanced"] or counted != measure.records:
        raise WrongRows(f"of {measure.records:,} records the hub counts {counted:,} as {outcome}: {report}")
