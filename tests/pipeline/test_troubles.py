"""One stream's trouble does not make the others wait: they are pulled, and the pull ends with what was met."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from hub.errors import RetrySource, SourceUnreachable, StopSource, StreamMissing
from pipeline.pulls.troubles import Troubles
from tests.departments import Department
from tests.journeys.conftest import Hub


def take_away(department: Department, *tables: str) -> None:
    with closing(sqlite3.connect(department.file)) as system, system:
        for table in tables:
            system.execute(f"ALTER TABLE {table} RENAME TO {table}_gone")


def test_the_streams_after_a_missing_one_are_pulled(hub: Hub, department: Department) -> None:
    department.case("C1")
    take_away(department, "pre_accept")
    with pytest.raises(StreamMissing, match="stream PRE_ACCEPT"):
        hub.pull()
    assert hub.one("SELECT count(*) FROM core.approval_case") == 1
    assert hub.one("SELECT count(*) FROM core.stage_event") > 0
    assert hub.one("SELECT last_success_at IS NULL FROM ledger.stream WHERE name = 'PRE_ACCEPT'")
    assert hub.one("SELECT count(*) FROM ledger.stream WHERE last_success_at IS NOT NULL") == 3


def test_several_troubles_are_told_at_once(hub: Hub, department: Department) -> None:
    department.case("C1")
    take_away(department, "pre_accept", "pre_node")
    with pytest.raises(StopSource, match=r"2 streams: PRE_ACCEPT: .*; PRE_NODE: .*"):
        hub.pull()
    assert hub.one("SELECT count(*) FROM core.approval_case") == 1


def trouble(kind: type[StopSource | RetrySource], stream: str, **more: float) -> StopSource | RetrySource:
    return kind(source="s", stream=stream, got=f"{stream} is bad", hint="Look.", **more)  # type: ignore[arg-type]  # facts of either


def met(*errors: StopSource | RetrySource) -> Troubles:
    troubles = Troubles("s")
    for error in errors:

        def fail(error: StopSource | RetrySource = error) -> None:
            raise error

        troubles.bear(fail)
    return troubles


def test_what_waiting_may_mend_is_tried_again_after_the_longest_pause_that_was_asked_for() -> None:
    with pytest.raises(RetrySource, match="2 streams: a: a is bad; b: b is bad") as told:
        met(trouble(RetrySource, "a", after_seconds=5), trouble(RetrySource, "b", after_seconds=60)).tell()
    assert told.value.after_seconds == 60
    with pytest.raises(StopSource, match="2 streams"):
        met(trouble(RetrySource, "a"), trouble(StopSource, "b")).tell()


def test_what_every_stream_would_meet_ends_the_pull_at_once() -> None:
    with pytest.raises(SourceUnreachable):
        met(trouble(SourceUnreachable, "a"), trouble(StopSource, "b"))
    Troubles("s").tell()  # nothing was met
