"""Who asks: a client program of an organ, by a short access token (OAuth 2.0 client credentials, RFC 6749 section 4.4).

The token is a JWT (RFC 9068) signed by the hub and good for minutes; what its client may see is looked up anew at each
check, and a client that was revoked gets no answer even while its token lives.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

from hub.refusals import NotAuthenticated
from sharedrepo.keyring.signing import BadSignature, Signer, opened
from verification.receipts import canonical

KIND: Final = "at+jwt"
ISSUER: Final = "urn:approval-exchange-hub"
_MOST_KNOWN: Final = 1_000
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Caller:
    """A client program and the organ that answers for it."""

    client_id: int
    code: str
    organ: str


class Tokens:
    """Makes access tokens, and reads those that it made; each worker process has one."""

    def __init__(self, signer: Signer, *, seconds: int) -> None:
        self._signer, self.seconds = signer, seconds
        self._jwks = {"keys": [signer.public]}
        self._known: dict[str, tuple[float, Caller]] = {}

    def make(self, caller: Caller) -> str:
        """Make the token of a client."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": ISSUER, "aud": ISSUER, "sub": caller.code, "client_id": caller.code, "id": caller.client_id,
            "organ": caller.organ, "scope": "check", "iat": now, "exp": now + self.seconds,
        }  # fmt: skip
        return self._signer.sign(canonical(claims), KIND)

    def read(self, token: str) -> Caller:
        """Return whose token it is.

        Raises:
            NotAuthenticated: it is none of ours, or its time is over.
        """
        known = self._known.get(token)
        if known is None:
            known = self._checked(token)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[token] = known
        ends, caller = known
        if time.time() >= ends:
            self._known.pop(token, None)
            raise NotAuthenticated("the access token has expired", hint="Get a new one at POST /v1/token.")
        return caller

    def _checked(self, token: str) -> tuple[float, Caller]:
        try:
            claims = opened(token[:_LONGEST], self._jwks, KIND)
            return float(claims["exp"]), Caller(int(claims["id"]), str(claims["sub"]), str(claims["organ"]))
        except (BadSignature, KeyError):
            raise NotAuthenticated(
                "the access token is missing, or none of this hub's",
                hint="Get one at POST /v1/token with the client's secret.",
            ) from None
