"""Seals, hashes and masks values under the keys of a deployment."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag

from hub.protect import text as texts
from hub.protect.ciphers import (
    AES_256_GCM,
    CIPHERS,
    NONCE_BYTES,
    TAG_BYTES,
    Aead,
    CipherUnavailable,
    SealCipher,
    UnknownCipher,
    cipher_marked,
    cipher_named,
)
from hub.protect.keys import CONTENT, KeyRing, KeyTrouble, load_ring, ring_path
from hub.protect.text import NORMALIZERS, Kind
from hub.settings import Settings

HASH_BLAKE2B_128: Final = 0x01
"""First byte of a look-up hash: BLAKE2b (RFC 7693), keyed, 16 bytes."""
HASH_BYTES: Final = 16
HEADER_BYTES: Final = 3
_SHORTEST: Final = HEADER_BYTES + NONCE_BYTES + TAG_BYTES


@dataclass(frozen=True, slots=True)
class Protected:
    """One person's data as the repository keeps it: two hashes to find by, the sealed value, two masks to show."""

    number_hash: bytes | None
    name_hash: bytes | None
    sealed: bytes
    number_mask: str | None
    name_mask: str | None


class Unsealable(KeyTrouble):
    """A sealed value cannot be opened: it was changed, stands in another place, or its key is not here."""


class _Keys:
    """The ready-made ciphers and hashes of one key ring; never changed after it is made."""

    def __init__(self, ring: KeyRing, cipher: SealCipher) -> None:
        self.ring = ring
        self.fingerprints = ring.fingerprints()
        self.newest = ring.newest.number
        self.content = hashlib.blake2b(key=ring.content_key(), digest_size=HASH_BYTES)
        self.header = _header(cipher.mark, self.newest)
        self.opens = _opens(ring, cipher)
        self.encrypt = self.opens[self.header].encrypt
        self.hashes: dict[Kind, dict[int, Any]] = {
            kind: {
                root.number: hashlib.blake2b(key=ring.derive(root.number, f"lookup:{kind}"), digest_size=HASH_BYTES)
                for root in reversed(ring.roots)
            }
            for kind in NORMALIZERS
        }


