"""Listens to what a connector asks its system and what comes back: requests over HTTP, the statement of a database.

The seam has no place for a listener, and needs none: only a person who looks at one source in a process of its own
wants to hear. So the listener sits in `requests` while the body of `listening` runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import sqlalchemy as sa

from connectors.kinds.database.engine import connected
from connectors.kinds.database.plan import plan
from connectors.seam import Connector
from connectors.source import Source, StreamSpec
from kit.masking import request_line

_SHOWN = 600


@dataclass(slots=True)
class Exchange:
    """One question to the system, and its answer."""

    asked: str
    answered: str = ""
    bytes: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Wire:
    """What was heard; `ahead` is by how many seconds the system's clock leads ours, where its answers say so."""

    exchanges: list[Exchange] = field(default_factory=list)
    ahead: float | None = None


def engine_of(connector: Connector) -> sa.Engine | None:
    """Return the database engine of a connector that has one."""
    engine = getattr(connector, "engine", None)
    return engine if isinstance(engine, sa.Engine) else None


def statement_of(connector: Connector, source: Source, stream: StreamSpec) -> Exchange | None:
    """Return the statement that reads a stream's table, as its plan says; it goes to the driver itself, unheard.

    Raises:
        SourceTrouble: the table is not as declared.
    """
    engine = engine_of(connector)
    if engine is None:
        return None
    with connected(engine, source.code, stream.name) as connection:
        statement = plan(connection, source.code, stream).select([])
        said = " ".join(str(statement.compile(dialect=connection.dialect)).split())
    return Exchange(said[:_SHOWN] + ("…" if len(said) > _SHOWN else ""), "rows, in a stream")


@contextmanager
def listening() -> Iterator[Wire]:
    """Hear what a connector says over HTTP while the body runs."""
    wire = Wire()
    session_class: Any = requests.Session
    send = session_class.send

    def heard(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        one = Exchange(request_line(request.method or "GET", request.url or ""))
        wire.exchanges.append(one)
        began, asked_at = time.monotonic(), datetime.now(UTC)
        try:
            response: requests.Response = send(session, request, **options)
        except requests.RequestException as error:
            one.answered, one.seconds = type(error).__name__, round(time.monotonic() - began, 3)
            raise
        one.seconds = round(time.monotonic() - began, 3)
        one.answered = f"{response.status_code} {response.headers.get('Content-Type', '')}".strip()
        wire.ahead = _ahead(response.headers.get("Date"), asked_at, wire.ahead)
        _count(response, one)
        return response

    session_class.send = heard
    try:
        yield wire
    finally:
        session_class.send = send


def _count(response: requests.Response, one: Exchange) -> None:
    """Count the bytes of a body as they are read; it may come in a stream."""
    read = response.iter_content

    def counted(*args: Any, **options: Any) -> Iterator[Any]:
        for chunk in read(*args, **options):
            one.bytes += len(chunk)
            yield chunk

    response.iter_content = counted  # type: ignore[method-assign]  # of this response alone


def _ahead(said: str | None, asked_at: datetime, before: float | None) -> float | None:
    """Compare an answer's Date header (whole seconds) with the middle of asking and hearing; the newest counts."""
    try:
        moment = parsedate_to_datetime(said) if said else None
    except (ValueError, TypeError):
        moment = None
    if moment is None:
        return before
    middle = asked_at + (datetime.now(UTC) - asked_at) / 2
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - middle).total_seconds() + 0.5  # the header cuts off the part of a second
