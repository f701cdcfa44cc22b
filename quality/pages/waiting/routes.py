"""`/quality/quarantine`, `/quality/records` and `/quality/batches`: what waits, and letting it in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from hub.errors import HubError
from hub.findings import RULES
from hub.refusals import NotFound, RequestRefused
from hub.sentences import Codes, sentence
from hub.visitor import ACCEPT_BATCH, APPROVE, PROPOSE, REPLAY, REVEAL, SEE
from quality import running
from quality.pages.asking import chosen, form_of, number, page, runtime_of, visitor_of
from quality.pages.organs import organs
from quality.pages.waiting import batches
from quality.worklist import service, told
from quality.worklist.service import Kind, Opened

router = APIRouter(include_in_schema=False)

PAGE = 50
"""So many records stand on one page of the list."""
_TO, _CLEAR = "to:", "clear:"
"""What begins the names of a correction's fields: another value, or none."""
LOGGED = ("reveal", "propose", "approve", "reject", "waive", "replay", "return", "take_back")
"""What the log of deeds knows."""
_FILTERS = ("organ", "source", "stream", "rule", "field")


@router.get("/quality/quarantine")
async def listed(request: Request) -> Response:
    """List what waits, or is kept with a flag, by filters and page by page."""
    visitor, runtime = visitor_of(request), runtime_of(request)
    visitor.must(SEE)
    kind = _kind(chosen(request, "kind") or service.KINDS[0])
    asked = {name: chosen(request, name) for name in _FILTERS}
    if visitor.organ is not None:
        asked["organ"] = visitor.organ
    after = number(chosen(request, "after") or "0", "after")
    rows = await run_in_threadpool(
        partial(
            service.entries, runtime, organ=asked["organ"], source=asked["source"], stream=asked["stream"],
            rule=asked["rule"], field=asked["field"], kind=kind, after=after, limit=PAGE + 1,
        )
    )  # fmt: skip
    named = await run_in_threadpool(organs, runtime.engine, {one.organ for one in rows} | {asked["organ"] or ""})
    further = urlencode({"kind": kind, **{name: said for name, said in asked.items() if said}})
    answer: Response = page(
        request, "quality/quarantine.html", rows=rows[:PAGE], more=len(rows) > PAGE, after=after, further=further,
        kind=kind, kinds=service.KINDS, asked=asked, organs=named, rules=sorted(RULES), narrowed=visitor.organ,
        done=chosen(request, "done"), may_replay=visitor.may(REPLAY),
    )  # fmt: skip
    return answer


@router.post("/quality/quarantine/replay")
async def replay_all(request: Request) -> Response:
    """Have all waiting records of a source (of one rule) judged again."""
    visitor, form = visitor_of(request), form_of(request)
    visitor.must(REPLAY)
    source, rule = form.get("source", "").strip()[:200], form.get("rule", "").strip()[:200] or None
    try:
        await run_in_threadpool(partial(service.replay, runtime_of(request), source, rule=rule, actor=visitor.actor))
    except RequestRefused:
        raise
    except HubError as error:
        return _refused(request, error)
    where = urlencode({"source": source, **({"rule": rule} if rule else {}), "done": "record.replay"})
    return RedirectResponse(f"/quality/quarantine?{where}", HTTPStatus.SEE_OTHER)


@router.get("/quality/records/{kind}/{place}")
async def one_record(request: Request, kind: str, place: str) -> Response:
    """Show one record: raw beside mapped, what is wrong where, proposals and history; values stay hidden."""
    found = await _found(request, _kind(kind), number(place, "the record"))
    return await _shown(request, found, done=chosen(request, "done"))


