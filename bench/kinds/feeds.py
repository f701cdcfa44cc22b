"""What the kinds share: the ground that they are built on, and one department as each of them offers it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg2.extras

from bench import department
from bench.contenders.base import Size
from bench.server import Server

STREAMS = {"PRE_APASINFO": "pre_apasinfo", "PRE_NODE": "pre_node"}
"""The streams of the profile that all kinds but two read, and the tables that hold them."""

Row = dict[str, Any]
ORGAN = "11330000002482285J"


@dataclass
class Ground:
    """The rows that every kind offers: they lie in one database, and are read from it to be offered otherwise."""

    server: Server
    folder: Path
    size: Size
    database: str = "bench_kinds"

    def fill(self) -> None:
        """Make the rows; a kind that writes into its source gets a copy of its own."""
        self.server.create(self.database)
        department.fill(
            self.server.url(self.database, driver="psycopg2"),
            cases=self.size.cases, events=self.size.events // self.size.cases,
        )  # fmt: skip

    def rows(self, stream: str) -> Iterator[Row]:
        """Read the rows of a stream in the order of their report."""
        with (
            psycopg2.connect(self.server.url(self.database)) as connection,
            connection.cursor("rows", cursor_factory=psycopg2.extras.RealDictCursor) as cursor,
        ):
            cursor.execute(f'SELECT * FROM pre.{STREAMS[stream]} ORDER BY "CREATE_TIME"')
            for row in cursor:
                yield dict(row)

    @cached_property
    def columns(self) -> dict[str, list[str]]:
        """The fields of each stream, as the profile's schema has them."""
        return {
            stream: list(json.loads((department.PROFILE / f"{stream}.schema.json").read_text("utf-8"))["properties"])
            for stream in STREAMS
        }


@dataclass
class Feed:
    """One department as a kind offers it: what its folder declares, where it answers, how it is read plainly.

    `floor` are the arguments of `bench.drivers.floor`. `proof` looks, after the pull, whether the source was told
    what it is to be told.
    """

    declare: dict[str, Any]
    url: str
    floor: list[str]
    records: int
    files: dict[str, str] = field(default_factory=dict)
    proof: Callable[[], None] | None = None
    program: list[str] = field(default_factory=lambda: ["bench.drivers.hub_load"])
    """The module that brings the records into the repository, with its arguments: a pull, but for posts."""


@dataclass(frozen=True)
class Kind:
    """A kind of source that can be measured."""

    name: str
    title: str
    open: Callable[[Ground], AbstractContextManager[Feed]]


def declared(kind: str, streams: dict[str, Any], **over: Any) -> dict[str, Any]:
    """Return a source.yml of the profile that all but two kinds use."""
    return {
        "version": 1, "code": "bench-department", "title": {"zh": "基准测试部门", "en": "Department of the benchmarks"},
        "owner": {"organ": ORGAN, "name": "基准测试", "contact": "bench"},
        "legal_basis": "none; made data", "organ": ORGAN, "region": "330000",
        "kind": kind, "connection": "bench_department", "streams": streams,
        **({} if "mapping" in over else {"profile": "zhejiang-pre"}), **over,
    }  # fmt: skip


class Missing(RuntimeError):
    """A kind cannot be measured here; the message says what is missing."""
