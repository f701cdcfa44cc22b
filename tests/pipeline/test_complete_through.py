"""How far a feed is complete is inferred at the end of a delivery: what lies behind in it may be older."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.afterwards.rebuild import rebuild
from pipeline.runtime import Runtime
from sharedrepo.telling import digest
from tests.complaints.test_signals import Dropping, rows
from tests.journeys.conftest import Hub

NEWEST = datetime(2026, 3, 9, 2, tzinfo=UTC)
THROUGH = "SELECT complete_through FROM ledger.stream"


class Killed(Exception):
    """Ends a pull between two batches."""


@pytest.fixture
def dropping(tmp_path: Path) -> Dropping:
    return Dropping(tmp_path / "dropping", tmp_path / "drop")


@pytest.fixture
def dropped(hub: Hub, dropping: Dropping) -> Hub:
    """A hub that takes two records a batch, and a file whose newest report stands in the first."""
    object.__setattr__(hub.runtime, "settings", hub.runtime.settings.model_copy(update={"slice_size": 2}))
    days = ("2026-03-09 10:00:00", "2026-03-06 10:00:00", "2026-03-05 10:00:00", "2026-03-04 10:00:00")
    made = [{**one, "CREATE_TIME": day} for one, day in zip(rows(1, 2, 3, 4), days, strict=True)]
    dropping.write("day1.csv", made, dropping.fields("PRE_APASINFO"))
    return Hub(hub.runtime, dropping)


def test_it_stays_while_a_file_is_read_and_moves_to_the_newest_of_all_its_batches(dropped: Hub) -> None:
    seen: list[datetime | None] = []
    dropped.pull(progress=lambda _source, _stream, _read: seen.append(dropped.one(THROUGH)))
    assert seen == [None, NEWEST]


def test_a_pull_that_is_killed_inside_a_file_says_no_more_than_the_rest_does(
    dropped: Hub, empty_runtime: Runtime
) -> None:
    """The rest alone is read by the next pull, and nothing is known of the order: less is said, never more."""

    def die(_source: str, _stream: str, _read: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        dropped.pull(progress=die)
    assert dropped.one(THROUGH) is None
    dropped.pull()
    assert dropped.one(THROUGH) == datetime(2026, 3, 5, 2, tzinfo=UTC)
    rebuild(empty_runtime)
    assert digest.digest(empty_runtime.engine) == digest.digest(dropped.runtime.engine)
