"""A department and a hub that pulls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.runtime import Runtime
from tests.departments import Department
from tests.journeys.conftest import Hub


@pytest.fixture
def department(place: Path) -> Department:
    return Department(place / "sources")


@pytest.fixture
def hub(runtime: Runtime, department: Department) -> Hub:
    return Hub(runtime, department)
