"""Pauses after failed sign-ins: they grow, they end, and they never shut the right owner out for good.

An attempt is counted before its password is looked at, so that a thousand at once are no way around. Counted are the
pair of account and address, the account from anywhere (shortly: a crowd of addresses could otherwise keep its owner
out), and the address for all accounts. A browser from which the account signed in before bears a mark of its own and
is counted by that mark alone: whoever attacks an account from elsewhere does not slow its owner's browser down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from hub.protect import Protector
from sharedrepo.models import sign_in_pause

FORGOTTEN_AFTER = timedelta(hours=24)
"""Failures that lie so long apart are not added up."""


@dataclass(frozen=True, slots=True)
class Count:
    """One thing that failures are counted for: so many are free, then the pause doubles from 2 seconds up to `most`."""

    key: bytes
    free: int
    most: float
    cleared: bool
    """Whether a sign-in that succeeds sets the count back to nothing."""


def counts(protector: Protector, *, code: str, address: str, mark: str | None) -> list[Count]:
    """Return what an attempt counts for; `mark` is the mark of a browser that is known to belong to the account."""
    if mark is not None:
        return [Count(_key(protector, "browser", mark), free=10, most=900, cleared=True)]
    return [
        Count(_key(protector, "pair", code, address), free=5, most=900, cleared=True),
        Count(_key(protector, "account", code), free=20, most=60, cleared=False),
        Count(_key(protector, "address", address), free=50, most=300, cleared=False),
    ]


def attempt(engine: sa.Engine, of: list[Count]) -> float:
    """Count an attempt as failed, and return 0; or return the seconds that one must wait, and count nothing."""
    now = datetime.now(UTC)
    with engine.connect() as connection:
        for one in sorted(
            of, key=lambda count: count.key
        ):  # one order for all, so that none waits for another in a ring
            if not connection.execute(_counted(one, now)).rowcount:
                until = connection.execute(
                    sa.select(sign_in_pause.c.until).where(sign_in_pause.c.key == one.key)
                ).scalar()
                connection.rollback()
                return max(1.0, ((until or now) - now).total_seconds())
        connection.commit()
    return 0.0


def succeeded(engine: sa.Engine, of: list[Count]) -> None:
    """Take back what an attempt counted, since its password was right."""
    with engine.begin() as connection:
        for one in sorted(of, key=lambda count: count.key):
            here = sign_in_pause.c.key == one.key
            if one.cleared:
                connection.execute(sa.delete(sign_in_pause).where(here))
            else:
                less = {"failures": sa.func.greatest(sign_in_pause.c.failures - 1, 0), "until": sa.func.now()}
                connection.execute(sa.update(sign_in_pause).where(here).values(less))
        old = sign_in_pause.c.last_at < datetime.now(UTC) - FORGOTTEN_AFTER
        connection.execute(sa.delete(sign_in_pause).where(old))


def _counted(one: Count, now: datetime) -> sa.Executable:
    """Return the statement that counts an attempt, unless the pause runs: it then touches no row."""
    old = sign_in_pause.c.last_at < now - FORGOTTEN_AFTER
    failures = sa.case((old, 1), else_=sign_in_pause.c.failures + 1)
    over = sa.func.least(sa.func.greatest(failures - one.free, 0), 20)
    seconds = sa.case((over > 0, sa.func.least(sa.func.power(2, over), one.most)), else_=0)
    until = sa.cast(now, sa.TIMESTAMP(timezone=True)) + seconds * sa.text("interval '1 second'")
    first = insert(sign_in_pause).values(key=one.key, failures=1, last_at=now, until=now)
    return first.on_conflict_do_update(
        index_elements=[sign_in_pause.c.key],
        set_={"failures": failures, "last_at": now, "until": until},
        where=sign_in_pause.c.until <= now,
    )


def _key(protector: Protector, *parts: str) -> bytes:
    return protector.content_hash("\x1f".join(("sign-in pause", *parts)).encode("utf-8", "surrogatepass"))
