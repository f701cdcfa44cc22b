"""Sign-in at an OpenID provider that really runs: the whole way, and everything that must not let anybody in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from joserfc.jwk import RSAKey

from hub.settings import SettingError, Settings
from hub.visitor import DEPARTMENT
from pipeline.runtime import Runtime
from sharedrepo.models import account as table
from tests.departments import ORGAN
from tests.web.accounts import provider as openid
from tests.web.browser import Browser
from tests.web.serving import serving
from web.accounts import service
from web.accounts.oidc import Provider

GROUPS = {"hub-stewards": "steward", "hub-departments": DEPARTMENT, "hub-admins": "administrator"}
PERSON = {
    "sub": "4711",
    "preferred_username": "wangping",
    "name": "王萍",
    "realm": {"groups": ["hub-admins", "others"]},
}


@pytest.fixture(autouse=True)
def _plain_http_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.fixture
def provider() -> Iterator[openid.Provider]:
    """A provider that signs the person in."""
    with openid.running() as running:
        running.person = dict(PERSON)
        yield running


def configured(settings: Settings, issuer: str) -> Settings:
    return settings.model_copy(
        update={
            "oidc_issuer": issuer, "oidc_client_id": openid.CLIENT_ID, "oidc_roles_claim": "realm.groups",
            "oidc_client_secret": Settings(oidc_client_secret=openid.SECRET).oidc_client_secret, "oidc_roles": GROUPS,
        }
    )  # fmt: skip


@pytest.fixture
def hub(runtime: Runtime, provider: openid.Provider) -> Iterator[Browser]:
    """A browser at a hub whose persons sign in at the provider."""
    opened = dataclasses.replace(runtime, settings=configured(runtime.settings, provider.issuer))
    with serving(lambda: opened) as url:
        yield Browser(url)


def test_a_person_comes_in_by_the_provider(hub: Browser, provider: openid.Provider, runtime: Runtime) -> None:
    assert 'href="/sign-in/provider?next=/accounts"' in hub.see("/accounts").text
    inside = hub.see("/sign-in/provider?next=/accounts")
    assert inside.url == f"{hub.hub}/accounts"
    assert "王萍" in inside.text
    (asked,) = provider.asked
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{hub.hub}/sign-in/return"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert "hub_provider" not in hub.cookies
    found = service.find(runtime.engine, "wangping")
    assert found is not None
    assert found.visitor.roles == {"administrator"}
    assert found.password_hash is None


def test_roles_and_organ_follow_the_claims_at_each_sign_in(
    hub: Browser, provider: openid.Provider, runtime: Runtime
) -> None:
    hub.see("/sign-in/provider")
    hub.cookies.clear()
    provider.person = PERSON | {"realm": {"groups": "hub-departments"}, "organ": ORGAN}
    hub.see("/sign-in/provider")
    (one,) = service.listed(runtime.engine)
    assert (one["code"], one["roles"], one["organ"]) == ("wangping", [DEPARTMENT], ORGAN)


def test_a_persons_name_never_takes_over_a_local_account(
    hub: Browser, provider: openid.Provider, runtime: Runtime, account: Callable[..., str]
) -> None:
    account("supervisor", code="wangping")
    hub.see("/sign-in/provider")
    found = service.find(runtime.engine, "wangping")
    assert found is not None
    assert found.visitor.roles == {"supervisor"}
    assert [one["code"] for one in service.listed(runtime.engine)] == ["wangping", "wangping-2"]


@pytest.mark.parametrize(
    "claims",
    [
        {"realm": {"groups": ["others"]}},
        {"realm": None},
        {"realm": {"groups": ["hub-departments"]}},
        {"realm": {"groups": ["hub-departments", "hub-stewards"]}, "organ": ORGAN},
    ],
    ids=["no group of ours", "no groups", "a department's steward without organ", "roles that exclude each other"],
)
def test_without_a_role_nobody_comes_in(
    hub: Browser, provider: openid.Provider, runtime: Runtime, claims: dict[str, object]
) -> None:
    provider.person = PERSON | claims
    answer = hub.see("/sign-in/provider")
    assert answer.status_code == 403
    assert service.listed(runtime.engine) == []
    assert "hub_session" not in hub.cookies


def test_a_disabled_person_stays_out(hub: Browser, runtime: Runtime) -> None:
    hub.see("/sign-in/provider")
    hub.cookies.clear()
    service.disable(runtime.engine, "wangping", undo=False, actor="cli:test")
    assert hub.see("/sign-in/provider").status_code == 403
    assert "/sign-in" in hub.see("/accounts").url


@pytest.mark.parametrize(
    "spoilt",
    [{"nonce": "another"}, {"iss": "https://evil.example"}, {"aud": ["another"]}, {"exp": 1}],
    ids=["nonce", "issuer", "audience", "expired"],
)
def test_a_token_that_says_something_else_is_refused(
    hub: Browser, provider: openid.Provider, spoilt: dict[str, object]
) -> None:
    provider.spoiling = spoilt
    answer = hub.see("/sign-in/provider")
    assert answer.status_code == 401
    assert "not to be trusted" in answer.text


def test_a_token_of_another_key_is_refused(hub: Browser, provider: openid.Provider) -> None:
    provider.signing = RSAKey.generate_key(2048, {"kid": "one"})
    assert hub.see("/sign-in/provider").status_code == 401


def test_an_answer_that_this_browser_did_not_begin_is_refused(hub: Browser, provider: openid.Provider) -> None:
    """A stranger who sends their own half-finished sign-in to a victim does not sign the victim in (login CSRF)."""
    stranger = Browser(hub.hub)
    there = stranger.see("/sign-in/provider", allow_redirects=False).headers["Location"]
    back = stranger.get(there, allow_redirects=False, timeout=10).headers["Location"]
    answer = hub.get(back, timeout=10)
    assert answer.status_code == 401
    assert "hub_session" not in hub.cookies
    hub.cookies.set("hub_provider", "guessed./")
    assert hub.get(back, timeout=10).status_code == 401


def test_a_code_counts_once(hub: Browser) -> None:
    there = hub.see("/sign-in/provider", allow_redirects=False).headers["Location"]
    kept = hub.cookies["hub_provider"]
    back = hub.get(there, allow_redirects=False, timeout=10).headers["Location"]
    assert hub.get(back, timeout=10, allow_redirects=False).status_code == 303
    hub.cookies.set("hub_provider", kept)
    assert hub.get(back, timeout=10).status_code == 401, "the provider refuses it the second time"


def test_a_person_who_declines_is_told_so(hub: Browser, provider: openid.Provider) -> None:
    provider.person = None
    answer = hub.see("/sign-in/provider")
    assert answer.status_code == 401
    assert "let nobody in" in answer.text


def test_a_provider_that_is_away_is_said(runtime: Runtime) -> None:
    opened = dataclasses.replace(runtime, settings=configured(runtime.settings, "http://127.0.0.1:1"))
    with serving(lambda: opened) as url:
        answer = Browser(url).see("/sign-in/provider")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"


def test_the_return_address_is_the_one_that_is_set(runtime: Runtime, provider: openid.Provider) -> None:
    settings = configured(runtime.settings, provider.issuer).model_copy(
        update={"web_url": "https://hub.example.gov.cn"}
    )
    opened = dataclasses.replace(runtime, settings=settings)
    with serving(lambda: opened) as url:
        there = Browser(url).see("/sign-in/provider", allow_redirects=False).headers["Location"]
    assert parse_qs(urlsplit(there).query)["redirect_uri"] == ["https://hub.example.gov.cn/sign-in/return"]


def test_without_a_provider_there_is_no_way_to_one(browser: Browser) -> None:
    assert "/sign-in/provider" not in browser.see("/sign-in").text
    assert browser.see("/sign-in/provider").status_code == 404


def test_half_set_settings_are_all_told() -> None:
    with pytest.raises(SettingError) as told:
        Provider.of(Settings(oidc_issuer="https://id.example.gov.cn", oidc_roles={"a": "boss"}))
    for words in ("HUB_OIDC_CLIENT_ID", "HUB_OIDC_CLIENT_SECRET", "no role 'boss'"):
        assert words in str(told.value)


def test_subject_and_issuer_name_one_account(hub: Browser, provider: openid.Provider, runtime: Runtime) -> None:
    hub.see("/sign-in/provider")
    hub.cookies.clear()
    provider.person = PERSON | {"sub": "4712"}
    hub.see("/sign-in/provider")
    with runtime.engine.connect() as connection:
        rows = connection.execute(sa.select(table.c.code, table.c.subject).order_by(table.c.code)).all()
    assert [tuple(one) for one in rows] == [("wangping", "4711"), ("wangping-2", "4712")]
