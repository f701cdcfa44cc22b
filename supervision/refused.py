"""A case that the database refuses never stops the clocks of the others: it is found, said once, and listed.

What is stored of a case may contradict itself so that no row can be written of it (a check fails, a number has no
place). A run over many cases then fails whole. The cases are run in halves until each that is refused stands alone; it
is listed as not computable, and looked at again when a batch touches it, or by the next recount of all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError

T = TypeVar("T")
log = logging.getLogger("hub")

REFUSALS: Final = (DataError, IntegrityError)
"""How the database says that data cannot be as it is told to write it; all else is no fault of a case."""
MOST: Final = 20
"""Cases that are set aside by one run at most: where more are refused, the fault is the hub's own."""
WHY: Final = "refused"

_SET_ASIDE: Final = """
INSERT INTO supervision.clock AS c (case_id, organ, region, item_code, state, why, applied_at, accepted_at, closed_at,
    calendar)
SELECT o.case_id, a.handling_organ, a.region, a.item_code, 'not_computable', :why, o.applied_at, o.accepted_at,
    o.closed_at, coalesce(supervision.calendar_of(coalesce(a.region, '')), '')
FROM core.case_overview AS o JOIN core.approval_case AS a ON a.record_id = o.case_id
WHERE o.case_id = :case
"""


def apart(cases: Sequence[int], run: Callable[[Sequence[int]], T]) -> tuple[list[T], dict[int, str]]:
    """Run cases in halves until each that is refused stands alone; return what the runs gave, and each refusal.

    Raises:
        DataError, IntegrityError: more than `MOST` cases are refused.
    """
    done: list[T] = []
    refused: dict[int, str] = {}
    waiting = [cases]
    while waiting:
        some = waiting.pop()
        try:
            done.append(run(some))
        except REFUSALS as error:
            if len(some) > 1:
                middle = len(some) // 2
                waiting += [some[middle:], some[:middle]]
                continue
            refused[some[0]] = type(error.orig).__name__
            if len(refused) > MOST:
                raise
    return done, refused


def set_aside(engine: sa.Engine, case: int, by: str) -> None:
    """List a case as not computable in place of its clock, take it off the list of the touched, and say so once."""
    values = {"case": case, "why": WHY}
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('supervision.run'))"))
        connection.execute(sa.text("DELETE FROM supervision.touched WHERE case_id = :case"), values)
        connection.execute(sa.text("DELETE FROM supervision.clock_stage WHERE case_id = :case"), values)
        before = connection.execute(
            sa.text("DELETE FROM supervision.clock WHERE case_id = :case RETURNING why"), values
        ).scalar()
        connection.execute(sa.text(_SET_ASIDE), values)
    if before != WHY:
        log.error(
            "supervision: case %d is refused by the database (%s); its clock is listed as not computable, "
            "the clocks of all others run", case, by,
        )  # fmt: skip


def listed(engine: sa.Engine) -> list[int]:
    """Return the cases that are set aside."""
    with engine.connect() as connection:
        query = sa.text("SELECT case_id FROM supervision.clock WHERE why = :why ORDER BY 1")
        return [int(one) for one in connection.execute(query, {"why": WHY}).scalars()]
