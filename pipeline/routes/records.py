"""`POST /v1/records/{stream}`: a department posts records, and is told what became of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from connectors.kinds.push.body import JSON, LINES, XML, form_of, read_body
from connectors.kinds.push.enveloped import proven
from connectors.kinds.push.options import PushOptions
from connectors.source import Source
from hub.refusals import (
    Contradicted,
    KeyReused,
    Malformed,
    NotAllowed,
    NotFound,
    RequestRefused,
    TooLarge,
    TooMany,
    TooSlow,
    Unavailable,
    UnsupportedForm,
    documented,
)
from pipeline.posts.gathering import Gatherer, Manner
from pipeline.posts.pushing import Post
from pipeline.routes.declared import COUNT, ENVELOPE, KEY, THROUGH, Declared, declared
from pipeline.routes.rate import Rate
from pipeline.routes.receiving import Room, received
from pipeline.routes.served import Served
from pipeline.runtime import Runtime
from sharedrepo.access.clients import PUSH, Client

log = logging.getLogger("hub.push")

router = APIRouter()

REPLAYED = "Idempotency-Replayed"
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Pushing:
    """What the route works with, as long as the application lives."""

    runtime: Runtime
    served: Served
    gatherer: Gatherer
    rate: Rate
    room: Room


@asynccontextmanager
async def opened(runtime: Runtime) -> AsyncIterator[Pushing]:
    """Open what the route works with: the sources that post, and the lines in which their posts wait."""
    settings = runtime.settings
    manner = Manner(settings.push_linger, settings.slice_size, settings.push_key_days)
    served = await asyncio.to_thread(Served, runtime)
    gatherer = Gatherer(runtime, manner)
    try:
        yield Pushing(runtime, served, gatherer, Rate(settings.push_rate), Room(settings.push_memory * _MIB))
    finally:
        await gatherer.close()


class Fault(BaseModel):
    """One thing that is wrong with a record. `rule` stands under `rules` with its words and the way to mend it."""

    model_config = ConfigDict(extra="forbid")

    rule: str
    effect: str
    """`refuse`: the record waits in quarantine; `flag`: it is kept, and this is noted beside it."""
    pointer: str | None
    """Where in the record, as JSON pointer, field or XPath."""
    detail: dict[str, str]
    """What was expected; never a value that was sent."""


class Receipt(BaseModel):
    """What became of one record."""

    model_config = ConfigDict(extra="forbid")

    record: int
    """Its place in the body, from 1."""
    outcome: str
    """new, updated, unchanged, stale, deleted, excluded, quarantined or parked."""
    errors: list[Fault]


class Words(BaseModel):
    """What a rule says, and how a breach of it is mended."""

    model_config = ConfigDict(extra="forbid")

    title: str
    title_zh: str
    hint: str


class Numbered(BaseModel):
    """The number that the post's envelope bears, and which numbers before it have not come."""

    model_config = ConfigDict(extra="forbid")

    number: int
    missing: list[tuple[int, int]]
    """Spans of first and last number, the oldest ones."""
    missing_count: int
    receipt: dict[str, Any]
    """The receipt of the envelope, signed by the hub (schemas/exchange/receipt/v1)."""


class Taken(BaseModel):
    """A post that was taken in and committed: a receipt for each record, and their counts by outcome."""

    model_config = ConfigDict(extra="forbid")

    source: str
    stream: str
    batch: int
    """The batch in the hub's ledger; posts of the same half second may share one."""
    counts: dict[str, int]
    """`read`, and each outcome: `read` is their sum."""
    records: list[Receipt]
    rules: dict[str, Words]
    envelope: Numbered | None = None
    """Only where the post came with one."""


