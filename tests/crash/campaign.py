"""A department in two states, an undisturbed hub for each, and hubs that die while they pull it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import sqlalchemy as sa

from sharedrepo.embedded import EmbeddedServer
from sharedrepo.telling import digest
from sharedrepo.telling.ledger import check
from tests.departments import Department

ROOT = Path(__file__).resolve().parents[2]
SLICE = 12
"""Records a transaction: few enough for several a stream, many enough that all boundaries can be tried."""
KILLED = -9
EVERY = int(os.environ.get("CRASH_EVERY", "1"))
"""A campaign of bearable length takes every so manieth boundary, beginning with another one each day."""


class Driver:
    """The process that forks pulls."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.driver"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def order(self, **order: Any) -> dict[str, Any]:
        """Have one pull run, and return how it ended."""
        self.send(**order)
        return self.receive()

    def send(self, **order: Any) -> None:
        """Start one pull."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """Wait for the pull that was started."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the driver ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the driver."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        if self._process.stdout is not None:
            self._process.stdout.close()


@dataclass(slots=True)
class Site:
    """One hub: its own database and archive, the same keys as all others."""

    server: EmbeddedServer
    driver: Driver
    database: str
    home: Path
    keys: str
    slice_size: int = SLICE

    @property
    def url(self) -> str:
        return self.server.url(self.database)

    def order_of(self, department: Department, **more: Any) -> dict[str, Any]:
        """Return the order to pull a department here."""
        return {
            "home": str(self.home), "database": self.url, "keys": self.keys, "slice_size": self.slice_size,
            "sources": str(department.folder.parent), "code": department.code, "url": department.url, **more,
        }  # fmt: skip

    def pull(self, department: Department, **more: Any) -> dict[str, Any]:
        """Pull a department in a process of its own."""
        return self.driver.order(**self.order_of(department, **more))

    @contextmanager
    def engine(self) -> Iterator[sa.Engine]:
        made = sa.create_engine(self.server.url(self.database, driver="psycopg2"), poolclass=sa.NullPool)
        try:
            yield made
        finally:
            made.dispose()

    def digest(self) -> dict[str, str]:
        """Return the digest of what the hub holds now."""
        with self.engine() as engine:
            return digest.digest(engine)

    def settle(self, within: float = 60) -> None:
        """Wait until the server has buried the connections of a killed process; its locks go with them."""
        deadline = time.monotonic() + within
        with closing(psycopg2.connect(self.server.url("postgres"))) as connection, connection.cursor() as cursor:
            while time.monotonic() < deadline:
                connection.rollback()
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'",
                    (self.database,),
                )
                if cursor.fetchone() == (0,):
                    return
                time.sleep(0.01)
        raise AssertionError(f"connections of a killed process to {self.database} live on after {within} s")

    def disagreements(self) -> list[Any]:
        with self.engine() as engine:
            return check(engine)

    def rows(self) -> dict[str, list[str]]:
        """Return every row that the digest runs over, to say where two hubs differ."""
        with self.engine() as engine, engine.connect() as connection:
            scopes = ("core", "history", "ledger", "quality")
            return {
                name: [row[0] for row in connection.exec_driver_sql(query)] for name, query in digest._queries(scopes)
            }

    def copy(self, name: str) -> Site:
        """Copy this hub as it stands."""
        execute(self.server, f"CREATE DATABASE {name} TEMPLATE {self.database} STRATEGY FILE_COPY")
        home = self.home.with_name(name)
        if self.home.exists():
            shutil.copytree(self.home, home)
        return Site(self.server, self.driver, name, home, self.keys, self.slice_size)

    def bare(self, name: str) -> Site:
        """Make a hub with an empty database, not even migrated."""
        execute(self.server, f"CREATE DATABASE {name}")
        return Site(self.server, self.driver, name, self.home.with_name(name), self.keys, self.slice_size)

    def drop(self) -> None:
        """Take this hub away."""
        execute(self.server, f"DROP DATABASE {self.database} WITH (FORCE)")
        shutil.rmtree(self.home, ignore_errors=True)


def execute(server: EmbeddedServer, statement: str) -> None:
    """Run one statement outside any transaction."""
    with closing(psycopg2.connect(server.url("postgres"))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)


def difference(one: Site, other: Site, *, known: dict[str, str] | None = None) -> str:
    """Say in which rows two hubs differ; empty where they are equal. `known` is the digest of the first."""
    if (known or one.digest()) == other.digest():
        return ""
    mine, theirs = one.rows(), other.rows()
    lines = []
    for name in mine:
        less, more = sorted(set(mine[name]) - set(theirs[name])), sorted(set(theirs[name]) - set(mine[name]))
        if mine[name] != theirs[name]:
            lines += [f"{name}: {len(mine[name])} rows against {len(theirs[name])}"]
            lines += [f"  only first:  {row}" for row in less[:4]] + [f"  only second: {row}" for row in more[:4]]
    return "\n".join(lines)


