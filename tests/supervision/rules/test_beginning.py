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
