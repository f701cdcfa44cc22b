"""The hub's signature: which key signs receipts, heads, editions and cards, and where its public part is published.

The algorithm stands behind `Signer`: a deployment that must sign by SM2 (GB/T 32918) brings another. The private key
is derived from the newest root key, so that `hub key rotate` turns it; its public part stays in `audit.signing_key`.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from hub.protect.keys import KeyRing

ALGORITHM = "Ed25519"
"""JOSE's name of the algorithm (RFC 9864): EdDSA over Curve25519 (RFC 8032)."""
_REGISTRY = jws.JWSRegistry(algorithms=[ALGORITHM])


class Signer(Protocol):
    """Signs a payload as a compact JWS (RFC 7515), under a key that its header names."""

    @property
    def algorithm(self) -> str:
        """Return JOSE's name of the algorithm."""

    @property
    def kid(self) -> str:
        """Return the name of the key."""

    @property
    def public(self) -> dict[str, Any]:
        """Return the public key as a JWK (RFC 7517)."""

    def sign(self, payload: bytes, kind: str) -> str:
        """Sign a payload; `kind` goes into the header as `typ`."""


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """The signer by Ed25519."""

    kid: str
    key: OKPKey = field(repr=False)
    private: Ed25519PrivateKey = field(repr=False)
    algorithm: str = ALGORITHM
    _heads: dict[str, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, ring: KeyRing) -> Ed25519Signer:
        """Make the signer of the newest root key."""
        seed = ring.derive(ring.newest.number, "verification signature")
        kid = f"check-{ring.newest.number}"
        private = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(kid, OKPKey.import_key(private, {"kid": kid, "use": "sig"}), private)

    @property
    def public(self) -> dict[str, Any]:
        """Return the public key as a JWK (RFC 7517)."""
        return {**self.key.as_dict(private=False), "alg": self.algorithm, "kid": self.kid, "use": "sig"}

    def sign(self, payload: bytes, kind: str) -> str:
        """Sign a payload; `kind` goes into the header as `typ`.

        Each receipt is signed, and a header is the same for all of its kind: it is written once, and the parts are put
        together here (RFC 7515, 7.1), which takes a third of the time that the library takes. Ed25519 signs one text in
        one way only, and a test compares both.
        """
        head = self._heads.get(kind)
        if head is None:
            head = self._heads[kind] = _base64url(orjson.dumps({"alg": self.algorithm, "kid": self.kid, "typ": kind}))
        said = head + b"." + _base64url(payload)
        return (said + b"." + _base64url(self.private.sign(said))).decode("ascii")


def _base64url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


class BadSignature(ValueError):
    """A signature is unreadable, not of a known key, or not under what it is said to be under."""


def opened(token: str, jwks: dict[str, Any], kind: str) -> dict[str, Any]:
    """Check a compact JWS by published keys and return its payload.

    Raises:
        BadSignature: with what is wrong with it.
    """
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, TypeError):
        raise BadSignature("the signature cannot be read") from None
    found = [one for one in jwks.get("keys", ()) if isinstance(one, dict) and one.get("kid") == header.get("kid")]
    if not found:
        known = ", ".join(sorted(str(one.get("kid")) for one in jwks.get("keys", ()) if isinstance(one, dict)))
        raise BadSignature(f"key {str(header.get('kid'))[:40]!r} is none of the published ones ({known or 'none'})")
    if header.get("typ") != kind or header.get("alg") != found[0].get("alg", ALGORITHM):
        raise BadSignature("the signature is of another kind")
    try:
        key = OKPKey.import_key({name: found[0][name] for name in ("kty", "crv", "x")})
        said = jws.deserialize_compact(token.encode("ascii"), key, registry=_REGISTRY)
        payload: dict[str, Any] = orjson.loads(said.payload)
    except (JoseError, ValueError, KeyError, TypeError):
        raise BadSignature(f"the signature is not that of key {header['kid']!r}") from None
    return payload


def publish(connection: sa.Connection, signer: Signer) -> None:
    """Write down the public key, where it is new: signatures of long ago are checked by keys of long ago."""
    done = connection.execute(
        sa.text("""INSERT INTO audit.signing_key (kid, algorithm, jwk) VALUES (:kid, :algorithm, CAST(:jwk AS jsonb))
                   ON CONFLICT (kid) DO NOTHING"""),
        {"kid": signer.kid, "algorithm": signer.algorithm, "jwk": orjson.dumps(signer.public).decode()},
    )
    if done.rowcount:
        connection.execute(
            sa.text("UPDATE audit.signing_key SET ended_at = now() WHERE kid <> :kid AND ended_at IS NULL"),
            {"kid": signer.kid},
        )


def published(engine: sa.Engine) -> dict[str, Any]:
    """Return every public key that was ever signed with, as a JWK set (RFC 7517)."""
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT jwk FROM audit.signing_key ORDER BY made_at, kid"))
        return {"keys": [row.jwk for row in rows]}
