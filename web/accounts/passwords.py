"""Passwords: hashed by Argon2id (RFC 9106), few at a time, and as slowly for accounts that are not there."""

from __future__ import annotations

import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

SHORTEST = 12
LONGEST = 256
_AT_ONCE = threading.BoundedSemaphore(2)
"""Each hash takes 64 MiB while it runs: a crowd at the door must not take all there is."""
_hasher = PasswordHasher()


def faults_of(password: str, code: str) -> list[str]:
    """Say why a password cannot be taken for an account; nothing where it can. The password is never repeated."""
    faults = []
    if not SHORTEST <= len(password) <= LONGEST:
        faults.append(f"it has {len(password)} characters; {SHORTEST} to {LONGEST} are taken")
    if code.lower() in password.lower():
        faults.append("it holds the account's code")
    if len(set(password)) < SHORTEST // 2:
        faults.append(f"it has fewer than {SHORTEST // 2} different characters")
    return faults


def hashed(password: str) -> str:
    """Hash a password with a salt of its own."""
    with _AT_ONCE:
        return _hasher.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Say whether a password is the one that was hashed; without a hash it takes as long and is never right."""
    with _AT_ONCE:
        try:
            _hasher.verify(kept or _nobodys(), password[: LONGEST + 1])
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
    return kept is not None


def outdated(kept: str) -> bool:
    """Say whether a hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))
