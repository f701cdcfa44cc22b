"""`/inquiries`: officers of issuing departments answer what no feed can tell; supervisors see who is silent."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from hub.asking import chosen, form_of, number, page, visitor_of
from hub.refusals import Contradicted, Malformed, NotFound
from hub.visitor import CONFIRM, SUPERVISE, Visitor
from sharedrepo.models.inquiries import INQUIRY_ANSWERS
from verification.checks import officers
from verification.pages.asking import PAGE, checker_of, engine_of, names

router = APIRouter(include_in_schema=False)


@router.get("/inquiries")
async def inquiries(request: Request) -> Response:
    """List the inquiries: an officer those to the own department, a supervisor those of its area, silent ones first."""
    visitor = visitor_of(request)
    if not visitor.may(CONFIRM):
        visitor.must(SUPERVISE)
    state = chosen(request, "state", 20) or ("open" if visitor.may(CONFIRM) else "silent")
    if state not in officers.STATES:
        raise Malformed("there is no such filter", hint="Choose on the page.")
    after = number(chosen(request, "after") or "0", "after")
    engine, now = engine_of(request), checker_of(request).clock()
    rows = await run_in_threadpool(
        partial(
            officers.listed, engine, issuer=visitor.organ, area=visitor.area, now=now, state=state, after=after,
            limit=PAGE + 1,
        )
    )  # fmt: skip
    organs = await run_in_threadpool(names, engine, [one[name] for one in rows for name in ("organ", "issuer")])
    shown: Response = page(
        request, "verification/inquiries.html", rows=rows[:PAGE], more=len(rows) > PAGE, state=state,
        states=officers.STATES, organs=organs, done=chosen(request, "done", 20), answers=visitor.may(CONFIRM),
    )  # fmt: skip
    return shown


@router.get("/inquiries/{place}")
async def inquiry(request: Request, place: str) -> Response:
    """Show an officer what is asked, with whom it is about; the look is logged."""
    return await _shown(request, _officer(request), number(place, "the inquiry"))


@router.post("/inquiries/{place}")
async def answer(request: Request, place: str) -> Response:
    """Answer an inquiry, with a reason that the asker reads."""
    visitor, form = _officer(request), form_of(request)
    which = number(place, "the inquiry")
    try:
        became = await run_in_threadpool(
            partial(
                officers.answer, checker_of(request), which, str(visitor.organ), said=form.get("answer", ""),
                reason=form.get("reason", ""), actor=visitor.actor,
            )
        )  # fmt: skip
    except (Malformed, Contradicted) as error:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if isinstance(error, Malformed) else HTTPStatus.CONFLICT
        return await _shown(request, visitor, which, status=status, trouble=error, typed=form)
    return RedirectResponse(f"/inquiries?done=inquiry.{became}", HTTPStatus.SEE_OTHER)


def _officer(request: Request) -> Visitor:
    visitor = visitor_of(request)
    visitor.must(CONFIRM)
    if visitor.organ is None:
        raise NotFound("there is no such thing, or it is another department's", hint="Go back to the overview.")
    return visitor


async def _shown(request: Request, visitor: Visitor, which: int, *, status: int = 200, **more: Any) -> Response:
    found = await run_in_threadpool(
        partial(officers.opened, checker_of(request), which, str(visitor.organ), actor=visitor.actor)
    )
    organs = await run_in_threadpool(names, engine_of(request), [found["organ"], found["issuer"]])
    shown: Response = page(
        request, "verification/inquiry.html", status=status, back=f"/inquiries/{which}", inquiry=found, organs=organs,
        answers=INQUIRY_ANSWERS, longest=officers.LONGEST_REASON, **({"trouble": None, "typed": {}} | more),
    )  # fmt: skip
    return shown
