"""Looks at a zip archive and unpacks gzip before anything else does: bounded, counted, checked."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from typing import BinaryIO

from connectors.kinds.files.where import Where
from connectors.limits import MIB, RATIO_FROM, Limits
from hub.errors import HostileInput

_MEMBERS = 2_000
_WORKBOOK = 512 * MIB
"""A workbook is held in memory whole, so that its bound is lower than that of streamed files."""
_STEP = 1 << 16


def open_zip(handle: BinaryIO, where: Where, limits: Limits) -> zipfile.ZipFile:
    """Open a zip archive whose members stay within the limits by what the archive says of them.

    Raises:
        TruncatedUnit: the archive is cut off.
        HostileInput: it holds too much.
        RefuseUnit: it is none, or is locked by a password.
    """
    head = handle.read(8)
    handle.seek(0)
    try:
        archive = zipfile.ZipFile(handle)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        if head.startswith(b"PK\x03\x04"):
            raise where.truncated("the workbook is cut off") from None
        if not head:
            raise where.truncated("the file is empty") from None
        old = "it is of the old .xls form or locked by a password" if head.startswith(b"\xd0\xcf\x11\xe0") else ""
        raise where.refused("the file is no .xlsx workbook" + (f": {old}" if old else "")) from None
    members = archive.infolist()
    unpacked, packed = sum(one.file_size for one in members), sum(one.compress_size for one in members)
    most = min(limits.unpacked_bytes, _WORKBOOK)
    if len(members) > _MEMBERS or unpacked > most:
        raise where.hostile(f"the workbook unpacks to {unpacked:,} bytes in {len(members):,} parts", known=f"{most:,}")
    if unpacked > RATIO_FROM and unpacked > packed * limits.ratio:
        raise where.hostile(f"the workbook unpacks to {unpacked // max(packed, 1):,} times its size")
    if any(one.flag_bits & 1 for one in members):
        raise where.refused("the workbook is locked by a password")
    return archive


def prove_member(archive: zipfile.ZipFile, name: str, where: Where) -> None:
    """Unpack a member to its end without keeping it: what it says of its size and checksum must be true.

    Raises:
        TruncatedUnit: it is damaged or cut off; one that lies about its size looks the same.
    """
    try:
        with archive.open(name) as member:
            while member.read(_STEP):
                pass
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError):
        raise where.truncated(f"part {name} of the workbook is damaged") from None


class Gunzip:
    """Reads what a gzip file unpacks to, counted: growth beyond the limits is refused while it happens."""

    def __init__(self, handle: BinaryIO, where: Where, limits: Limits) -> None:
        self.handle, self.where, self.limits, self.count = handle, where, limits, 0
        self.inner = gzip.GzipFile(fileobj=handle, mode="rb")

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` unpacked bytes.

        Raises:
            TruncatedUnit: the file is cut off or damaged.
            HostileInput: it unpacks to more than the limits allow.
        """
        try:
            chunk = self.inner.read(size if size and size > 0 else _STEP)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise self.where.truncated("the gzip file is cut off or damaged") from None
        self.count += len(chunk)
        if self.count > self.limits.unpacked_bytes:
            raise self._too_much(f"more than {self.limits.unpacked_bytes:,} bytes")
        if self.count > RATIO_FROM and self.count > self.limits.ratio * max(self.handle.tell(), 1):
            raise self._too_much(f"more than {self.limits.ratio} times its size")
        return chunk

    def _too_much(self, what: str) -> HostileInput:
        return self.where.hostile(f"the file unpacks to {what}")
