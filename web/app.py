"""The application: the routes of the packages behind one door.

Each package keeps its routes in a module of its own that knows nothing of this one; here each is mounted with the right
that its callers need. A route without a right is open to all: there is one, and a test says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, FastAPI
from fastapi.concurrency import run_in_threadpool

from hub.refusals import NotAllowed, NotAuthenticated, documented
from pipeline.routes import records
from pipeline.runtime import Runtime
from sharedrepo import clients
from web import health, metrics, problems
from web.authentication import having
from web.framing import Framing
from web.state import State

MOUNTED: tuple[tuple[APIRouter, str | None], ...] = (
    (health.router, None),
    (metrics.router, clients.METRICS),
    (records.router, clients.PUSH),
)
"""The routes of the packages, each with the right that a client needs for it; None: anybody may ask."""


def create(opening: Callable[[], Runtime] = Runtime.open) -> FastAPI:
    """Make the application; `opening` opens the hub when it starts to serve, and not before."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runtime = await run_in_threadpool(opening)
        app.state.hub = State(runtime)
        try:
            async with records.opened(runtime) as app.state.push:
                yield
        finally:
            runtime.engine.dispose()

    app = FastAPI(
        title="Approval exchange hub 政府行政审批信息共享交换枢纽",
        version=version("approval-exchange-hub"),
        lifespan=lifespan,
        # The document is a file of the repository: no address without a token hands it out, no page loads foreign code.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for router, right in MOUNTED:
        if right is None:
            app.include_router(router)
        else:
            responses = documented(NotAuthenticated, NotAllowed)
            app.include_router(router, dependencies=[having(right)], responses=responses)
    problems.install(app)
    app.add_middleware(Framing)
    return app