@dataclass(slots=True)
class Campaign:
    """Kills a pull at one boundary after the other and compares what is left with an undisturbed pull."""

    start: Site
    department: Department
    calm: Site
    boundaries: int
    full: bool = False
    more: dict[str, Any] = field(default_factory=dict)
    """What else each process is ordered."""
    wanted: dict[str, str] = field(default_factory=dict)
    """The digest of the undisturbed hub, once it was asked for."""

    def die_everywhere(self) -> int:
        """Do so at every boundary, the first to the last, or at every `EVERY`th; return how many were survived."""
        chosen = range(1 + _today() % EVERY, self.boundaries + 1, EVERY)
        for boundary in chosen:
            self.die_at(boundary)
        return len(chosen)

    def die_at(self, boundary: int, **where: Any) -> None:
        """Kill a pull there, pull again to the end, and compare: any difference is an AssertionError."""
        site = self.start.copy(f"{self.calm.database}_{boundary}")
        try:
            ended = site.pull(self.department, kill_at=boundary, full=self.full, **self.more, **where)
            assert ended["status"] == KILLED, ended
            site.settle()
            again = site.pull(self.department, full=self.full, **self.more)
            assert again["status"] == 0, f"boundary {boundary}: {again['error']}"
            assert again["report"]["balanced"], again
            self.wanted = self.wanted or self.calm.digest()
            found = difference(self.calm, site, known=self.wanted)
            assert not found, f"killed at boundary {boundary}, then pulled again:\n{found}"
            assert site.disagreements() == [], f"killed at boundary {boundary}"
        finally:
            site.drop()


def _today() -> int:
    """Return the number of the day; a failure names its boundary, so that it can be tried again on any other."""
    return int(time.time() // 86_400)


def day_one(department: Department) -> None:
    """Fill a department: clean cases, and one of everything that can happen to a record."""
    for number in range(1, 7):
        department.case(f"C{number}", APPLYNAME=f"申请人{number}")
    department.put("PRE_NODE", UNID="bad", PROJID="C1", PHASE_CODE="SIGNED")
    department.put("PRE_NODE", UNID="early-1", PROJID="C7")
    department.put("PRE_NODE", UNID="early-2", PROJID="C7", PHASE_CODE="REVIEW", START_TIME="2026-03-03 10:00:00")
    department.put("PRE_ACCEPT", PROJID="C7")
    for version in (1, 3, 2):
        department.put(
            "PRE_NODE", UNID="often", PROJID="C2", PHASE_CODE="REVIEW", OPINION=f"第{version}次", DATAVERSION=version
        )
    department.put("PRE_NODE", UNID="gone", PROJID="C3", SYNC_STATUS="D", DATAVERSION=4)
    department.change("PRE_NODE", {"UNID": "C4-3"}, END_TIME="昨天下午", START_TIME="2026-03-01 08:00:00")
    department.put("PRE_NODE", UNID="pause", PROJID="C5", ACTION="T01", START_TIME="2026-03-04 09:00:00", END_TIME="")
    department.put("PRE_NODE", UNID="C6-1", PROJID="C6", OPINION="同号同版本，内容不同")
    department.put("PRE_NODE", UNID="", PROJID="C6", OPINION="没有主键")


def day_two(department: Department) -> None:
    """Change a department: increments, corrections, late records, deletions, and a case that goes with its children."""
    department.put("PRE_APASINFO", PROJID="C7")
    department.case("C8")
    department.change("PRE_NODE", {"UNID": "bad"}, PHASE_CODE="REVIEW")
    department.change("PRE_NODE", {"UNID": "C1-3"}, OPINION="复核后更正", DATAVERSION=2)
    department.change(
        "PRE_NODE", {"UNID": "C4-3"}, END_TIME="2026-03-04 15:00:00", START_TIME="2026-03-04 09:30:15", DATAVERSION=2
    )
    department.change("PRE_NODE", {"UNID": "C3-2"}, SYNC_STATUS="D", DATAVERSION=2)
    department.change("PRE_APASINFO", {"PROJID": "C2"}, SYNC_STATUS="D", DATAVERSION=2)
    department.change("PRE_APASINFO", {"PROJID": "C5"}, APPLYNAME="更名后的申请人", DATAVERSION=2)
    department.put("PRE_NODE", UNID="late", PROJID="C1", OPINION="旧", DATAVERSION=1, CREATE_TIME="2026-03-01 08:00:00")
    department.put("PRE_NODE", UNID="C1-4", PROJID="C1", OPINION="迟到的旧版本", DATAVERSION=0)
    department.put("PRE_NODE", UNID="worse", PROJID="C1", PHASE_CODE="NOBODY", DATAVERSION=1)
