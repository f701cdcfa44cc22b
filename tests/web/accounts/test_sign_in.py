"""Signing in and out as persons do it, and what a wrong password, a crowd and a planted cookie get."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from hub.settings import Settings
from pipeline.runtime import Runtime
from sharedrepo.models import account_event, session, sign_in_pause
from tests.web.browser import PASSWORD, Browser, form_word
from tests.web.serving import serving
from web.accounts import passwords
from web.accounts import service as accounts


def test_a_person_signs_in_and_out(browser: Browser, account: Callable[..., str], runtime: Runtime) -> None:
    account("administrator", code="admin")
    turned = browser.see("/accounts?x=1")
    assert (turned.status_code, turned.url) == (200, f"{browser.hub}/sign-in?next=%2Faccounts%3Fx%3D1")
    answer = browser.fill_in("/sign-in", {"code": "admin", "password": PASSWORD, "next": "/accounts?x=1"})
    assert answer.url == f"{browser.hub}/accounts?x=1"
    assert "王萍" in answer.text
    assert browser.see("/sign-in").url == f"{browser.hub}/accounts", "who is signed in goes on"
    cookie = browser.cookies["hub_session"]
    out = browser.fill_in("/sign-out", page="/accounts")
    assert out.url == f"{browser.hub}/sign-in"
    browser.cookies.set("hub_session", cookie)
    assert "/sign-in" in browser.see("/accounts").url, "the number of an ended session opens nothing"
    with runtime.engine.connect() as connection:
        told = connection.execute(sa.select(account_event.c.what).order_by(account_event.c.event_id)).scalars().all()
    assert told == ["made", "signed_in"]


def test_only_a_keyed_hash_of_the_session_is_kept(
    browser: Browser, account: Callable[..., str], runtime: Runtime
) -> None:
    browser.sign_in(account())
    token = browser.cookies["hub_session"]
    assert len(token) >= 43, "256 bits"
    with runtime.engine.connect() as connection:
        (kept,) = connection.execute(sa.select(session.c.session_hash)).scalars().all()
    assert bytes(kept) == runtime.protector.content_hash(b"session\x1f" + token.encode())


def test_cookies_are_out_of_reach(browser: Browser, account: Callable[..., str]) -> None:
    answer = browser.sign_in(account(), allow_redirects=False)
    said = answer.headers["Set-Cookie"].lower()
    (cookie,) = re.findall(r"hub_session=[^,]*(?:, \d[^,]*)?", said)
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert "max-age=43200" in cookie


def test_cookies_are_secure_under_a_name_that_is_not_this_machine(browser: Browser) -> None:
    answer = browser.see("/sign-in", headers={"Host": "hub.example.gov.cn"})
    said = answer.headers["Set-Cookie"]
    assert said.startswith("__Host-hub_form=")
    assert "; Secure" in said


def test_the_address_that_is_set_decides_on_secure_cookies(runtime: Runtime) -> None:
    settings = runtime.settings.model_copy(update={"web_url": "https://hub.example.gov.cn"})
    with serving(lambda: dataclasses.replace(runtime, settings=settings)) as url:
        said = Browser(url).see("/sign-in").headers["Set-Cookie"]
    assert said.startswith("__Host-hub_form="), "also where a proxy passes another name on"


def test_every_wrong_way_gets_the_same_answer(browser: Browser, account: Callable[..., str], runtime: Runtime) -> None:
    account()
    gone = account(code="gone")
    accounts.disable(runtime.engine, gone, undo=False, actor="cli:test")
    answers = [
        browser.sign_in(code, password)
        for code, password in (("steward", "wrong password 1"), ("nobody", PASSWORD), ("gone", PASSWORD), ("", ""))
    ]
    assert {one.status_code for one in answers} == {401}
    bodies = {re.sub(r'value="[^"]*"|nonce="[^"]*"', "", one.text) for one in answers}
    assert len(bodies) == 1
    assert "hub_session" not in browser.cookies


def test_unknown_accounts_take_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    verified = []
    real = passwords._hasher.verify
    monkeypatch.setattr(
        type(passwords._hasher), "verify", lambda self, kept, said: verified.append(kept) or real(kept, said)
    )
    assert not passwords.fits("whatever it is", None)
    assert not passwords.fits("whatever it is", passwords.hashed("something else"))
    first, second = verified
    assert first.split("$")[1:4] == second.split("$")[1:4], "the same function with the same cost"


def test_failures_pause_and_the_pause_ends(browser: Browser, account: Callable[..., str], runtime: Runtime) -> None:
    account()
    for _ in range(6):
        assert browser.sign_in("steward", "wrong password 1").status_code == 401
    refused = browser.sign_in("steward")
    assert refused.status_code == 429, "the right password too: nobody learns that it is right"
    assert int(refused.headers["Retry-After"]) <= 2
    unknown = Browser(browser.hub)
    for _ in range(6):
        unknown.sign_in("nobody-at-all", "wrong password 1")
    assert unknown.sign_in("nobody-at-all").status_code == 429, "an account that is not there pauses alike"
    _forward(runtime, seconds=3)
    assert browser.sign_in("steward").url.endswith("/quality")


def test_an_attack_from_elsewhere_does_not_shut_the_owner_out(
    browser: Browser, account: Callable[..., str], runtime: Runtime
) -> None:
    account("administrator", code="steward")
    browser.sign_in("steward")
    browser.fill_in("/sign-out", page="/accounts")
    attacker = Browser(browser.hub)
    for _ in range(40):
        attacker.sign_in("steward", "wrong password 1")
        _forward(runtime, seconds=61)
    assert attacker.sign_in("steward").status_code == 429
    assert browser.sign_in("steward").status_code != 429, "the browser that is known is counted by itself"
    fresh = Browser(browser.hub)
    assert fresh.sign_in("steward").status_code == 429
    _forward(runtime, seconds=901)
    assert fresh.sign_in("steward").status_code != 429, "no pause is longer than a quarter of an hour"


def test_a_crowd_at_once_is_no_way_around(browser: Browser, account: Callable[..., str]) -> None:
    account()

    def attempt(number: int) -> int:
        return Browser(browser.hub).sign_in("steward", f"wrong password {number}").status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(16)))
    assert answers.count(401) <= 7
    assert answers.count(429) == 16 - answers.count(401)


def test_a_forged_mark_is_no_mark(browser: Browser, account: Callable[..., str]) -> None:
    account()
    browser.cookies.set("hub_known", "nonce.0123456789abcdef")
    for _ in range(6):
        browser.sign_in("steward", "wrong password 1")
    assert browser.sign_in("steward").status_code == 429


def test_a_planted_session_never_becomes_signed_in(browser: Browser, account: Callable[..., str]) -> None:
    account()
    browser.cookies.set("hub_session", "planted-by-somebody")
    browser.sign_in("steward")
    values = [one.value for one in browser.cookies if one.name == "hub_session"]
    assert len(values) >= 1
    stranger = Browser(browser.hub)
    stranger.cookies.set("hub_session", "planted-by-somebody")
    assert "/sign-in" in stranger.see("/").url


def test_signing_in_again_gives_a_new_number_and_ends_the_old(
    browser: Browser, account: Callable[..., str], runtime: Runtime
) -> None:
    account("administrator", code="admin")
    browser.sign_in("admin")
    first = browser.cookies["hub_session"]
    other = Browser(browser.hub)
    other.cookies.set("hub_form", "x" * 43)
    word = form_word(other.see("/sign-in").text)
    other.cookies.set("hub_session", first)
    again = other.post(
        f"{other.hub}/sign-in", {"form_word": word, "code": "admin", "password": PASSWORD}, timeout=30,
        allow_redirects=False,
    )  # fmt: skip
    second = again.cookies["hub_session"]
    assert second != first
    assert "/sign-in" in browser.see("/accounts").url


def test_a_session_ends_by_idleness_by_age_by_disabling_and_by_a_new_password(
    browser: Browser, account: Callable[..., str], runtime: Runtime
) -> None:
    account("administrator", code="admin")

    def alive() -> bool:
        return bool(browser.see("/accounts").url.endswith("/accounts"))

    def sign_in() -> None:
        browser.cookies.clear()
        browser.sign_in("admin")
        assert alive()

    sign_in()
    _set_session(runtime, seen_at=datetime.now(UTC) - timedelta(minutes=31))
    assert not alive()
    sign_in()
    _set_session(runtime, ends_at=datetime.now(UTC) - timedelta(seconds=1))
    assert not alive()
    sign_in()
    accounts.disable(runtime.engine, "admin", undo=False, actor="cli:test")
    assert not alive()
    accounts.disable(runtime.engine, "admin", undo=True, actor="cli:test")
    sign_in()
    accounts.set_password(runtime.engine, "admin", PASSWORD + "!", actor="cli:test")
    assert not alive()


def test_use_keeps_a_session_from_idling_out(browser: Browser, account: Callable[..., str], runtime: Runtime) -> None:
    account("administrator", code="admin")
    browser.sign_in("admin")
    _set_session(runtime, seen_at=datetime.now(UTC) - timedelta(minutes=29))
    browser.see("/accounts")
    with runtime.engine.connect() as connection:
        seen = connection.execute(sa.select(session.c.seen_at)).scalar_one()
    assert datetime.now(UTC) - seen < timedelta(minutes=1)


def test_roles_hold_from_the_next_request_on(browser: Browser, account: Callable[..., str], runtime: Runtime) -> None:
    account("administrator", code="admin")
    browser.sign_in("admin")
    accounts.set_roles(runtime.engine, "admin", roles=["supervisor"], organ=None, actor="cli:test")
    assert browser.see("/accounts").status_code == 403


def test_nobody_is_sent_away_after_signing_in(browser: Browser, account: Callable[..., str]) -> None:
    account("administrator", code="admin")
    for target in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/\r\nX: y"):
        answer = browser.fill_in(
            "/sign-in", {"code": "admin", "password": PASSWORD, "next": target}, allow_redirects=False
        )
        assert answer.headers["Location"] == "/", target
        assert "X" not in answer.headers
        browser.cookies.clear()


def test_the_language_is_the_browsers_until_another_is_picked(browser: Browser) -> None:
    assert '<html lang="en">' in browser.see("/sign-in").text
    browser.headers["Accept-Language"] = "zh-CN,zh;q=0.9,en;q=0.8"
    assert '<html lang="zh-Hans">' in browser.see("/sign-in").text
    picked = browser.see("/language/en?to=/sign-in")
    assert picked.url.endswith("/sign-in")
    assert '<html lang="en">' in picked.text
    assert browser.see("/language/en?to=https://evil.example/", allow_redirects=False).headers["Location"] == "/"
    assert browser.see("/language/tlh").status_code == 404


def test_a_proxy_is_believed_only_where_it_is_named(runtime: Runtime) -> None:
    from web.accounts.door import address_of  # noqa: PLC0415  # beside what it is about

    class Asked:
        def __init__(self, settings: Settings) -> None:
            self.client = type("Client", (), {"host": "10.0.0.9"})
            self.headers = {"x-forwarded-for": "6.6.6.6, 203.0.113.7, 10.0.0.8"}
            state = type("State", (), {"hub": type("Hub", (), {"runtime": type("R", (), {"settings": settings})})})
            self.app = type("App", (), {"state": state})

    asked: Any = Asked(Settings())
    assert address_of(asked) == "10.0.0.9"
    asked = Asked(Settings(web_proxies=("10.0.0.9", "10.0.0.8")))
    assert address_of(asked) == "203.0.113.7"


def _forward(runtime: Runtime, *, seconds: int) -> None:
    """Let time pass for the pauses."""
    with runtime.engine.begin() as connection:
        connection.execute(sa.update(sign_in_pause).values(until=sign_in_pause.c.until - timedelta(seconds=seconds)))


def _set_session(runtime: Runtime, **values: datetime) -> None:
    with runtime.engine.begin() as connection:
        connection.execute(sa.update(session).values(values))


def test_a_program_is_told_in_the_one_shape(service: str) -> None:
    answer = requests.get(f"{service}/accounts", timeout=10)
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:approval-exchange-hub:NotSignedIn"
    assert "WWW-Authenticate" not in answer.headers
