"""Keeps supervision up to date as long as a process serves: whatever a batch touched is looked at within a second.

Which cases those are stands in `supervision.touched`, written in the batch's own transaction; that a register of duties
was mended, or somebody who gets a card is not told yet, is noted likewise. Several processes do each
other no harm: a run takes a lock and what was touched, and the next one finds nothing to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import psycopg2
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import HubError
from hub.protect import Protector
from supervision import running

log = logging.getLogger("hub.supervision")
ROUND_SECONDS: Final = 1.0
LONGEST_REST_SECONDS: Final = 2.0
"""While a large load comes in, a run follows another: each rests as long as it took, and a change is still seen in five
seconds."""
AFTER_TROUBLE_SECONDS: Final = 15.0
"""A run that fails is tried again; not at once, for what made it fail may last."""
_WAITS: Final = """SELECT EXISTS (SELECT FROM supervision.touched) OR EXISTS (SELECT FROM supervision.duty_touched)
    OR EXISTS (SELECT FROM supervision.untold)"""
_TROUBLES = (SQLAlchemyError, psycopg2.Error, HubError, OSError)
"""What may go wrong in one round and be right in the next."""


@asynccontextmanager
async def opened(engine: sa.Engine, protector: Protector) -> AsyncIterator[None]:
    """Run supervision over what was touched, until the end; a run under way is brought to its end."""
    over = asyncio.Event()
    minding = asyncio.create_task(_mind(engine, protector, over))
    minding.add_done_callback(_ended)
    try:
        yield
    finally:
        over.set()
        await asyncio.gather(minding, return_exceptions=True)


async def _mind(engine: sa.Engine, protector: Protector, over: asyncio.Event) -> None:
    said: str | None = None
    while not over.is_set():
        began, trouble = time.monotonic(), None
        try:
            await asyncio.to_thread(_round, engine, protector)
            pause = min(max(ROUND_SECONDS, time.monotonic() - began), LONGEST_REST_SECONDS)
        except _TROUBLES as error:
            pause, trouble = AFTER_TROUBLE_SECONDS, type(error).__name__
        if trouble != said:
            _say(trouble)
            said = trouble
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), pause)


def _round(engine: sa.Engine, protector: Protector) -> None:
    with engine.connect() as connection:
        waits = connection.execute(sa.text(_WAITS)).scalar_one()
    if waits:
        running.run(engine, protector=protector)


def _say(trouble: str | None) -> None:
    """Say once that runs fail, and once that they are well again; the words of an error may hold data."""
    if trouble is None:
        log.info("supervision runs again")
    else:
        log.error("supervision: %s; tried again every %.0f s, and not said again", trouble, AFTER_TROUBLE_SECONDS)


def _ended(task: asyncio.Task[None]) -> None:
    """Say that nothing is looked at any more, where a fault of our own ended it."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("supervision has ended by a fault of the hub itself: %s", type(error).__name__)
