"""Sends notices as long as a process serves, beside what it serves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg2
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import HubError
from hub.protect import Protector
from hub.settings import Settings
from supervision.notices.service import Sender

log = logging.getLogger("hub.supervision")
ROUND_SECONDS = 2.0
_TROUBLES = (SQLAlchemyError, psycopg2.Error, HubError, OSError)
"""What may go wrong in one round and be right in the next."""


@dataclass(frozen=True, slots=True)
class Notices:
    """What the routes of notices work with."""

    engine: sa.Engine
    sender: Sender
    receipt_secret: SecretStr | None


@asynccontextmanager
async def opened(settings: Settings, engine: sa.Engine, protector: Protector) -> AsyncIterator[Notices]:
    """Send notices every few seconds until the end.

    Raises:
        SettingError: a gateway, an address or the quiet hours are set wrongly.
    """
    sender = Sender.of(engine, protector, settings)
    sending = asyncio.create_task(_send(sender))
    sending.add_done_callback(_ended)
    try:
        yield Notices(engine, sender, settings.sms_receipt_secret)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def _send(sender: Sender) -> None:
    """Send what is due, round by round; one failure ends nothing."""
    while True:
        try:
            await sender.round()
        except _TROUBLES as error:
            log.error("sending notices: %s", type(error).__name__)  # noqa: TRY400  # its words may hold data
        await asyncio.sleep(ROUND_SECONDS)


def _ended(task: asyncio.Task[None]) -> None:
    """Say that nothing is sent any more, where a fault of our own ended it."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("sending notices has ended by a fault of the hub itself: %s", type(error).__name__)
