"""What may be shared, and with whom: sharing classes, and grants that are asked for and answered within a limit.

What has no sharing class is not shared (default deny). An unconditional class is enough by itself; a conditional one
needs a grant that names the asking organ, the purpose and the legal basis, and holds on the day; class `none` bars all.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from hub.errors import HubError
from hub.workdays import after
from sharedrepo.models.verification import SHARED_KINDS, SHARING_CLASSES
from verification.rights.four_eyes import Kind, move

ANSWER_WORKING_DAYS: Final = 10
"""Working days within which a request for conditional sharing is answered (国发〔2016〕51 号, art. 11)."""


class AccessRefused(HubError):
    """A sharing class or grant cannot be as it was asked for; nothing was written."""

    exit_status = 65


def share(
    engine: sa.Engine, *, kind: str, code: str, sharing_class: str, legal_ground: str, actor: str,
    fresh_hours: int = 24, stale_allowed: bool = False,
) -> None:  # fmt: skip
    """Give a credential type or an item its sharing class; the one that it had is ended, and stays on record.

    Raises:
        AccessRefused: the class is unknown, or has no legal ground.
    """
    faults = []
    if kind not in SHARED_KINDS:
        faults.append(f"kind {kind!r} is none of {', '.join(SHARED_KINDS)}")
    if sharing_class not in SHARING_CLASSES:
        faults.append(f"class {sharing_class!r} is none of {', '.join(SHARING_CLASSES)}")
    if not legal_ground.strip():
        faults.append("a sharing class needs its legal ground")
    if fresh_hours < 1:
        faults.append("a feed may lag one hour at least")
    if faults:
        raise AccessRefused("; ".join(faults) + ".")
    with engine.begin() as connection:
        connection.execute(
            sa.text("""UPDATE access.sharing SET ended_at = now()
                       WHERE kind = :kind AND code = :code AND ended_at IS NULL"""),
            {"kind": kind, "code": code},
        )
        connection.execute(
            sa.text("""INSERT INTO access.sharing (kind, code, class, legal_ground, fresh_hours, stale_allowed, set_by)
                       VALUES (:kind, :code, :class, :ground, :hours, :stale, :actor)"""),
            {"kind": kind, "code": code, "class": sharing_class, "ground": legal_ground, "hours": fresh_hours,
             "stale": stale_allowed, "actor": actor},
        )  # fmt: skip


_GRANT = Kind("grant", 'access."grant"', "grant_id", "hub share list", AccessRefused)


def ask(
    engine: sa.Engine, *, organ: str, kind: str, code: str, purpose: str, legal_basis: str, valid_from: date,
    valid_to: date | None, actor: str, today: date, stale_allowed: bool = False,
) -> int:  # fmt: skip
    """Ask for a grant; return its number. It is to be answered within ten working days.

    Raises:
        AccessRefused: what is asked for is not shared under conditions, or the request lacks purpose or basis.
    """
    with engine.begin() as connection:
        found = connection.scalar(
            sa.text("SELECT class FROM access.sharing WHERE kind = :kind AND code = :code AND ended_at IS NULL"),
            {"kind": kind, "code": code},
        )
        faults = []
        if found != "conditional":
            has = "has no sharing class" if found is None else f"is of class {found}"
            faults.append(f"{kind} {code!r} {has}: only what is conditional is asked for")
        if not purpose.strip() or not legal_basis.strip():
            faults.append("a grant names its purpose and its legal basis")
        if valid_to is not None and valid_to < valid_from:
            faults.append("it would end before it begins")
        if faults:
            raise AccessRefused("; ".join(faults) + ".")
        made: int = connection.execute(
            sa.text("""INSERT INTO access."grant" (organ, kind, code, purpose, legal_basis, valid_from, valid_to,
                           stale_allowed, asked_by, answer_due)
                       VALUES (:organ, :kind, :code, :purpose, :basis, :from, :to, :stale, :actor, :due)
                       RETURNING grant_id"""),
            {"organ": organ, "kind": kind, "code": code, "purpose": purpose, "basis": legal_basis, "from": valid_from,
             "to": valid_to, "stale": stale_allowed, "actor": actor, "due": after(today, ANSWER_WORKING_DAYS).day},
        ).scalar_one()  # fmt: skip
        return made


def answer(engine: sa.Engine, number: int, *, granted: bool, reason: str, actor: str) -> None:
    """Answer a request, by somebody else than who asked.

    Raises:
        AccessRefused: there is no open request of this number, the same person asked, or no reason is given.
    """
    move(engine, _GRANT, number, "asked", "granted" if granted else "refused", reason, actor)


def end(engine: sa.Engine, number: int, *, reason: str, actor: str) -> None:
    """Take a grant back, from the next check on.

    Raises:
        AccessRefused: there is no grant of this number that holds, the same person asked, or no reason is given.
    """
    move(engine, _GRANT, number, "granted", "ended", reason, actor)


def listed(engine: sa.Engine) -> dict[str, list[dict[str, Any]]]:
    """Return the sharing classes in force and all grants."""
    with engine.connect() as connection:
        shared = connection.execute(
            sa.text("""SELECT kind, code, class, legal_ground, fresh_hours, stale_allowed, set_by, set_at
                       FROM access.sharing WHERE ended_at IS NULL ORDER BY kind, code""")
        ).mappings()
        grants = connection.execute(sa.text('SELECT * FROM access."grant" ORDER BY grant_id')).mappings()
        return {"sharing": [dict(row) for row in shared], "grants": [dict(row) for row in grants]}
