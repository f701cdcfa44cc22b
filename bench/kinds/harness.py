"""Measures one kind: reads its source plainly, and pulls it into an empty repository, each in a process of its own."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import yaml

from bench.contenders.base import Course, Size, WrongRows
from bench.contenders.hub import TARGET, TEMPLATE, make_template
from bench.kinds.feeds import Feed, Ground, Kind
from bench.measure import Measure, run
from bench.server import Server
from hub.protect.keys import new_ring


@dataclass(frozen=True)
class Line:
    """One kind's figures: the runs of the floor and of the hub."""

    title: str
    floor: list[Measure]
    hub: list[Measure]

    @property
    def floor_rate(self) -> float:
        """Return records a second of plain reading."""
        return median(one.work_rate for one in self.floor)

    @property
    def hub_rate(self) -> float:
        """Return records a second into the repository."""
        return median(one.work_rate for one in self.hub)


class Bench:
    """One run: a server, an empty repository to copy, and the rows that every kind offers."""

    def __init__(self, folder: Path, size: Size, slice_size: int) -> None:
        self.server = Server(folder)
        self.server.start()
        self.course = Course(self.server, folder, folder, slice_size, size=size)
        self.ground = Ground(self.server, folder, size)
        self._keys, self._pulls = new_ring().to_json(), 0

    def prepare(self) -> None:
        """Make the rows and the empty repository."""
        make_template(self.course)
        self.ground.fill()

    def measure(self, kind: Kind, runs: int) -> Line:
        """Read plainly and pull, in turns, each time from a source that is made anew.

        Raises:
            Missing: this machine lacks what the kind needs.
        """
        line = Line(kind.title, [], [])
        for _ in range(runs):
            with kind.open(self.ground) as feed:
                self.server.settle()
                line.floor.append(self._floor(feed))
                line.hub.append(self._pull(feed))
        return line

    def _floor(self, feed: Feed) -> Measure:
        command = [sys.executable, "-m", "bench.drivers.floor", *feed.floor]
        found = run(command, records=feed.records, server_cpu=lambda: 0.0)
        if found.said["read"] < max(feed.records // 6, 1):
            raise WrongRows(f"the floor read {found.said['read']:,} of {feed.records:,} records")
        return found

    def _pull(self, feed: Feed) -> Measure:
        self._pulls += 1
        folder = self.ground.folder / f"pull-{self._pulls}"
        _write(folder / "sources" / "bench-department", feed)
        self.server.create(TARGET, template=TEMPLATE)
        found = run(
            [sys.executable, "-m", *feed.program], records=feed.records, server_cpu=self.server.cpu,
            environment={
                "HUB_HOME": str(folder / "home"), "HUB_DATABASE_URL": self.server.url(TARGET),
                "HUB_ARCHIVE_URL": str(folder / "archive"), "HUB_KEYS": self._keys,
                "HUB_SOURCES": str(folder / "sources"), "HUB_SLICE_SIZE": str(self.course.slice_size),
                "HUB_CONN_BENCH_DEPARTMENT": feed.url,
            },
        )  # fmt: skip
        new = sum(one["new"] for one in found.said["report"]["streams"])
        if new != feed.records or not found.said["report"]["balanced"]:
            raise WrongRows(f"of {feed.records:,} records the hub counts {new:,} as new: {found.said['report']}")
        if feed.proof is not None:
            feed.proof()
        self.course.must_hold(TARGET, "core.stage_event", self.ground.size.events)
        self.server.drop(TARGET)
        return found


def _write(folder: Path, feed: Feed) -> None:
    """Write the source's folder."""
    for name, text in {
        "source.yml": yaml.safe_dump(feed.declare, allow_unicode=True, sort_keys=False),
        **feed.files,
    }.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
