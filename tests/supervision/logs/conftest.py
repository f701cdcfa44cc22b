"""A small province of cases whose course is known by heart."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline.runtime import Runtime
from supervision.clock.service import recount
from supervision.logs.scope import Scope
from tests.supervision.world import ITEM, ORGAN, World

OTHER = "11330000002483659R"
OTHER_ITEM = f"{OTHER}2330117021000"
ALL = Scope()
STRAIGHT = [
    ("accept", "2026-03-02 09:00", "2026-03-02 10:00"), ("undertake", "2026-03-02 14:00", "2026-03-03 14:00"),
    ("review", "2026-03-04 09:00", "2026-03-04 10:00"), ("approve", "2026-03-04 15:00", "2026-03-04 16:00"),
    ("complete", "2026-03-05 09:00", "2026-03-05 09:30"),
]  # fmt: skip
SENT_BACK = [
    ("accept", "2026-03-02 09:00", "2026-03-02 10:00"), ("undertake", "2026-03-02 12:00", "2026-03-03 14:00"),
    ("review", "2026-03-04 09:00", "2026-03-04 10:00", "returned"),
    ("undertake", "2026-03-05 09:00", "2026-03-06 10:00"),
    ("review", "2026-03-06 12:00", "2026-03-06 13:00"), ("complete", "2026-03-09 09:00", "2026-03-09 09:30"),
]  # fmt: skip


@pytest.fixture
def province(world: World, runtime: Runtime) -> World:
    """Three straight cases, one that was sent back, one under way, one of another organ, one without stage events."""
    world.item(stages={"undertake": "3 working_day", "review": "1 working_day"})
    world.item(OTHER_ITEM, organ=OTHER)
    for number in (1, 2, 3):
        world.case(f"S{number}", stages=STRAIGHT, closed="2026-03-05 09:30", delivered="2026-03-06 10:00")
    world.case("B1", stages=SENT_BACK, closed="2026-03-09 09:30", pauses=[("2026-03-04 10:00", "2026-03-05 09:00")],
               supplements=[("2026-03-02 09:30", "2026-03-02 09:45")])  # fmt: skip
    world.case("U1", stages=[*STRAIGHT[:1], ("undertake", "2026-03-02 11:00", None)])
    world.case("O1", item=OTHER_ITEM, organ=OTHER, applied="2026-04-01 09:00", accepted="2026-04-01 10:00",
               stages=[("accept", "2026-04-01 09:00", "2026-04-01 10:00")])  # fmt: skip
    world.case("N1", accepted="2026-03-20 10:00", applied="2026-03-20 09:00")
    handlers(
        runtime, {"accept": "陈一", "undertake": "王小明", "review": "李红", "approve": "赵敏", "complete": "陈一"}
    )
    with runtime.engine.begin() as connection:
        recount(connection)
    return world


def handlers(runtime: Runtime, names: dict[str, str]) -> None:
    """Let each stage be done by a person, as the merge would have written them."""
    with runtime.engine.begin() as connection:
        for stage, name in names.items():
            connection.execute(
                sa.text("""UPDATE core.stage_event SET handler_hash = :hash, handler_mask = :mask,
                           handler_post = '窗口', sealed = :sealed WHERE stage = :stage"""),
                {"hash": runtime.protector.lookup_hash("name", name), "mask": runtime.protector.mask_name(name),
                 "sealed": runtime.protector.protect(context="stage_event", name=name).sealed, "stage": stage},
            )  # fmt: skip


@pytest.fixture
def to(tmp_path: Path) -> Path:
    """A folder of this test's own."""
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


__all__ = ["ALL", "ITEM", "ORGAN", "OTHER", "OTHER_ITEM"]
