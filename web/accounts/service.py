"""Accounts: entered, listed, changed and disabled; each change is logged with who made it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from hub.errors import HubError, RepositoryError
from hub.sentences import sentence
from hub.visitor import Visitor, faults_of
from sharedrepo.models import account, account_event, session
from web.accounts import passwords

_CODE = re.compile(r"[a-z0-9][a-z0-9._-]{0,49}")
_ORGAN = re.compile(r"[0-9A-HJ-NP-RTUWXY]{18}")
LONGEST_NAME = 100


class CannotBeAccount(HubError):
    """An account cannot be as it was asked for; nothing was changed."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account as sign-in sees it."""

    account_id: int
    visitor: Visitor
    password_hash: str | None
    disabled: bool


def make(
    engine: sa.Engine, *, code: str, name: str, roles: Sequence[str], organ: str | None, password: str, actor: str,
    region: str | None = None,
) -> None:  # fmt: skip
    """Enter a local account.

    Raises:
        CannotBeAccount: code, name, roles, organ, region or password cannot be so; all faults at once.
        RepositoryError: there is an account of this code already.
    """
    faults = _code_faults(code) + _name_faults(name) + _role_faults(roles, organ, region)
    faults += [f"password: {one}" for one in passwords.faults_of(password, code)]
    if faults:
        raise CannotBeAccount("; ".join(faults) + ".")
    values = {
        "code": code, "name": name, "roles": sorted(set(roles)), "organ": organ, "region": region,
        "password_hash": passwords.hashed(password),
    }  # fmt: skip
    try:
        with engine.begin() as connection:
            connection.execute(sa.insert(account).values(values))
            note(connection, actor, "made", code, _detail(roles, organ, region))
    except IntegrityError:
        raise RepositoryError(
            f"there is an account {code!r} already. A code is never given twice: choose another, or change this one "
            "with `hub account roles` and `hub account password`."
        ) from None


def from_provider(
    engine: sa.Engine, *, issuer: str, subject: str, wish: str, name: str, roles: Sequence[str], organ: str | None,
    region: str | None = None,
) -> Account:  # fmt: skip
    """Return the account of a provider's person, entered at the first sign-in; roles and name are taken anew each time.

    `wish` is the code that the person would like; where it is taken or unfit, a number is put behind it. An account of
    a password is never joined with a provider's person.
    """
    values = {"name": name[:LONGEST_NAME], "roles": sorted(set(roles)), "organ": organ, "region": region}
    of_person = sa.and_(account.c.issuer == issuer, account.c.subject == subject)
    with engine.begin() as connection:
        connection.execute(sa.text("LOCK TABLE access.account IN SHARE ROW EXCLUSIVE MODE"))
        bound = (account.c.organ, account.c.region)
        known = connection.execute(sa.select(account.c.code, account.c.roles, *bound).where(of_person)).first()
        if known is None:
            code = _free_code(connection, wish)
            connection.execute(sa.insert(account).values(values | {"code": code, "issuer": issuer, "subject": subject}))
            note(connection, "provider", "made", code, _detail(roles, organ, region))
        else:
            code = known.code
            connection.execute(sa.update(account).where(of_person).values(values))
            if (sorted(known.roles), known.organ, known.region) != (values["roles"], organ, region):
                note(connection, "provider", "roles", code, _detail(roles, organ, region))
    found = find(engine, code)
    assert found is not None  # noqa: S101  # it was entered above, and accounts are never deleted
    return found


def _free_code(connection: sa.Connection, wish: str) -> str:
    wished = re.sub(r"[^a-z0-9._-]", "-", wish.lower()).lstrip("._-")[:40] or "person"
    taken = set(connection.execute(sa.select(account.c.code)).scalars())
    if wished not in taken:
        return wished
    return next(code for number in range(2, len(taken) + 3) if (code := f"{wished}-{number}") not in taken)


def find(engine: sa.Engine, code: str) -> Account | None:
    """Return an account by its code; None where there is none."""
    with engine.connect() as connection:
        row = connection.execute(sa.select(account).where(account.c.code == code)).first()
    if row is None:
        return None
    visitor = Visitor(row.code, row.name, frozenset(row.roles), row.organ, row.region)
    return Account(row.account_id, visitor, row.password_hash, row.disabled_at is not None)


def listed(engine: sa.Engine) -> list[dict[str, Any]]:
    """Return all accounts by code, with their state and the last sign-in; no password can be told."""
    last = (
        sa.select(account_event.c.account, sa.func.max(account_event.c.at).label("signed_in_at"))
        .where(account_event.c.what == "signed_in")
        .group_by(account_event.c.account)
        .subquery()
    )
    query = (
        sa.select(
            account.c.code, account.c.name, account.c.roles, account.c.organ, account.c.region, account.c.issuer,
            account.c.made_at,
            account.c.disabled_at, last.c.signed_in_at,
        )
        .outerjoin(last, last.c.account == account.c.code)
        .order_by(account.c.code)
    )  # fmt: skip
    with engine.connect() as connection:
        found = _plain(connection.execute(query))
    return [row | {"state": "disabled" if row["disabled_at"] else "active"} for row in found]


