"""Cases that wait for the applicant (催材料): since when, how many working days, and how often each was reminded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from supervision.clock import reminders
from supervision.pages.scope import Scope

MOST: Final = 1_000
"""Cases that one page shows; those that wait longest come first."""


def waiting(connection: sa.Connection, scope: Scope, organ: str | None) -> Sequence[dict[str, Any]]:
    """Return the cases that wait for their applicants and that the person sees, the longest first."""
    return [
        row for row in reminders.waiting(connection)
        if (scope.organ is None or row["organ"] == scope.organ)
        and (scope.area is None or (row["region"] or "").startswith(scope.area))
        and (organ is None or row["organ"] == organ)
    ]  # fmt: skip
