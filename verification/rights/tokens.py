"""Access tokens by OAuth 2.0 client credentials (RFC 6749, 4.4), through Authlib's authorization server.

A client's code and the token that `hub client new` printed are its credentials; it gets an access token that is good
for minutes. Other grants are not served.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from hub.protect import Protector
from hub.refusals import Fault, Malformed, NotAllowed, NotAuthenticated, RequestRefused
from sharedrepo.access import clients
from verification.rights.callers import Caller, Tokens

SCOPE = "check"
_BEHIND_TLS = "https://hub/v1/token"
"""What Authlib is told of the address: encryption is the proxy's, as docs/operate/production.md says."""
_CODES = ("invalid_request", "invalid_client", "unsupported_grant_type", "unauthorized_client", "invalid_scope")


class _Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """A client as Authlib sees it."""

    def __init__(self, found: clients.Client | None, secret: str) -> None:
        self.found, self._secret = found, secret

    def get_client_id(self) -> str:
        return "" if self.found is None else self.found.code

    def check_client_secret(self, secret: str) -> bool:
        return self.found is not None and hmac.compare_digest(secret.encode(), self._secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint == "token" and method in ("client_secret_basic", "client_secret_post")

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials" and self.found is not None and self.found.may(clients.CHECK)

    def get_allowed_scope(self, scope: str | None) -> str:
        return SCOPE if scope in (None, "", SCOPE) else ""


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")


class _Request(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, form: Mapping[str, str], headers: Mapping[str, str]) -> None:
        super().__init__("POST", _BEHIND_TLS, headers=headers)
        self.payload, self._form = BasicOAuth2Payload(dict(form)), dict(form)

    @property
    def form(self) -> dict[str, str]:
        return self._form


class TokenServer(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """Serves the token endpoint of one request; nothing of a token is kept."""

    def __init__(self, engine: sa.Engine, protector: Protector, tokens: Tokens, secret: str) -> None:
        super().__init__(scopes_supported=[SCOPE])
        self._engine, self._protector, self._tokens, self._secret = engine, protector, tokens, secret
        self.register_grant(_Grant)
        self.register_token_generator("default", self._made)

    def query_client(self, client_id: str) -> _Client:
        """Return the client of a code: it is found by its secret, and so whether or not the code is right."""
        found = clients.find(self._engine, self._protector, self._secret)
        return _Client(found if found is not None and found.code == client_id else None, self._secret)

    def save_token(self, token: Any, request: Any) -> None:
        """Keep nothing: the token says all itself."""

    def create_oauth2_request(self, request: _Request) -> _Request:
        """Take the request as it was made."""
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, Any]:
        """Return status and body."""
        del headers
        return status, body

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Tell nobody."""

    def _made(self, *, client: _Client, **_more: Any) -> dict[str, Any]:
        assert client.found is not None  # noqa: S101  # its secret was checked
        caller = Caller(client.found.client_id, client.found.code, client.found.organ)
        made = self._tokens.make(caller)
        return {"token_type": "Bearer", "access_token": made, "expires_in": self._tokens.seconds, "scope": SCOPE}


def granted(
    engine: sa.Engine, protector: Protector, tokens: Tokens, form: Mapping[str, str], headers: Mapping[str, str],
    secret: str,
) -> dict[str, Any]:  # fmt: skip
    """Return the answer of the token endpoint.

    Raises:
        NotAuthenticated: code or secret are wrong, expired or revoked.
        NotAllowed: the client has no right to check.
        Malformed: another grant or scope is asked for.
    """
    status, body = TokenServer(engine, protector, tokens, secret).create_token_response(_Request(form, headers))
    said = dict(body)
    if "access_token" in said:
        return said
    raise _refusal(status, str(said.get("error")))


def _refusal(status: int, code: str) -> RequestRefused:
    known = code if code in _CODES else "invalid_request"
    if known == "invalid_client" or status == 401:  # noqa: PLR2004  # HTTP's own number
        return NotAuthenticated(
            "client_id or client_secret are wrong, expired or revoked",
            hint="Send both by HTTP Basic or as form fields.", faults=[Fault("client_id", known, "not admitted")],
        )  # fmt: skip
    if known == "unauthorized_client":
        return NotAllowed("this client has no right to check", hint="Ask the hub's operators for the right `check`.")
    field = {"unsupported_grant_type": "grant_type", "invalid_scope": "scope"}.get(known, "body")
    return Malformed(
        "only grant_type=client_credentials with scope check is served", hint="See docs/verify.",
        faults=[Fault(field, known, "not served")],
    )  # fmt: skip
