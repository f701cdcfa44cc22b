"""Receipts, notices and heads, proven without the hub."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from .errors import NotProven
from .told import Head, Json, Notice

ALGORITHM: Final = "Ed25519"
RECEIPT: Final = "hub-receipt+jws"
NOTICE: Final = "secevent+jwt"
HEAD: Final = "hub-head+jws"
COUNTERSIGNATURE: Final = "hub-countersignature+jws"
"""The kinds of signatures: of a receipt, a notice that the hub posts (RFC 8417), a head, and the organ's own."""
REGISTRY: Final = jws.JWSRegistry(algorithms=[ALGORITHM])
_SHORTEST_SALT: Final = 16
_PROVEN: Final = ("id", "asked", "answer", "answered_at")


def prove(document: Mapping[str, Any], jwks: Mapping[str, Any]) -> Json:
    """Prove an answered check by published keys, without the hub; return what was signed.

    Raises:
        NotProven: it is unreadable, signed by nobody known, or question, answer or moment were changed.
    """
    try:
        receipt = document["receipt"]
        token, salt = str(receipt["jws"]), base64.b64decode(receipt["salt"] + "==", altchars=b"-_", validate=False)
        said = {name: document[name] for name in _PROVEN}
    except (KeyError, TypeError, ValueError):
        raise NotProven("this is no answered check with a receipt") from None
    claims = _opened(token, jwks, RECEIPT)
    if len(salt) < _SHORTEST_SALT or claims.get("digest") not in ("sha-256", "sm3"):
        raise NotProven("its salt is too short, or its digest is unknown")
    made = hashlib.new("sm3") if claims["digest"] == "sm3" else hashlib.sha256()
    made.update(salt + canonical(said))
    committed = base64.urlsafe_b64encode(made.digest()).rstrip(b"=").decode()
    if not hmac.compare_digest(str(claims.get("commitment")), committed):
        raise NotProven("question, answer or moment are not those that were signed")
    if (claims.get("check"), claims.get("answered_at")) != (said["id"], said["answered_at"]):
        raise NotProven("number or moment are not those that were signed")
    return claims


def open_notice(token: str, jwks: Mapping[str, Any], *, audience: str) -> Notice:
    """Prove a notice by published keys, and that it was signed for this subscription.

    Raises:
        NotProven: it was not.
    """
    claims = _opened(token, jwks, NOTICE)
    if claims.get("aud") != audience:
        raise NotProven("the notice is signed for another subscription")
    try:
        ((kind, said),) = claims["events"].items()
        return Notice(str(claims["jti"]), str(kind).rpartition(":")[2], int(claims["iat"]), dict(said))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotProven("the notice holds no event") from None


def follows(last: Head, said: Json, jwks: Mapping[str, Any]) -> Head:
    """Prove that a head is signed and follows another one; return it.

    Raises:
        NotProven: it does not.
    """
    claims = _opened(str(said.get("signature")), jwks, HEAD)
    head = hashlib.sha256(b"\x02" + canonical(claims)).hexdigest()
    total = last.total + int(claims["entries"])
    if (claims["number"], claims["before"], claims["total"]) != (last.number + 1, last.head, total):
        raise NotProven(f"head {claims['number']} does not follow head {last.number}: the log is another one")
    return Head(claims["number"], total, head)


def canonical(value: Any) -> bytes:
    """Write JSON as RFC 8785 has it; our documents hold texts, whole numbers and booleans only."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def kid_of(token: str) -> str:
    """Return the name of the key that a signature says it is by.

    Raises:
        NotProven: it cannot be read.
    """
    try:
        return str(jws.extract_compact(token.encode("ascii")).headers().get("kid"))
    except (JoseError, ValueError, TypeError):
        raise NotProven("the signature cannot be read") from None


def _opened(token: str, jwks: Mapping[str, Any], kind: str) -> Json:
    kid = kid_of(token)
    found = [one for one in jwks.get("keys", ()) if isinstance(one, dict) and one.get("kid") == kid]
    if not found:
        raise NotProven(f"key {kid[:40]!r} is none of the published ones")
    try:
        key = OKPKey.import_key({name: found[0][name] for name in ("kty", "crv", "x")})
        said = jws.deserialize_compact(token.encode("ascii"), key, registry=REGISTRY)
        payload = json.loads(said.payload)
    except (JoseError, ValueError, KeyError, TypeError):
        raise NotProven(f"the signature is not that of key {kid!r}") from None
    if said.headers().get("typ") != kind or not isinstance(payload, dict):
        raise NotProven("the signature is of another kind")
    return payload
