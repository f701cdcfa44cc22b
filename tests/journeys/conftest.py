"""A department and a hub that pulls it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.loading import load_sources
from connectors.source import Source
from hub.settings import Settings
from pipeline.pulls.exchange import exchange
from pipeline.runtime import Runtime
from tests.departments import Department


class Hub:
    """The hub as a test uses it: pull a department, look at what it holds."""

    def __init__(self, runtime: Runtime, department: Department) -> None:
        self.runtime, self.department = runtime, department

    def source(self) -> Source:
        return next(one for one in load_sources([self.department.folder.parent]) if one.code == self.department.code)

    def pull(self, **options: Any) -> dict[str, dict[str, Any]]:
        """Pull, and return the streams' counts by name."""
        report = exchange(self.source(), runtime=self.runtime, connections=lambda _id: self.department.url, **options)
        assert report.balanced
        return {one["stream"]: one for one in report.as_dict()["streams"]}

    def rows(self, query: str, **values: Any) -> list[Any]:
        """Run a query."""
        with self.runtime.engine.connect() as connection:
            return list(connection.execute(sa.text(query), values).all())

    def one(self, query: str, **values: Any) -> Any:
        """Run a query that gives one value."""
        found = self.rows(query, **values)
        assert len(found) == 1, found
        return found[0][0] if len(found[0]) == 1 else found[0]

    def findings(self) -> set[tuple[str, str]]:
        """The open findings as (rule, source key)."""
        query = """SELECT f.rule, coalesce(r.source_key, f.unit, '') FROM quality.finding AS f
                   LEFT JOIN ledger.source_record AS r USING (record_id) WHERE f.state = 'open'"""
        return {(rule, key) for rule, key in self.rows(query)}


def only(settings: Settings, runtime: Runtime) -> Hub:
    """Make the one department of a stock, and give the hub that pulls it."""
    return Hub(runtime, Department(settings.sources[0]))


@pytest.fixture
def department(place: Path) -> Department:
    return Department(place / "sources")


@pytest.fixture
def hub(runtime: Runtime, department: Department) -> Hub:
    return Hub(runtime, department)


@pytest.fixture
def another_hub(runtime: Runtime) -> Callable[[Department], Hub]:
    return lambda department: Hub(runtime, department)
