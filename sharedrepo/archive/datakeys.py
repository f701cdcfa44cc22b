"""The data keys of the archive: one a source and month, sealed under the root key, destroyed to erase what it locks.

Whatever is written as it was received is locked by one: the archive's objects, and the payloads of records that wait.
"""

from __future__ import annotations

import base64
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag

from hub.protect import Protector
from hub.protect.ciphers import MARKS, NONCE_BYTES, Aead, UnknownCipher, cipher_marked
from hub.protect.protector import HEADER_BYTES, Unsealable, key_number
from sharedrepo.archive.errors import ArchiveDamaged, ArchiveErased, ArchiveMissing
from sharedrepo.archive.names import key_folder
from sharedrepo.archive.store import Store, check_key, reading

KEYS: Final = "_keys/"
ERASED: Final = "erased.json"
DATA_KEY_BYTES: Final = 32
_ID_BYTES: Final = 8
_MONTH: Final = len("2026-01")
_PURPOSE: Final = "hub waiting payload 1"


@dataclass(frozen=True, slots=True)
class KeyMonth:
    """The data keys of a source's month: how many are live, how many were destroyed."""

    month: str
    live: int
    erased: int


class DataKeys:
    """The data keys in one store, under `_keys/<source>/<month>/`."""

    def __init__(self, store: Store, protector: Protector) -> None:
        self._store, self._protector = store, protector

    def live(self, source: str, month: str) -> tuple[str, bytes]:
        """Return the id and the data key that this month is written under, made when there is none.

        The store is asked each time: a key that another process has erased must not be written under.
        """
        folder = KEYS + key_folder(source, month)
        gone = self._erased(folder)
        found = [name for name in self._names(folder) if _id(name) not in gone]
        if found:
            return _id(found[-1]), self._open(found[-1])
        key_id, data_key = secrets.token_hex(_ID_BYTES), secrets.token_bytes(DATA_KEY_BYTES)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._write(f"{folder}{key_id}.json", data_key, made=now)
        return key_id, data_key

    def find(self, source: str, month: str, key_id: str, *, what: str) -> bytes:
        """Return a data key by its id; `what` names that which is to be opened with it.

        Raises:
            ArchiveErased: it was destroyed on purpose.
            ArchiveDamaged: it is not there, or does not open.
            ValueError: no key can have this name.
        """
        folder = KEYS + key_folder(source, month)
        name = check_key(f"{folder}{key_id}.json")
        try:
            return self._open(name)
        except ArchiveMissing:
            if key_id in self._erased(folder):
                raise ArchiveErased(what, f"the data key {key_id} of {source} was destroyed") from None
            raise ArchiveDamaged(what, f"its data key {name} is missing") from None

    def erase(self, source: str, month: str) -> int:
        """Destroy the data keys of a source's month; return their number.

        Backups of the archive must drop them too.
        """
        folder = KEYS + key_folder(source, month)
        found = list(self._names(folder))
        earlier = self._erased(folder)
        if found:
            ids = sorted({*earlier, *(_id(name) for name in found)})
            told = {"erased": ids, "at": datetime.now(UTC).isoformat(timespec="seconds")}
            self._store.write(folder + ERASED, [orjson.dumps(told)])
        for name in found:
            self._store.delete(name)
        return len(found)

    def months(self, source: str) -> list[KeyMonth]:
        """Return the months in which a source has, or had, data keys."""
        folder = KEYS + key_folder(source)
        months = sorted({name.removeprefix(folder).partition("/")[0] for name in self._store.list(folder)})
        return [
            KeyMonth(month, len(list(self._names(f"{folder}{month}/"))), len(self._erased(f"{folder}{month}/")))
            for month in months
        ]

    def usage(self) -> Counter[bytes]:
        """Count the data keys by the headers (cipher and number of the root key) of what seals them."""
        return Counter(base64.b64decode(self._object(name)["sealed"])[:HEADER_BYTES] for name in self._names(KEYS))

    def reseal(self) -> int:
        """Seal under the newest root key the data keys that another seals; return how many there were."""
        newest = self._protector.ring.newest.number
        done = 0
        for name in self._names(KEYS):
            said = self._object(name)
            sealed = base64.b64decode(said["sealed"])
            if key_number(sealed) != newest:
                clear = self._protector.unseal(sealed, context=_context(name))
                self._write(name, clear, made=str(said["made"]))
                done += 1
        return done

    # --- payloads of records that wait ---

    def locker(self, source: str, month: str) -> Callable[[bytes], bytes]:
        """Return what locks payloads of this source and month; the key is looked up, or made, at the first."""
        found: list[tuple[bytes, Aead]] = []
        cipher = self._protector.cipher

        def lock(data: bytes) -> bytes:
            if not found:
                key_id, data_key = self.live(source, month)
                head = bytes((cipher.mark,)) + month.encode() + bytes.fromhex(key_id)
                found.append((head, cipher.derived(data_key, _PURPOSE)))
            (head, aead), nonce = found[0], secrets.token_bytes(NONCE_BYTES)
            return head + nonce + aead.encrypt(nonce, data, head + source.encode())

        return lock

    def unlock(self, source: str, locked: bytes) -> bytes:
        """Open a payload of this source.

        Raises:
            ArchiveErased: the data key of its month was destroyed.
            ArchiveDamaged: it is no payload, was changed, or belongs to another source.
        """
        head, rest = locked[: 1 + _MONTH + _ID_BYTES], locked[1 + _MONTH + _ID_BYTES :]
        what = f"waiting record of {source}"
        try:
            cipher = cipher_marked(head)
            month, key_id = head[1 : 1 + _MONTH].decode("ascii"), head[1 + _MONTH :].hex()
            data_key = self.find(source, month, key_id, what=what)
        except UnknownCipher as error:
            raise ArchiveDamaged(what, f"of its payload, {str(error).removesuffix('.')}") from None
        except ValueError:
            raise ArchiveDamaged(what, "its payload does not name its data key") from None
        aead = cipher.derived(data_key, _PURPOSE)
        try:
            return aead.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], head + source.encode())
        except (InvalidTag, ValueError):
            raise ArchiveDamaged(what, "its payload was changed or is another source's") from None

    # --- inside ---

    def _names(self, folder: str) -> Iterator[str]:
        return (name for name in self._store.list(folder) if not name.endswith(ERASED))

    def _open(self, name: str) -> bytes:
        try:
            sealed = base64.b64decode(self._object(name)["sealed"])
            return self._protector.unseal(sealed, context=_context(name))
        except Unsealable as error:
            raise ArchiveDamaged(name, f"the data key does not open ({error})") from error

    def _write(self, name: str, data_key: bytes, *, made: str) -> None:
        sealed = self._protector.seal(data_key, context=_context(name))
        said = {"format": 1, "made": made, "sealed": base64.b64encode(sealed).decode()}
        self._store.write(name, [orjson.dumps(said)])

    def _object(self, name: str) -> dict[str, Any]:
        with closing(reading(self._store, name)) as source:
            try:
                said: dict[str, Any] = orjson.loads(source.read())
                base64.b64decode(said["sealed"], validate=True)
            except (orjson.JSONDecodeError, ValueError, TypeError, KeyError):
                raise ArchiveDamaged(name, "the data key's file cannot be read") from None
            return said

    def _erased(self, folder: str) -> set[str]:
        try:
            with closing(reading(self._store, folder + ERASED)) as source:
                return set(orjson.loads(source.read())["erased"])
        except ArchiveMissing:
            return set()


def month_prefixes(month: str) -> list[bytes]:
    """Return what a payload may begin with that was locked in this month, by cipher; all are of one length."""
    return [bytes((mark,)) + month.encode("ascii") for mark in MARKS]


def _id(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".json")


def _context(name: str) -> str:
    return f"archive {name}"
