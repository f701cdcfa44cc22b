"""What tests of suites share: a repository for all examples of a test, and a small department with cases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from sharedrepo.embedded import EmbeddedServer
from tests.journeys.conftest import department, hub

__all__ = ["department", "hub"]


@pytest.fixture(scope="module")
def engine(server: EmbeddedServer) -> Iterator[sa.Engine]:
    """A database for rows that are never kept: one for all examples of hypothesis."""
    made = sa.create_engine(server.url("postgres", driver="psycopg2"))
    yield made
    made.dispose()
