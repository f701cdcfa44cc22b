"""A source that is read for the first time: its cases are half there, and nobody is sent a card over them yet."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from supervision import running
from tests.supervision.desk import Desk
from tests.supervision.world import World, at

NOW = "2026-03-18 09:00"


@pytest.fixture
def loading(desk: Desk, world: World) -> int:
    """A source whose first pull has brought cases and not got through its second stream; the number of that stream."""
    other = desk.do(
        """INSERT INTO ledger.stream (source_system_id, name, complete_through, complete_basis)
           SELECT source_system_id, 'T', '2027-01-01', 'declared' FROM ledger.stream RETURNING stream_id"""
    )
    world.item()
    world.case(recorded="2026-03-17 10:00")
    return int(other)


def through(desk: Desk, stream: int) -> None:
    desk.do("UPDATE ledger.stream SET last_success_at = now() WHERE stream_id = :stream", stream=stream)


def test_no_card_is_raised_until_the_first_pull_is_through_and_what_waits_is_counted(desk: Desk, loading: int) -> None:
    done = desk.run(NOW)
    assert (done.raised, desk.cards()) == (0, [])
    assert done.unread == 1
    through(desk, loading)
    done = desk.run(NOW)
    assert (done.unread, done.raised) == (0, 1)


def test_when_it_is_through_its_open_cases_are_looked_at_at_once(desk: Desk, world: World, loading: int) -> None:
    closed = world.case("C2", closed="2026-03-06 10:00", recorded="2026-03-17 10:00")
    running.run(desk.engine)
    assert desk.do("SELECT count(*) FROM supervision.touched") == 0
    through(desk, loading)
    with desk.engine.connect() as connection:
        touched = connection.execute(sa.text("SELECT case_id FROM supervision.touched")).scalars().all()
    assert touched
    assert closed not in touched


def test_a_source_that_does_not_get_through_in_three_days_is_judged_like_all_others(desk: Desk, loading: int) -> None:
    assert loading
    assert desk.run("2026-03-20 09:59:59").unread
    assert desk.run("2026-03-20 10:00:00").raised


def test_a_source_that_posts_has_no_first_pull(desk: Desk, loading: int) -> None:
    assert loading
    desk.do("UPDATE core.source_system SET kind = 'push'")
    assert desk.run(NOW).raised


def test_a_catalogue_that_nobody_has_filled_says_nothing_of_a_case(desk: Desk, world: World) -> None:
    desk.only_rules("item_not_in_catalogue")
    world.case()
    assert desk.run(NOW).raised == 0
    world.item("11330000002482285J2330101001999")
    assert desk.run(NOW).raised == 1


def test_a_pull_that_brought_nothing_is_no_first_load(desk: Desk, world: World) -> None:
    """Its first deliveries were refused whole: that they went through says nothing of the records that come later."""
    desk.do("UPDATE ledger.stream SET last_success_at = :day", day=at("2026-03-16 02:00"))
    world.item()
    case = world.case(recorded="2026-03-17 10:00")
    assert (desk.run(NOW).unread, desk.cards()) == (1, [])
    desk.do("DELETE FROM supervision.touched")
    desk.do("UPDATE ledger.stream SET last_success_at = :day", day=at("2026-03-17 10:05"))
    assert desk.do("SELECT case_id FROM supervision.touched") == case
    assert desk.run(NOW).raised == 1
    desk.do("DELETE FROM supervision.touched")
    desk.do("UPDATE ledger.stream SET last_success_at = :day", day=at("2026-03-17 11:05"))
    assert desk.do("SELECT count(*) FROM supervision.touched") == 0, "the next pull asks for nobody anew"


def test_a_delivery_that_was_set_aside_is_waited_for_in_a_first_load(desk: Desk, world: World) -> None:
    world.item()
    world.case(recorded="2026-03-17 10:00")
    desk.do(
        """INSERT INTO ledger.batch (source_system_id, seq, stream_id, kind, status, unit, mapping_version, read_at,
               recorded_at, read)
           SELECT source_system_id, 900, stream_id, 'pull', 'held', 'day1.xml', '1', now(), now(), 0
           FROM ledger.stream"""
    )
    assert (desk.run(NOW).unread, desk.cards()) == (1, [])
    desk.do("UPDATE ledger.batch SET status = 'superseded' WHERE status = 'held'")
    assert desk.run(NOW).raised == 1
