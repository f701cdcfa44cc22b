"""The ranking for everybody at `/ranking`: published editions, each point with its evidence, and the files to redo it.

Who is signed in and sees the data of the hub also sees the edition under hearing, objects to it for the own department,
and sees the numbers of the cases behind their pseudonyms. Persons and posts never stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, cast

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from hub import asking
from hub.asking import chosen, form_of, named, page
from hub.errors import HubError
from hub.refusals import Malformed, NotAllowed, NotFound, RequestRefused
from hub.sentences import sentence
from hub.visitor import SEE, Visitor
from supervision.appraisal import freezing, looking, objecting
from supervision.appraisal.inputs import is_month
from supervision.appraisal.looking import DRAFT, Look
from supervision.appraisal.terms import EVIDENT, LEVELS, MEASURES
from supervision.appraisal.years import named as year_named
from supervision.sheets.table import FORMS

router = APIRouter(include_in_schema=False)

SIZE: Final = 200
_TYPES: Final[Mapping[str, str]] = {
    **dict[str, str](FORMS.items()), "json": "application/json", "yml": "text/plain; charset=utf-8",
}  # fmt: skip
_FURTHEST: Final = 10_000_000


@router.get("/ranking")
async def months(request: Request) -> Response:
    """List the months with their published editions."""
    rows = await run_in_threadpool(looking.months, _engine(request), waiting=_insider(request) is not None)
    years = await run_in_threadpool(looking.years, _engine(request))
    shown: Response = page(request, "ranking/months.html", rows=rows, years=years)
    return shown


@router.get("/ranking/years/{year}")
async def one_year(request: Request, year: str) -> Response:
    """Show the ranking of a year or half-year, with each month's score."""
    found = await run_in_threadpool(looking.year, _engine(request), _year_of(year), _edition(request))
    if found is None:
        raise NotFound("no such edition is published", hint="The published years stand at /ranking.")
    shown: Response = page(
        request, "ranking/year.html", level=_level(request), year=year,
        levels=[one for one in LEVELS if found["ranking"]["levels"].get(one)], **found,
    )  # fmt: skip
    return shown


@router.get("/ranking/years/{year}/files/{name}")
async def year_file(request: Request, year: str, name: str) -> Response:
    """Hand out a file of a year's edition: CSV, workbook, JSON, or its seal."""
    data = await run_in_threadpool(looking.year_file, _engine(request), _year_of(year), _edition(request), named(name))
    if data is None:
        raise NotFound("this edition has no such file", hint="The files stand on the page of the year.")
    return _handed(name, data)


@router.get("/ranking/{month}")
async def one_month(request: Request, month: str) -> Response:
    """Show the ranking of a month, level by level."""
    return await _month(request, month)


@router.post("/ranking/{month}/objections")
async def object_(request: Request, month: str) -> Response:
    """Lodge an objection of one's own department, or answer one as supervision."""
    visitor = _insider(request)
    if visitor is None:
        raise NotAllowed("objections come from departments that are signed in", hint="Sign in first.")
    try:
        await run_in_threadpool(_deed, _engine(request), _month_of(month), visitor, form_of(request))
    except RequestRefused:
        raise
    except HubError as error:
        return await _month(request, month, trouble=error, status=HTTPStatus.CONFLICT)
    return RedirectResponse(f"/ranking/{month}?edition={DRAFT}#objections", HTTPStatus.SEE_OTHER)


@router.get("/ranking/{month}/unit")
async def one_unit(request: Request, month: str) -> Response:
    """Show how the score of one unit comes about, with its rates by each definition."""
    look = await _look(request, month)
    one = look.unit(_level(request), named(chosen(request, "unit") or ""))
    more = await run_in_threadpool(looking.unit, look, _level(request), one)
    shown: Response = page(request, "ranking/unit.html", look=look, level=_level(request), one=one, **more)
    return shown