class Protector:
    """Protects values under a key ring; one instance serves a whole process, all its threads, and its forks.

    With a `path`, a ring that another process rotated is taken up at the next look-up, bulk call or unknown key number.
    """

    def __init__(self, ring: KeyRing, path: Path | None = None, cipher: SealCipher = AES_256_GCM) -> None:
        self.cipher = cipher
        self._keys = _Keys(ring, cipher)
        self._path = path
        self._stamp = _stamp(path)
        self._lock = threading.Lock()
        self._settings: Settings | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Protector:
        """Make the protector of this deployment.

        Raises:
            KeyTrouble: the keys are missing or unreadable.
            CipherUnavailable: this machine does not have the cipher of `HUB_CIPHER`.
        """
        made = cls(load_ring(settings), ring_path(settings), cipher_named(settings.cipher))
        made._settings = settings
        return made

    @property
    def ring(self) -> KeyRing:
        """Return the key ring in use."""
        return self._keys.ring

    def refresh(self) -> None:
        """Take up the key file when it was changed since it was read."""
        stamp = _stamp(self._path)
        if self._settings is None or stamp == self._stamp:
            return
        with self._lock:
            self._keys = _Keys(load_ring(self._settings), self.cipher)
            self._stamp = stamp

    # --- content hashes: is it the same as before? ---

    def content_hash(self, data: bytes) -> bytes:
        """Hash a record's content under the content key (16 bytes); the key does not rotate."""
        made = self._keys.content.copy()
        made.update(data)
        return made.digest()

    def content_hashes(self, data: Iterable[bytes]) -> list[bytes]:
        """Hash many contents: the same as `content_hash` of each."""
        copy = self._keys.content.copy
        out: list[bytes] = []
        add = out.append
        for one in data:
            made = copy()
            made.update(one)
            add(made.digest())
        return out

    def content_hasher(self) -> Any:
        """Return a hash object to be fed piece by piece; its digest is that of `content_hash` of the whole."""
        return self._keys.content.copy()

    # --- look-up hashes: find a person without knowing them ---

    def lookup_hash(self, kind: Kind, text: str) -> bytes:
        """Hash a number, name or phone for look-up under the newest key: algorithm, key number, 16 bytes."""
        keys = self._keys
        return _lookup(keys, kind, keys.newest, NORMALIZERS[kind](text))

    def lookup_hashes(self, kind: Kind, text: str) -> list[bytes]:
        """Hash a text for look-up under every live key, newest first: while keys are rotated, any may be stored."""
        self.refresh()
        keys, normal = self._keys, NORMALIZERS[kind](text)
        return [_lookup(keys, kind, number, normal) for number in keys.hashes[kind]]

    def lookup_many(self, kind: Kind, values: Iterable[str | None]) -> list[bytes | None]:
        """Hash many texts for look-up under the newest key; None stays None."""
        self.refresh()
        keys, normalize = self._keys, NORMALIZERS[kind]
        header, copy = _header(HASH_BLAKE2B_128, keys.newest), keys.hashes[kind][keys.newest].copy
        out: list[bytes | None] = []
        for value in values:
            if value is None:
                out.append(None)
                continue
            made = copy()
            made.update(normalize(value).encode("utf-8", "surrogatepass"))
            out.append(header + made.digest())
        return out

    # --- sealing: keep what only the hub may read ---

    def seal(self, data: bytes, *, context: str) -> bytes:
        """Seal data under the newest key; it opens only with the same context (the place where it stands).

        What is sealed names its cipher and its key (3 bytes), then come the nonce (12, random), the data and the tag.
        One key may seal 2³² values; `hub key rotate` makes another.
        """
        keys = self._keys
        header, nonce = keys.header, os.urandom(NONCE_BYTES)
        return header + nonce + keys.encrypt(nonce, data, header + context.encode())

    def seal_many(self, data: Sequence[bytes], *, context: str) -> list[bytes]:
        """Seal many values of one context: the same as `seal` of each."""
        self.refresh()
        keys = self._keys
        header, encrypt = keys.header, keys.encrypt
        bound = header + context.encode()
        nonces = os.urandom(NONCE_BYTES * len(data))
        out: list[bytes] = []
        add = out.append
        start = 0
        for one in data:
            nonce = nonces[start : start + NONCE_BYTES]
            start += NONCE_BYTES
            add(header + nonce + encrypt(nonce, one, bound))
        return out

    def unseal(self, sealed: bytes, *, context: str) -> bytes:
        """Open a sealed value, whichever cipher it names.

        Raises:
            Unsealable: it was changed, sealed in another context, under a key that is not here, or is none of ours.
            CipherUnavailable: this machine does not have the cipher that it names.
        """
        value = bytes(sealed)
        if len(value) < _SHORTEST:
            raise Unsealable(f"{context}: not a sealed value of this hub: {len(value)} of {_SHORTEST} bytes or more.")
        header, end = value[:HEADER_BYTES], HEADER_BYTES + NONCE_BYTES
        cipher = self._keys.opens.get(header) or self._other(header, context)
        try:
            return cipher.decrypt(value[HEADER_BYTES:end], value[end:], header + context.encode())
        except InvalidTag:
            raise Unsealable(f"{context}: the sealed value was changed or stands in another place.") from None

    def unseal_many(self, sealed: Iterable[bytes], *, context: str) -> list[bytes]:
        """Open many sealed values of one context."""
        return [self.unseal(one, context=context) for one in sealed]

    def _other(self, header: bytes, context: str) -> Aead:
        """Return what opens values of a header that was not known so far, or say why nothing does."""
        try:
            cipher = cipher_marked(header)
        except UnknownCipher as error:
            raise Unsealable(f"{context}: not a sealed value of this hub: {error}") from None
        self.refresh()  # another process may have rotated the keys
        ring, number = self._keys.ring, key_number(header)
        live = [root.number for root in ring.roots]
        if number not in live:
            said = ", ".join(map(str, live))
            raise Unsealable(f"{context}: sealed under key {number}, which is not here; live keys: {said}.")
        return _sealing(ring, number, cipher)

    # --- persons ---

    def protect(
        self,
        *,
        context: str,
        name: str | None = None,
        number: str | None = None,
        phone: str | None = None,
        address: str | None = None,
    ) -> Protected:
        """Protect what is known of one person; the parts are sealed together."""
        return self.protect_many([(name, number, phone, address)], context=context)[0]

    def protect_many(
        self, persons: Sequence[tuple[str | None, str | None, str | None, str | None]], *, context: str
    ) -> list[Protected]:
        """Protect many persons, each given as (name, number, phone, address)."""
        names = [person[0] for person in persons]
        numbers = [person[1] for person in persons]
        sealed = self.seal_many([pack_person(*person) for person in persons], context=context)
        found = zip(
            self.lookup_many("number", numbers),
            self.lookup_many("name", names),
            sealed,
            [None if number is None else texts.mask_number(number) for number in numbers],
            [None if name is None else texts.mask_name(name) for name in names],
            strict=True,
        )
        return [Protected(*parts) for parts in found]

    def reveal(self, sealed: bytes, *, context: str) -> dict[str, str]:
        """Open what `protect` sealed: the parts that were known (name, number, phone, address)."""
        parts: dict[str, str] = orjson.loads(self.unseal(sealed, context=context))
        return parts

    # --- masks, as methods so that one object protects ---

    mask_name = staticmethod(texts.mask_name)
    mask_number = staticmethod(texts.mask_number)
    mask_phone = staticmethod(texts.mask_phone)
    mask_address = staticmethod(texts.mask_address)

    # --- the repository's keys must be ours ---

    def fingerprints(self) -> dict[int, str]:
        """Return a fingerprint of each live key by number; 0 is the content key."""
        return dict(self._keys.fingerprints)

    def verify_fingerprints(self, stored: Mapping[int, str]) -> None:
        """Refuse to go on when the repository was written under other keys than ours.

        A key of ours that is not stored yet is in order: its fingerprint is to be stored now.

        Raises:
            KeyTrouble: a stored live key is missing here or is another key of the same number.
        """
        ours, retired = self._keys.fingerprints, {gone.number for gone in self._keys.ring.retired}
        wrong = sorted(n for n, said in stored.items() if n not in retired and ours.get(n) != said)
        if not wrong:
            return
        words = [
            f"{'the content key' if n == CONTENT else f'key {n}'} "
            + ("is missing here" if n not in ours else f"is {ours[n][:8]}… here")
            + f", the repository was written under {stored[n][:8]}…"
            for n in wrong
        ]
        raise KeyTrouble(
            f"these are not the repository's keys: {'; '.join(words)}. Nothing was read or written. "
            "Set HUB_KEY_FILE (or HUB_KEYS, or HUB_HOME) to the keys that the repository was made with."
        )


