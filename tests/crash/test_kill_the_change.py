"""A stream changes its shape, and the first pull after that is killed: the next one leaves what it would have left.

The hub learns of a change while it pulls: the finding on the stream, the records that came in the new shape and the
cursor belong together. A process that dies between them must tell the change once, and lose nothing of it; a stream
that freezes stands where it stood, and says so once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.campaign import Campaign, Site
from tests.crash.test_kill_the_pull import spread
from tests.departments import Department

SAMPLE = 5
_READ = {"cursor": {"field": "CREATE_TIME", "lookback": "P400D"}}


def _cases(department: Department, first: int, last: int) -> None:
    for number in range(first, last + 1):
        department.case(f"C{number}")


def _changed(department: Department, contract: str) -> None:
    """Let events say more than was agreed upon, and declare what is to be done then."""
    _cases(department, 1, 3)
    department._run("ALTER TABLE pre_node ADD COLUMN EXTRA TEXT")
    _cases(department, 4, 6)
    department.put("PRE_NODE", UNID="more", PROJID="C4", PHASE_CODE="REVIEW", EXTRA="新字段")
    department.declare(version=2, each={**_READ, "contract": contract})


@pytest.fixture
def campaign(empty: Site, tmp_path: Path) -> Callable[[str], Campaign]:
    """An undisturbed hub before the change, one after it, and what is killed between."""

    def make(contract: str) -> Campaign:
        before = Department(tmp_path / "sources", "labour")
        before.declare(version=2, each={**_READ, "contract": contract})
        _cases(before, 1, 3)
        first = empty.copy(f"calm_before_{contract}")
        done = first.pull(before)
        assert done["status"] == 0, done["error"]
        after = Department(tmp_path / "later", "labour")
        _changed(after, contract)
        second = first.copy(f"calm_after_{contract}")
        more = {"freezes": True} if contract == "freeze" else {}
        done = second.pull(after, **more)
        assert done["status"] == 0, done["error"]
        return Campaign(first, after, second, done["boundaries"], more=more)

    return make


def _told(site: Site) -> list[tuple[str, int]]:
    with site.engine() as engine, engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT rule, count(*) FROM quality.finding WHERE state = 'open' AND rule = 'unknown_field' GROUP BY 1"
        )
        return [(str(rule), int(count)) for rule, count in rows]


@pytest.mark.parametrize("contract", ["evolve", "quarantine", "freeze"])
def test_the_first_pull_after_a_change_may_be_killed_anywhere(
    contract: str, campaign: Callable[[str], Campaign]
) -> None:
    made = campaign(contract)
    try:
        assert [count for _, count in _told(made.calm)] == [1], "the change is told, and once"
        for boundary in spread(made.boundaries, SAMPLE):
            made.die_at(boundary)
    finally:
        made.calm.drop()
        made.start.drop()
