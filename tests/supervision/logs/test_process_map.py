"""How cases really go: counted by heart, and drawn."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
import sqlalchemy as sa

from pipeline.runtime import Runtime
from supervision.logs.map_picture import duration, svg
from supervision.logs.process_map import END, START, ProcessMap, process_map
from supervision.logs.scope import BadScope, Scope
from tests.supervision.logs.conftest import ITEM
from tests.supervision.world import World

SVG = {"s": "http://www.w3.org/2000/svg"}


@pytest.fixture
def found(province: World, runtime: Runtime) -> ProcessMap:
    return process_map(runtime.engine, Scope(item=ITEM))


def test_ways_and_waiting_are_those_that_were_gone(found: ProcessMap) -> None:
    ways = {(one.source, one.target): one for one in found.edges}
    assert (found.cases, found.without) == (5, 1)
    assert ways[START, "accept"].count == 5
    assert ways["accept", "undertake"].count == 5
    assert ways["undertake", "review"].count == 5, "three straight ones, and twice by the one that was sent back"
    assert ways["undertake", "review"].cases == 4
    assert ways["review", "undertake"].count == 1
    assert ways["review", "complete"].count == 1
    assert ways["complete", END].count == 4
    assert ("undertake", END) not in ways, "it is under way"
    # Waiting of the straight ones for their review: from 3 March 14:00 to 4 March 9:00, 19 hours; B1: 19 and 2 hours.
    assert ways["undertake", "review"].hours == 19.0
    # accept to undertake: 4, 4, 4, 2, 1 hours.
    assert ways["accept", "undertake"].hours == 4.0


def test_paths_are_whole_courses_by_how_many_took_them(found: ProcessMap) -> None:
    assert found.paths_in_all == 3
    assert found.paths[0].steps == ("accept", "undertake", "review", "approve", "complete")
    assert (found.paths[0].cases, found.paths[0].days) == (3, 3.02)
    assert {one.cases for one in found.paths[1:]} == {1}


def test_by_the_departments_own_steps(province: World, runtime: Runtime) -> None:
    with runtime.engine.begin() as connection:
        connection.execute(sa.text("UPDATE core.stage_event SET local_node = '现场踏勘' WHERE stage = 'undertake'"))
    names = {one.name for one in process_map(runtime.engine, Scope(item=ITEM), by="node").nodes}
    assert "现场踏勘" in names
    assert "review" in names


def test_stages_that_overlap_wait_for_nothing(province: World, runtime: Runtime) -> None:
    for number in range(5):
        province.case(f"V{number}", item="X", stages=[
            ("accept", "2026-03-02 09:00", "2026-03-02 12:00"), ("undertake", "2026-03-02 10:00", "2026-03-02 11:00"),
        ])  # fmt: skip
    (way,) = [one for one in process_map(runtime.engine, Scope(item="X")).edges if one.hours is not None]
    assert (way.source, way.target, way.hours) == ("accept", "undertake", 0.0)


def test_an_item_without_cases_is_told(province: World, runtime: Runtime) -> None:
    with pytest.raises(BadScope, match="no case fits"):
        process_map(runtime.engine, Scope(item="nothing"))


def test_the_picture_shows_every_stage_and_way_and_needs_nothing_else(found: ProcessMap) -> None:
    drawn = svg(found)
    root = ET.fromstring(drawn)
    texts = [one.text for one in root.iterfind(".//s:g/s:text", SVG)]
    assert "承办 undertake" in texts
    assert len(root.findall(".//s:g[@class='way left back']", SVG)) == 1
    assert len(root.findall(".//s:g[@class='way']", SVG)) + 1 == len(found.edges)
    assert "http://" not in drawn.replace("http://www.w3.org/2000/svg", "")
    assert "script" not in drawn


def test_rare_ways_are_left_out_of_the_picture_and_counted_there(found: ProcessMap) -> None:
    root = ET.fromstring(svg(found, least=0.5))
    note = root.find(".//s:text[@class='note']", SVG)
    assert note is not None
    assert "2 rare ways" in (note.text or "")


def test_ways_in_one_lane_never_cross_and_names_of_sources_do_no_harm(province: World, runtime: Runtime) -> None:
    with runtime.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE core.stage_event SET local_node = E'<script>\\x01' || (record_id % 60) || repeat('长', 50)")
        )
    drawn = svg(process_map(runtime.engine, Scope(), by="node"))
    ET.fromstring(drawn)
    assert "<script>" not in drawn


@pytest.mark.parametrize(("hours", "said"), [(None, ""), (0.0, "0.0 h"), (47.9, "47.9 h"), (48.0, "2.0 d")])
def test_durations_are_said_as_people_say_them(hours: float | None, said: str) -> None:
    assert duration(hours) == said
