"""The one way into an account by a password: counted, equally slow for all, and logged."""

from __future__ import annotations

import hmac
import secrets

from hub.protect import Protector
from hub.refusals import TooMany
from hub.sentences import sentence
from pipeline.runtime import Runtime
from web.accounts import passwords, pauses, service, sessions
from web.accounts.service import Account

LONGEST_CODE = 100


def by_password(runtime: Runtime, *, code: str, password: str, address: str, mark: str | None) -> Account | None:
    """Return the account whose code and password these are; None for a wrong password, an unknown or a disabled code.

    Raises:
        TooMany: there were too many failures; it says how long to wait, whether the account exists or not.
    """
    code = code.strip().lower()[:LONGEST_CODE]
    known = mark if mark is not None and marked(runtime.protector, code, mark) else None
    counted = pauses.counts(runtime.protector, code=code, address=address, mark=known)
    wait = pauses.attempt(runtime.engine, counted)
    if wait:
        raise TooMany(
            "too many sign-ins failed", hint=sentence("Wait {wait:.0f} seconds.", wait=wait), after_seconds=wait
        )
    account = service.find(runtime.engine, code)
    fits = passwords.fits(password, None if account is None else account.password_hash)
    if account is None or account.disabled or not fits:
        with runtime.engine.begin() as connection:
            service.note(connection, "unknown", "refused", None if account is None else code, {"address": address})
        return None
    pauses.succeeded(runtime.engine, counted)
    if account.password_hash and passwords.outdated(account.password_hash):
        service.rehash(runtime.engine, account, password)
    return account


def begin(runtime: Runtime, account: Account, *, address: str, manner: str, before: str | None) -> str:
    """Begin a session of an account and return its number; the browser's session before it ends.

    The number is always a new one: a number that somebody planted in the browser never becomes signed in.
    """
    if before is not None:
        sessions.end(runtime.engine, runtime.protector, before)
    token = sessions.begin(runtime.engine, runtime.protector, runtime.settings, account.account_id)
    with runtime.engine.begin() as connection:
        detail = {"address": address, "manner": manner}
        service.note(connection, account.visitor.actor, "signed_in", account.visitor.code, detail)
    return token


def new_mark(protector: Protector, code: str) -> str:
    """Make the mark of a browser from which an account signed in."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_seal(protector, code, nonce)}"


def marked(protector: Protector, code: str, mark: str) -> bool:
    """Say whether a mark was made for this account."""
    nonce, _, seal = mark[:200].partition(".")
    return hmac.compare_digest(seal.encode(), _seal(protector, code, nonce).encode())


def _seal(protector: Protector, code: str, nonce: str) -> str:
    said = f"browser mark\x1f{code}\x1f{nonce}"
    return protector.content_hash(said.encode("utf-8", "surrogatepass")).hex()
