"""Accounts sit in the seats of an item's life: each does its own deeds on the desk, and nobody sits in two."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from catalog import service
from catalog.life import SEATS as LIFE_SEATS
from hub.settings import Settings
from hub.visitor import DEPARTMENT, RIGHTS, SEATS
from pipeline.runtime import Runtime
from sharedrepo.embedded import EmbeddedServer
from tests.catalog.items import ORGAN, OTHER, code, content, published
from tests.catalog.pages.conftest import EVIL
from tests.quality.pages import chromium
from tests.real.conftest import module_repository
from tests.web.browser import PASSWORD, Browser
from tests.web.serving import serving
from web.accounts import service as accounts

PEOPLE = {
    "clerk": (DEPARTMENT, ORGAN), "other": (DEPARTMENT, OTHER), "legal": ("legal_office", None),
    "reform": ("reform_commission", None), "watch": ("supervisor", None), "steward": ("steward", None),
}  # fmt: skip


class Office:
    """The address of a hub, and the people who work on its catalogue."""

    def __init__(self, url: str, runtime: Runtime) -> None:
        self.url, self.runtime, self.browsers = url, runtime, dict[str, Browser]()

    def person(self, name: str) -> Browser:
        if name not in self.browsers:
            self.browsers[name] = Browser(self.url, "en")
            self.browsers[name].sign_in(name)
        return self.browsers[name]

    def does(self, name: str, item: str, deed: str, **fields: str) -> tuple[int, str]:
        """Do a deed as a person; return the status and the page."""
        path = "/catalogue" if deed == "propose" else f"/catalogue/{item}"
        said = {"code": item} if deed == "propose" else {"deed": deed}
        answer = self.person(name).fill_in(path, {**said, **fields}, page="/catalogue")
        return answer.status_code, answer.text

    def state(self, item: str) -> Any:
        query = """SELECT state FROM catalog.item_version JOIN catalog.item USING (item_id) WHERE code = :code
                   ORDER BY version DESC LIMIT 1"""
        with self.runtime.engine.connect() as connection:
            return connection.scalar(sa.text(query), {"code": item})


@pytest.fixture(scope="module")
def office(
    server: EmbeddedServer, template: str, key_ring: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """A hub with an account in each seat; the tests of the module share it, each with items of its own."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), keys=SecretStr(key_ring))
    with module_repository(server, template, settings, "hub_desk") as runtime:
        for name, (role, organ) in PEOPLE.items():
            accounts.make(
                runtime.engine, code=name, name=name, roles=[role], organ=organ, password=PASSWORD, actor="cli:test"
            )
        with serving(lambda: runtime) as url:
            yield Office(url, runtime)


def proposed(office: Office, item: str, **over: Any) -> None:
    said = {"change": "new", "reason": "依法新增", "content": json.dumps(content(**over))}
    status, page = office.does("clerk", item, "propose", **said)
    assert (status, office.state(item)) == (200, "draft"), page


def test_the_seats_of_roles_are_those_of_the_life() -> None:
    assert set(SEATS.values()) <= set(LIFE_SEATS)
    assert set(SEATS.values()) == {"department", "legal", "reform", "supervision"}
    assert all("catalogue" in RIGHTS[role] for role in SEATS)
    assert [role for role in RIGHTS if "catalogue" in RIGHTS[role]] == [role for role in RIGHTS if role in SEATS]


def test_an_item_goes_its_whole_way_over_the_desks(office: Office) -> None:
    item = code(30)
    proposed(office, item)
    assert office.does("clerk", item, "submit")[0] == 200
    service.comment(office.runtime.engine, item, "建议缩短期限")
    assert "your turn" in office.person("legal").see("/catalogue").text
    assert office.does("legal", item, "agree", opinion="合法")[0] == 200
    assert office.does("reform", item, "return", opinion="依据不足")[0] == 200
    assert office.state(item) == "draft"
    changed = content(place="三楼", legal_basis=["《食品安全法》", "实施条例"])
    assert office.does("clerk", item, "revise", content=json.dumps(changed), opinion="补充依据")[0] == 200
    assert office.does("clerk", item, "submit")[0] == 200
    assert office.does("reform", item, "agree")[0] == 200
    assert office.does("legal", item, "agree")[0] == 200
    page = office.person("clerk").see(f"/catalogue/{item}").text
    assert "建议缩短期限" in page
    number = re.search(r'name="number" value="(\d+)"', page)
    assert number is not None
    assert office.does("clerk", item, "answer", number=number[1], opinion="已采纳")[0] == 200
    assert office.does("watch", item, "publish", effective="2026-04-01")[0] == 409, "that day is past"
    assert office.does("watch", item, "publish", effective="2199-04-01")[0] == 200
    assert office.state(item) == "published"
    assert office.does("watch", item, "publish", effective="2199-04-01")[0] == 409, "it is published"
    shown = Browser(office.url).see(f"/items/{item}").text
    assert "三楼" in shown
    assert "account:" not in shown, "who acted is nobody's business outside"
    life = office.person("watch").see(f"/catalogue/{item}").text
    for word in ("account:clerk", "account:legal", "account:reform", "account:watch", "依据不足", "已采纳"):
        assert word in life


