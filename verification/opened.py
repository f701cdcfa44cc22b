"""What the routes of checks work with as long as a process serves, and the work that goes on beside them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg2
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import HubError
from hub.protect import Protector
from hub.settings import Settings
from sharedrepo.connect import engine as make_engine
from sharedrepo.keyring.signing import Ed25519Signer, publish
from verification.audit import sealing
from verification.audit.watch import Watch
from verification.checks import confirming, jobs, waiting
from verification.checks.live import Asking
from verification.checks.service import Checker
from verification.checks.sources import Sources
from verification.evidence import feeds
from verification.evidence.sessions import Sessions
from verification.notices import recall, subscriptions
from verification.notices.delivering import Post
from verification.rights import readers
from verification.rights.callers import Tokens
from verification.rights.rates import Rates

log = logging.getLogger("hub.verification")

REFUSALS_A_SECOND = 5.0
"""Refused calls a second of one client, and of all that are nobody's together, that stand in the log."""
STATEMENT_SECONDS = 20
"""Seconds after which the query of a check is given up."""
_TROUBLES = (SQLAlchemyError, psycopg2.Error, HubError, OSError)
"""What may go wrong in one round and be right in the next."""
_ROUND_SECONDS = 5.0
_LEARN_SECONDS = 600.0
_BREATH_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Verification:
    """What the routes of checks work with."""

    settings: Settings
    engine: sa.Engine
    checker: Checker
    tokens: Tokens
    rates: Rates
    refusals: Rates
    """Bounds the rows that refused calls may write: who asks too often, or is nobody, must not fill the log."""
    workers: ThreadPoolExecutor
    asking: Asking
    """Asks departments' systems live."""
    filed: asyncio.Event
    """Set when a file of checks was taken: it is begun at once, by this process."""


@asynccontextmanager
async def opened(
    settings: Settings, engine: sa.Engine, protector: Protector, sources: Sources | None = None
) -> AsyncIterator[Verification]:
    """Open what the routes work with; sealing, waiting checks and feeds are minded until the end.

    `sources` asks departments' systems live; without it nobody can be asked.
    """
    signer = Ed25519Signer.of(protector.ring)
    with engine.begin() as connection:
        publish(connection, signer)
    own = make_engine(settings, application="hub check", statement_seconds=STATEMENT_SECONDS, poolclass=sa.NullPool)
    sessions, watch = Sessions(own), Watch(settings.check_unsealed_minutes * 60)
    checker = Checker(sessions, protector, signer, watch, digest=settings.check_digest)
    workers = ThreadPoolExecutor(settings.check_threads, thread_name_prefix="check")
    made = Verification(
        settings, engine, checker, Tokens(signer, seconds=settings.check_token_minutes * 60),
        Rates(settings.check_rate), Rates(REFUSALS_A_SECOND), workers,
        Asking(sources, a_minute=settings.check_live_a_minute), asyncio.Event(),
    )  # fmt: skip
    minding = asyncio.create_task(_mind(made, watch, protector, signer))
    # A task of its own: a receiver that hangs must not hold up a seal.
    posting = asyncio.create_task(_post(Post(engine, protector, signer, settings.notice_networks)))
    posting.add_done_callback(_ended)
    filing = asyncio.create_task(_file(checker, made.filed))
    filing.add_done_callback(_ended)
    try:
        yield made
    finally:
        minding.cancel()
        posting.cancel()
        filing.cancel()
        await asyncio.gather(minding, posting, filing, return_exceptions=True)
        workers.shutdown()
        made.asking.close()
        sessions.close()
        own.dispose()


async def _mind(made: Verification, watch: Watch, protector: Protector, signer: Ed25519Signer) -> None:
    """Seal, see how old the oldest unsealed entry is, answer what waits, learn of feeds; one failure ends nothing."""
    loop = asyncio.get_running_loop()
    sealed = learnt = float("-inf")
    while True:
        try:
            if loop.time() - sealed >= made.settings.check_seal_seconds:
                await asyncio.to_thread(readers.end_overlong, made.engine)
                await asyncio.to_thread(sealing.seal, made.engine, signer)
                sealed = loop.time()
                await asyncio.to_thread(waiting.answer_all, made.checker, protector)
            if loop.time() - learnt >= _LEARN_SECONDS:
                await asyncio.to_thread(feeds.learn, made.engine)
                await asyncio.to_thread(recall.look, made.engine)
                await asyncio.to_thread(subscriptions.queue, made.engine)
                await asyncio.to_thread(confirming.confirm, made.engine, protector)
                await asyncio.to_thread(forget, made.engine, made.settings.push_key_days)
                learnt = loop.time()
        except _TROUBLES as error:
            log.error("sealing or waiting checks: %s", type(error).__name__)  # noqa: TRY400  # its words may hold data
        try:
            oldest = await asyncio.to_thread(sealing.oldest_unsealed, made.engine)
            watch.saw(None if oldest is None else oldest.timestamp())
        except _TROUBLES as error:
            log.error("looking for what is not sealed: %s", type(error).__name__)  # noqa: TRY400  # as above
        await asyncio.sleep(min(_ROUND_SECONDS, made.settings.check_seal_seconds))


async def _post(post: Post) -> None:
    """Post the notices that are due, every few seconds; one failure ends nothing."""
    while True:
        try:
            await post.round()
        except _TROUBLES as error:
            log.error("posting notices: %s", type(error).__name__)  # noqa: TRY400  # as above
        await asyncio.sleep(_ROUND_SECONDS)


async def _file(checker: Checker, filed: asyncio.Event) -> None:
    """Answer files of checks, a part at a time and a breath between them: who asks single ones goes first.

    A file that this process took is begun at once, one that another process left within a round.
    """
    while True:
        done = False
        filed.clear()
        try:
            done = await asyncio.to_thread(jobs.work, checker)
        except _TROUBLES as error:
            log.error("answering a file: %s", type(error).__name__)  # noqa: TRY400  # its words may hold data
        if done:
            await asyncio.sleep(_BREATH_SECONDS)
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(filed.wait(), _ROUND_SECONDS)


def _ended(task: asyncio.Task[None]) -> None:
    """Say that nothing is posted any more, where a fault of our own ended it."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("posting notices has ended by a fault of the hub itself: %s", type(error).__name__)


def forget(engine: sa.Engine, days: int) -> None:
    """Take away answers under idempotency keys that are older than a deployment keeps them; the log stays.

    Those of a file that still waits stay with it: a part that was answered, and whose worker was killed before it wrote
    that down, would be answered and logged a second time.
    """
    with engine.begin() as connection:
        connection.execute(
            sa.text("""DELETE FROM audit.answer_key AS a WHERE a.recorded_at < now() - make_interval(days => :days)
                       AND NOT EXISTS (SELECT FROM audit.check_job AS j
                                       WHERE j.job_id = a.check_id AND j.state = 'waiting')"""),
            {"days": days},
        )
        connection.execute(
            sa.text("DELETE FROM audit.check_job WHERE ended_at < now() - make_interval(days => :days)"),
            {"days": days},
        )
