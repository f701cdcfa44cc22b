"""Who switches supervision on gets cards over what can still be put right; what was over is counted."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from supervision import running
from supervision.cards import reading
from supervision.rules import service
from supervision.rules.errors import BadRule
from tests.supervision.world import World, at


def run(world: World, now: str) -> dict[str, Any]:
    return running.run(world.engine, as_of=at(now), full=True).counts["cards"]


def red(world: World) -> list[str]:
    with world.engine.begin() as connection:
        rows = reading.listed(connection, ended=True, after=0, rule="case_overdue")
    return sorted(str(one["case"]) for one in rows)


def judged(world: World) -> tuple[int, int, int]:
    """What the last run found by the rule on overdue cases, what of it was past, and what it raised."""
    with world.engine.begin() as connection:
        last = service.runs(connection, code="case_overdue", limit=1)[0]
    return last["found"], last["past"], last["raised"]


@pytest.fixture
def year(world: World) -> World:
    """A hub whose feed is complete, with cases of months ago when its first run comes."""
    world.item()
    with world.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE ledger.stream SET complete_through = '2027-01-01', complete_basis = 'declared'")
        )
    world.case("closed-late", closed="2026-04-20 10:00")
    world.case("open-late")
    world.case("in-time", closed="2026-03-06 10:00")
    return world


def test_what_was_over_before_the_first_run_raises_no_card_and_is_counted(year: World) -> None:
    assert run(year, "2026-06-01 09:00")["past"] > 0
    assert (red(year), judged(year)) == (["open-late"], (2, 1, 1))
    with year.engine.connect() as connection:
        late = connection.execute(sa.text("SELECT count(*) FROM supervision.clock WHERE verdict = 'late'")).scalar()
    assert late == 1, "the figures have it all the same"
    year.case("next", applied="2026-05-04 09:00", accepted="2026-05-06 09:00", closed="2026-06-05 10:00")
    run(year, "2026-06-08 09:00")
    assert (red(year), judged(year)) == (["next", "open-late"], (3, 1, 1)), "closed late since then"


def test_who_wants_the_past_says_from_which_day_on(year: World) -> None:
    run(year, "2026-06-01 09:00")
    with year.engine.begin() as connection:
        with pytest.raises(BadRule, match="say why"):
            service.begin(connection, date(2026, 1, 1), actor="account:chief", reason=" ")
        service.begin(connection, date(2026, 1, 1), actor="account:chief", reason="自年初起监察")
    run(year, "2026-06-02 09:00")
    assert (red(year), judged(year)) == (["closed-late", "open-late"], (2, 0, 1))


def test_a_card_is_not_doubted_when_supervision_begins_later(year: World) -> None:
    run(year, "2026-06-01 09:00")
    with year.engine.begin() as connection:
        service.begin(connection, date(2026, 1, 1), actor="account:chief", reason="自年初起监察")
    run(year, "2026-06-02 09:00")
    with year.engine.begin() as connection:
        service.begin(connection, date(2026, 6, 1), actor="account:chief", reason="不追溯")
    assert run(year, "2026-06-03 09:00")["contradicted"] == 0
    assert red(year) == ["closed-late", "open-late"]


def enable(world: World, now: str, **more: Any) -> None:
    with world.engine.begin() as connection:
        connection.execute(sa.text("SELECT set_config('hub.now', :now, true)"), {"now": str(at(now))})
        service.change(connection, "case_overdue", actor="account:chief", reason="启用", enabled=True, **more)


@pytest.fixture
def later(year: World) -> World:
    """Supervision began in March without the rule on overdue cases, which is looked at in June."""
    with year.engine.begin() as connection:
        service.begin(connection, date(2026, 3, 1), actor="account:chief", reason="自三月起监察")
        service.change(connection, "case_overdue", actor="account:chief", reason="暂不启用", enabled=False)
    run(year, "2026-05-29 09:00")
    return year


def test_a_rule_that_is_enabled_later_is_silent_on_what_was_closed_before_that_day(later: World) -> None:
    assert red(later) == []
    enable(later, "2026-06-01 10:00")
    run(later, "2026-06-02 09:00")
    assert (red(later), judged(later)) == (["open-late"], (2, 1, 1)), "what closed in April is counted, and over"
    later.case("same-day", closed="2026-06-01 08:00")
    later.case("day-before", closed="2026-05-31 23:59:59")
    run(later, "2026-06-02 10:00")
    assert red(later) == ["open-late", "same-day"], "a rule holds from the first second of its day on"


def test_who_enables_a_rule_may_name_an_earlier_day_but_none_before_supervision_began(later: World) -> None:
    enable(later, "2026-06-01 10:00", holds_from=date(2026, 4, 20))
    run(later, "2026-06-02 09:00")
    assert (red(later), judged(later)) == (["closed-late", "open-late"], (2, 0, 1 + 1))
    later.case("winter", applied="2025-12-01 09:00", accepted="2025-12-01 10:00", closed="2026-02-10 10:00")
    with later.engine.begin() as connection:
        service.change(connection, "case_overdue", actor="a", reason="x", holds_from=date(2025, 1, 1))
    run(later, "2026-06-03 09:00")
    assert "winter" not in red(later)


def test_a_change_that_enables_nothing_leaves_the_day_and_a_new_default_holds_from_when_it_came(year: World) -> None:
    def days() -> dict[str, date | None]:
        with year.engine.begin() as connection:
            connection.execute(sa.text("SELECT set_config('hub.now', :now, true)"), {"now": "2026-06-01 10:00+08"})
            return {one.code: one.holds_from for one in service.current(connection)}

    assert set(days().values()) == {None}, "the defaults of a new hub hold from its beginning"
    with year.engine.begin() as connection:
        service.change(connection, "case_overdue", actor="a", reason="x", enabled=True, feedback_days=7)
        connection.execute(sa.text("ALTER TABLE supervision.rule DISABLE TRIGGER only_added"))
        connection.execute(sa.text("DELETE FROM supervision.rule WHERE code = 'stage_overdue'"))
    found = days()
    assert (found["case_overdue"], found["stage_overdue"]) == (None, date(2026, 6, 1))
