"""The clock of a case explained day by day."""

from __future__ import annotations

from datetime import datetime, time

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from hub import asking
from hub.asking import chosen, page
from hub.workdays import ZONE
from supervision.clock import explaining
from supervision.clock.known import NoCalendar, NoSuchCase
from supervision.pages.asking import engine_of, looking
from supervision.pages.routes import found_case, why_of

router = APIRouter(include_in_schema=False)


@router.get("/supervision/cases/{case_id}/days")
async def days(request: Request, case_id: str) -> Response:
    """Explain the clock of a case day by day, as it is known now or was known at the end of a day."""
    found = await found_case(request, case_id)
    known = chosen(request, "known", 10)
    at = None if known is None else datetime.combine(asking.day(known, "known"), time(23, 59, 59), ZONE)
    number = found.facts["case_id"]
    said, trouble = None, None
    try:
        said = await run_in_threadpool(
            looking, engine_of(request), lambda connection: explaining.explain(connection, number, at)
        )
    except NoSuchCase:
        trouble = "days.nothing"
    except NoCalendar:
        trouble = "days.no_calendar"
    shown: Response = page(
        request, "supervision/days.html", facts=found.facts, said=said, trouble=trouble, known=known,
        does=explaining.DOES, why=why_of(request),
    )  # fmt: skip
    return shown
