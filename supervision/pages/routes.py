"""The supervisor's pages: the wall, cases, who waits for the applicant, trends. Each shows what its reader may see."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from hub import asking
from hub.asking import chosen, page
from hub.refusals import NotFound
from hub.words import Words
from supervision.clock.listing import WHY
from supervision.logs.trends import trends, up_to
from supervision.pages import cases, lines, names, picture, tables, waiting, wall
from supervision.pages.asking import SIZE, admitted, engine_of, first, looking, month, one_of, region, today
from supervision.pages.scope import Scope
from supervision.pages.terms import LEVELS, LIGHTS, STAGES

router = APIRouter(include_in_schema=False)


@router.get("/supervision")
async def the_wall(request: Request) -> Response:
    """Show the wall: the open cases of every department by stage and light."""
    visitor, _ = admitted(request)
    shown, asked, limits = await _wall(request)
    named = {} if visitor.region is None else await _names(request, regions={visitor.region})
    place = named["regions"][visitor.region].said(_language(request)) if visitor.region in named.get("regions", {}) \
        else visitor.region  # fmt: skip
    query = urlencode({name: said for name, said in _wall_query(asked).items() if said})
    answer: Response = page(
        request, "supervision/wall.html", query=query, bys=wall.BY, levels=LEVELS, limits=limits, place=place,
        **_wall_values(shown, asked),
    )  # fmt: skip
    return answer


@router.get("/supervision/part")
async def wall_part(request: Request) -> Response:
    """Hand out the wall anew for a page that is open, if anything has changed since the mark that it names."""
    admitted(request)
    said = chosen(request, "mark", 100)
    if said is not None and said == await run_in_threadpool(looking, engine_of(request), wall.mark):
        return Response(status_code=204)
    shown, asked, _ = await _wall(request)
    answer: Response = page(request, "supervision/wall_part.html", **_wall_values(shown, asked))
    return answer


async def _wall(request: Request) -> tuple[wall.Wall, wall.Asked, Any]:
    _, scope = admitted(request)
    asked = wall_asked(request)

    def look(connection: sa.Connection) -> tuple[wall.Wall, Any]:
        return wall.wall(connection, scope, asked), wall.thresholds(connection)

    shown, limits = await run_in_threadpool(looking, engine_of(request), look)
    return shown, asked, limits


def wall_asked(request: Request) -> wall.Asked:
    """Read which wall is asked for."""
    return wall.Asked(one_of(request, "by", wall.BY) or "organ", one_of(request, "level", LEVELS), region(request))


def _wall_query(asked: wall.Asked) -> dict[str, str | None]:
    return {"by": asked.by, "level": asked.level, "region": asked.region}


def _wall_values(shown: wall.Wall, asked: wall.Asked) -> dict[str, Any]:
    own = {} if asked.region is None or asked.by != "organ" else {"region": asked.region}
    return {
        "wall": shown, "asked": asked, "stages": STAGES, "lights": LIGHTS, "bar": picture.bar,
        "own_query": f"&{urlencode(own)}" if own else "",
    }  # fmt: skip


def cases_asked(request: Request) -> cases.Asked:
    """Read which cases are asked for."""
    organ = request.query_params.get("organ")
    return cases.Asked(
        organ=None if organ is None else organ.strip()[:100].replace("\0", ""),
        region=region(request),
        stage=one_of(request, "stage", STAGES),
        light=one_of(request, "light", LIGHTS),
        state=one_of(request, "state", cases.STATES),
        words=chosen(request, "case", 100),
        item=chosen(request, "item", 60),
        month=month(chosen(request, "month", 7)),
        verdict=one_of(request, "verdict", cases.VERDICTS),
        first=first(request),
    )


def cases_query(asked: cases.Asked) -> str:
    """Return what addresses of these cases end with; the place in the list left out."""
    said = {
        "organ": asked.organ, "region": asked.region, "stage": asked.stage, "light": asked.light, "state": asked.state,
        "case": asked.words, "item": asked.item, "month": None if asked.month is None else f"{asked.month:%Y-%m}",
        "verdict": asked.verdict,
    }  # fmt: skip
    return urlencode({name: value for name, value in said.items() if value is not None})


@router.get("/supervision/cases")
async def case_list(request: Request) -> Response:
    """List the cases behind a number of the wall, those in the worst light first."""
    _, scope = admitted(request)
    asked = cases_asked(request)
    rows, total = await run_in_threadpool(
        looking, engine_of(request), lambda connection: cases.listed(connection, scope, asked)
    )
    named = await _names(
        request, organs={asked.organ, *(row["organ"] for row in rows)}, regions={row["region"] for row in rows},
        items={row["item_code"] for row in rows},
    )  # fmt: skip
    shown: Response = page(
        request, "supervision/cases.html", asked=asked, rows=rows, total=total, size=SIZE, query=cases_query(asked),
        stages=STAGES, lights=LIGHTS, states=cases.STATES, verdicts=cases.VERDICTS, **named,
    )  # fmt: skip
    return shown


@router.get("/supervision/cases/{case_id}")
async def one_case(request: Request, case_id: str) -> Response:
    """Show one case against its clock: its stages over time, its pauses, its limit, its cards."""
    found = await found_case(request, case_id)
    facts, words = found.facts, Words(_language(request))
    named = await _names(request, organs={facts["organ"]}, regions={facts["region"], facts["calendar"]},
                         items={facts["item_code"]})  # fmt: skip
    shown: Response = page(
        request,
        "supervision/case.html",
        case=found,
        picture=picture.timeline(found, words),
        why=why_of(request),
        **named,
    )
    return shown


async def found_case(request: Request, case_id: str) -> cases.Case:
    """Return the case that an address names, within what the person sees.

    Raises:
        NotFound: there is none, or it is another's.
    """
    _, scope = admitted(request)
    number = asking.number(case_id, "the case")
    found = await run_in_threadpool(
        looking, engine_of(request), lambda connection: cases.one(connection, scope, number)
    )
    if found is None:
        raise NotFound("there is no such case, or it is another's", hint="Go back to the list.")
    return found


@router.get("/supervision/waiting")
async def waiting_list(request: Request) -> Response:
    """List the cases that wait for their applicants, the longest first."""
    _, scope = admitted(request)
    rows = await run_in_threadpool(
        looking, engine_of(request), lambda connection: waiting.waiting(connection, scope, None)
    )
    shown_rows = rows[: waiting.MOST]
    named = await _names(
        request, organs={row["organ"] for row in shown_rows}, items={row["item_code"] for row in shown_rows}
    )
    shown: Response = page(request, "supervision/waiting.html", rows=shown_rows, total=len(rows), **named)
    return shown


@router.get("/supervision/trends")
async def trend(request: Request) -> Response:
    """Show the months side by side."""
    _, scope = admitted(request)
    organ, last = chosen(request, "organ", 100), _last(request)
    months = await run_in_threadpool(
        looking, engine_of(request),
        lambda connection: trends(connection, since=up_to(last), until=last, organ=organ, **scope.bounds),
    )  # fmt: skip
    named = await _names(request, organs={organ})
    shown: Response = page(
        request, "supervision/trends.html", months=months, organ=organ, lines=lines, shown=tables.SHOWN,
        defined=tables.defined,
        own_query="" if organ is None else f"&{urlencode({'organ': organ})}", **named,
    )  # fmt: skip
    return shown


def _last(request: Request) -> date:
    return month(chosen(request, "month", 7)) or today()


async def _names(request: Request, **codes: Any) -> dict[str, Any]:
    """Return the names of organs, regions and items by their codes."""
    known = {"organs": names.organs, "regions": names.regions, "items": names.items}

    def look(connection: sa.Connection) -> dict[str, Any]:
        return {name: known[name](connection, said) for name, said in codes.items()}

    found: dict[str, Any] = await run_in_threadpool(looking, engine_of(request), look)
    return found


def _language(request: Request) -> str:
    pages: asking.Pages = request.app.state.pages
    return pages.language(request)


def why_of(request: Request) -> Any:
    """Return what says, in the reader's language, why a clock cannot be computed."""
    place = 0 if _language(request) == "zh" else 1
    return lambda code: WHY[code][place] if code in WHY else code


__all__ = ["Scope", "cases_asked", "cases_query", "found_case", "router", "wall_asked", "why_of"]
