"""Reads packages of carried media: a zip archive, a plain tar archive, or a folder; bounded, and nothing is trusted.

No name leads out, no link is followed, nothing is unpacked to more than was said, and what is said is bounded.
"""

from __future__ import annotations

import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from connectors.limits import MIB, RATIO_FROM
from hub.errors import HubError

_LONGEST_NAME, _LONGEST_PATH = 200, 1_000
_DIRECTORY = 32 * MIB
"""The table of contents of a zip archive is read whole."""
_AT_ONCE = 4 * MIB
_BLOCK = 1 << 20
_SHOWN = 50
_TAIL = 22 + 0xFFFF
_DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError,
    OverflowError, RuntimeError, ValueError,
)  # fmt: skip
"""What the archive libraries raise on bytes that nobody honest wrote."""


class PackageRefused(HubError):
    """A package of carried media is refused whole, and nothing of it was written; every fault is told."""

    def __init__(self, package: str, faults: list[str]) -> None:
        self.package, self.faults = package, tuple(faults)
        told = "\n".join(f"  {one}" for one in faults)
        super().__init__(f"{package}: refused, nothing of it was taken in:\n{told}\nHave the package made again.")


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of one package."""

    files: int = 20_000
    file_bytes: int = 2048 * MIB
    bytes: int = 16_384 * MIB
    ratio: int = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a package; `packed` is what it takes there, `open` gives its bytes."""

    name: str
    size: int
    packed: int
    open: Callable[[], IO[bytes]]


@contextmanager
def entries_of(package: Path, bounds: Bounds) -> Iterator[list[Entry]]:
    """List the files of a package; all of them within the bounds by what is said of them.

    Raises:
        PackageRefused: it is none, breaks a bound, or holds a name or a kind of entry that no honest one has.
    """
    with ExitStack() as stack:
        try:
            if package.is_dir():
                entries = _judged(package.name, _of_folder(package, bounds), bounds)
            elif zipfile.is_zipfile(package):
                _mind_directory(package)
                entries = _judged(package.name, _of_zip(stack.enter_context(zipfile.ZipFile(package))), bounds)
            else:
                handle: Any = _Sips(stack.enter_context(package.open("rb")))
                archive = stack.enter_context(tarfile.open(fileobj=handle, mode="r:"))
                entries = _judged(package.name, _of_tar(archive, bounds), bounds)
        except _DAMAGE as error:
            fault = f"it is no zip and no plain tar archive, or is damaged ({type(error).__name__})"
            raise PackageRefused(package.name, [fault]) from None
        yield entries


Found = Iterator[tuple[Entry, str]]
"""Entries with what is wrong with their kind, empty where nothing is."""


def _of_folder(folder: Path, bounds: Bounds) -> Found:
    count = 0
    for place, folders, files in os.walk(folder, followlinks=False):
        for name in sorted([*files, *(one for one in folders if Path(place, one).is_symlink())]):
            path = Path(place, name)
            seen = path.lstat()
            wrong = "" if stat.S_ISREG(seen.st_mode) else "is a link or no plain file"
            yield Entry(path.relative_to(folder).as_posix(), seen.st_size, seen.st_size, _opening(path)), wrong
            count += 1
            if count > bounds.files:
                return


