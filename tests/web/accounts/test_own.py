"""A person's own account: another password, asked for with the old one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from pipeline.runtime import Runtime
from sharedrepo.models import account_event
from tests.web.browser import PASSWORD, Browser
from web.accounts import service as accounts

NEW = "another long enough secret"


def change(browser: Browser, old: str = PASSWORD, new: str = NEW, again: str | None = None) -> str:
    fields = {"old": old, "new": new, "again": new if again is None else again}
    answer = browser.fill_in("/account/password", fields, page="/account")
    return f"{answer.status_code} {answer.text}"


def test_a_person_changes_the_own_password(service: str, account: Callable[..., str], runtime: Runtime) -> None:
    code = account()
    here, elsewhere = Browser(service), Browser(service)
    here.sign_in(code)
    elsewhere.sign_in(code)
    page = here.see("/quality")
    assert '<a href="/account">王萍' in page.text, "the name leads there from each page"
    before = here.cookies["hub_session"]
    assert "200" in change(here)
    assert "your other sessions have ended" in here.see("/account?changed=1").text
    assert here.cookies["hub_session"] != before, "this browser goes on under a new number"
    assert "/sign-in" in elsewhere.see("/quality").url
    assert elsewhere.sign_in(code).status_code == 401, "the old password opens nothing"
    assert elsewhere.sign_in(code, NEW).status_code == 200
    with runtime.engine.connect() as connection:
        told = connection.execute(sa.select(account_event.c.actor).where(account_event.c.what == "password")).scalars()
        assert told.all() == [f"account:{code}"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"old": "not the password it has"}, "The present password is wrong"),
        ({"again": NEW + "r"}, "not written twice the same"),
        ({"new": "short"}, "does not keep to the rules"),
        ({"new": "x" * 300}, "does not keep to the rules"),
        ({"new": "steward steward steward"}, "does not keep to the rules"),
        ({"new": "abababababababab"}, "does not keep to the rules"),
    ],
)
def test_what_does_not_fit_changes_nothing(
    browser: Browser, account: Callable[..., str], said: dict[str, str], words: str
) -> None:
    code = account()
    browser.sign_in(code)
    told = change(browser, **said)
    assert told.startswith("422")
    assert words in told
    assert all(value not in told for value in (*said.values(), NEW)), "what was typed is not sent back"
    assert browser.see("/quality").url.endswith("/quality"), "the session goes on"
    assert Browser(browser.hub).sign_in(code).status_code == 200, "the old password stays"


def test_an_open_browser_is_no_way_to_guess_the_password(browser: Browser, account: Callable[..., str]) -> None:
    browser.sign_in(account())
    told = [change(browser, old=f"wrong guess number {number}") for number in range(12)]
    assert told[0].startswith("422")
    assert told[-1].startswith("429")
    assert "Please wait" in told[-1]


def test_a_form_of_another_site_changes_nothing(browser: Browser, account: Callable[..., str]) -> None:
    code = account()
    browser.sign_in(code)
    fields = {"old": PASSWORD, "new": NEW, "again": NEW, "form_word": "0" * 64}
    assert browser.post(f"{browser.hub}/account/password", fields, timeout=30).status_code == 403
    assert Browser(browser.hub).sign_in(code).status_code == 200


def test_who_signs_in_at_a_provider_has_no_password_here(
    browser: Browser, account: Callable[..., str], runtime: Runtime
) -> None:
    code = account()
    browser.sign_in(code)
    with runtime.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE access.account SET issuer = 'https://id.test', subject = 's', password_hash = NULL")
        )
    page = browser.see("/account").text
    assert "unified identity provider" in page
    assert "new-password" not in page
    found = accounts.find(runtime.engine, code)
    assert found is not None
    assert change_refused(browser)


def change_refused(browser: Browser) -> bool:
    fields = {"old": PASSWORD, "new": NEW, "again": NEW}
    return bool(browser.fill_in("/account/password", fields, page="/account").status_code == 422)
