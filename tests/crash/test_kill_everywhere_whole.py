"""Every boundary of a pull of a department that is read whole at each pull: killed there, run again, compared.

A file of its own, so that a worker of its own takes it.
"""

from __future__ import annotations

import pytest

from tests.crash.campaign import EVERY, Campaign

FEWEST = 200
"""A pull with fewer boundaries would hardly be one: the campaign would show nothing."""


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("day", [0, 1], ids=["first day", "second day"])
def test_a_pull_may_be_killed_at_every_boundary(day: int, campaigns: tuple[Campaign, Campaign]) -> None:
    assert campaigns[day].die_everywhere() > FEWEST // EVERY
