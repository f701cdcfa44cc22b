"""The steward's pages: the province, one department, its monthly report."""

from __future__ import annotations

from datetime import UTC, date, datetime

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from hub.refusals import Malformed, NotFound
from hub.sentences import Codes, sentence
from hub.templating import ZONE
from hub.visitor import SEE
from quality.pages import charts, report
from quality.pages.asking import chosen, named, page, runtime_of, visitor_of
from quality.pages.department import TREND_DAYS, department
from quality.pages.organs import LEVELS, organs
from quality.pages.overview import DIMENSIONS, province
from quality.pages.rules import Described, described

router = APIRouter(include_in_schema=False)


@router.get("/quality")
async def overview(request: Request) -> Response:
    """Show the province, worst first: a heat map of departments and dimensions."""
    visitor = visitor_of(request)
    visitor.must(SEE)
    level = chosen(request, "level") or LEVELS[0]
    if level not in LEVELS:
        raise NotFound(
            "there is no such level of organs", hint=sentence("There are {known}.", known=Codes.of("level", LEVELS))
        )
    engine = runtime_of(request).engine
    seen = await run_in_threadpool(province, engine, today(), level=level, organ=visitor.organ)
    shown: Response = page(
        request, "quality/overview.html", province=seen, level=level, dimensions=DIMENSIONS, narrowed=visitor.organ
    )
    return shown


@router.get("/quality/organs/{organ}")
async def one_department(request: Request, organ: str) -> Response:
    """Show one department: trend, issues, feeds, coverage, scores."""
    visitor = visitor_of(request)
    visitor.must(SEE)
    visitor.must_see(named(organ))
    runtime = runtime_of(request)
    found = await run_in_threadpool(department, runtime.engine, runtime.settings, organ, today())
    if found is None:
        raise NotFound("nothing is known of this department", hint="Go back to the overview.")
    shown: Response = page(
        request, "quality/department.html", department=found, dimensions=DIMENSIONS, trend_days=TREND_DAYS,
        chart=charts.trend, months=report.months(today()),
    )  # fmt: skip
    return shown


@router.get("/quality/organs/{organ}/report/{month}")
async def one_report(request: Request, organ: str, month: str) -> Response:
    """Hand out the report of one department and month, as one file that needs nothing else."""
    visitor = visitor_of(request)
    visitor.must(SEE)
    visitor.must_see(named(organ))
    runtime = runtime_of(request)
    first = report.month_of(month)
    if first is None:
        raise Malformed("this is no month", hint="Write it as 2026-01.")
    language = "en" if request.query_params.get("language") == "en" else "zh"
    text = await run_in_threadpool(report.text, runtime.engine, runtime.settings, organ, first, language)
    if text is None:
        known = await run_in_threadpool(organs, runtime.engine, [organ])
        name = known[organ].title_zh or "the department"
        raise NotFound(
            sentence("there is nothing to report of {name} in this month", name=name),
            hint="Choose a month with scores.",
        )
    name = f"quality-{organ}-{month}-{language}.html" if organ.isalnum() else f"quality-{month}-{language}.html"
    disposition = "inline" if request.query_params.get("show") else "attachment"
    return Response(
        text, media_type="text/html; charset=utf-8",
        headers={
            "Content-Disposition": f'{disposition}; filename="{name}"', "Content-Security-Policy": report.POLICY
        },
    )  # fmt: skip


@router.get("/quality/rules")
async def all_rules(request: Request) -> Response:
    """List the rules, the most severe first."""
    shown: Response = page(request, "quality/rules.html", rules=await _rules(request))
    return shown


@router.get("/quality/rules/{rule}")
async def one_rule(request: Request, rule: str) -> Response:
    """Show one rule: what it says, its effect, who acts, by when, and what to do."""
    found = next((one for one in await _rules(request) if one.rule.code == named(rule)), None)
    if found is None:
        raise NotFound("there is no such rule", hint="Choose on the page.")
    shown: Response = page(request, "quality/rule.html", described=found)
    return shown


async def _rules(request: Request) -> list[Described]:
    visitor = visitor_of(request)
    visitor.must(SEE)
    return await run_in_threadpool(described, runtime_of(request).engine, visitor.organ)


def today() -> date:
    """Return the day in the zone of the pages."""
    return datetime.now(UTC).astimezone(ZONE).date()
