"""Sign-in at an OpenID provider: code flow with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636).

Nothing of a sign-in that is under way is kept here: state, nonce and the PKCE verifier follow from a secret that lies
in a cookie of the browser that began it, so that nobody can finish it in another browser.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import requests
import sqlalchemy as sa
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hub.refusals import NotAllowed, NotAuthenticated, Unavailable
from hub.sentences import sentence
from hub.settings import SettingError, Settings
from hub.visitor import BOUND, CHIEF, REGIONAL, RIGHTS, faults_of
from web.accounts import service

SECONDS = 600
"""So long a sign-in at the provider may take."""
_PATIENCE = 10.0
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
"""Signatures that only the provider can make; a shared secret or none is not among them."""
_LEEWAY = 60
"""Seconds that the provider's clock may differ from ours."""
_KEPT_FOR = 3600.0
"""Seconds that what the provider says of itself is taken as known."""
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the provider names them, with roles and organ as the settings read its claims."""

    issuer: str
    subject: str
    wish: str
    name: str
    roles: tuple[str, ...]
    organ: str | None
    region: str | None = None


def configured(settings: Settings) -> bool:
    """Say whether persons may sign in at a provider."""
    return settings.oidc_issuer is not None


def account_of(engine: sa.Engine, person: Person) -> service.Account:
    """Return the account of a provider's person.

    Raises:
        NotAllowed: the account is disabled here.
    """
    found = service.from_provider(
        engine, issuer=person.issuer, subject=person.subject, wish=person.wish, name=person.name, roles=person.roles,
        organ=person.organ, region=person.region,
    )  # fmt: skip
    if found.disabled:
        raise NotAllowed("this account is disabled", hint="Ask the hub's administrators.")
    return found


class Provider:
    """The OpenID provider of the settings; what it says of itself is asked at the first sign-in and once an hour."""

    def __init__(self, settings: Settings, issuer: str, client_id: str, client_secret: str) -> None:
        self._settings, self._issuer, self._client = settings, issuer, client_id
        self._secret = client_secret
        self._known: tuple[float, Mapping[str, Any], KeySet] | None = None

    @classmethod
    def of(cls, settings: Settings) -> Provider | None:
        """Return the provider; None where none is set.

        Raises:
            SettingError: a setting is missing or names what there is not; all faults at once.
        """
        if settings.oidc_issuer is None:
            return None
        secret = settings.oidc_client_secret
        faults = [] if settings.oidc_client_id else ["HUB_OIDC_CLIENT_ID: is not set"]
        faults += [] if secret else ["HUB_OIDC_CLIENT_SECRET: is not set"]
        faults += [] if settings.oidc_roles else ["HUB_OIDC_ROLES: is not set, so nobody could have a role"]
        unknown = sorted(set(settings.oidc_roles.values()) - set(RIGHTS))
        faults += [f"HUB_OIDC_ROLES: there is no role {one!r} (there are: {', '.join(RIGHTS)})" for one in unknown]
        if faults or not settings.oidc_client_id or secret is None:
            raise SettingError("settings of the OpenID provider:\n" + "\n".join(faults))
        return cls(settings, settings.oidc_issuer, settings.oidc_client_id, secret.get_secret_value())

    def way_there(self, secret: str, return_address: str) -> str:
        """Return the address at the provider to which a browser is sent; `secret` lies in its cookie."""
        told, _ = self._metadata()
        with self._session(return_address) as session:
            address, _ = session.create_authorization_url(
                told["authorization_endpoint"], state=_part(secret, "state"), nonce=_part(secret, "nonce"),
                code_challenge=create_s256_code_challenge(_part(secret, "verifier")), code_challenge_method="S256",
            )  # fmt: skip
        return str(address)

    def person(self, secret: str, return_address: str, came_back: str) -> Person:
        """Return the person whom the provider sent back to `came_back`.

        Raises:
            NotAuthenticated: it answers no sign-in that this browser began, or its token is not to be trusted.
            NotAllowed: no role follows from the person's claims.
            Unavailable: the provider does not answer.
        """
        asked = parse_qs(urlsplit(came_back).query)
        state = (asked.get("state") or [""])[0]
        if not secret or not hmac.compare_digest(state.encode(), _part(secret, "state").encode()):
            raise NotAuthenticated("this browser began no such sign-in, or too long ago", hint="Sign in again.")
        code = (asked.get("code") or [""])[0]
        if not code:
            raise NotAuthenticated("the provider let nobody in", hint="Sign in again, or ask its operators.")
        told, keys = self._metadata()
        token = self._redeem(told, code, secret, return_address)
        return self._read(self._proven(token, told, keys, _part(secret, "nonce")))

    def _redeem(self, told: Mapping[str, Any], code: str, secret: str, return_address: str) -> Mapping[str, Any]:
        try:
            with self._session(return_address) as session:
                token: dict[str, Any] = session.fetch_token(
                    told["token_endpoint"], code=code, code_verifier=_part(secret, "verifier"), timeout=_PATIENCE
                )
        except OAuthError as error:
            raise NotAuthenticated(
                sentence("the provider refused the code ({word})", word=_word(error.error)), hint="Sign in again."
            ) from None
        except (requests.RequestException, ValueError):
            raise _silent() from None
        return token

    def _proven(self, token: Mapping[str, Any], told: Mapping[str, Any], keys: KeySet, nonce: str) -> Mapping[str, Any]:
        """Return the claims of the ID token when signature, issuer, audience, times and nonce are right."""
        try:
            read = jwt.decode(str(token.get("id_token", "")), keys, algorithms=_ALGORITHMS)
            claims = CodeIDToken(
                read.claims,
                read.header,
                {
                    "iss": {"essential": True, "value": told["issuer"]},
                    "aud": {"essential": True, "value": self._client},
                    "nonce": {"essential": True, "value": nonce},
                },
                {"nonce": nonce, "client_id": self._client, "access_token": token.get("access_token")},
            )
            claims.validate(leeway=_LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise NotAuthenticated(
                sentence("the provider's token is not to be trusted ({kind})", kind=type(error).__name__),
                hint="Sign in again; if it stays so, tell the hub's administrators.",
            ) from None
        return dict(claims)

    def _read(self, claims: Mapping[str, Any]) -> Person:
        """Read roles, organ and region out of claims."""
        settings = self._settings
        groups = _listed(_claim(claims, settings.oidc_roles_claim))
        roles = sorted({settings.oidc_roles[one] for one in groups if one in settings.oidc_roles})
        said = _claim(claims, settings.oidc_organ_claim)
        organ = str(said) if set(BOUND) & set(roles) and isinstance(said, str) else None
        place = _claim(claims, settings.oidc_region_claim)
        region = str(place) if {REGIONAL, CHIEF} & set(roles) and place else None
        faults = faults_of(roles, organ, region)
        if faults:
            raise NotAllowed(
                sentence("the provider's claims give no role here: {known}", known="; ".join(faults)),
                hint="Ask the provider's operators for the group, or the hub's administrators.",
            )
        subject = str(claims["sub"])
        name = str(claims.get("name") or claims.get("preferred_username") or subject)
        wish = str(claims.get("preferred_username") or "person")
        shown = "".join(c for c in name if c.isprintable())
        return Person(self._issuer, subject, wish, shown, tuple(roles), organ, region)

    def _metadata(self) -> tuple[Mapping[str, Any], KeySet]:
        """Return what the provider says of itself (OpenID Connect Discovery 1.0) and its keys."""
        if self._known is not None and time.monotonic() - self._known[0] < _KEPT_FOR:
            return self._known[1], self._known[2]
        told = _fetched(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        if told.get("issuer") != self._issuer or not {"authorization_endpoint", "token_endpoint", "jwks_uri"} <= set(
            told
        ):
            raise Unavailable(
                "the provider's description of itself names another issuer or lacks addresses",
                hint="The hub's administrators compare HUB_OIDC_ISSUER with the provider.", after_seconds=60,
            )  # fmt: skip
        try:
            keys = KeySet.import_key_set(_fetched(told["jwks_uri"]))  # type: ignore[arg-type]  # it is judged by the import
        except (JoseError, ValueError, KeyError, TypeError):
            raise _silent() from None
        self._known = (time.monotonic(), told, keys)
        return told, keys

    def _session(self, return_address: str) -> OAuth2Session:
        return OAuth2Session(
            self._client, self._secret, scope=self._settings.oidc_scope, redirect_uri=return_address,
            default_timeout=_PATIENCE,
        )  # fmt: skip


def _fetched(address: str) -> dict[str, Any]:
    try:
        with requests.get(address, timeout=_PATIENCE, allow_redirects=False, stream=True) as answer:
            answer.raise_for_status()
            body = answer.raw.read(_LARGEST + 1, decode_content=True)
        if len(body) > _LARGEST:
            raise _silent()
        found = orjson.loads(body)
    except (requests.RequestException, ValueError, OSError):
        raise _silent() from None
    if not isinstance(found, dict):
        raise _silent()
    return found


def _silent() -> Unavailable:
    return Unavailable("the OpenID provider does not answer as it should", hint="Try again.", after_seconds=10)


def _part(secret: str, purpose: str) -> str:
    """Derive one of the numbers of a sign-in from its secret (43 characters, as RFC 7636 asks of a verifier)."""
    digest = hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _listed(said: Any) -> list[str]:
    return [str(one) for one in said] if isinstance(said, list) else [] if said is None else [str(said)]


def _word(said: object) -> str:
    """Return an error code of the provider, which is one word of a closed set, and no other text of it."""
    text = str(said)
    return text if text.isidentifier() and len(text) <= 40 else "unknown"  # noqa: PLR2004  # the longest code has 26
