"""A folder in which a department puts files: lists them, keeps inside it, and tells new from changed from re-sent.

A file is known by its name and a keyed fingerprint of its bytes. The same bytes under the same name are not read
again. The same bytes under another name are marked `resent` and *are* read: a department that sends last month's
list once more may mean it, and where nothing differs each record counts as unchanged.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import unquote, urlsplit

from connectors.kinds.files.where import Where
from connectors.limits import Limits
from connectors.seam import KeyedHash
from connectors.source import StreamSpec
from hub.errors import InternalError, RefuseUnit, SourceUnreachable, StopSource, StreamMissing
from hub.records import Record

Change = Literal["new", "changed", "resent", "refused"]
_UNFINISHED = (".tmp", ".part", ".filepart", ".crdownload", ".lock", ".swp", "~")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Delivered:
    """A file that is to be read: how it differs from what was known, or why it is refused unread."""

    name: str
    path: Path
    size: int
    modified_ns: int
    fingerprint: str
    change: Change
    refusal: RefuseUnit | None = None

    @property
    def modified(self) -> str:
        """Return when the file was last written, as UTC text."""
        return datetime.fromtimestamp(self.modified_ns / 1e9, UTC).isoformat(timespec="seconds")

    @property
    def entry(self) -> Record:
        """Return what the state remembers of the file once it is dealt with."""
        return {"fingerprint": self.fingerprint, "size": self.size, "mtime": self.modified, "is": self.change}


def folder_of(url: str, source: str) -> Path:
    """Return the folder that a connection names: a path, or a file:// URL.

    Raises:
        StopSource: the connection names something else.
        SourceUnreachable: there is no such folder.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"", "file"} or parts.netloc not in {"", "localhost"}:
        raise StopSource(source=source, got="the connection names no folder", known="a path, or file:///path")
    folder = Path(unquote(parts.path) if parts.scheme else url)
    if not folder.is_dir():
        raise SourceUnreachable(
            source=source, got="the connection's folder is not there", hint="Check that it exists and is mounted."
        )
    return folder.resolve()


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of one stream below a folder."""

    root: Path
    source: str
    stream: StreamSpec
    limits: Limits
    keyed_hash: KeyedHash | None

    def where(self, unit: str) -> Where:
        """Return the place that errors about a file name."""
        return Where(self.source, self.stream.name, unit)

    def names(self) -> list[str]:
        """List the stream's files in natural order (`part2` before `part10`), unfinished ones left out.

        Raises:
            StreamMissing: the path names one file, and it is not there.
            HostileInput: there are more files than any honest folder holds.
        """
        pattern = str(self.stream.options["path"])
        if pattern.startswith(("/", "~")) or ".." in Path(pattern).parts:
            raise self.where(pattern).hostile("the path leads out of the connection's folder")
        found: list[str] = []
        for path in self.root.glob(pattern):
            name = path.relative_to(self.root).as_posix()
            if path.name.startswith((".", "~$")) or path.name.endswith(_UNFINISHED) or path.is_dir():
                continue
            found.append(name)
            if len(found) > self.limits.files:
                raise self.where(pattern).hostile(f"more than {self.limits.files} files", known="limit `files`")
        if not found and not any(sign in pattern for sign in "*?["):
            beside = sorted(path.name for path in (self.root / pattern).parent.glob("*"))[:20]
            raise StreamMissing(
                source=self.source,
                stream=self.stream.name,
                got=f"there is no file {pattern!r}",
                known=", ".join(beside) or "an empty folder",
            )
        return sorted(found, key=_natural)

    def delivered(self, known: Mapping[str, Record], *, full: bool) -> Iterator[Delivered]:
        """Yield the files to read; those that are still being written are left for the next pull.

        A file is fingerprinted here only where that decides whether it is read at all: a hostile one of many
        gigabytes should meet its reader's limits first.
        """
        settle = float(self.stream.options.get("settle", 0))
        for name in self.names():
            before = known.get(name)
            found = self.look(name, before, settle)
            if found is None:
                continue
            if before is not None and not full and self._same(found, before):
                continue
            yield found

    def _same(self, found: Delivered, before: Record) -> bool:
        if found.refusal is not None or before.get("is") == "refused":
            return before.get("fingerprint") == self._mark(found.name)
        return before.get("size") == found.size and before.get("fingerprint") == self._fingerprint(found.path)

    def look(self, name: str, before: Record | None, settle: float = 0) -> Delivered | None:
        """Look at one file without reading it; None where it is still being written."""
        path = self.root / name
        try:
            inside, seen = self._inside(path, name)
            if time.time() - seen.st_mtime < settle or _held(inside):
                return None
            if seen.st_size > self.limits.file_bytes:
                raise self.where(name).hostile(
                    f"the file has {seen.st_size:,} bytes", known=f"at most {self.limits.file_bytes:,}"
                )
        except FileNotFoundError:
            return None
        except RefuseUnit as refusal:
            own = path.lstat()
            return Delivered(name, path, own.st_size, own.st_mtime_ns, self._mark(name), "refused", refusal)
        except PermissionError:
            raise StopSource(
                source=self.source,
                stream=self.stream.name,
                got=f"the file {name!r} may not be read",
                hint="Give the hub's account the right to read the folder.",
            ) from None
        return Delivered(name, inside, seen.st_size, seen.st_mtime_ns, "", "changed" if before is not None else "new")

    def printed(self, found: Delivered, prints: Set[Any] = frozenset()) -> Delivered:
        """Return a file with its fingerprint; a new one whose bytes are among `prints` was sent again."""
        if found.fingerprint:
            return found
        fingerprint = self._fingerprint(found.path)
        change: Change = "resent" if found.change == "new" and fingerprint in prints else found.change
        return replace(found, fingerprint=fingerprint, change=change)

    def refused(self, name: str) -> Record | None:
        """Return what the state remembers of a refused file: what it looks like, not what lies in it."""
        found = self.look(name, None)
        return None if found is None else {**found.entry, "fingerprint": self._mark(name), "is": "refused"}

    def _mark(self, name: str) -> str:
        path = self.root / name
        own = path.lstat()
        target = path.readlink() if path.is_symlink() else ""
        return self._hash(f"unread\0{name}\0{own.st_size}\0{own.st_mtime_ns}\0{target}".encode()).hex()

    def _inside(self, path: Path, name: str) -> tuple[Path, os.stat_result]:
        """Return the real path of a file, refusing all that leads out of the folder or is no plain file."""
        real = path.resolve(strict=True)
        if not real.is_relative_to(self.root):
            raise self.where(name).hostile("the name leads out of the folder through a link")
        found = real.stat()
        if not stat.S_ISREG(found.st_mode):
            raise self.where(name).hostile("this is no plain file")
        return real, found

    def open(self, found: Delivered) -> BinaryIO:
        """Open a file for reading; the last step may not be a link, whatever happened since it was looked at."""
        descriptor = os.open(found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        return os.fdopen(descriptor, "rb")

    def changed(self, found: Delivered) -> bool:
        """Say whether a file was written to since it was looked at."""
        try:
            now = found.path.stat()
        except FileNotFoundError:
            return True
        return (now.st_size, now.st_mtime_ns) != (found.size, found.modified_ns)

    def _hash(self, data: bytes) -> bytes:
        if self.keyed_hash is None:
            raise InternalError("files are fingerprinted under a key only; open the connector with keyed_hash=…")
        return self.keyed_hash(data)

    def _fingerprint(self, path: Path) -> str:
        """Chain keyed hashes over the file's chunks, so that a large file is never held whole."""
        chained = b""
        with path.open("rb") as handle:
            while chunk := handle.read(_CHUNK):
                chained = self._hash(chained + chunk)
        return (chained or self._hash(b"")).hex()


def _held(path: Path) -> bool:
    """Say whether a writer on this machine holds a lock on the file."""
    with path.open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False  # a file system without locks
    return False


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key by which numbers inside names count as numbers."""
    return [
        (0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part)
        for part in re.split(r"([0-9]+)", name)
    ]
