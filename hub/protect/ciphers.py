"""The ciphers that values are sealed with: each by its name, and by the mark that every sealed value begins with.

Both are AEADs of one shape, GCM (NIST SP 800-38D; SM4-GCM as in RFC 8998) with a nonce of 96 bits and a tag of 128, so
that a sealed value differs by its mark and its key alone. Nonces of single values are random: under one key the chance
of two equal ones stays below 2⁻³² up to 2³² values (SP 800-38D, 8.3), for either cipher. Two equal nonces under one
key would give both values away, so no key serves two ciphers and none is used for both random and counted nonces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.errors import RepositoryError

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16


class CipherUnavailable(RepositoryError):
    """The OpenSSL on which this Python's `cryptography` stands does not have the cipher.

    It is no trouble with the keys: what a destroyed key locked is gone, this opens on another machine.
    """

    exit_status = 78


class UnknownCipher(RepositoryError):
    """A name or a mark that no cipher of this hub bears."""

    exit_status = 78


class Aead(Protocol):
    """Seals bytes under one key, bound to others that stay in the clear."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Return the sealed bytes with the tag behind them."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Return the clear bytes; `InvalidTag` where anything was changed."""


class BlockGcm:
    """A block cipher in GCM, for ciphers that `cryptography` has no ready AEAD of; called as `AESGCM` is.

    Raises:
        UnsupportedAlgorithm: OpenSSL does not have the cipher in this mode.
    """

    def __init__(self, algorithm: BlockCipherAlgorithm) -> None:
        self._algorithm = algorithm
        Cipher(algorithm, modes.GCM(bytes(NONCE_BYTES))).encryptor()

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Return the sealed bytes with the tag behind them."""
        made = Cipher(self._algorithm, modes.GCM(nonce)).encryptor()
        made.authenticate_additional_data(associated_data or b"")
        return made.update(data) + made.finalize() + made.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Return the clear bytes, which nobody sees before the tag proved them.

        Raises:
            InvalidTag: anything was changed, or cut off.
        """
        if len(data) < TAG_BYTES:
            raise InvalidTag
        made = Cipher(self._algorithm, modes.GCM(nonce, data[-TAG_BYTES:])).decryptor()
        made.authenticate_additional_data(associated_data or b"")
        return made.update(data[:-TAG_BYTES]) + made.finalize()


@dataclass(frozen=True, slots=True)
class SealCipher:
    """A cipher that values may be sealed with."""

    name: str
    """What `HUB_CIPHER` and the headers of archive objects call it."""
    mark: int
    """The first byte of what is sealed with it."""
    key_bytes: int
    make: Callable[[bytes], Aead]
    """Makes it under a key of `key_bytes`."""
    suffix: str
    """What its keys are derived for besides their purpose, so that no key serves two ciphers."""

    def purpose(self, purpose: str) -> str:
        """Return what a key of this cipher is derived for."""
        return purpose + self.suffix

    def derived(self, secret: bytes, purpose: str, salt: bytes | None = None) -> Aead:
        """Return the cipher under the key that HKDF-SHA256 (RFC 5869) derives of a secret for one purpose.

        Raises:
            CipherUnavailable: this machine does not have it.
        """
        info = self.purpose(purpose).encode()
        return self.under(HKDF(algorithm=hashes.SHA256(), length=self.key_bytes, salt=salt, info=info).derive(secret))

    def under(self, key: bytes) -> Aead:
        """Return the cipher under a key.

        Raises:
            CipherUnavailable: this machine does not have it.
        """
        try:
            return self.make(key)
        except UnsupportedAlgorithm as error:
            raise CipherUnavailable(
                f"{backend.openssl_version_text()}, on which `cryptography` stands here, has no {self.name}. Install a "
                "`cryptography` whose OpenSSL has it, as its published wheels do. HUB_CIPHER names the cipher of new "
                f"values only: what was sealed with {self.name} opens nowhere else."
            ) from error


AES_256_GCM: Final = SealCipher("aes-256-gcm", 0x02, 32, AESGCM, "")
"""AES-256 in GCM. Its keys bear no suffix: they were made before there was another cipher."""
SM4_GCM: Final = SealCipher("sm4-gcm", 0x03, 16, lambda key: BlockGcm(algorithms.SM4(key)), " sm4-gcm")
"""SM4 (GB/T 32907) in GCM; its key of 128 bits is all that the cipher takes."""

CIPHERS: Final = (AES_256_GCM, SM4_GCM)
MARKS: Final = {one.mark: one for one in CIPHERS}
_NAMES: Final = {one.name: one for one in CIPHERS}


def cipher_named(name: object) -> SealCipher:
    """Return the cipher of this name.

    Raises:
        UnknownCipher: there is none; the message says which there are.
    """
    found = _NAMES.get(name) if isinstance(name, str) else None
    if found is None:
        raise UnknownCipher(f"no cipher {name!r}; this hub knows {', '.join(_NAMES)}.")
    return found


def cipher_marked(value: bytes) -> SealCipher:
    """Return the cipher whose mark a sealed value begins with.

    Raises:
        UnknownCipher: it begins with none; the message says which there are.
    """
    found = MARKS.get(value[0]) if value else None
    if found is None:
        got = f"begins with 0x{value[0]:02x}" if value else "is empty"
        known = ", ".join(f"0x{one.mark:02x} ({one.name})" for one in CIPHERS)
        raise UnknownCipher(f"it {got}, which is no mark of a cipher; this hub knows {known}.")
    return found
