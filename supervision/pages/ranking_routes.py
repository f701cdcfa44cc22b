"""The ranking of a month as a picture, and the way from its evidence down to one case."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from hub.asking import chosen, page
from hub.refusals import NotFound
from hub.visitor import SEE, Visitor
from supervision.appraisal import looking
from supervision.appraisal.looking import DRAFT, Look
from supervision.appraisal.terms import LEVELS
from supervision.pages import picture, store
from supervision.pages.asking import admitted, engine_of, month, one_of
from supervision.pages.asking import looking as looked

router = APIRouter(include_in_schema=False)

_FIND: Final = """
SELECT a.record_id AS case_id FROM core.approval_case AS a
JOIN core.source_system AS s USING (source_system_id)
LEFT JOIN supervision.clock AS c ON c.case_id = a.record_id
WHERE s.code = :source AND a.case_number = :number{where}
"""


@router.get("/supervision/ranking")
async def ranking(request: Request) -> Response:
    """Draw the ranking of a month: the newest published edition, or what is under hearing where nothing is."""
    visitor, _ = admitted(request)
    level = one_of(request, "level", LEVELS) or LEVELS[0]
    wanted = month(chosen(request, "month", 7))
    said = None if wanted is None else f"{wanted:%Y-%m}"
    months, look = await run_in_threadpool(_look, engine_of(request), visitor, said)
    units = [] if look is None else look.ranking["levels"].get(level, [])
    shown: Response = page(
        request, "supervision/ranking.html", months=months, look=look, level=level, units=units,
        levels=[] if look is None else [one for one in LEVELS if look.ranking["levels"].get(one)],
        drawn=picture.ranked,
    )  # fmt: skip
    return shown


def _look(engine: sa.Engine, visitor: Visitor, wanted: str | None) -> tuple[list[dict[str, Any]], Look | None]:
    """Return the months that the person may look at, and the edition of one of them; None where there is none."""
    insider = visitor.may(SEE)
    months = looking.months(engine, waiting=insider)
    name = wanted or next((one["month"] for one in months), None)
    if name is None:
        return months, None
    found = looking.look(engine, name, None)
    return months, looking.look(engine, name, DRAFT) if found is None and insider else found


@router.get("/supervision/find")
async def find(request: Request) -> Response:
    """Go to the case that a row of evidence names by its source and number."""
    _, scope = admitted(request)
    values = {"source": chosen(request, "source", 100), "number": chosen(request, "number", 200), **scope.values}
    query = _FIND.format(where=scope.where("c"))
    row = await run_in_threadpool(looked, engine_of(request), lambda connection: store.row(connection, query, values))
    if row is None:
        raise NotFound("there is no such case, or it is another's", hint="Go back to the list.")
    return RedirectResponse(f"/supervision/cases/{row['case_id']}", 303)
