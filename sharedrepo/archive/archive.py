"""The archive of batches: puts, opens, lists and erases objects, each under the data key of its source and month."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any, Final
from urllib.parse import quote

import orjson

from hub.protect import Protector
from hub.protect.protector import Unsealable, key_number
from hub.settings import Settings
from sharedrepo.archive.envelope import Header, Packed, compress, decrypt, encrypt, read_header
from sharedrepo.archive.errors import ArchiveDamaged, ArchiveErased, ArchiveMissing
from sharedrepo.archive.store import Store, check_key, open_store

KEYS: Final = "_keys/"
ERASED: Final = "erased.json"
DATA_KEY_BYTES: Final = 32
LONGEST_SEGMENT: Final = 160
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class ArchiveRef:
    """What was put: the object's key, its size, the number of its lines, and a keyed hash of all its bytes."""

    key: str
    size: int
    lines: int
    digest: bytes


class Archive:
    """The archive at an fsspec URL. A source's objects are written by one pull at a time (the pull's lock)."""

    def __init__(self, url: str, protector: Protector) -> None:
        self.url = url
        self._protector = protector
        self._store: Store = open_store(url)

    @classmethod
    def from_settings(cls, settings: Settings, protector: Protector) -> Archive:
        """Return the archive of this deployment."""
        return cls(settings.archive_location, protector)

    # --- objects ---

    def put(self, key: str, header: Mapping[str, Any], lines: Iterable[bytes] | Packed) -> ArchiveRef:
        """Write an object durably before this returns; one of the same key is replaced whole.

        `header` says what the object is without any key (source, stream, seq, mapping version, state before and
        after, counts) and so holds nothing personal; `source` is needed, `month` (YYYY-MM) is this month by default.

        `lines` may be packed already, where another thread has the time.

        Raises:
            ValueError: the header names no source, the key is no safe name, or a line holds a newline.
        """
        counted = lines if isinstance(lines, Packed) else _Counted(lines)
        hasher = self._protector.content_hasher()
        pieces = counted.pieces if isinstance(counted, Packed) else compress(counted)
        size = self._store.write(key, _watch(self._encrypted(key, header, pieces), hasher.update))
        return ArchiveRef(key, size, counted.count, hasher.digest())

    def encode(self, key: str, header: Mapping[str, Any], lines: Iterable[bytes]) -> bytes:
        """Return the bytes that `put` would write: a small batch keeps them in the ledger until they are rolled up."""
        return b"".join(self._encrypted(key, header, compress(lines)))

    def put_encoded(self, key: str, encoded: bytes) -> ArchiveRef:
        """Write what `encode` returned for this key.

        Raises:
            ArchiveDamaged: the bytes are not those of this object.
        """
        lines = sum(1 for _ in self.decode(key, encoded)[1])
        return ArchiveRef(key, self._store.write(key, [encoded]), lines, self._protector.content_hash(encoded))

    def head(self, key: str) -> Header:
        """Return an object's header; it is proven only when its lines are read.

        Raises:
            ArchiveMissing, ArchiveDamaged: it is not there, or it is no archive object of this name.
        """
        with closing(self._reading(key)) as source:
            return _named(read_header(source, key)[0], key)

    def open(self, key: str) -> tuple[Header, Iterator[bytes]]:
        """Return an object's header and its lines; the lines are read, and proven, as they are taken.

        Raises:
            ArchiveMissing, ArchiveDamaged, ArchiveErased: also while lines are taken.
        """
        header = self.head(key)
        self._data_key(header, key)
        return header, self._lines(lambda: self._reading(key), key)

    def decode(self, key: str, encoded: bytes) -> tuple[Header, Iterator[bytes]]:
        """Return header and lines of what `encode` returned, as `open` does."""
        header = _named(read_header(io.BytesIO(encoded), key)[0], key)
        return header, self._lines(lambda: io.BytesIO(encoded), key)

    def list(self, prefix: str = "") -> list[str]:
        """Return the keys of all objects that begin with `prefix`, in order."""
        return [key for key in self._store.list(prefix) if not key.startswith(KEYS)]

    # --- data keys ---

    def erase(self, source: str, month: str) -> int:
        """Destroy the data keys of a source's month, so that nobody reads its objects any more; return their number.

        Backups of the archive must drop them too. What lies in the database is not touched.
        """
        folder = _key_folder(source, month)
        found = [name for name in self._store.list(folder) if not name.endswith(ERASED)]
        earlier = self._erased(folder)
        if found:
            ids = sorted({*earlier, *(_id(name) for name in found)})
            told = {"erased": ids, "at": datetime.now(UTC).isoformat(timespec="seconds")}
            self._store.write(folder + ERASED, [orjson.dumps(told)])
        for name in found:
            self._store.delete(name)
        return len(found)

    def key_numbers(self) -> dict[int, int]:
        """Count the data keys by the number of the root key that seals them."""
        return dict(
            Counter(key_number(base64.b64decode(self._key_object(name)["sealed"])) for name in self._key_names())
        )

    def reseal(self) -> int:
        """Seal under the newest root key the data keys that another seals; return how many there were."""
        newest = self._protector.ring.newest.number
        done = 0
        for name in self._key_names():
            said = self._key_object(name)
            sealed = base64.b64decode(said["sealed"])
            if key_number(sealed) != newest:
                clear = self._protector.unseal(sealed, context=_context(name))
                self._write_key(name, clear, made=str(said["made"]))
                done += 1
        return done

    # --- inside ---

    def _encrypted(self, key: str, header: Mapping[str, Any], pieces: Iterable[bytes]) -> Iterator[bytes]:
        if check_key(key).startswith(KEYS):
            raise ValueError(f"{key!r} is no name for an archive object: data keys lie under {KEYS}")
        source = header.get("source")
        month = str(header.get("month") or datetime.now(UTC).strftime("%Y-%m"))
        if not isinstance(source, str) or not source:
            raise ValueError(f"archive object {key}: its header names no source")
        key_id, data_key = self._live_key(source, month)
        return encrypt({**header, "object": key, "month": month, "data_key": key_id}, pieces, data_key)

    def _lines(self, reopen: Callable[[], IO[bytes]], key: str) -> Iterator[bytes]:
        with closing(reopen()) as source:
            yield from decrypt(source, key, lambda header: self._data_key(_named(header, key), key))

    def _reading(self, key: str) -> IO[bytes]:
        try:
            return self._store.open(key)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise ArchiveMissing(key, "it is not there") from None

    def _live_key(self, source: str, month: str) -> tuple[str, bytes]:
        """Return the data key that this month's objects are written under, made when there is none.

        The store is asked each time: a key that another process has erased must not be written under.
        """
        folder = _key_folder(source, month)
        gone = self._erased(folder)
        found = [n for n in self._store.list(folder) if not n.endswith(ERASED) and _id(n) not in gone]
        if found:
            return _id(found[-1]), self._open_key(found[-1])
        key_id, data_key = secrets.token_hex(8), secrets.token_bytes(DATA_KEY_BYTES)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._write_key(f"{folder}{key_id}.json", data_key, made=now)
        return key_id, data_key

    def _data_key(self, header: Header, key: str) -> bytes:
        try:
            source, key_id = str(header["source"]), str(header["data_key"])
            folder = _key_folder(source, str(header["month"]))
            name = check_key(f"{folder}{key_id}.json")
        except (KeyError, ValueError):
            raise ArchiveDamaged(key, "its header does not name its data key") from None
        try:
            return self._open_key(name)
        except ArchiveMissing:
            if key_id in self._erased(folder):
                raise ArchiveErased(key, f"the data key {key_id} of {source} was destroyed") from None
            raise ArchiveDamaged(key, f"its data key {name} is missing") from None

    def _open_key(self, name: str) -> bytes:
        try:
            sealed = base64.b64decode(self._key_object(name)["sealed"])
            return self._protector.unseal(sealed, context=_context(name))
        except Unsealable as error:
            raise ArchiveDamaged(name, f"the data key does not open ({error})") from error

    def _write_key(self, name: str, data_key: bytes, *, made: str) -> None:
        sealed = self._protector.seal(data_key, context=_context(name))
        said = {"format": 1, "made": made, "sealed": base64.b64encode(sealed).decode()}
        self._store.write(name, [orjson.dumps(said)])

    def _key_names(self) -> Iterator[str]:
        return (name for name in self._store.list(KEYS) if not name.endswith(ERASED))

    def _key_object(self, name: str) -> dict[str, Any]:
        with closing(self._reading(name)) as source:
            try:
                said: dict[str, Any] = orjson.loads(source.read())
                base64.b64decode(said["sealed"], validate=True)
            except (orjson.JSONDecodeError, ValueError, TypeError, KeyError):
                raise ArchiveDamaged(name, "the data key's file cannot be read") from None
            return said

    def _erased(self, folder: str) -> set[str]:
        try:
            with closing(self._reading(folder + ERASED)) as source:
                return set(orjson.loads(source.read())["erased"])
        except ArchiveMissing:
            return set()


