"""What departments send is on the supervisor's views within seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipeline.runtime import Runtime
from sharedrepo.access import clients
from supervision import running
from tests.departments import ITEM, ORGAN
from tests.posters import Poster
from tests.supervision.world import World
from tests.web.serving import serving

MOST_SECONDS = 5.0
"""What the supervisor is promised."""


def until(look: Callable[[], Any], seconds: float = MOST_SECONDS) -> Any:
    """Look again until something is there; fail after so many seconds."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing after {seconds} s")


@pytest.fixture
def watched(world: World, runtime: Runtime) -> Iterator[World]:
    """A hub that serves, and is up to date."""
    running.run(world.engine)
    with serving(lambda: runtime, supervised=True):
        yield world


def state(world: World, number: str) -> str | None:
    with world.engine.connect() as connection:
        return connection.execute(sa.text(
            """SELECT n.state FROM supervision.clock_now AS n JOIN core.approval_case AS c ON c.record_id = n.case_id
               WHERE c.case_number = :number"""), {"number": number}).scalar()  # fmt: skip


def test_a_case_that_a_batch_brings_is_on_the_view_within_five_seconds(watched: World) -> None:
    watched.item()
    watched.case("NOW-1", applied="2026-03-02 09:00")
    assert until(lambda: state(watched, "NOW-1")) == "running"


def test_a_change_of_a_case_is_on_the_view_within_five_seconds(watched: World) -> None:
    watched.item()
    case = watched.case("NOW-2", pauses=[("2026-03-04 10:00", None)])
    assert until(lambda: state(watched, "NOW-2")) == "paused"
    with watched.engine.begin() as connection:
        connection.execute(sa.text("UPDATE core.suspension SET ended_at = started_at + interval '1 day'"))
        watched.refresh(connection, case)
    until(lambda: state(watched, "NOW-2") == "running")


def test_a_pushed_stage_event_is_on_the_view_within_five_seconds(runtime: Runtime, tmp_path: Path) -> None:
    world = World(runtime.engine)
    world.item(ITEM, stages={"undertake": "2 working_day"})
    running.run(runtime.engine)
    poster = Poster(tmp_path / "sources")
    poster.token, _ = clients.make(
        runtime.engine, runtime.protector, code="labour-it", organ=ORGAN, rights=("push:labour",), days=1
    )
    with serving(lambda: runtime, supervised=True) as poster.at:
        for stream, rows in poster.case_rows("A1").items():
            if stream != "PRE_TRANSACT":
                assert poster.post(stream, *rows[:1]).status_code == 200
        until(lambda: state(world, "A1") == "running")
        row = poster.row("PRE_NODE", UNID="A1-9", PROJID="A1", PHASE_CODE="UNDERTAKE",
                         START_TIME="2026-03-03 09:30:15", END_TIME="2026-03-03 15:00:00")  # fmt: skip
        assert poster.post("PRE_NODE", row).status_code == 200
        began = time.monotonic()  # answered, so committed

        def stage() -> Any:
            with runtime.engine.connect() as connection:
                return connection.execute(
                    sa.text("SELECT due_at FROM supervision.stage_now WHERE stage = 'undertake'")
                ).scalar()

        assert until(stage)
        assert time.monotonic() - began < MOST_SECONDS
