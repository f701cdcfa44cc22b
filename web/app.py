"""The application: the routes of the packages behind one door.

Each package keeps its routes in a module of its own that knows nothing of this one; here each is mounted with the door
that its callers come through: a right of a client program, or a person's sign-in. A test lists what is open to all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.concurrency import run_in_threadpool

from catalog.pages.desk_routes import router as catalogue_desks
from catalog.pages.routes import router as catalogue_pages
from hub.refusals import NotAllowed, NotAuthenticated, documented
from pipeline.routes import records
from pipeline.runtime import Runtime
from quality.pages.issues.routes import router as issue_pages
from quality.pages.routes import router as quality_pages
from quality.pages.waiting.routes import router as waiting_pages
from quality.worklist import routes as worklist
from sharedrepo.access import clients
from supervision.appraisal.routes import router as ranking_pages
from supervision.cards.routes import get_cards, post_feedback
from supervision.notices import routes as notice_receipts
from supervision.notices.opened import opened as telling
from supervision.opened import opened as supervising
from supervision.pages.card_routes import router as supervision_cards
from supervision.pages.days_routes import router as supervision_days
from supervision.pages.export_routes import router as supervision_files
from supervision.pages.mining_routes import router as supervision_mining
from supervision.pages.ranking_routes import router as supervision_ranking
from supervision.pages.routes import router as supervision_pages
from verification.opened import opened as checking
from verification.pages.inquiry_routes import router as inquiry_pages
from verification.pages.unmatched_routes import router as unmatched_pages
from verification.routes import (
    get_balances,
    get_check,
    get_check_job,
    get_check_job_result,
    get_heads,
    get_heartbeat,
    get_inquiries,
    get_item,
    get_items,
    get_keys,
    get_log,
    get_my_access,
    get_my_data,
    get_recalls,
    get_usage,
    get_usage_period,
    post_balance,
    post_check,
    post_check_job,
    post_checks,
    post_inquiry,
    post_inquiry_answer,
    post_live,
    post_progress,
    post_token,
)
from verification.routes.door import asking
from web import health, metrics, problems, static
from web.accounts import own
from web.accounts import routes as accounts
from web.accounts.door import recognized, signed_in
from web.accounts.oidc import Provider
from web.authentication import having
from web.framing import Framing
from web.live import LiveSources
from web.pages import Pages
from web.state import State

MOUNTED: tuple[tuple[APIRouter, str | None], ...] = (
    (health.router, None),
    (metrics.router, clients.METRICS),
    # The SMS gateway's callback: it is no client, and brings the password that its deployment gave it.
    (notice_receipts.router, None),
    (records.router, clients.PUSH),
    (worklist.router, clients.QUALITY),
    (get_usage.router, clients.USAGE),
    (get_usage_period.router, clients.USAGE),
    (get_heartbeat.router, clients.USAGE),
    (get_cards.router, clients.CARDS),
    (post_feedback.router, clients.CARDS),
    (get_inquiries.router, clients.CONFIRM),
    (post_inquiry_answer.router, clients.CONFIRM),
)
"""The routes of the packages, each with the right that a client needs for it; None: anybody may ask."""

CHECKS: tuple[tuple[APIRouter, bool], ...] = (
    (post_token.router, False),
    (get_keys.router, False),
    (post_check.router, True),
    (post_checks.router, True),
    (get_check.router, True),
    (post_inquiry.router, True),
    (post_live.router, True),
    (post_check_job.router, True),
    (get_check_job.router, True),
    (get_check_job_result.router, True),
    (post_progress.router, True),
    (get_items.router, True),
    (get_item.router, True),
    (get_my_access.router, True),
    (get_my_data.router, True),
    (get_heads.router, True),
    (get_log.router, True),
    (get_recalls.router, True),
    (get_balances.router, True),
    (post_balance.router, True),
)
"""The routes of verification; True: only with an access token, which `POST /v1/token` gives."""

PAGES: tuple[tuple[APIRouter, bool | None], ...] = (
    (static.router, False),
    (accounts.open_router, False),
    (accounts.router, True),
    (own.router, True),
    (quality_pages, True),
    (issue_pages, True),
    (waiting_pages, True),
    (catalogue_pages, None),
    (catalogue_desks, True),
    (inquiry_pages, True),
    (unmatched_pages, True),
    (ranking_pages, None),
    (supervision_files, True),
    (supervision_pages, True),
    (supervision_days, True),
    (supervision_cards, True),
    (supervision_mining, True),
    (supervision_ranking, True),
)
"""The pages of the packages; True: only for persons who are signed in, who then have rights by their roles.

False: for everybody; None: for everybody, and those who are signed in are known by name."""

_DOORS: Mapping[bool | None, Callable[[], list[Any]]] = {
    True: lambda: [signed_in()], False: list, None: lambda: [recognized()],
}  # fmt: skip


def create(opening: Callable[[], Runtime] = Runtime.open) -> FastAPI:
    """Make the application; `opening` opens the hub when it starts to serve, and not before."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runtime = await run_in_threadpool(opening)
        app.state.hub = State(runtime)
        app.state.pages, app.state.provider = Pages(), Provider.of(runtime.settings)
        try:
            async with (
                records.opened(runtime) as app.state.push,
                checking(
                    runtime.settings, runtime.engine, runtime.protector, LiveSources(runtime)
                ) as app.state.verification,
                telling(runtime.settings, runtime.engine, runtime.protector) as app.state.notices,
                supervising(runtime.engine, runtime.protector),
            ):
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
    for router, by_token in CHECKS:
        refusals = documented(NotAuthenticated) if by_token else {}
        app.include_router(router, dependencies=[asking()] if by_token else [], responses=refusals)
    for router, closed in PAGES:
        app.include_router(router, dependencies=_DOORS[closed]())
    problems.install(app)
    app.add_middleware(Framing)
    return app
