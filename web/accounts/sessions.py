"""Sessions: 256 random bits in a cookie, of which only a keyed hash is kept, with an idle and an absolute end."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from hub.protect import Protector
from hub.settings import Settings
from hub.visitor import Visitor
from sharedrepo.models import account, session

BYTES = 32
_LONGEST = 100
_TOUCHED_EACH = timedelta(minutes=1)
"""A session's last use is written down no more often: a look at a page is not to be a write."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A session that is under way: who it is, and the word that its forms must bring."""

    visitor: Visitor
    account_id: int
    token: str
    form_word: str


def new_token() -> str:
    """Make a number that nobody guesses."""
    return secrets.token_urlsafe(BYTES)


def form_word(protector: Protector, token: str) -> str:
    """Return the word that forms bring back (against forged requests), bound to a session's or a browser's number."""
    return protector.content_hash(b"form word\x1f" + token.encode("utf-8", "surrogatepass")).hex()


def begin(engine: sa.Engine, protector: Protector, settings: Settings, account_id: int) -> str:
    """Begin a session and return its number; sessions that are over are swept away with it."""
    token, now = new_token(), datetime.now(UTC)
    values = {
        "session_hash": _hash(protector, token), "account_id": account_id,
        "ends_at": now + timedelta(hours=settings.session_hours),
    }  # fmt: skip
    idle = now - timedelta(minutes=settings.session_idle_minutes)
    with engine.begin() as connection:
        connection.execute(sa.delete(session).where(sa.or_(session.c.ends_at <= now, session.c.seen_at <= idle)))
        connection.execute(sa.insert(session).values(values))
    return token


def found(engine: sa.Engine, protector: Protector, settings: Settings, token: str) -> Seat | None:
    """Return the session of a number that is valid now, with the account's present roles; None where there is none."""
    if not 0 < len(token) <= _LONGEST:
        return None
    now = datetime.now(UTC)
    query = (
        sa.select(
            session.c.seen_at,
            account.c.account_id,
            account.c.code,
            account.c.name,
            account.c.roles,
            account.c.organ,
            account.c.region,
        )
        .join(account, account.c.account_id == session.c.account_id)
        .where(
            session.c.session_hash == _hash(protector, token),
            session.c.ends_at > now,
            session.c.seen_at > now - timedelta(minutes=settings.session_idle_minutes),
            account.c.disabled_at.is_(None),
        )
    )
    with engine.connect() as connection:
        row = connection.execute(query).first()
        if row is None:
            return None
        if now - row.seen_at >= _TOUCHED_EACH:
            touched = sa.update(session).where(session.c.session_hash == _hash(protector, token)).values(seen_at=now)
            connection.execute(touched)
            connection.commit()
    visitor = Visitor(row.code, row.name, frozenset(row.roles), row.organ, row.region)
    return Seat(visitor, row.account_id, token, form_word(protector, token))


def end(engine: sa.Engine, protector: Protector, token: str) -> None:
    """End a session; one that is over already stays so."""
    with engine.begin() as connection:
        connection.execute(sa.delete(session).where(session.c.session_hash == _hash(protector, token)))


def _hash(protector: Protector, token: str) -> bytes:
    return protector.content_hash(b"session\x1f" + token.encode("utf-8", "surrogatepass"))