def set_roles(
    engine: sa.Engine, code: str, *, roles: Sequence[str], organ: str | None, actor: str, region: str | None = None
) -> None:
    """Give an account these roles in place of those it has; they hold from its next request on.

    Raises:
        CannotBeAccount: roles, organ and region do not fit together.
        RepositoryError: there is no such account.
    """
    if faults := _role_faults(roles, organ, region):
        raise CannotBeAccount("; ".join(faults) + ".")
    with engine.begin() as connection:
        _change(connection, code, {"roles": sorted(set(roles)), "organ": organ, "region": region})
        note(connection, actor, "roles", code, _detail(roles, organ, region))


def set_password(engine: sa.Engine, code: str, password: str, *, actor: str) -> None:
    """Give a local account another password, and end its sessions.

    Raises:
        CannotBeAccount: the password cannot be taken, or the account signs in at a provider.
        RepositoryError: there is no such account.
    """
    if faults := passwords.faults_of(password, code):
        raise CannotBeAccount("; ".join(f"password: {one}" for one in faults) + ".")
    kept = passwords.hashed(password)
    with engine.begin() as connection:
        row = _change(connection, code, {"password_hash": kept})
        if row["issuer"] is not None:
            raise CannotBeAccount(
                sentence(
                    "account {code} signs in at {issuer}: it has no password here.", code=code, issuer=row["issuer"]
                )
            )
        _end_sessions(connection, row["account_id"])
        note(connection, actor, "password", code, {})


def rehash(engine: sa.Engine, one: Account, password: str) -> None:
    """Keep a password, which was just found right, under today's parameters."""
    kept = passwords.hashed(password)
    with engine.begin() as connection:
        _change(connection, one.visitor.code, {"password_hash": kept})


def disable(engine: sa.Engine, code: str, *, undo: bool, actor: str) -> None:
    """Let an account no longer sign in and end its sessions; `undo` lets it in again.

    Raises:
        RepositoryError: there is no such account.
    """
    with engine.begin() as connection:
        row = _change(connection, code, {"disabled_at": None if undo else sa.func.now()})
        if not undo:
            _end_sessions(connection, row["account_id"])
        note(connection, actor, "enabled" if undo else "disabled", code, {})


def events(engine: sa.Engine, limit: int = 200) -> list[dict[str, Any]]:
    """Return the newest lines of the log of accounts, newest first."""
    query = sa.select(account_event).order_by(account_event.c.event_id.desc()).limit(limit)
    with engine.connect() as connection:
        return _plain(connection.execute(query))


def _plain(found: sa.CursorResult[Any]) -> list[dict[str, Any]]:
    """Return rows with plain texts for names, as JSON takes them."""
    return [{str(name): value for name, value in row.items()} for row in found.mappings()]


def note(connection: sa.Connection, actor: str, what: str, code: str | None, detail: Mapping[str, Any]) -> None:
    """Add a line to the log of accounts, in the caller's transaction."""
    connection.execute(sa.insert(account_event).values(actor=actor, what=what, account=code, detail=dict(detail)))


def _change(connection: sa.Connection, code: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    changed = sa.update(account).where(account.c.code == code).values(values)
    row = connection.execute(changed.returning(account.c.account_id, account.c.issuer)).mappings().first()
    if row is None:
        known = connection.execute(sa.select(account.c.code).order_by(account.c.code)).scalars().all()
        there = ", ".join(known) or "–"
        raise RepositoryError(sentence("there is no account {code!r}; known: {known}.", code=code, known=there))
    return dict(row)


def _end_sessions(connection: sa.Connection, account_id: int) -> None:
    connection.execute(sa.delete(session).where(session.c.account_id == account_id))


def _code_faults(code: str) -> list[str]:
    return (
        [] if _CODE.fullmatch(code) else [f"code {code!r}: write small letters, digits, '.', '_' and '-', at most 50"]
    )


def _name_faults(name: str) -> list[str]:
    fit = 0 < len(name) <= LONGEST_NAME and name.isprintable()
    return [] if fit else [f"the name must have 1 to {LONGEST_NAME} printable characters"]


def _detail(roles: Sequence[str], organ: str | None, region: str | None) -> dict[str, Any]:
    """Return what the log says of an account's roles; nothing of a region where it has none."""
    return {"roles": sorted(set(roles)), "organ": organ} | ({} if region is None else {"region": region})


def _role_faults(roles: Sequence[str], organ: str | None, region: str | None) -> list[str]:
    faults = faults_of(roles, organ, region)
    if organ is not None and not _ORGAN.fullmatch(organ):
        faults.append(f"organ {organ!r} is no unified social credit code of 18 characters")
    return faults