def test_a_deed_of_another_seat_is_refused_and_changes_nothing(office: Office) -> None:
    item = code(31)
    proposed(office, item)
    office.does("clerk", item, "submit")
    for name, deed in (("clerk", "agree"), ("watch", "agree"), ("legal", "publish"), ("clerk", "publish"),
                       ("legal", "withdraw"), ("legal", "revise"), ("watch", "publish")):  # fmt: skip
        status, page = office.does(
            name, item, deed, effective="2199-04-01", opinion="试", content=json.dumps(content())
        )
        assert status == 409, (name, deed)
        assert item in page
        assert office.state(item) == "in_review", (name, deed)
    assert office.does("legal", code(39), "propose", change="new", reason="试", content=json.dumps(content()))[0] == 409
    for name in ("legal", "watch"):
        assert office.does(name, item, "answer", number="1", opinion="x")[0] == 403


def test_a_department_sees_and_does_its_own_only(office: Office) -> None:
    item = code(32)
    proposed(office, item)
    assert item not in office.person("other").see("/catalogue").text
    assert office.person("other").see(f"/catalogue/{item}").status_code == 404
    for deed in ("submit", "withdraw", "revise"):
        assert office.does("other", item, deed, opinion="x", content="{}")[0] == 404
    published(office.runtime.engine, code(33))
    assert office.does("other", code(33), "propose", change="abolish", reason="x")[0] == 404
    foreign = office.does("other", code(34), "propose", change="new", reason="x", content=json.dumps(content()))
    assert foreign[0] == 409, "a number that begins with another organ"
    assert office.state(item) == "draft"


def test_who_revised_a_version_does_not_review_it_though_the_role_changed(office: Office) -> None:
    item = code(35)
    proposed(office, item)
    office.does("clerk", item, "submit")
    accounts.make(office.runtime.engine, code="mover", name="m", roles=["legal_office"], organ=None,
                  password=PASSWORD, actor="cli:test")  # fmt: skip
    accounts.set_roles(office.runtime.engine, "clerk", roles=["legal_office"], organ=None, actor="cli:test")
    try:
        status, page = office.does("clerk", item, "agree")
        assert (status, office.state(item)) == (409, "in_review")
        assert "drafted it" in page
        assert office.does("mover", item, "agree")[0] == 200
        accounts.set_roles(office.runtime.engine, "mover", roles=["reform_commission"], organ=None, actor="cli:test")
        assert office.does("mover", item, "agree")[0] == 409
        assert office.does("reform", item, "agree")[0] == 200
        accounts.set_roles(office.runtime.engine, "mover", roles=["supervisor"], organ=None, actor="cli:test")
        assert office.does("mover", item, "publish", effective="2199-04-01")[0] == 409
        assert office.state(item) == "to_publish"
    finally:
        accounts.set_roles(office.runtime.engine, "clerk", roles=[DEPARTMENT], organ=ORGAN, actor="cli:test")


def test_the_desk_is_for_those_who_have_a_seat(office: Office) -> None:
    assert office.person("steward").see("/catalogue").status_code == 403
    assert Browser(office.url).see("/catalogue", allow_redirects=False).status_code == 303
    assert office.person("legal").see("/quality").status_code == 403, "a reviewer of items sees no records"
    assert office.person("legal").see("/").url.endswith("/catalogue")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"content": "{"}, 409), ({"content": "[]"}, 409), ({"content": "[" * 50_000}, 409),
        ({"content": json.dumps({"name": "x"})}, 409), ({"reason": ""}, 409), ({"reason": "x" * 2001}, 409),
        ({"change": "gone"}, 400), ({"change": "suspend"}, 409), ({"code": ""}, 409), ({"code": "x" * 101}, 409),
        ({"code": "' OR 1=1;\x0b--"}, 409), ({"content": json.dumps(content(place="\x00"))}, 409),
        ({"content": json.dumps(content(place="\ud800"))}, 409), ({"content": "x" * 300_000}, 413),
    ],
)  # fmt: skip
def test_a_hostile_form_is_told_what_is_wrong(office: Office, fields: dict[str, str], status: int) -> None:
    said = {"code": code(38), "change": "new", "reason": "试", "content": json.dumps(content()), **fields}
    answer = office.person("clerk").fill_in("/catalogue", said)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert office.state(code(38)) is None


def test_a_deed_that_is_none_and_a_day_that_is_none_are_refused(office: Office) -> None:
    item = code(36)
    proposed(office, item, name=EVIL)
    assert office.does("clerk", item, "explode")[0] == 400
    assert office.does("watch", item, "publish", effective="soon")[0] == 400
    assert office.does("clerk", "no-such", "submit")[0] == 404
    page = office.person("clerk").see(f"/catalogue/{item}").text
    assert "<script>alert" not in page


def test_the_desk_in_a_browser_has_no_barrier(office: Office) -> None:
    item = code(37)
    proposed(office, item)
    office.does("clerk", item, "submit")
    service.comment(office.runtime.engine, item, "建议缩短期限")
    with chromium.running() as browser:
        for language in ("zh", "en"):
            with chromium.stranger(browser, office.url, language) as page:
                page.goto(f"{office.url}/sign-in?next=/catalogue")
                page.fill("#code", "clerk")
                page.fill("#password", PASSWORD)
                page.press("#password", "Enter")
                page.wait_for_url(f"{office.url}/catalogue")
                for path in ("/catalogue", f"/catalogue/{item}"):
                    page.goto(office.url + path)
                    assert chromium.barriers(page) == [], path
                page.set_viewport_size({"width": 360, "height": 700})
                assert page.evaluate("document.documentElement.scrollWidth") <= 360
