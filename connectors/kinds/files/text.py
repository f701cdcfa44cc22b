"""Reads lines of text in a declared encoding, strictly and in bounded memory.

Lines end at a line feed; a bare carriage return stays inside its line, because hand-made exports carry them inside
cells. Only a file without any line feed is read as one whose lines end in carriage returns.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from connectors.kinds.files.where import Where
from connectors.limits import Limits

_SNIFF = 1 << 16
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def declared_encodings(options: Any) -> tuple[str, ...]:
    """Return the encodings that a stream declares; UTF-8 is read with or without its byte-order mark."""
    stated = options.get("encoding", "utf-8-sig")
    names = (stated,) if isinstance(stated, str) else tuple(stated)
    return tuple("utf-8-sig" if name == "utf-8" else name for name in names)


def choose_encoding(handle: BinaryIO, encodings: Sequence[str], where: Where, limits: Limits) -> str:
    """Return the first of the declared encodings in which the whole file is text; the handle is rewound.

    Raises:
        WrongEncoding: a byte-order mark contradicts the declaration, or no declared encoding fits.
    """
    head = handle.read(4)
    handle.seek(0)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            if encoding not in encodings:
                raise where.encoding(f"the file begins with the mark of {encoding}", ", ".join(encodings))
            return encoding
    if len(encodings) == 1:
        return encodings[0]
    for encoding in encodings:
        try:
            for _ in _decoded(handle, encoding, where, limits):
                pass
        except UnicodeError:
            continue
        else:
            return encoding
        finally:
            handle.seek(0)
    raise where.encoding("the bytes are no text in any declared encoding", ", ".join(encodings))


def read_lines(handle: BinaryIO, encoding: str, where: Where, limits: Limits) -> Iterator[str]:
    """Yield the file's lines with their ends.

    Raises:
        WrongEncoding: bytes that are no text in `encoding`; the message names the line, never its words.
        HostileInput: a line beyond the limit.
    """
    number = 0
    try:
        for line in _decoded(handle, encoding, where, limits):
            number += 1
            yield line
    except UnicodeError as error:
        byte = f" (byte 0x{error.object[error.start]:02x})" if isinstance(error, UnicodeDecodeError) else ""
        raise where.encoding(f"line {number + 1} is no text in {encoding}{byte}") from None


def _decoded(handle: BinaryIO, encoding: str, where: Where, limits: Limits) -> Iterator[str]:
    head = handle.read(_SNIFF)
    handle.seek(0)
    most = limits.line_bytes
    if encoding == "utf-16" or (b"\n" not in head and b"\r" in head):
        newline = "\n" if encoding == "utf-16" else None
        text = io.TextIOWrapper(handle, encoding, "strict", newline=newline)
        try:
            yield from _bounded(text, most, where)
        finally:
            text.detach()
        return
    first, follow = encoding, "utf-8" if encoding == "utf-8-sig" else encoding
    for line in _bounded(handle, most, where):
        yield line.decode(first, "strict")
        first = follow


def _bounded(handle: Any, most: int, where: Where) -> Iterator[Any]:
    number = 0
    while line := handle.readline(most + 1):
        number += 1
        if len(line) > most:
            raise where.hostile(f"line {number} is longer than {most:,} bytes", known="limit `line_bytes`")
        yield line
