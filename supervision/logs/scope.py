"""Which cases a log or a figure is of: by item, by department, by time; a set in the database, never a list here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa

from hub.errors import HubError
from hub.workdays import ZONE


class BadScope(HubError):
    """A period ends before it begins, or nothing in the repository fits what was asked."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Scope:
    """Cases of one item (a base code takes in all organs' versions), one handling organ, and days; None: all.

    A case belongs to the day on which it was accepted, else applied for; days are those of the province, both included.
    """

    item: str | None = None
    organ: str | None = None
    since: date | None = None
    until: date | None = None
    area: str | None = None
    """How the codes of the regions begin: 3301 for a city and its counties."""

    def __post_init__(self) -> None:
        """Refuse a period that ends before it begins."""
        if self.since and self.until and self.until < self.since:
            raise BadScope(f"the period ends on {self.until}, before it begins on {self.since}.")

    @property
    def values(self) -> dict[str, object]:
        """Return the values of the condition's places."""
        return {
            "item": self.item, "organ": self.organ, "area": self.area and f"{self.area}%",
            "since": _midnight(self.since),
            "until": _midnight(self.until and self.until + timedelta(days=1)),
        }  # fmt: skip

    def said(self) -> dict[str, str]:
        """Return what was asked, for the log itself."""
        given = {"item": self.item, "organ": self.organ, "area": self.area, "from": self.since, "to": self.until}
        return {name: str(one) for name, one in given.items() if one is not None}


def of_item(column: str) -> str:
    """Return the condition that a code is :item: the same, one of its handling items, or of that base code.

    An implementation code is a body's 18 characters, a level, and the base code's 12 (GB/T 39554.1).
    """
    return f"""(CAST(:item AS text) IS NULL OR {column} = :item OR (length(:item) = 31 AND left({column}, 31) = :item)
    OR (length(:item) = 12 AND length({column}) >= 31 AND substr({column}, 20, 12) = :item))"""


CONDITION = f"""
{of_item("a.item_code")}
AND (CAST(:organ AS text) IS NULL OR a.handling_organ = :organ)
AND (CAST(:area AS text) IS NULL OR a.region LIKE :area)
AND (CAST(:since AS timestamptz) IS NULL OR coalesce(o.accepted_at, o.applied_at) >= :since)
AND (CAST(:until AS timestamptz) IS NULL OR coalesce(o.accepted_at, o.applied_at) < :until)
"""
"""What a case `a` of core.approval_case with its overview `o` must be, to be of a scope."""


def gather(connection: sa.Connection, scope: Scope) -> int:
    """Put the cases of a scope into the temporary table `log_scope`, until the transaction ends; return how many.

    Raises:
        BadScope: there is none.
    """
    connection.exec_driver_sql("CREATE TEMP TABLE log_scope (case_id BIGINT PRIMARY KEY) ON COMMIT DROP")
    done = connection.execute(
        sa.text(f"""INSERT INTO log_scope SELECT a.record_id FROM core.approval_case AS a
                    JOIN core.case_overview AS o ON o.case_id = a.record_id WHERE {CONDITION}"""),
        scope.values,
    )
    if not done.rowcount:
        raise BadScope(f"no case fits {scope.said() or 'the repository: it is empty'}.")
    connection.exec_driver_sql("ANALYZE log_scope")
    return int(done.rowcount)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), ZONE)
