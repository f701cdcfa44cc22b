"""A real broker, and a line to it that can be cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rabbit import Broker, Line, broker_or_skip


@pytest.fixture
def broker() -> Iterator[Broker]:
    with broker_or_skip() as made:
        yield made


@pytest.fixture
def line(broker: Broker) -> Iterator[Line]:
    made = Line()
    yield made
    made.close()