_RECORD: dict[str, Any] = {"type": "object", "description": "One record, as the source's raw schema declares it."}
_BODY: dict[str, Any] = {
    "required": True,
    "description": "One record, an array of records (an empty one says: I am there), or a record a line.",
    "content": {
        JSON: {"schema": {"anyOf": [_RECORD, {"type": "array", "items": _RECORD}]}},
        LINES: {"schema": {"type": "string"}},
        XML: {"schema": {"type": "string", "description": "Where the stream declares XML."}},
    },
}
_HEADERS: list[dict[str, Any]] = [
    {
        "name": KEY, "in": "header", "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
        "description": "Names this post: a repeat with the same body gets the same answer, and changes nothing.",
    },
    {
        "name": COUNT, "in": "header", "schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999},
        "description": "How many records the body holds; it is refused if it holds another number.",
    },
    {
        "name": THROUGH, "in": "header", "schema": {"type": "string", "format": "date-time"},
        "description": "The instant up to which the department has sent everything.",
    },
    {
        "name": ENVELOPE, "in": "header", "schema": {"type": "string"},
        "description": "The batch envelope (schemas/exchange/envelope/v1) in Base64, where the stream declares one.",
    },
]  # fmt: skip


@router.post(
    "/v1/records/{stream}",
    summary="Post records of one stream",
    response_model=Taken,
    response_description="Taken in and committed",
    responses=documented(
        Malformed, NotFound, TooSlow, KeyReused, Contradicted, TooLarge, UnsupportedForm, TooMany, Unavailable
    ),
    openapi_extra={"requestBody": _BODY, "parameters": _HEADERS},
)
async def post_records(
    request: Request,
    stream: Annotated[str, Path(max_length=200, description="A stream of the source, as its source.yml names it.")],
    source: Annotated[
        str | None, Query(max_length=200, description="The source, where the client may post for several.")
    ] = None,
) -> Response:
    """Take records in, and answer when they are committed. One bad record refuses no other: each has its receipt."""
    pushing: Pushing = request.app.state.push
    caller: Client = request.state.caller
    pushing.rate.mind(caller.client_id)
    if pushing.served.due and await asyncio.to_thread(pushing.served.look):
        pushing.gatherer.renew(pushing.served.sources)
    found = _source(pushing, caller, source)
    if stream not in found.streams:
        raise NotFound(f"source {found.code} has no such stream", hint=f"It has {', '.join(found.streams)}.")
    options = PushOptions.of(found, found.stream(stream))
    said = declared(request.headers)
    form = form_of(request.headers.get("content-type"), request.headers.get("content-encoding"), options)
    seconds = pushing.runtime.settings.push_body_seconds
    try:
        async with received(request, limit=options.limits.body_bytes, seconds=seconds, room=pushing.room) as body:
            post = await asyncio.to_thread(_post, pushing.runtime, caller, found, stream, options, said, form, body)
            answer = await pushing.gatherer.take(found, stream, post)
    except RequestRefused as refusal:
        # Nothing of it is kept (decision 51): what is known here is that it happened, and whose it was.
        what = type(refusal).__name__
        log.warning("source %s, %s: a post of %s was refused (%s)", found.code, stream, caller.code, what)
        raise
    headers = {REPLAYED: "true"} if answer.replayed else {}
    return Response(answer.text, media_type=JSON, headers=headers)


def _source(pushing: Pushing, caller: Client, named: str | None) -> Source:
    """Return the source that a client posts for: its only one, or the one that it names."""
    may = caller.sources
    if named is None and len(may) != 1:
        raise Malformed(
            f"client {caller.code} posts for several sources", hint=f"Name one: ?source= one of {', '.join(may)}."
        )
    code = named if named is not None else may[0]
    if not caller.may(f"{PUSH}:{code}"):
        raise NotAllowed(f"client {caller.code} may not post for that source", hint=f"It may for {', '.join(may)}.")
    known = pushing.served.sources.get(code)
    if known is None:
        raise NotFound(
            f"source {code} does not post to this hub",
            hint="The hub's operators see why in its log: the folder is missing, faulty, or of another kind.",
        )
    return known


def _post(
    runtime: Runtime, caller: Client, source: Source, stream: str, options: PushOptions, said: Declared, form: str,
    body: bytes,
) -> Post:  # fmt: skip
    """Read a body into a post; what was sent is remembered by keyed hashes only."""
    held = read_body(body, form, options, source=source.code, stream=stream)
    said.mind(len(held))
    keyed = runtime.protector.content_hash
    envelope = proven(said.envelope, source, source.stream(stream), body, held, keyed)
    key = None if said.key is None else keyed(f"idempotency key\x1f{said.key}".encode())
    mark = keyed(f"{stream}\x1f{form}\x1f{said.text}\x1f".encode() + body)
    return Post(caller.client_id, held, mark, key, said.complete_through, envelope)
