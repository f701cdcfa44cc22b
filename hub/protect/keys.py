"""The key ring: numbered root keys, the sub-keys derived from them, and where the ring is kept.

Root keys are 32 random bytes. No root key touches data: for each purpose a sub-key is derived by HKDF-SHA256
(RFC 5869). The newest root seals; all live ones unseal and look up. The content key stands apart: it hashes
records' content so that unchanged ones are known again, and rotating the roots must not make all of them "changed".
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import stat
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.errors import RepositoryError
from hub.settings import Settings, private_folder

FORMAT = 1
KEY_BYTES = 32
CONTENT = 0
"""The number under which the content key's fingerprint stands."""
MAX_NUMBER = 0xFFFF
_SALT = b"approval-exchange-hub/keys/1"


class KeyTrouble(RepositoryError):
    """The keys are missing, unreadable, or not those of this repository; nothing was read or written."""

    exit_status = 78


@dataclass(frozen=True, slots=True)
class RootKey:
    """One live root key; its bytes never show in a representation."""

    number: int
    key: bytes = field(repr=False)
    made: str


@dataclass(frozen=True, slots=True)
class RetiredKey:
    """A root key that was destroyed: only its number, which is never used again, and its fingerprint are left."""

    number: int
    fingerprint: str
    retired: str


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The hub's own key for signatures (Ed25519), with the name that signatures bear."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> str:
        """Return the public key as one line of Base64, as `openssl pkey -pubout` prints it between its marks."""
        return base64.b64encode(
            self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ).decode()


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys of a deployment: the content key, the live roots in ascending order, and the retired ones."""

    content: bytes = field(repr=False)
    roots: tuple[RootKey, ...]
    retired: tuple[RetiredKey, ...] = ()

    @property
    def newest(self) -> RootKey:
        """Return the root key that seals."""
        return self.roots[-1]

    def derive(self, number: int, purpose: str, size: int = KEY_BYTES) -> bytes:
        """Derive the sub-key of root `number` for one purpose, of 32 bytes where no other size is asked for.

        Raises:
            KeyError: no live root key has this number.
        """
        root = next((found.key for found in self.roots if found.number == number), None)
        if root is None:
            raise KeyError(number)
        return _hkdf(root, purpose, size)

    def signing_key(self) -> SigningKey:
        """Derive the key that receipts are signed with; it turns with the root keys, and its name says which it is."""
        seed = self.derive(self.newest.number, "receipt signature")
        return SigningKey(f"hub-{self.newest.number}", Ed25519PrivateKey.from_private_bytes(seed))

    def content_key(self) -> bytes:
        """Derive the key that content hashes are made with."""
        return _hkdf(self.content, "content")

    def fingerprints(self) -> dict[int, str]:
        """Return a fingerprint of each live key by its number (0 is the content key); nothing can be found back."""
        found = {root.number: _hkdf(root.key, "fingerprint")[:16].hex() for root in self.roots}
        return {CONTENT: _hkdf(self.content, "fingerprint")[:16].hex(), **found}

    def rotated(self) -> KeyRing:
        """Return the ring with one more root key, which seals from now on."""
        number = max([self.newest.number, *(gone.number for gone in self.retired)]) + 1
        if number > MAX_NUMBER:
            raise KeyTrouble(
                f"key numbers end at {MAX_NUMBER}. Start a new repository with `hub rebuild` under new keys."
            )
        return replace(self, roots=(*self.roots, RootKey(number, secrets.token_bytes(KEY_BYTES), _now())))

    def without(self, number: int) -> KeyRing:
        """Return the ring with root `number` destroyed.

        Raises:
            KeyTrouble: there is no such live key, or it is the newest.
        """
        if number == self.newest.number:
            raise KeyTrouble(f"key {number} is the newest and seals. Run `hub key rotate` first.")
        fingerprint = self.fingerprints().get(number)
        if fingerprint is None or number == CONTENT:
            live = ", ".join(str(root.number) for root in self.roots)
            raise KeyTrouble(f"no live root key {number}; live keys: {live}.")
        kept = tuple(root for root in self.roots if root.number != number)
        return replace(self, roots=kept, retired=(*self.retired, RetiredKey(number, fingerprint, _now())))

    def to_json(self) -> str:
        """Write the ring as the JSON text of a key file."""
        roots = [{"number": r.number, "key": base64.b64encode(r.key).decode(), "made": r.made} for r in self.roots]
        retired = [{"number": r.number, "fingerprint": r.fingerprint, "retired": r.retired} for r in self.retired]
        content = base64.b64encode(self.content).decode()
        return json.dumps({"format": FORMAT, "content": content, "roots": roots, "retired": retired}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str) -> KeyRing:
        """Read the ring from the text of a key file; `where` names the place in messages.

        Raises:
            KeyTrouble: it is no key ring; the message never quotes it.
        """
        try:
            said = json.loads(text)
            if said["format"] != FORMAT:
                raise KeyTrouble(f"{where}: key format {said['format']!r} is unknown; this hub reads format {FORMAT}.")
            roots = tuple(RootKey(int(r["number"]), _key(r["key"]), str(r.get("made", ""))) for r in said["roots"])
            gone = tuple(RetiredKey(int(r["number"]), r["fingerprint"], r["retired"]) for r in said.get("retired", []))
            ring = cls(_key(said["content"]), tuple(sorted(roots, key=lambda root: root.number)), gone)
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise KeyTrouble(
                f"{where}: no key ring ({type(error).__name__}). Make one with `hub key make FILE`."
            ) from None
        numbers = [root.number for root in ring.roots] + [gone.number for gone in ring.retired]
        if not ring.roots or len(set(numbers)) != len(numbers) or not all(0 < n <= MAX_NUMBER for n in numbers):
            raise KeyTrouble(f"{where}: root keys need different numbers from 1 to {MAX_NUMBER}; got {numbers}.")
        return ring


def new_ring() -> KeyRing:
    """Make a key ring with one root key."""
    return KeyRing(secrets.token_bytes(KEY_BYTES), (RootKey(1, secrets.token_bytes(KEY_BYTES), _now()),))


def ring_path(settings: Settings) -> Path | None:
    """Return the file that the key ring is kept in; None when it comes from `HUB_KEYS`."""
    return None if settings.keys else settings.key_file or settings.default_key_file


def load_ring(settings: Settings) -> KeyRing:
    """Read the key ring; the embedded default makes one on first use.

    Raises:
        KeyTrouble: a real deployment gives no keys, or they are unreadable or open to others.
    """
    if settings.keys is not None:
        return KeyRing.from_json(settings.keys.get_secret_value(), "HUB_KEYS")
    path = settings.key_file or settings.default_key_file
    if not path.exists():
        if settings.key_file is not None:
            raise KeyTrouble(f"HUB_KEY_FILE: {path} does not exist. Make it with `hub key make {path}`.")
        if not settings.embedded:
            raise KeyTrouble(
                "HUB_DATABASE_URL is set, but neither HUB_KEYS nor HUB_KEY_FILE: the hub invents no keys for a real "
                "server, since a lost key is lost data. Make a key file with `hub key make FILE`, keep a copy of it "
                "apart from the database's backups, and set HUB_KEY_FILE."
            )
        settings.make_home()
        private_folder(path.parent)
        store_ring(path, new_ring(), replace_existing=False)
    return _read(path)


def store_ring(path: Path, ring: KeyRing, *, replace_existing: bool) -> bool:
    """Write the ring to its file (0600) whole or not at all; return False where another process was first."""
    folder = path.parent if path.parent.exists() else private_folder(path.parent)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".keys-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(ring.to_json())
            out.flush()
            os.fsync(out.fileno())
        if replace_existing:
            temporary.replace(path)
        else:
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(folder)
    return True


def _read(path: Path) -> KeyRing:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyTrouble(f"{path}: the key file cannot be read ({type(error).__name__}).") from error
    if mode & 0o037:
        raise KeyTrouble(f"{path}: the key file is open to others (mode {mode:04o}). Run `chmod 600 {path}`.")
    return KeyRing.from_json(text, str(path))


def _hkdf(key: bytes, purpose: str, size: int = KEY_BYTES) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=size, salt=_SALT, info=purpose.encode()).derive(key)


def _key(text: Any) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError
    return key


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
