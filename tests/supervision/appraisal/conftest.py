"""A repository with a month to appraise."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from pipeline.runtime import Runtime
from tests.supervision.appraisal import filling


@pytest.fixture
def engine(runtime: Runtime) -> sa.Engine:
    """A repository with October 2026 in it."""
    with runtime.engine.begin() as connection:
        filling.month(connection)
    return runtime.engine