def object_key(source: str, month: str, seq: int, stream: str) -> str:
    """Return the key of a batch's object: by source and month, in the order of the batches."""
    return check_key(f"{_segment(source)}/{month}/{seq:010d}-{_segment(stream)}")


def _segment(text: str) -> str:
    """Write any name as one plain part of a key; a very long one is cut and told apart by a hash."""
    plain = (
        quote(text, safe="").replace("~", "%7E").replace(".", "%2E").replace("-", "%2D", 1 if text[:1] == "-" else 0)
    )
    if len(plain) <= LONGEST_SEGMENT:
        return plain
    return plain[:LONGEST_SEGMENT] + "+" + hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _key_folder(source: str, month: str) -> str:
    if not _MONTH.fullmatch(month):
        raise ValueError(f"{month!r} is no month: YYYY-MM")
    return f"{KEYS}{_segment(source)}/{month}/"


def _id(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".json")


def _context(name: str) -> str:
    return f"archive {name}"


def _named(header: Header, key: str) -> Header:
    if header.get("object") != key:
        raise ArchiveDamaged(key, "it was written under another name")
    return header


def _watch(pieces: Iterable[bytes], see: Callable[[bytes], None]) -> Iterator[bytes]:
    for piece in pieces:
        see(piece)
        yield piece


class _Counted:
    """An iterable of lines that counts them as they pass."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        for line in self._lines:
            self.count += 1
            yield line
