"""The bytes of an archive object: a plain header, then record lines, compressed and encrypted in chunks.

    magic and format (8) | header length (4) | header (JSON) | chunk length (4) | chunk | chunk length | chunk | …

Each chunk is sealed by the cipher that the header names (AES-256-GCM where it names none) under a key of this object
alone (HKDF of the data key and the header's salt). Its nonce is the chunk's counter and a flag on the last one; the
header is bound to every chunk. So a chunk that was changed, moved, left out or cut off, and a header that was touched,
are found before the data behind them is used
(the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption", CRYPTO 2015).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

import orjson
import zstandard
from cryptography.exceptions import InvalidTag

from hub.protect.ciphers import AES_256_GCM, TAG_BYTES, Aead, SealCipher, UnknownCipher, cipher_named
from sharedrepo.archive.errors import ArchiveDamaged

MAGIC: Final = b"HUBARC\x01\n"
FORMAT: Final = 1
CHUNK: Final = 256 * 1024
HEADER_LIMIT: Final = 16 * 1024 * 1024
LINE_LIMIT: Final = 256 * 1024 * 1024
_PURPOSE: Final = "hub archive object 1"
_LENGTH: Final = 4
_LEVEL: Final = 1
_READ: Final = 1024 * 1024

Header = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Packed:
    """Lines compressed, ready to be encrypted."""

    pieces: list[bytes]
    count: int


def pack(lines: Sequence[bytes]) -> Packed:
    """Compress lines ahead of their object.

    Raises:
        ValueError: a line holds a newline, so that it would come back as two.
    """
    return Packed(list(compress(lines)), len(lines))


def encrypt(header: Header, pieces: Iterable[bytes], data_key: bytes, cipher: SealCipher) -> Iterator[bytes]:
    """Write an object piece by piece; `pieces` are its lines as `compress` made them."""
    salt = secrets.token_bytes(16)
    own = {"format": FORMAT, "cipher": cipher.name, "salt": base64.b64encode(salt).decode()}
    stated = orjson.dumps({**header, **own})
    head = MAGIC + len(stated).to_bytes(_LENGTH, "big") + stated
    yield head
    aead, bound = cipher.derived(data_key, _PURPOSE, salt), _binding(head)
    waiting = bytearray()
    counter = 0
    for piece in pieces:
        waiting += piece
        while len(waiting) > CHUNK:
            yield _seal(aead, counter, bytes(waiting[:CHUNK]), bound, last=False)
            del waiting[:CHUNK]
            counter += 1
    yield _seal(aead, counter, bytes(waiting), bound, last=True)


def read_header(source: IO[bytes], key: str) -> tuple[Header, bytes]:
    """Read the header of an object; return it and the bytes that it stands in, to be bound to the chunks.

    Raises:
        ArchiveDamaged: these are not the first bytes of an archive object.
    """
    start = source.read(len(MAGIC) + _LENGTH)
    length = int.from_bytes(start[len(MAGIC) :], "big")
    if len(start) < len(MAGIC) + _LENGTH or start[: len(MAGIC)] != MAGIC or length > HEADER_LIMIT:
        raise ArchiveDamaged(key, "it does not begin as an archive object of format 1")
    stated = source.read(length)
    try:
        header: Header = orjson.loads(stated)
        base64.b64decode(header["salt"], validate=True)
    except (orjson.JSONDecodeError, ValueError, TypeError, KeyError):
        raise ArchiveDamaged(key, "its header cannot be read") from None
    return header, start + stated


def decrypt(source: IO[bytes], key: str, data_key: Callable[[Header], bytes]) -> Iterator[bytes]:
    """Read the lines of an object, each as it was given; memory stays bounded whatever the object's size.

    A line is yielded only after its chunk was proven; that the object is whole is proven at its end, so a caller
    that must not act on part of an object reads to the end first.

    Raises:
        ArchiveDamaged: it was cut, changed or put together anew.
    """
    header, head = read_header(source, key)
    try:
        cipher = cipher_named(header.get("cipher", AES_256_GCM.name))
    except UnknownCipher as error:
        raise ArchiveDamaged(key, f"its header names {str(error).removesuffix('.')}") from None
    aead = cipher.derived(data_key(header), _PURPOSE, base64.b64decode(header["salt"]))
    chunks = _Chunks(source, key, aead, _binding(head))
    rest = b""
    try:
        with zstandard.ZstdDecompressor().stream_reader(chunks) as clear:  # type: ignore[arg-type]  # it only calls read()
            while block := clear.read(_READ):
                first, *following = block.split(b"\n")
                rest += first
                if len(rest) > LINE_LIMIT:
                    raise ArchiveDamaged(key, "a line is longer than any record may be")
                for line in following:
                    yield rest
                    rest = line
    except zstandard.ZstdError:
        raise ArchiveDamaged(key, "its content does not decompress") from None
    chunks.finish()
    if rest:
        raise ArchiveDamaged(key, "its last line is not ended")


class _Chunks:
    """The clear, still compressed content of an object, as something to `read` from."""

    def __init__(self, source: IO[bytes], key: str, cipher: Aead, bound: bytes) -> None:
        self._source, self._key, self._cipher, self._bound = source, key, cipher, bound
        self._next = self._fetch()
        self._counter = 0
        self._clear = b""

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, from one chunk; nothing at the proven end."""
        while not self._clear and self._next is not None:
            self._clear = self._open()
        taken, self._clear = (self._clear, b"") if size < 0 else (self._clear[:size], self._clear[size:])
        return taken

    def finish(self) -> None:
        """Prove that nothing stands behind what was read."""
        if self._next is not None or self._counter == 0:
            raise ArchiveDamaged(self._key, "it goes on behind its end")

    def _open(self) -> bytes:
        current, self._next = self._next, self._fetch()
        nonce = _nonce(self._counter, last=self._next is None)
        self._counter += 1
        try:
            return self._cipher.decrypt(nonce, current or b"", self._bound)
        except InvalidTag:
            at = "it is cut off or changed" if self._next is None else "it was changed"
            raise ArchiveDamaged(self._key, f"{at} in chunk {self._counter}") from None

    def _fetch(self) -> bytes | None:
        stated = self._source.read(_LENGTH)
        if not stated:
            return None
        length = int.from_bytes(stated, "big")
        chunk = self._source.read(length) if TAG_BYTES <= length <= CHUNK + TAG_BYTES else b""
        if len(stated) < _LENGTH or not chunk or len(chunk) < length:
            raise ArchiveDamaged(self._key, "it is cut off inside a chunk")
        return chunk


def compress(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Compress lines as one stream, piece by piece.

    Raises:
        ValueError: a line holds a newline, so that it would come back as two.
    """
    compressor = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
    gathered: list[bytes] = []
    size = 0
    for line in lines:
        if b"\n" in line:
            raise ValueError("a line of the archive holds a newline")
        gathered.append(line)
        size += len(line) + 1
        if size >= CHUNK:
            gathered.append(b"")
            yield compressor.compress(b"\n".join(gathered))
            gathered, size = [], 0
    gathered.append(b"")
    yield compressor.compress(b"\n".join(gathered))
    yield compressor.flush()


def _seal(cipher: Aead, counter: int, clear: bytes, bound: bytes, *, last: bool) -> bytes:
    sealed = cipher.encrypt(_nonce(counter, last=last), clear, bound)
    return len(sealed).to_bytes(_LENGTH, "big") + sealed


def _nonce(counter: int, *, last: bool) -> bytes:
    return counter.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _binding(head: bytes) -> bytes:
    return hashlib.blake2b(head, digest_size=32).digest()
