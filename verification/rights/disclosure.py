"""Delayed disclosure: checks of a marked investigation stand in the log at once, and their subject is shown them later.

A mark names organ, purpose, legal basis, and an end that it always has. It holds from the moment that it is asked for,
for else its subject is warned before anybody has answered; unanswered it lapses after three days.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from verification.rights.access import AccessRefused
from verification.rights.four_eyes import Kind, move

UNANSWERED: Final = timedelta(days=3)
LONGEST: Final = timedelta(days=366)
"""So far ahead one mark may hide; a longer investigation is marked anew, which somebody has to answer for again."""


_DELAY = Kind("delay", "access.disclosure_delay", "delay_id", "hub share hidden", AccessRefused)


def ask(
    engine: sa.Engine, *, organ: str, purpose: str, legal_basis: str, begins: datetime, ends: datetime | None,
    until: datetime, actor: str, now: datetime,
) -> int:  # fmt: skip
    """Ask that an organ's checks for a purpose, from `begins` to `ends`, are not shown before `until`; return a number.

    Raises:
        AccessRefused: it lacks purpose or basis, its days contradict each other, or it would hide for too long.
    """
    faults = []
    if not purpose.strip() or not legal_basis.strip():
        faults.append("a delay names its purpose and its legal basis")
    if until <= now or until - now > LONGEST:
        faults.append(f"it must end within the next {LONGEST.days} days")
    if begins >= until or (ends is not None and ends <= begins):
        faults.append("it would end before it begins")
    if faults:
        raise AccessRefused("; ".join(faults) + ".")
    with engine.begin() as connection:
        made: int = connection.execute(
            sa.text("""INSERT INTO access.disclosure_delay (organ, purpose, legal_basis, begins_at, ends_at,
                           hidden_until, asked_by, asked_at)
                       VALUES (:organ, :purpose, :basis, :begins, :ends, :until, :actor, :now) RETURNING delay_id"""),
            {"organ": organ, "purpose": purpose, "basis": legal_basis, "begins": begins, "ends": ends,
             "until": until, "actor": actor, "now": now},
        ).scalar_one()  # fmt: skip
        return made


def answer(engine: sa.Engine, number: int, *, granted: bool, reason: str, actor: str) -> None:
    """Answer a request, by somebody else than who asked.

    Raises:
        AccessRefused: there is no open request of this number, the same person asked, or no reason is given.
    """
    move(engine, _DELAY, number, "asked", "granted" if granted else "refused", reason, actor)


def end(engine: sa.Engine, number: int, *, reason: str, actor: str) -> None:
    """End a delay early: what it hid is shown from now on.

    Raises:
        AccessRefused: there is no delay of this number that holds, the same person asked, or no reason is given.
    """
    move(engine, _DELAY, number, "granted", "ended", reason, actor)


def listed(engine: sa.Engine) -> list[dict[str, Any]]:
    """Return all delays, the newest first."""
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT * FROM access.disclosure_delay ORDER BY delay_id DESC")).mappings()
        return [dict(row) for row in rows]