def _opening(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")


def _of_zip(archive: zipfile.ZipFile) -> Found:
    for one in archive.infolist():
        if one.is_dir():
            continue
        mode = one.external_attr >> 16
        wrong = "is locked by a password" if one.flag_bits & 1 else ""
        if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
            wrong = "is a link or no plain file"
        name = one.orig_filename  # as written: `filename` was mended by the library
        yield Entry(name, one.file_size, one.compress_size, lambda one=one: archive.open(one)), wrong  # type: ignore[misc]  # binds the entry


def _of_tar(archive: tarfile.TarFile, bounds: Bounds) -> Found:
    for count, one in enumerate(archive):
        if one.isdir():
            continue
        wrong = "" if one.isreg() and not one.issparse() else "is a link or no plain file"
        yield Entry(one.name, one.size, one.size, lambda one=one: _extracted(archive, one)), wrong  # type: ignore[misc]  # binds the entry
        if count > bounds.files:
            return


def _extracted(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    handle = archive.extractfile(member)
    if handle is None:
        raise tarfile.TarError
    return handle


class _Sips:
    """A file that gives little at a time: a header that claims to be long would be read whole."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle
        self.name = ""

    def read(self, size: int = -1) -> bytes:
        """Read some bytes."""
        if not 0 <= size <= _AT_ONCE:
            raise tarfile.ReadError("a header is too long")
        return self._handle.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handle, name)


def _mind_directory(package: Path) -> None:
    """Look at the size of a zip archive's table of contents before it is read."""
    with package.open("rb") as handle:
        size = handle.seek(0, os.SEEK_END)
        handle.seek(max(0, size - _TAIL - 76))
        tail = handle.read()
    at = tail.rfind(b"PK\x05\x06")
    length = struct.unpack_from("<I", tail, at + 12)[0] if at >= 0 else 0
    large = tail.rfind(b"PK\x06\x06", 0, max(at, 0))
    if large >= 0:
        length = max(length % 0xFFFFFFFF, struct.unpack_from("<Q", tail, large + 40)[0])
    if length > _DIRECTORY:
        raise PackageRefused(package.name, [f"its table of contents has {length:,} bytes (at most {_DIRECTORY:,})"])


def _judged(package: str, found: Found, bounds: Bounds) -> list[Entry]:
    """Return the entries when nothing is wrong with any of them."""
    entries: dict[str, Entry] = {}
    faults: list[str] = []
    total = 0
    for entry, wrong in found:
        total += entry.size
        fault = wrong or _name_fault(entry.name) or _size_fault(entry, bounds)
        folded = entry.name.casefold()
        if not fault and folded in entries:
            fault = "stands twice (large and small letters count as equal)"
        if fault:
            faults.append(f"{ascii(entry.name)[:_LONGEST_NAME]} {fault}")
        entries[folded] = entry
        if len(entries) > bounds.files or total > bounds.bytes:
            faults.append(f"it holds more than {bounds.files:,} files or {bounds.bytes:,} bytes")
            break
    if faults:
        more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise PackageRefused(package, faults[:_SHOWN] + more)
    return list(entries.values())


def _name_fault(name: str) -> str:
    """Say what is wrong with a name, which must be the same on every machine."""
    parts = name.split("/")
    if not name.isprintable() or "\\" in name or ":" in name or any("\ud800" <= sign <= "\udfff" for sign in name):
        return "has a name with signs that no name should have"
    if any(not part or part.startswith((".", "~")) or part != part.strip() for part in parts):
        return "has a name that is no plain path"
    if len(name) > _LONGEST_PATH or any(len(part.encode()) > _LONGEST_NAME for part in parts):
        return "has too long a name"
    return ""


def _size_fault(entry: Entry, bounds: Bounds) -> str:
    if entry.size > bounds.file_bytes:
        return f"has {entry.size:,} bytes (at most {bounds.file_bytes:,})"
    if entry.size > RATIO_FROM and entry.size > max(entry.packed, 1) * bounds.ratio:
        return f"unpacks to more than {bounds.ratio} times its size"
    return ""


def copy(entry: Entry, target: Path) -> str:
    """Unpack one file; return what is wrong: it is damaged, or gave more or fewer bytes than was said."""
    count = 0
    with target.open("xb") as out:
        try:
            with entry.open() as source:
                while block := source.read(_BLOCK):
                    count += len(block)
                    if count > entry.size:
                        return f"{entry.name} holds more bytes than it says"
                    out.write(block)
        except _DAMAGE as error:
            return f"{entry.name} is damaged ({type(error).__name__})"
        out.flush()
        os.fsync(out.fileno())
    return "" if count == entry.size else f"{entry.name} holds {count:,} of the {entry.size:,} bytes that it says"
