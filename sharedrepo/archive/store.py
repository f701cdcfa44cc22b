"""Where the archive's objects lie: a local folder, written so that a power cut loses nothing, or any fsspec store."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Protocol

import fsspec
from fsspec.core import url_to_fs

from hub.settings import private_folder
from sharedrepo.archive.errors import ArchiveMissing

_SEGMENT = re.compile(r"[A-Za-z0-9_%][A-Za-z0-9._=%+-]*")
_TEMPORARY = ".writing-"
_SPOOL_BYTES = 8 * 1024 * 1024


class Store(Protocol):
    """A flat space of named objects that are written whole or not at all."""

    def write(self, key: str, pieces: Iterable[bytes]) -> int:
        """Write an object durably, replacing one of this name; return its size."""

    def open(self, key: str) -> IO[bytes]:
        """Open an object to read; raises FileNotFoundError."""

    def list(self, prefix: str) -> list[str]:
        """Return the names that begin with `prefix`, in order."""

    def delete(self, key: str) -> None:
        """Delete an object, past recovery as far as the store lets us."""


def open_store(url: str) -> Store:
    """Return the store at an fsspec URL or a local path."""
    filesystem, root = url_to_fs(url)
    protocol = filesystem.protocol if isinstance(filesystem.protocol, str) else filesystem.protocol[0]
    return LocalStore(Path(root)) if protocol in {"file", "local"} else RemoteStore(filesystem, root)


def check_key(key: str) -> str:
    """Return `key` when it is a safe relative name.

    Raises:
        ValueError: a part of it is empty, begins with a dot, or holds other than plain ASCII characters.
    """
    if all(_SEGMENT.fullmatch(part) for part in key.split("/")):
        return key
    raise ValueError(f"{key!r} is no archive key: parts of plain letters, digits and ._=%+- between slashes")


def reading(store: Store, key: str) -> IO[bytes]:
    """Open an object to read.

    Raises:
        ArchiveMissing: it is not there.
    """
    try:
        return store.open(key)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise ArchiveMissing(key, "it is not there") from None


class LocalStore:
    """Objects as files of a closed folder (0700): temporary file, fsync, rename, fsync of the folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, key: str, pieces: Iterable[bytes]) -> int:
        """Write the object durably; an interrupted write leaves only a temporary file that nothing reads."""
        target = self.root / check_key(key)
        self._make_folders(target.parent)
        temporary = target.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
        size = 0
        try:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:  # noqa: PTH123  # Path.open cannot set the mode and refuse an existing file
                for piece in pieces:
                    size += out.write(piece)
                out.flush()
                os.fsync(out.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync(target.parent)
        return size

    def open(self, key: str) -> IO[bytes]:
        """Open the file to read."""
        return (self.root / check_key(key)).open("rb")

    def list(self, prefix: str) -> list[str]:
        """Return the names of the finished files that begin with `prefix`."""
        folder = self.root / prefix.rpartition("/")[0]
        if ".." in folder.parts:
            return []
        found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(_TEMPORARY))
        names = (path.relative_to(self.root).as_posix() for path in found)
        return sorted(name for name in names if name.startswith(prefix))

    def delete(self, key: str) -> None:
        """Overwrite the file, then remove it."""
        path = self.root / check_key(key)
        with path.open("r+b") as out:
            out.write(secrets.token_bytes(path.stat().st_size))
            out.flush()
            os.fsync(out.fileno())
        path.unlink()
        _sync(path.parent)

    def _make_folders(self, folder: Path) -> None:
        missing = [found for found in (folder, *folder.parents) if not found.exists()]
        private_folder(self.root)
        for found in reversed(missing):
            found.mkdir(mode=0o700, exist_ok=True)
            _sync(found.parent)


class RemoteStore:
    """Objects in any other fsspec store; each is uploaded in one go, after it was made whole here (encrypted)."""

    def __init__(self, filesystem: fsspec.AbstractFileSystem, root: str) -> None:
        self.filesystem: Any = filesystem
        self.root = root.rstrip("/")

    def write(self, key: str, pieces: Iterable[bytes]) -> int:
        """Upload the object; stores show it whole or not at all."""
        path = self._path(key)
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as whole:
            for piece in pieces:
                whole.write(piece)
            size = whole.tell()
            whole.seek(0)
            self.filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
            with self.filesystem.open(path, "wb") as out:
                shutil.copyfileobj(whole, out)
        return size

    def open(self, key: str) -> IO[bytes]:
        """Open the object to read."""
        opened: IO[bytes] = self.filesystem.open(self._path(key), "rb")
        return opened

    def list(self, prefix: str) -> list[str]:
        """Return the names that begin with `prefix`."""
        return sorted(name for name in self._names(prefix) if name.startswith(prefix))

    def delete(self, key: str) -> None:
        """Delete the object; versions that the store keeps are its keeper's to delete."""
        self.filesystem.rm_file(self._path(key))

    def _names(self, prefix: str) -> Iterator[str]:
        folder = f"{self.root}/{prefix.rpartition('/')[0]}".rstrip("/")
        with contextlib.suppress(FileNotFoundError):
            self.filesystem.invalidate_cache()
            for path in self.filesystem.find(folder):
                yield str(path).removeprefix(self.root).lstrip("/")

    def _path(self, key: str) -> str:
        return f"{self.root}/{check_key(key)}"


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