@router.post("/quality/records/{kind}/{place}/{deed}")
async def do(request: Request, kind: str, place: str, deed: str) -> Response:
    """Do something with a record; it is logged with who did it and why."""
    visitor, form = visitor_of(request), form_of(request)
    found = await _found(request, _kind(kind), number(place, "the record"))
    if deed not in _DEEDS:
        raise NotFound("there is no such deed", hint=sentence("There are {known}.", known=Codes.of("deed", _DEEDS)))
    visitor.must(_DEEDS[deed])
    try:
        if deed == "reveal":
            return await _revealed(request, found, form.get("reason", ""))
        await run_in_threadpool(_act, request, found, deed, form)
    except RequestRefused:
        raise
    except HubError as error:
        refused = getattr(error, "findings", [])
        words = getattr(error, "why", None) or error
        return await _shown(
            request, found, trouble=words, findings=refused, typed=form, tried=deed, status=HTTPStatus.CONFLICT
        )
    if deed == "waive":
        return RedirectResponse("/quality/quarantine?done=record.waive", HTTPStatus.SEE_OTHER)
    now = found.number
    if deed == "replay":  # what waits on does so under a number of its own
        waits = await run_in_threadpool(batches.waits_as, runtime_of(request).engine, now)
        now = now if waits is None else waits
    return RedirectResponse(f"/quality/records/{found.kind}/{now}?done=record.{deed}", HTTPStatus.SEE_OTHER)


_DEEDS = {
    "propose": PROPOSE, "approve": APPROVE, "reject": APPROVE, "waive": APPROVE, "replay": REPLAY, "reveal": REVEAL,
}  # fmt: skip
"""Each deed with the right that it needs."""


def _act(request: Request, found: Opened, deed: str, form: Mapping[str, str]) -> None:
    runtime, actor, reason = runtime_of(request), visitor_of(request).actor, form.get("reason", "")
    if deed == "propose":
        service.propose(runtime, found.number, _changes(form), actor=actor, reason=reason, kind=found.kind)
    elif deed == "waive":
        service.waive(runtime, found.number, actor=actor, reason=reason)
    elif deed == "replay":
        service.replay(runtime, found.source, ids=(found.number,), actor=actor)
    else:
        proposal = number(form.get("proposal"), "the proposal")
        if proposal not in {one["id"] for one in found.proposals}:
            raise NotFound("this record has no such proposal", hint="Open the record again.")
        if deed == "approve":
            service.approve(runtime, proposal, actor=actor)
        else:
            service.reject(runtime, proposal, actor=actor, reason=reason)


def _changes(form: Mapping[str, str]) -> dict[str, Any]:
    """Read a correction out of its form: a field that was left empty stays as it is, one that is ticked is emptied."""
    given = {name.removeprefix(_TO): said for name, said in form.items() if name.startswith(_TO) and said != ""}
    return given | {name.removeprefix(_CLEAR): None for name in form if name.startswith(_CLEAR)}


async def _found(request: Request, kind: Kind, place: int) -> Opened:
    """Open a record with its values hidden, if the person may see its department's; else it is not there."""
    visitor = visitor_of(request)
    visitor.must(SEE)
    nowhere = NotFound("there is no such record, or it is another department's", hint="Go back to the list.")
    try:
        found = await run_in_threadpool(partial(service.opened, runtime_of(request), place, kind=kind))
    except service.NotFound:
        raise nowhere from None
    except HubError as error:
        if visitor.organ is not None:
            raise nowhere from None  # whose record it was cannot be told, so that nothing is told
        raise NotFound("this record cannot be opened", hint=error.sentence) from None
    if not visitor.sees(found.organ):
        raise nowhere
    return found


async def _revealed(request: Request, hidden: Opened, reason: str) -> Response:
    look = partial(service.opened, runtime_of(request), hidden.number, kind=hidden.kind)
    found = await run_in_threadpool(partial(look, reveal=True, actor=visitor_of(request).actor, reason=reason))
    return await _shown(request, found)


