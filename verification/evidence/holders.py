"""The asked holder against a held one: by look-up hashes, and only where those differ by what is sealed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg2.extensions

from hub.protect import Protector
from hub.protect.text import normalize_number
from verification.rules import names
from verification.rules.comparing import Held, Verdict

Cursor = psycopg2.extensions.cursor
Reading = Callable[[Callable[[Cursor], Any]], Any]
"""Runs something that only reads on a connection."""

_SEALED = """SELECT sealed, holder_number_hash, holder_name_hash FROM core.credential WHERE record_id = %s
             AND sealed IS NOT NULL ORDER BY part"""
_FORMER = """
SELECT EXISTS (SELECT FROM core.credential AS c WHERE c.holder_number_hash = %(number)s
               AND c.holder_name_hash = ANY(%(names)s))
    OR EXISTS (SELECT FROM core.credential AS c JOIN core_history.credential AS h ON h.record_id = c.record_id
               WHERE c.holder_number_hash = %(number)s AND h.holder_number_hash = %(number)s
                AND h.holder_name_hash = ANY(%(names)s))
"""
_SHORT = (9, 15)


class Holder:
    """Who an applicant says that the holder is."""

    def __init__(self, protector: Protector, reading: Reading, *, number: str | None, name: str | None) -> None:
        self._protector, self._reading = protector, reading
        self._number, self._name = number, name
        self.number_hashes = frozenset(protector.lookup_hashes("number", number)) if number is not None else frozenset()
        self.name_hashes = frozenset(protector.lookup_hashes("name", name)) if name is not None else frozenset()

    def subject(self) -> bytes:
        """Return the hash under which the log finds whom a check was about; its key is never rotated."""
        if self._number is not None:
            return self._protector.content_hash(b"subject\x1f" + normalize_number(self._number).encode())
        return self._protector.content_hash(b"subject name\x1f" + names.key(self._name or "").encode())

    def is_party(self, numbers: frozenset[bytes], people: frozenset[bytes]) -> bool:
        """Say whether a case with these parties has this holder among them."""
        return bool(self.number_hashes & numbers) or (self._number is None and bool(self.name_hashes & people))

    def compared(self, held: Held) -> dict[str, Verdict]:
        """Compare with a held credential, as far as was asked."""
        said: dict[str, Verdict] = {}
        if self._number is not None:
            said["holder_number"] = self._number_verdict(held, self._number)
        if self._name is not None:
            known = said.get("holder_number") == "same"
            said["holder_name"] = self._name_verdict(held, self._name, number_known=known)
        return said

    def _number_verdict(self, held: Held, number: str) -> Verdict:
        if held.number_hash is None:
            return "not_held"
        if held.number_hash in self.number_hashes:
            return "same"
        shorter = names.contained(number)
        if shorter is not None and held.number_hash in self._protector.lookup_hashes("number", shorter):
            return "same"
        if len(normalize_number(number)) in _SHORT:
            own = self._opened(held).get("number")
            if own is not None and names.same_number(number, own):
                return "same"
        return "different"

    def _name_verdict(self, held: Held, name: str, *, number_known: bool) -> Verdict:
        if held.name_hash is None:
            return "not_held"
        if held.name_hash in self.name_hashes:
            return "same" if names.same(name, name) else "unreadable"
        own = self._opened(held).get("name")
        alike = None if own is None else names.same(name, own)
        if alike:
            return "same"
        if number_known and held.number_hash is not None and self._had_before(held.number_hash):
            return "former"
        return "unreadable" if own is not None and alike is None else "different"

    def _opened(self, held: Held) -> dict[str, str]:
        """Return the sealed holder of the credential as it is now, where that is the held one still."""

        def read(cursor: Cursor) -> list[Any]:
            cursor.execute(_SEALED, (held.record_id,))
            return list(cursor.fetchall())

        for sealed, number_hash, name_hash in self._reading(read):
            hashes = tuple(None if one is None else bytes(one) for one in (number_hash, name_hash))
            if hashes == (held.number_hash, held.name_hash):
                return self._protector.reveal(bytes(sealed), context="credential")
        return {}

    def _had_before(self, number_hash: bytes) -> bool:
        """Say whether a credential ever stood on this holder's number under the asked name: the firm was renamed."""

        def read(cursor: Cursor) -> bool:
            values = {"number": psycopg2.Binary(number_hash), "names": [psycopg2.Binary(x) for x in self.name_hashes]}
            cursor.execute(_FORMER, values)
            return bool(cursor.fetchone()[0])  # type: ignore[index]  # EXISTS always gives a row

        return bool(self._reading(read))
