"""Looks at a broker without taking anything: connects, and asks for queues by their names."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import pika  # type: ignore[import-untyped]  # it has types, but does not say that it has

from connectors.kinds.queue.trouble import RAISED, Place, trouble, unusable_url

logging.getLogger("pika").setLevel(logging.CRITICAL)  # it logs addresses and bodies; what goes wrong is told by errors

_BLOCKED = 120
"""Seconds that a broker short of memory or disk may keep the hub from sending."""


def parameters(url: str, source: str) -> Any:
    """Return the client's parameters of a connection's URL.

    Raises:
        StopSource: it cannot be read.
    """
    try:
        made = pika.URLParameters(url)
    except (ValueError, TypeError, IndexError, KeyError, AssertionError) as error:
        raise unusable_url(error, source) from None
    if not url.lower().startswith(("amqp://", "amqps://")):
        raise unusable_url(ValueError(), source)
    made.connection_attempts = 1
    made.client_properties = {"connection_name": f"approval-exchange-hub {source}"}
    if made.blocked_connection_timeout is None:
        made.blocked_connection_timeout = _BLOCKED
    if made.heartbeat == 0:  # a broker that was switched off in the middle must be noticed
        made.heartbeat = None
    made.tcp_options = made.tcp_options or {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
    return made


@contextlib.contextmanager
def connected(url: str, source: str) -> Iterator[Any]:
    """Connect for a look, and give the connection.

    Raises:
        SourceTrouble: no connection comes about, or it breaks.
    """
    try:
        connection = pika.BlockingConnection(parameters(url, source))
    except RAISED as error:
        raise trouble(error, Place(source)) from None
    try:
        yield connection
    except RAISED as error:
        raise trouble(error, Place(source)) from None
    finally:
        with contextlib.suppress(*RAISED):
            if connection.is_open:
                connection.close()


def declared(connection: Any, place: Place) -> tuple[int, int]:
    """Return how many messages a queue holds ready and how many programs take from it; nothing is made or changed.

    Raises:
        SourceTrouble: there is no such queue, or the account may not use it.
    """
    try:
        channel = connection.channel()
        found = channel.queue_declare(place.queue, passive=True).method
        channel.close()
    except RAISED as error:
        raise trouble(error, place) from None
    return int(found.message_count), int(found.consumer_count)
