"""The figures of a whole period at a glance: rates over all its months, open cases by light, cards by level.

The rates of a period are no means of its months: their counts are added up first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from supervision.areas import prefix_of
from supervision.logs.rates import Rate
from supervision.logs.trends import VOLUMES, Month, trends

SHOWN: Final = (
    "completion_a", "completion_b", "early_a", "early_b", "on_time_a", "overdue_a", "promise_cut_a", "speed_up_a",
    "speed_up_b",
)  # fmt: skip
"""The rates at a glance, in this order; both definitions of a rate stand one below the other. Those that count what was
open at a month's end are of a month only: added up over months they would count a case more than once."""
ADDED: Final = tuple(name for name in VOLUMES if name != "open_overdue")
"""The volumes that can be added up over months, for the same reason."""

_OPEN = """
SELECT CASE
        WHEN state = 'not_computable' THEN 'not_computable'
        WHEN state = 'waiting_applicant' THEN 'waiting_applicant'
        WHEN state = 'paused' THEN 'paused'
        WHEN overdue THEN 'overdue'
        ELSE 'in_time'
    END AS stands, count(*) AS cases
FROM supervision.clock_now
WHERE closed_at IS NULL AND state NOT IN ('closed', 'not_accepted')
    AND (CAST(:organ AS text) IS NULL OR organ = :organ)
    AND (CAST(:region AS text) IS NULL OR region LIKE :region || '%')
GROUP BY 1
"""
_CARDS = """
SELECT level, state, count(*) AS cards FROM supervision.card
WHERE (CAST(:organ AS text) IS NULL OR organ = :organ)
    AND (CAST(:region AS text) IS NULL OR region LIKE :region || '%')
GROUP BY 1, 2 ORDER BY array_position(ARRAY['warning', 'yellow', 'red'], level), 2
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """A period: its months, what happened in it, and how open cases and cards stand at the present moment."""

    first: date
    last: date
    volumes: dict[str, int]
    rates: tuple[Rate, ...]
    open: dict[str, int]
    cards: tuple[tuple[str, str, int], ...]

    def as_values(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {
            "from": f"{self.first:%Y-%m}",
            "to": f"{self.last:%Y-%m}",
            "volumes": self.volumes,
            "rates": [one.as_values() for one in self.rates],
            "open": self.open,
            "cards": [{"level": level, "state": state, "cards": count} for level, state, count in self.cards],
        }


def figures(
    connection: sa.Connection, *, since: date, until: date, organ: str | None = None, region: str | None = None
) -> Figures:
    """Add up the months from that of `since` to that of `until`, of one organ or region, or of all.

    Raises:
        BadScope: the months are in the wrong order, or more than ten years.
    """
    months = trends(connection, since=since, until=until, organ=organ, region=region)
    asked = {"organ": organ, "region": region and prefix_of(region)}
    return Figures(
        first=months[0].month,
        last=months[-1].month,
        volumes={name: sum(one.measures[name] for one in months) for name in ADDED},
        rates=_added(months),
        open={str(stands): int(cases) for stands, cases in connection.execute(sa.text(_OPEN), asked)},
        cards=tuple((str(a), str(b), int(n)) for a, b, n in connection.execute(sa.text(_CARDS), asked)),
    )


def _added(months: Sequence[Month]) -> tuple[Rate, ...]:
    """Add up the counts of each rate over all months."""
    by_code = {code: [one for month in months for one in month.rates if one.code == code] for code in SHOWN}
    return tuple(
        Rate(code, sum(one.numerator for one in its), sum(one.denominator for one in its))
        for code, its in by_code.items()
    )
