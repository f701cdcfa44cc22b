"""The hub as these tests use it: pull a source whose connection names a folder of real data, look at what is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.loading import load_sources
from connectors.source import Source
from pipeline.pulls.exchange import exchange
from pipeline.runtime import Runtime

SOURCES = Path(__file__).parent / "sources"

Counts = dict[str, dict[str, Any]]
"""What a pull did, by stream."""


class Puller:
    """Pulls sources whose connection names `folder` into one repository."""

    def __init__(self, runtime: Runtime, folder: Path) -> None:
        self.runtime, self.folder = runtime, folder

    def source(self, code: str, sources: Path = SOURCES) -> Source:
        """Load one source."""
        return next(one for one in load_sources([sources]) if one.code == code)

    def pull(self, code: str, sources: Path = SOURCES, **options: Any) -> Counts:
        """Pull a source and return its streams' counts; each stream must balance."""
        source = self.source(code, sources)
        report = exchange(source, runtime=self.runtime, connections=lambda _: self.folder.as_uri(), **options)
        assert report.balanced
        return {one["stream"]: one for one in report.as_dict()["streams"]}

    def rows(self, query: str, **values: Any) -> list[Any]:
        """Run a query."""
        with self.runtime.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query), values)]

    def one(self, query: str, **values: Any) -> Any:
        """Run a query that gives one value."""
        ((value,),) = self.rows(query, **values)
        return value

    def counts(self, query: str, **values: Any) -> dict[Any, int]:
        """Run a query that gives names and counts."""
        return dict(self.rows(query, **values))

    def findings(self, *, state: str = "open") -> dict[str, int]:
        """Count the findings by rule."""
        return self.counts("SELECT rule, count(*) FROM quality.finding WHERE state = :state GROUP BY 1", state=state)


PullerOf = Callable[[str], Puller]
"""Gives the puller of a folder of the real data."""


def changes(counts: Counts) -> dict[str, tuple[int, int]]:
    """Take new and updated records out of a pull's counts."""
    return {stream: (one["new"], one["updated"]) for stream, one in counts.items()}
