"""The archive of batches: puts, opens and lists objects, each under the data key of its source and month."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

from hub.protect import Protector
from hub.settings import Settings
from sharedrepo.archive.datakeys import KEYS, DataKeys
from sharedrepo.archive.envelope import Header, Packed, compress, decrypt, encrypt, read_header
from sharedrepo.archive.errors import ArchiveDamaged
from sharedrepo.archive.names import segment
from sharedrepo.archive.store import Store, check_key, open_store, reading


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
        self.data_keys = DataKeys(self._store, protector)

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
        with closing(reading(self._store, key)) as source:
            return _named(read_header(source, key)[0], key)

    def open(self, key: str) -> tuple[Header, Iterator[bytes]]:
        """Return an object's header and its lines; the lines are read, and proven, as they are taken.

        Raises:
            ArchiveMissing, ArchiveDamaged, ArchiveErased: also while lines are taken.
        """
        header = self.head(key)
        self._data_key(header, key)
        return header, self._lines(lambda: reading(self._store, key), key)

    def decode(self, key: str, encoded: bytes) -> tuple[Header, Iterator[bytes]]:
        """Return header and lines of what `encode` returned, as `open` does."""
        header = _named(read_header(io.BytesIO(encoded), key)[0], key)
        return header, self._lines(lambda: io.BytesIO(encoded), key)

    def list(self, prefix: str = "") -> list[str]:
        """Return the keys of all objects that begin with `prefix`, in order."""
        return [key for key in self._store.list(prefix) if not key.startswith(KEYS)]

    def count(self, source: str, month: str) -> int:
        """Return the number of a source's objects of a month."""
        return len(self._store.list(f"{segment(source)}/{month}/"))

    # --- inside ---

    def _encrypted(self, key: str, header: Mapping[str, Any], pieces: Iterable[bytes]) -> Iterator[bytes]:
        if check_key(key).startswith(KEYS):
            raise ValueError(f"{key!r} is no name for an archive object: data keys lie under {KEYS}")
        source = header.get("source")
        month = str(header.get("month") or datetime.now(UTC).strftime("%Y-%m"))
        if not isinstance(source, str) or not source:
            raise ValueError(f"archive object {key}: its header names no source")
        key_id, data_key = self.data_keys.live(source, month)
        stated = {**header, "object": key, "month": month, "data_key": key_id}
        return encrypt(stated, pieces, data_key, self._protector.cipher)

    def _lines(self, reopen: Callable[[], IO[bytes]], key: str) -> Iterator[bytes]:
        with closing(reopen()) as source:
            yield from decrypt(source, key, lambda header: self._data_key(_named(header, key), key))

    def _data_key(self, header: Header, key: str) -> bytes:
        try:
            source, month, key_id = str(header["source"]), str(header["month"]), str(header["data_key"])
            return self.data_keys.find(source, month, key_id, what=key)
        except (KeyError, ValueError):
            raise ArchiveDamaged(key, "its header does not name its data key") from None


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
