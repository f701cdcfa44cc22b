"""How clocks stand is told by one function for cases and stages, which costs no more than its text would."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.supervision.world import World


@pytest.mark.parametrize("view", ["clock_now", "stage_now"])
def test_the_function_is_put_into_the_query_in_place_of_its_call(world: World, view: str) -> None:
    with world.engine.connect() as connection:
        plan = "\n".join(
            connection.execute(sa.text(f"EXPLAIN SELECT due_at, used_days FROM supervision.{view}")).scalars()
        )
    assert "standing" not in plan, plan
    assert "day" in plan