@router.get("/ranking/{month}/evidence")
async def evidence(request: Request, month: str) -> Response:
    """Show the frozen rows behind a measure of a unit."""
    look = await _look(request, month)
    level, measure, first = _level(request), chosen(request, "measure", 60) or "", _first(request)
    one = look.unit(level, named(chosen(request, "unit") or ""))
    if measure not in EVIDENT:
        raise NotFound("there is no such measure", hint="Follow a link of the unit's page.")
    rows = await run_in_threadpool(looking.evidence, _engine(request), look, (level, one["unit"]), measure,
                                   _insider(request))  # fmt: skip
    shown: Response = page(
        request, "ranking/evidence.html", look=look, level=level, one=one, measure=measure, total=len(rows),
        rows=rows[first : first + SIZE], first=first, size=SIZE, titles=looking.titles(look, measure),
        words=MEASURES[measure],
    )  # fmt: skip
    return shown


@router.get("/ranking/{month}/files/{name}")
async def file(request: Request, month: str, name: str) -> Response:
    """Hand out a file of an edition: its frozen inputs, its ranking, its seal; all that a recomputation needs."""
    look = await _look(request, month)
    data = await run_in_threadpool(looking.file, _engine(request), look, named(name))
    if data is None:
        raise NotFound("this edition has no such file", hint="The files stand on the page of the month.")
    return _handed(name, data)


def _handed(name: str, data: bytes) -> Response:
    kind = _TYPES.get(name.rsplit(".", 1)[-1], "application/octet-stream")
    return Response(data, media_type=kind, headers={
        "Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff",
    })  # fmt: skip


async def _month(request: Request, month: str, *, trouble: HubError | None = None, status: int = 200) -> Response:
    look = await _look(request, month, wanted=DRAFT if trouble else None)
    level = _level(request)
    visitor = _insider(request)
    more = await run_in_threadpool(looking.month, _engine(request), look, visitor)
    shown: Response = page(
        request, "ranking/month.html", status=status, back=f"/ranking/{month}?edition={DRAFT}", look=look, level=level,
        levels=[one for one in LEVELS if look.ranking["levels"].get(one)], insider=visitor, trouble=trouble,
        own=None if visitor is None or visitor.organ is None else visitor.organ, **more,
    )  # fmt: skip
    return shown


async def _look(request: Request, month: str, wanted: str | None = None) -> Look:
    said = wanted or chosen(request, "edition", 10)
    if said == DRAFT and _insider(request) is None:
        raise NotFound("no such edition is published", hint="Sign in to see what is under hearing.")
    if said not in (None, DRAFT):
        asking.number(said, "edition")
    found = await run_in_threadpool(looking.look, _engine(request), _month_of(month), said)
    if found is None:
        raise NotFound("no such edition is published", hint="The published months stand at /ranking.")
    return found


def _deed(engine: sa.Engine, month: str, visitor: Visitor, form: Any) -> None:
    if form.get("deed") == "answer":
        if visitor.seat != "supervision":
            raise NotAllowed("supervision answers objections", hint="The role supervisor has this right.")
        number = asking.number(form.get("objection"), "objection")
        objecting.answer(engine, number, form.get("outcome", ""), form.get("answer", ""), visitor.actor)
        return
    if visitor.organ is None:
        raise NotAllowed("a department objects for itself", hint="Sign in as its department_steward.")
    level = freezing.level_of(engine, visitor.organ)
    objecting.lodge(engine, month, level, visitor.organ, form.get("about", ""), form.get("said", ""), visitor.actor)


def _insider(request: Request) -> Visitor | None:
    seat = getattr(request.state, "visitor", None)
    return seat if isinstance(seat, Visitor) and seat.may(SEE) else None


def _engine(request: Request) -> sa.Engine:
    return cast("sa.Engine", request.app.state.hub.runtime.engine)


def _month_of(said: str) -> str:
    if not is_month(said):
        raise NotFound("there is no such month", hint="Write it as 2026-10.")
    return said


def _year_of(said: str) -> str:
    if year_named(said) is None:
        raise NotFound("there is no such year", hint="Write it as 2026, or a half of it as 2026-H1.")
    return said


def _edition(request: Request) -> int | None:
    said = chosen(request, "edition", 10)
    return None if said is None else asking.number(said, "edition")


def _level(request: Request) -> str:
    said = chosen(request, "level", 20)
    if said is not None and said not in LEVELS:
        raise Malformed("there is no such level", hint=sentence("There are: {known}.", known=", ".join(LEVELS)))
    return said or LEVELS[0]


def _first(request: Request) -> int:
    said = chosen(request, "from", 18)
    return 0 if said is None else min(asking.number(said, "from"), _FURTHEST)
