"""A hub whose cases tests write one by one, with the nation's calendar filled once."""

from __future__ import annotations

import pytest

from hub.settings import Settings
from pipeline.runtime import Runtime
from supervision.calendar import service
from tests.conftest import Stock, Stocking
from tests.supervision.world import World


@pytest.fixture(scope="session")
def supervised(stocking: Stocking) -> Stock:
    """A repository whose calendar is filled."""

    def fill(_settings: Settings, runtime: Runtime) -> None:
        with runtime.engine.begin() as connection:
            service.ensure(connection)

    return stocking(fill)


@pytest.fixture(scope="session")
def stock(supervised: Stock) -> Stock:
    """Tests of supervision begin with a filled calendar."""
    return supervised


@pytest.fixture
def world(runtime: Runtime) -> World:
    """Who writes cases."""
    return World(runtime.engine)
