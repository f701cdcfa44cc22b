"""`/unmatched`: the personal-data officer says what each check was whose case was never found."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from hub.asking import chosen, form_of, number, page, visitor_of
from hub.refusals import Contradicted, Fault, Malformed, NotFound, RequestRefused
from hub.visitor import SETTLE
from sharedrepo.models.verification import VERDICTS
from verification.audit import log
from verification.audit.log import Entry
from verification.checks import confirming
from verification.pages.asking import PAGE, checker_of, engine_of, names

router = APIRouter(include_in_schema=False)
LONGEST_REASON = 1_000


@router.get("/unmatched")
async def unmatched(request: Request) -> Response:
    """List the checks whose case was never found or has another party, the latest found first."""
    visitor_of(request).must(SETTLE)
    organ, state = chosen(request, "organ", 18), chosen(request, "state", 20)
    if state not in (None, *confirming.STATES):
        raise Malformed("there is no such filter", hint="Choose on the page.")
    settled, first = chosen(request, "settled", 1) == "1", number(chosen(request, "first") or "0", "first")
    engine = engine_of(request)
    rows = await run_in_threadpool(
        partial(
            confirming.unmatched, engine, all_=settled, organ=organ, state=state, first=min(first, 10**9),
            limit=PAGE + 1,
        )
    )  # fmt: skip
    asked = {"organ": organ, "state": state, "settled": "1" if settled else None}
    shown: Response = page(
        request, "verification/unmatched.html", rows=rows[:PAGE], more=len(rows) > PAGE, next=first + PAGE, asked=asked,
        states=confirming.STATES, further=urlencode({name: said for name, said in asked.items() if said}),
        organs=await run_in_threadpool(names, engine, [one["organ"] for one in rows]), done=chosen(request, "done", 20),
    )  # fmt: skip
    return shown


@router.get("/unmatched/{check}")
async def one(request: Request, check: str) -> Response:
    """Show one of them with the case that it named and its subject, masked; the look is logged."""
    return await _shown(request, check)


@router.post("/unmatched/{check}")
async def settle(request: Request, check: str) -> Response:
    """Say what it was, with a reason; that closes it."""
    visitor, form = visitor_of(request), form_of(request)
    visitor.must(SETTLE)
    found = await _found(request, check)
    verdict, reason = form.get("verdict", ""), form.get("reason", "")
    faults = [] if verdict in VERDICTS else [Fault("verdict", "unknown_answer", ", ".join(VERDICTS))]
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        faults.append(Fault("reason", "reason_missing", f"1 to {LONGEST_REASON} characters"))
    if faults:
        trouble: RequestRefused = Malformed("the answer cannot be taken", hint="Mend the fields.", faults=faults)
        return await _shown(request, check, status=HTTPStatus.UNPROCESSABLE_ENTITY, trouble=trouble, typed=form)
    act = partial(
        confirming.settle, engine_of(request), found["check_id"], verdict=verdict, reason=reason, actor=visitor.actor
    )
    try:
        await run_in_threadpool(act)
    except confirming.CannotSettle:
        trouble = Contradicted("this check was settled meanwhile", hint="Look at it again.")
        return await _shown(request, check, status=HTTPStatus.CONFLICT, trouble=trouble, typed=form)
    return RedirectResponse("/unmatched?done=unmatched.settled", HTTPStatus.SEE_OTHER)


async def _found(request: Request, check: str) -> dict[str, Any]:
    try:
        asked = str(UUID(check))
    except ValueError:
        asked = None
    rows = [] if asked is None else await run_in_threadpool(
        partial(confirming.unmatched, engine_of(request), all_=True, check=asked, limit=1)
    )  # fmt: skip
    if not rows:
        raise NotFound("there is no such finding", hint="Go back to the list.")
    return rows[0]


async def _shown(request: Request, check: str, *, status: int = 200, **more: Any) -> Response:
    visitor = visitor_of(request)
    visitor.must(SETTLE)
    found, checker = await _found(request, check), checker_of(request)

    def look() -> Any:
        who = orjson.dumps({"check": found["check_id"], "actor": visitor.actor})
        seen = Entry(
            checker.clock(), "read", "unmatched", personal=checker.protector.seal(who, context=log.CONTEXT)
        )  # fmt: skip
        with checker.sessions.connection().cursor() as cursor:
            log.write(cursor, [seen])
        return confirming.named(engine_of(request), checker.protector, found["check_id"])

    shown: Response = page(
        request, "verification/unmatched_one.html", status=status, back=f"/unmatched/{found['check_id']}", one=found,
        named=await run_in_threadpool(look), verdicts=VERDICTS, longest=LONGEST_REASON,
        organs=await run_in_threadpool(names, engine_of(request), [found["organ"]]),
        **({"trouble": None, "typed": {}} | more),
    )  # fmt: skip
    return shown
