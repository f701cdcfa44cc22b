"""`/quality/issues`: the list of issues, one issue with its life, and the deeds on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any, get_args

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from hub.errors import HubError
from hub.findings import RULES, Severity
from hub.refusals import NotFound, RequestRefused
from hub.sentences import Codes, sentence
from hub.visitor import ACKNOWLEDGE, DECIDE, SEE, Visitor
from quality.issues import service
from quality.issues.service import Issue
from quality.pages.asking import chosen, day, form_of, named, number, page, runtime_of, visitor_of
from quality.pages.organs import organs
from sharedrepo.models.quality import STATUSES

router = APIRouter(include_in_schema=False)

PAGE = 100
"""So many issues stand on one page of the list."""
SEVERITIES: tuple[str, ...] = get_args(Severity)

Deed = Callable[..., None]

_DEEDS: Mapping[str, tuple[Deed, str, tuple[str, ...]]] = {
    "acknowledge": (service.acknowledge, ACKNOWLEDGE, ("new", "waiting", "accepted", "snoozed")),
    "send": (service.send_to_department, DECIDE, ("new", "acknowledged", "accepted", "snoozed")),
    "assign": (service.assign, DECIDE, ("new", "acknowledged", "waiting", "accepted", "snoozed")),
    "snooze": (service.snooze, DECIDE, ("new", "acknowledged", "waiting", "snoozed")),
    "accept": (service.accept, DECIDE, ("new", "acknowledged", "waiting", "accepted", "snoozed")),
    "note": (service.note, ACKNOWLEDGE, STATUSES),
}
"""Each deed with the right that it needs and the statuses in which it is offered (the service judges for itself)."""


@router.get("/quality/issues")
async def listed(request: Request) -> Response:
    """List the issues, the most severe first, with filters."""
    visitor = visitor_of(request)
    visitor.must(SEE)
    engine = runtime_of(request).engine
    asked = {name: chosen(request, name) for name in ("organ", "source", "rule", "status", "severity", "closed")}
    if visitor.organ is not None:
        asked["organ"] = visitor.organ
    first = number(chosen(request, "from") or "0", "from")
    found = await run_in_threadpool(
        service.listed, engine, organ=asked["organ"], source=asked["source"], rule=asked["rule"],
        status=asked["status"], closed=bool(asked["closed"]),
    )  # fmt: skip
    rows = [one for one in found if asked["severity"] in (None, one.severity)]
    shown = rows[first : first + PAGE]
    known = await run_in_threadpool(organs, engine, {one.organ for one in shown} | {asked["organ"] or ""})
    answer: Response = page(
        request, "quality/issues.html", rows=shown, total=len(rows), first=first, size=PAGE, asked=asked, organs=known,
        severities=SEVERITIES, statuses=STATUSES, rules=sorted(RULES), narrowed=visitor.organ,
    )  # fmt: skip
    return answer


@router.get("/quality/issues/{code}")
async def one_issue(request: Request, code: str) -> Response:
    """Show one issue: its life, the places that show it, and what may be done."""
    found = await _found(request, code)
    return await _shown(request, found, done=chosen(request, "done"))


@router.post("/quality/issues/{code}/{deed}")
async def do(request: Request, code: str, deed: str) -> Response:
    """Do something with an issue; it is logged with who did it and why."""
    visitor, form = visitor_of(request), form_of(request)
    found = await _found(request, code)
    if deed not in _DEEDS:
        raise NotFound("there is no such deed", hint=sentence("There are {known}.", known=Codes.of("deed", _DEEDS)))
    act, right, _ = _DEEDS[deed]
    visitor.must(right)
    more: dict[str, Any] = {}
    if deed == "snooze":
        more["until"] = day(form.get("until"), "until")
    if deed == "assign":
        more["assignee"] = form.get("assignee", "")
    if deed == "accept" and form.get("up_to", "").strip():
        more["up_to"] = number(form["up_to"], "up_to")
    engine = runtime_of(request).engine
    try:
        await run_in_threadpool(
            partial(act, engine, found.code, actor=visitor.actor, reason=form.get("reason", ""), **more)
        )
    except RequestRefused:
        raise
    except HubError as error:
        return await _shown(request, found, trouble=error, typed=form, tried=deed, status=HTTPStatus.CONFLICT)
    return RedirectResponse(f"/quality/issues/{found.code}?done=issue.{deed}", HTTPStatus.SEE_OTHER)


async def _found(request: Request, code: str) -> Issue:
    """Return an issue that the person may see; another department's is not there."""
    visitor = visitor_of(request)
    visitor.must(SEE)
    try:
        found = await run_in_threadpool(service.found, runtime_of(request).engine, named(code))
    except service.NoSuchIssue:
        raise NotFound("there is no such thing, or it is another department's", hint="Go back to the list.") from None
    visitor.must_see(found.organ)
    return found


async def _shown(request: Request, found: Issue, *, status: int = 200, **more: Any) -> Response:
    engine, now = runtime_of(request).engine, datetime.now(UTC)
    values = {"done": None, "trouble": None, "typed": {}, "tried": None} | more
    answer: Response = page(
        request, "quality/issue.html", status=status, back=f"/quality/issues/{found.code}", issue=found, now=now,
        events=await run_in_threadpool(service.events, engine, found.code),
        samples=await run_in_threadpool(service.samples, engine, found.code),
        organs=await run_in_threadpool(organs, engine, [found.organ]), deeds=_offered(visitor_of(request), found),
        **values,
    )  # fmt: skip
    return answer


def _offered(visitor: Visitor, found: Issue) -> list[str]:
    return [name for name, (_, right, fits) in _DEEDS.items() if visitor.may(right) and found.status in fits]
