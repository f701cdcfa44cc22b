"""A department and a hub that pulls it, and an empty catalogue."""

import pytest
import sqlalchemy as sa

from pipeline.runtime import Runtime
from tests.journeys.conftest import Hub, department, hub

__all__ = ["Hub", "department", "hub"]


@pytest.fixture
def engine(runtime: Runtime) -> sa.Engine:
    """The repository of a fresh hub."""
    return runtime.engine
