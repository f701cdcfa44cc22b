"""A small OpenID provider that really runs: Authlib's authorization server behind the standard library's HTTP server.

It signs in whoever `person` names, without asking: what a person does at a provider is none of the hub's affairs.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.models import ClientMixin
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from joserfc.jwk import RSAKey

CLIENT_ID = "hub"
SECRET = "a secret of a test"


class _Client(ClientMixin):
    def __init__(self, issuer: str) -> None:
        self.client_id, self.issuer = CLIENT_ID, issuer

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str | None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return urlsplit(redirect_uri).path == "/sign-in/return"

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class _Code:
    def __init__(self, request: OAuth2Request) -> None:
        said = request.payload.data
        self.redirect_uri, self.scope, self.nonce = said.get("redirect_uri"), said.get("scope"), said.get("nonce")
        self.code_challenge, self.code_challenge_method = said["code_challenge"], said["code_challenge_method"]
        self.user = request.user

    def get_redirect_uri(self) -> str | None:
        return self.redirect_uri

    def get_scope(self) -> str | None:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class Provider(AuthorizationServer):
    """An OpenID provider; tests change `person`, and spoil tokens by `spoiling`."""

    def __init__(self, issuer: str) -> None:
        super().__init__(scopes_supported=["openid", "profile"])
        self.issuer = issuer
        self.key = RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256", "use": "sig"})
        self.signing = self.key
        self.codes: dict[str, _Code] = {}
        self.person: dict[str, Any] | None = None
        self.spoiling: dict[str, Any] = {}
        self.asked: list[dict[str, str]] = []
        self.register_token_generator("default", BearerTokenGenerator(lambda **_: "access"))
        self.register_grant(_grant(self), [_token(self), CodeChallenge(required=True)])

    def query_client(self, client_id: str) -> _Client | None:
        return _Client(self.issuer) if client_id == CLIENT_ID else None

    def save_token(self, token: Any, request: Any) -> None:
        """Keep nothing: nobody asks for anything by these tokens."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Tell nobody."""

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, bytes, Any]:
        return status, (json.dumps(body) if isinstance(body, dict) else body or "").encode(), headers


def _grant(provider: Provider) -> type[AuthorizationCodeGrant]:
    class Grant(AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

        def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
            provider.codes[code] = _Code(request)

        def query_authorization_code(self, code: str, client: Any) -> _Code | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code: _Code) -> None:
            provider.codes = {code: one for code, one in provider.codes.items() if one is not authorization_code}

        def authenticate_user(self, authorization_code: _Code) -> Any:
            return authorization_code.user

    return Grant


def _token(provider: Provider) -> OpenIDCode:
    class Token(OpenIDCode):
        def exists_nonce(self, nonce: str, request: Any) -> bool:
            return any(one.nonce == nonce for one in provider.codes.values())

        def get_client_algorithm(self, client: Any) -> str:
            return "RS256"

        def get_encode_header(self, client: Any) -> dict[str, str]:
            return {"alg": "RS256", "kid": "one"}

        def resolve_client_private_key(self, client: Any) -> Any:
            return provider.signing

        def get_compatible_claims(self, request: Any) -> dict[str, Any]:
            now = int(time.time())
            return {"iss": provider.issuer, "aud": [CLIENT_ID], "iat": now, "exp": now + 300}

        def get_authorization_code_claims(self, authorization_code: Any) -> dict[str, Any]:
            return super().get_authorization_code_claims(authorization_code) | provider.spoiling

        def generate_user_info(self, user: dict[str, Any], scope: str) -> UserInfo:
            return UserInfo(user)

    return Token(require_nonce=True)


@contextmanager
def running() -> Iterator[Provider]:
    """Run a provider on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    issuer = f"http://127.0.0.1:{server.server_address[1]}"
    server.provider = Provider(issuer)  # type: ignore[attr-defined]  # the handler finds it there
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.provider  # type: ignore[attr-defined]  # as above
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]  # `running` put it there
        asked = urlsplit(self.path)
        if asked.path == "/.well-known/openid-configuration":
            named = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            self._json({"issuer": provider.issuer} | {name: f"{provider.issuer}/{at}" for name, at in named.items()})
        elif asked.path == "/keys":
            self._json({"keys": [provider.key.as_dict(private=False)]})
        else:
            said = dict(parse_qsl(asked.query))
            provider.asked.append(said)
            request = self._request("GET", said)
            grant = provider.get_consent_grant(request, provider.person)
            self._answer(provider.create_authorization_response(request, provider.person, grant))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        provider: Provider = self.server.provider  # type: ignore[attr-defined]  # `running` put it there
        self._answer(provider.create_token_response(self._request("POST", dict(parse_qsl(body.decode())))))

    def _request(self, method: str, said: dict[str, str]) -> OAuth2Request:
        class Request(OAuth2Request):
            args = said
            form = said

        provider: Provider = self.server.provider  # type: ignore[attr-defined]  # `running` put it there
        made = Request(method, f"{provider.issuer}{self.path}", headers=dict(self.headers))
        made.payload = BasicOAuth2Payload(said)
        return made

    def _json(self, body: Any) -> None:
        self._answer((200, json.dumps(body).encode(), [("Content-Type", "application/json")]))

    def _answer(self, answer: Any) -> None:
        status, body, headers = answer
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
