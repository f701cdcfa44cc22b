"""Receipts: a signature under a salted commitment to a question and its answer.

The signed part alone tells nothing of question or answer, so that it can be kept, chained and shown to anybody; who has
the whole file can prove both. The digest is SHA-256, or SM3 (GB/T 32905) by `HUB_CHECK_DIGEST`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any, Final, Literal

import orjson

from sharedrepo.keyring.signing import BadSignature, Signer, opened

Digest = Literal["sha-256", "sm3"]
KIND: Final = "hub-receipt+jws"
LARGEST: Final = 4 << 20
SALT_BYTES: Final = 16
_PARTS: Final = ("id", "asked", "answer", "answered_at")
_SHORTEST: Final = 16


def canonical(value: Any) -> bytes:
    """Write JSON in its one canonical form (RFC 8785); our documents hold texts, whole numbers and booleans only."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def commitment(document: Mapping[str, Any], salt: bytes, digest: Digest) -> str:
    """Return the salted digest of a document's question, answer and moment, in Base64url."""
    made = hashlib.new("sm3") if digest == "sm3" else hashlib.sha256()
    made.update(salt)
    made.update(canonical({name: document[name] for name in _PARTS}))
    return _text(made.digest())


def receipted(document: dict[str, Any], *, organ: str, signer: Signer, digest: Digest) -> tuple[dict[str, Any], bytes]:
    """Add the receipt to an answered check; return it, and the salt, which is to be kept beside the log."""
    salt = secrets.token_bytes(SALT_BYTES)
    claims = {
        "check": document["id"], "asker": organ, "answered_at": document["answered_at"],
        "complete_through": document["answer"].get("complete_through"), "digest": digest,
        "commitment": commitment(document, salt, digest),
    }  # fmt: skip
    return {**document, "receipt": {"jws": signer.sign(canonical(claims), KIND), "salt": _text(salt)}}, salt


class BadReceipt(ValueError):
    """A receipt does not prove what it stands under."""


def verify(document: Mapping[str, Any], jwks: Mapping[str, Any]) -> dict[str, Any]:
    """Check an answered check against published keys, without the hub; return what was signed.

    Raises:
        BadReceipt: it is unreadable, signed by nobody we know, or question, answer or moment were changed.
    """
    try:
        receipt = document["receipt"]
        token, salt = str(receipt["jws"]), _bytes(receipt["salt"])
        missing = [name for name in _PARTS if name not in document]
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise BadReceipt("this is no answered check with a receipt") from None
    if missing or len(salt) < _SHORTEST or not isinstance(document["answer"], dict):
        raise BadReceipt(f"parts are missing: {', '.join(missing) or 'salt or answer'}")
    try:
        claims = opened(token, dict(jwks), KIND)
    except BadSignature as error:
        raise BadReceipt(str(error)) from None
    if claims.get("digest") not in ("sha-256", "sm3"):
        raise BadReceipt("its digest is unknown here")
    if not hmac.compare_digest(str(claims.get("commitment")), commitment(document, salt, claims["digest"])):
        raise BadReceipt("question, answer or moment are not those that were signed")
    said = (document["id"], document["answered_at"], document["answer"].get("complete_through"))
    if said != (claims.get("check"), claims.get("answered_at"), claims.get("complete_through")):
        raise BadReceipt("number, moment or completeness are not those that were signed")
    return claims


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