def pack_person(name: str | None, number: str | None, phone: str | None, address: str | None) -> bytes:
    """Write a person's known parts as the bytes that are sealed together; half a surrogate pair becomes "?"."""
    parts = {"name": name, "number": number, "phone": phone, "address": address}
    known = {part: said for part, said in parts.items() if said is not None}
    try:
        return orjson.dumps(known)
    except orjson.JSONEncodeError:
        return orjson.dumps({part: said.encode("utf-8", "replace").decode() for part, said in known.items()})


def key_number(protected: bytes) -> int:
    """Return the number of the root key that a look-up hash or a sealed value was made under."""
    return int.from_bytes(protected[1:HEADER_BYTES], "big")


def _opens(ring: KeyRing, chosen: SealCipher) -> dict[bytes, Aead]:
    """Return what opens sealed values by their headers; of the ciphers, this machine must have the chosen one."""
    found: dict[bytes, Aead] = {}
    for cipher in CIPHERS:
        try:
            found |= {_header(cipher.mark, root.number): _sealing(ring, root.number, cipher) for root in ring.roots}
        except CipherUnavailable:
            if cipher is chosen:
                raise
    return found


def _sealing(ring: KeyRing, number: int, cipher: SealCipher) -> Aead:
    return cipher.under(ring.derive(number, cipher.purpose("seal"), cipher.key_bytes))


def _header(algorithm: int, number: int) -> bytes:
    return bytes((algorithm,)) + number.to_bytes(2, "big")


def _lookup(keys: _Keys, kind: Kind, number: int, normal: str) -> bytes:
    made = keys.hashes[kind][number].copy()
    made.update(normal.encode("utf-8", "surrogatepass"))
    digest: bytes = made.digest()
    return _header(HASH_BLAKE2B_128, number) + digest


def _stamp(path: Path | None) -> tuple[int, int] | None:
    try:
        found = None if path is None else path.stat()
    except FileNotFoundError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_ino)