async def _shown(request: Request, found: Opened, *, status: int = 200, **more: Any) -> Response:
    visitor = visitor_of(request)
    values = {"done": None, "trouble": None, "findings": [], "typed": {}, "tried": None} | more
    is_open = found.state in ("open", "kept")
    waits = is_open and found.kind == "quarantined"
    offered = {
        name: visitor.may(right)
        and (is_open if name in ("propose", "approve", "reject") else waits or name == "reveal")
        for name, right in _DEEDS.items()
    }
    answer: Response = page(
        request, "quality/record.html", status=status,
        back=f"/quality/records/{found.kind}/{found.number}", record=found, offered=offered, to=_TO, clear=_CLEAR,
        organs=await run_in_threadpool(organs, runtime_of(request).engine, [found.organ]), **values,
    )  # fmt: skip
    return answer


@router.get("/quality/log")
async def log_of_deeds(request: Request) -> Response:
    """Show who saw, changed or returned what, when and why: of the own department, or of all."""
    visitor, engine = visitor_of(request), runtime_of(request).engine
    visitor.must(SEE)
    asked = {name: chosen(request, name) for name in ("what", "who", "source")}
    before = number(chosen(request, "before") or "0", "before")
    rows = await run_in_threadpool(
        partial(
            told.lines, engine, what=asked["what"], actor=asked["who"], source=asked["source"], organ=visitor.organ,
            before=before or None, limit=PAGE + 1,
        )
    )  # fmt: skip
    answer: Response = page(
        request, "quality/log.html", rows=rows[:PAGE], more=len(rows) > PAGE, asked=asked, deeds=LOGGED,
        further=urlencode({name: said for name, said in asked.items() if said}),
        organs=await run_in_threadpool(organs, engine, {one.organ for one in rows}),
    )  # fmt: skip
    return answer


@router.get("/quality/batches")
async def held(request: Request) -> Response:
    """List the held batches."""
    return await _held(request, done=chosen(request, "done"))


@router.post("/quality/batches/{place}/accept")
async def accept(request: Request, place: str) -> Response:
    """Publish a held batch after all, with a reason."""
    visitor, form, runtime = visitor_of(request), form_of(request), runtime_of(request)
    visitor.must(ACCEPT_BATCH)
    batch = number(place, "the batch")
    rows = await run_in_threadpool(batches.held, runtime.engine, organ=visitor.organ, batch=batch)
    if not rows:
        raise NotFound("no such batch is held, or it is another department's", hint="Go back to the list.")
    act = partial(batches.accept, runtime, rows[0]["source"], batch, actor=visitor.actor, reason=form.get("reason", ""))
    try:
        await run_in_threadpool(act)
    except RequestRefused:
        raise
    except HubError as error:
        return await _held(request, trouble=error, typed=form, tried=batch, status=HTTPStatus.CONFLICT)
    return RedirectResponse("/quality/batches?done=batch.accept", HTTPStatus.SEE_OTHER)


async def _held(request: Request, *, status: int = 200, **more: Any) -> Response:
    visitor, engine = visitor_of(request), runtime_of(request).engine
    visitor.must(SEE)
    organ = visitor.organ or chosen(request, "organ")
    rows = await run_in_threadpool(batches.held, engine, organ=organ)
    values = {"done": None, "trouble": None, "typed": {}, "tried": None} | more
    answer: Response = page(
        request, "quality/batches.html", status=status, back="/quality/batches",
        rows=rows, may_accept=visitor.may(ACCEPT_BATCH), unreadable=running.unreadable,
        organs=await run_in_threadpool(organs, engine, {row["organ"] for row in rows}), **values,
    )  # fmt: skip
    return answer


def _refused(request: Request, words: HubError) -> Response:
    answer: Response = page(request, "quality/refused.html", status=HTTPStatus.CONFLICT, trouble=words)
    return answer


def _kind(said: str) -> Kind:
    if said not in service.KINDS:
        raise NotFound(
            "there is no such kind of record",
            hint=sentence("There are {known}.", known=Codes.of("kind", service.KINDS)),
        )
    return said
