"""A desk over a world of cases."""

from __future__ import annotations

import pytest

from pipeline.runtime import Runtime
from tests.supervision.desk import Desk
from tests.supervision.world import World


@pytest.fixture
def desk(runtime: Runtime, world: World) -> Desk:
    """Who judges rules and looks at cards."""
    return Desk(runtime, world)
