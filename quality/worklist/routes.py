"""`GET /v1/findings` and `GET /v1/rejections`: what is wrong with an organ's records, for its own programs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict

from hub.findings import RULES
from hub.refusals import Malformed, documented
from pipeline.runtime import Runtime
from quality.worklist import api
from quality.worklist.entries import MOST
from sharedrepo.access.clients import Client

router = APIRouter()


class Told(BaseModel):
    """One breach of one rule, with the rule's words and the way to mend it."""

    model_config = ConfigDict(extra="forbid")

    rule: str
    effect: Literal["refuse", "flag"]
    """`refuse`: the record waits in quarantine; `flag`: it is kept, and this is noted beside it."""
    severity: str
    dimension: str
    field: str | None
    pointer: str | None
    """Where in the record, in the source's own names."""
    shown: str | None
    """The value, where it can be no person's."""
    detail: dict[str, str]
    """What was expected; never a value of a person."""
    title: str
    title_zh: str
    hint: str
    hint_zh: str


class OfRecord(Told):
    """A finding with the place that it speaks about."""

    id: int
    source: str
    stream: str
    key: str | None
    """The source's own key of the record; null where the finding speaks of a file or feed."""
    case: str | None
    unit: str | None
    row: int | None
    waiting: bool
    """Whether it speaks of a version that waits in quarantine."""
    since: datetime


class Findings(BaseModel):
    """A page of findings, in order of number."""

    model_config = ConfigDict(extra="forbid")

    findings: list[OfRecord]
    next: int | None
    """Give it as `after` to read on; null at the end."""


class Rejection(BaseModel):
    """A record that was refused and waits, with all that is wrong with it."""

    model_config = ConfigDict(extra="forbid")

    id: int
    source: str
    stream: str
    key: str
    case: str | None
    version: int | None
    unit: str | None
    row: int
    since: datetime
    findings: list[Told]


class Rejections(BaseModel):
    """A page of rejected records, in order of number."""

    model_config = ConfigDict(extra="forbid")

    rejections: list[Rejection]
    next: int | None
    """Give it as `after` to read on; null at the end."""


Source = Annotated[str | None, Query(max_length=200, description="Only this source.")]
Stream = Annotated[str | None, Query(max_length=200, description="Only this stream.")]
Rule = Annotated[
    str | None, Query(max_length=100, description="Only this rule.", json_schema_extra={"enum": sorted(RULES)})
]
After = Annotated[int, Query(ge=0, le=2**63 - 1, description="Begin after this number: `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="So many at most.")]


@router.get(
    "/v1/findings",
    summary="Read what is wrong with your organ's records",
    response_model=Findings,
    responses=documented(Malformed),
)
async def get_findings(
    request: Request, source: Source = None, stream: Stream = None, rule: Rule = None,
    effect: Annotated[Literal["refuse", "flag"] | None, Query(description="Only this effect.")] = None,
    after: After = 0, limit: Limit = 100,
) -> dict[str, Any]:  # fmt: skip
    """Read the open findings of the caller's organ, page by page."""
    rows = await run_in_threadpool(
        api.findings, _runtime(request), _organ(request), source=source, stream=stream, rule=_known(rule),
        effect=effect, after=after, limit=limit,
    )  # fmt: skip
    return {"findings": rows, "next": _next(rows, limit)}


@router.get(
    "/v1/rejections",
    summary="Read which of your organ's records wait in quarantine, and why",
    response_model=Rejections,
    responses=documented(Malformed),
)
async def get_rejections(
    request: Request, source: Source = None, stream: Stream = None, rule: Rule = None, after: After = 0,
    limit: Limit = 100,
) -> dict[str, Any]:  # fmt: skip
    """Read the rejected records of the caller's organ, page by page."""
    rows = await run_in_threadpool(
        api.rejections, _runtime(request), _organ(request), source=source, stream=stream, rule=_known(rule),
        after=after, limit=limit,
    )  # fmt: skip
    return {"rejections": rows, "next": _next(rows, limit)}


def _runtime(request: Request) -> Runtime:
    found: Runtime = request.app.state.hub.runtime
    return found


def _organ(request: Request) -> str:
    caller: Client = request.state.caller
    return caller.organ


def _known(rule: str | None) -> str | None:
    if rule is not None and rule not in RULES:
        raise Malformed("there is no such rule", hint="docs/steward/findings.md lists the rules.")
    return rule


def _next(rows: list[dict[str, Any]], limit: int) -> int | None:
    return int(rows[-1]["id"]) if len(rows) == limit else None
