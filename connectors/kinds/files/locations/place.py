"""What every place of files must do, and how names of files are written down.

A name as the hub knows it is the file's path below the connection's folder, with `/` between its parts. A byte that is
no UTF-8 and a control character are written `\\xNN`, a backslash is doubled: so that every name can be kept as text and
shown in one line, and no two files have the same one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, Protocol

from connectors.kinds.files.where import Where
from connectors.throttle import Throttle

_ODD = re.compile("[\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_WRITTEN = re.compile(r"\\(\\|x[0-9a-f]{2}|u[0-9a-f]{4})")
_ASCII, _BYTE, _SURROGATE = 0x7F, 0xFF, 0xDC00


@dataclass(frozen=True, slots=True)
class Seen:
    """What a place says of a file: size -1 and time None where it does not; `path` if it lies on this machine."""

    size: int
    modified_ns: int | None
    target: str = ""
    busy: bool = False
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A file in hand: as it was when it was taken, with a private copy where it does not lie on this machine."""

    seen: Seen
    copy: BinaryIO | None = None


class Place(Protocol):
    """A folder of a department, wherever it is. All names are below it; none leads out of it."""

    trusts_times: bool
    """Whether a file of unchanged size and time counts as unchanged without reading it: it would have to be fetched."""

    throttle: Throttle
    """How fast files are fetched from a place behind a wire."""

    @property
    def told(self) -> str:
        """Say what was found on entering."""

    def names(self, pattern: str) -> Iterator[str]:
        """Yield the names of all files that a glob fits, in any order; folders are none."""

    def everything(self) -> Iterator[str]:
        """Yield the names of all files."""

    def beside(self, pattern: str) -> list[str]:
        """List what lies in the folder in which a name without signs should be."""

    def look(self, name: str, where: Where) -> Seen:
        """Look at one file.

        Raises:
            FileNotFoundError: it is not there.
            PermissionError: it may not be looked at.
            HostileInput: it leads out of the folder, or is no plain file.
        """

    def bare(self, name: str) -> Seen:
        """Look at what bears the name itself: of a link at the link."""

    def exists(self, name: str) -> bool:
        """Say whether something bears this name."""

    def forget(self, name: str) -> None:
        """Drop what a listing said of a file, so that the next look is a fresh one."""

    def hold(self, name: str, seen: Seen, most: int, where: Where) -> AbstractContextManager[Held]:
        """Take a file in hand, of at most `most` bytes; what was copied for it is gone afterwards.

        Raises:
            RetrySource: it changed meanwhile, or the place broke off.
            RefuseUnit: it is larger than the limit, or not what the place says of it.
        """

    def changed(self, name: str, seen: Seen) -> bool:
        """Say whether a file that is read where it lies was written to since."""

    def move(self, name: str, to: str) -> None:
        """Give a file another name below the folder; folders on the way are made.

        Raises:
            FileExistsError: the name is taken.
        """

    def delete(self, name: str) -> None:
        """Take a file away."""

    def touch(self, name: str) -> None:
        """Make an empty file."""

    def write(self, name: str, content: bytes) -> None:
        """Write a small file whole: nobody sees half of it, and one of the same name is replaced."""

    def close(self) -> None:
        """Leave the place."""


def shown(real: str) -> str:
    """Return a name as it is kept and shown; undecodable bytes are surrogates in `real`, as Python reads them."""
    return _ODD.sub(_write, real) if _ODD.search(real) else real


def real(name: str) -> str:
    """Return the name that a shown one stands for."""
    return _WRITTEN.sub(_unwrite, name) if "\\" in name else name


def _write(found: re.Match[str]) -> str:
    sign = found.group()
    if sign == "\\":
        return "\\\\"
    code = ord(sign)
    byte = code - _SURROGATE
    if _ASCII < byte <= _BYTE:
        return f"\\x{byte:02x}"
    return f"\\x{code:02x}" if code <= _ASCII else f"\\u{code:04x}"


def _unwrite(found: re.Match[str]) -> str:
    written = found.group(1)
    if written == "\\":
        return "\\"
    code = int(written[1:], 16)
    return chr(_SURROGATE + code) if written[0] == "x" and code > _ASCII else chr(code)


def parts_of(pattern: str) -> list[str]:
    """Return the steps of a glob or name."""
    return [part for part in pattern.split("/") if part not in {"", "."}]


def has_signs(pattern: str) -> bool:
    """Say whether a glob may fit more than one name."""
    return any(sign in pattern for sign in "*?[")


def fits(pattern: str, name: str) -> bool:
    """Say whether a glob fits a name, step by step; `**` stands for any number of folders."""
    return _fits(parts_of(pattern), real(name).split("/"))


def _fits(parts: list[str], steps: list[str]) -> bool:
    if not parts:
        return not steps
    if parts[0] == "**":
        return any(_fits(parts[1:], steps[index:]) for index in range(len(steps)))
    return bool(steps) and fnmatchcase(steps[0], parts[0]) and _fits(parts[1:], steps[1:])
