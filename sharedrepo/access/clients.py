"""Clients: programs that may use the hub's API, each with rights and one token, of which only a keyed hash is kept."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from hub.errors import RepositoryError
from hub.protect import Protector
from sharedrepo.models import client as table

PUSH = "push"
"""The right to post records of one source: `push:CODE`."""
METRICS = "metrics"
"""The right to read the metrics."""

QUALITY = "quality"
"""The right to read the findings and rejected records of the client's own organ."""

CHECK = "check"
"""The right to check other departments' approvals, as far as sharing classes and grants allow."""

USAGE = "usage"
"""The right of a portal that knows who a person is: to show it who checked it."""

CARDS = "cards"
"""The right to read the supervision cards of the client's own organ, and to answer them."""

CONFIRM = "confirm"
"""The right to answer what other departments ask about credentials of the client's own organ."""

_TOKEN_BYTES = 32
_PREFIX = "hub_"
"""Begins each token, so that one which strayed into a file or a log is found by those who look for secrets."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client as the API sees it: who it is, and what it may do."""

    client_id: int
    code: str
    organ: str
    rights: frozenset[str]

    @property
    def sources(self) -> tuple[str, ...]:
        """Name the sources whose records it may post."""
        return tuple(sorted(one.partition(":")[2] for one in self.rights if one.startswith(f"{PUSH}:")))

    def may(self, right: str) -> bool:
        """Say whether it has a right, or for some object the right of that name (`push` for any `push:CODE`)."""
        return right in self.rights or any(one.startswith(f"{right}:") for one in self.rights)


def make(
    engine: sa.Engine, protector: Protector, *, code: str, organ: str, rights: Sequence[str], days: int
) -> tuple[str, datetime]:
    """Enter a client; return its token, which nobody can read again, and when it expires.

    Raises:
        RepositoryError: there is a client of this code already.
    """
    token = _PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    expires = datetime.now(UTC) + timedelta(days=days)
    values = {
        "code": code, "organ": organ, "rights": sorted(set(rights)), "token_hash": _hash(protector, token),
        "expires_at": expires,
    }  # fmt: skip
    try:
        with engine.begin() as connection:
            connection.execute(sa.insert(table).values(values))
    except IntegrityError:
        raise RepositoryError(
            f"there is a client {code!r} already. A code is never given twice: choose another, and revoke the old one."
        ) from None
    return token, expires


def find(engine: sa.Engine, protector: Protector, token: str) -> Client | None:
    """Return the client of a token that is valid now; None where there is none."""
    query = sa.select(table.c.client_id, table.c.code, table.c.organ, table.c.rights).where(
        table.c.token_hash == _hash(protector, token), table.c.revoked_at.is_(None), table.c.expires_at > sa.func.now()
    )
    with engine.connect() as connection:
        row = connection.execute(query).first()
    return None if row is None else Client(row.client_id, row.code, row.organ, frozenset(row.rights))


def listed(engine: sa.Engine) -> list[dict[str, Any]]:
    """Return all clients by code, each with its state: valid, expired or revoked; no token can be told."""
    columns = [one for one in table.columns if one.name not in {"client_id", "token_hash"}]
    with engine.connect() as connection:
        found = connection.execute(sa.select(*columns).order_by(table.c.code))
        rows: list[dict[str, Any]] = [{str(name): value for name, value in row.items()} for row in found.mappings()]
    now = datetime.now(UTC)
    for row in rows:
        row["state"] = "revoked" if row["revoked_at"] else "expired" if row["expires_at"] <= now else "valid"
    return rows


def revoke(engine: sa.Engine, code: str) -> None:
    """Take a client's token away, from the next request on; one that is revoked already stays so.

    Raises:
        RepositoryError: there is no client of this code; the message names those that there are.
    """
    with engine.begin() as connection:
        done = connection.execute(
            sa.update(table)
            .where(table.c.code == code)
            .values(revoked_at=sa.func.coalesce(table.c.revoked_at, sa.func.now()))
        )
        if not done.rowcount:
            known = connection.execute(sa.select(table.c.code).order_by(table.c.code)).scalars().all()
            raise RepositoryError(f"there is no client {code!r}; known: {', '.join(known) or 'none'}.")


def _hash(protector: Protector, token: str) -> bytes:
    return protector.content_hash(b"client token\x1f" + token.encode("utf-8", "surrogatepass"))
