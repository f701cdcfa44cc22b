"""`GET /metrics`: the health of the feeds as Prometheus reads it, for clients with the right `metrics`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import SQLAlchemyError

from connectors.loading import load_sources
from hub.errors import ConfigError
from hub.refusals import Unavailable, documented
from pipeline.runtime import Runtime
from pipeline.telling.metrics import CONTENT_TYPE, gather, render
from web.state import state_of

router = APIRouter()

_AGAIN = 60.0


@router.get(
    "/metrics",
    summary="The health of the feeds in Prometheus' text format",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE: {"schema": {"type": "string"}}}}, **documented(Unavailable)},
)
async def metrics(request: Request) -> Response:
    """Make the metrics anew from the repository and the source folders as they are now."""
    return Response(await run_in_threadpool(_rendered, state_of(request).runtime), media_type=CONTENT_TYPE)


def _rendered(runtime: Runtime) -> bytes:
    try:
        return render(gather(runtime.engine, load_sources(runtime.settings.sources)))
    except ConfigError as error:
        count = len(error.faults)
        raise Unavailable(
            f"the source folders have {count} faults", hint="`hub source list` names them.", after_seconds=_AGAIN
        ) from None
    except SQLAlchemyError:
        raise Unavailable("the repository does not answer", hint="Try again.", after_seconds=_AGAIN) from None
