"""Who sees what and may do what: every route, every role, one's own organ and another's."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute

from hub.visitor import ACCEPT_BATCH, ACKNOWLEDGE, APPROVE, DECIDE, DEPARTMENT, PROPOSE, REPLAY, REVEAL, RIGHTS
from quality.pages.issues import routes as issue_routes
from quality.pages.waiting import routes as record_routes
from tests.departments import ORGAN
from tests.quality.pages.conftest import OTHER, Pages
from web.app import create

MONTH = "2026-01"
DEEDS = {
    "/quality/issues/{code}/acknowledge": ACKNOWLEDGE,
    "/quality/issues/{code}/send": DECIDE,
    "/quality/issues/{code}/assign": DECIDE,
    "/quality/issues/{code}/snooze": DECIDE,
    "/quality/issues/{code}/accept": DECIDE,
    "/quality/issues/{code}/note": ACKNOWLEDGE,
    "/quality/records/quarantined/{place}/propose": PROPOSE,
    "/quality/records/quarantined/{place}/approve": APPROVE,
    "/quality/records/quarantined/{place}/reject": APPROVE,
    "/quality/records/quarantined/{place}/waive": APPROVE,
    "/quality/records/quarantined/{place}/replay": REPLAY,
    "/quality/records/quarantined/{place}/reveal": REVEAL,
    "/quality/quarantine/replay": REPLAY,
    "/quality/batches/{place}/accept": ACCEPT_BATCH,
}
"""Every deed with the right that it needs."""


def gets() -> Iterator[str]:
    """Every page below /quality."""
    for route in create().routes:
        if isinstance(route, APIRoute) and route.path.startswith("/quality") and "GET" in route.methods:
            yield route.path


def address(path: str, pages: Pages, organ: str, source: str) -> str:
    """A real address of a pattern, with what belongs to an organ."""
    said = {
        "organ": organ, "month": MONTH, "code": pages.issue(organ), "kind": "quarantined",
        "place": str(pages.entry(source)), "rule": "unknown_code",
    }  # fmt: skip
    return re.sub(r"\{(\w+)\}", lambda found: said[found[1]], path)


def test_every_deed_of_the_code_is_in_this_list() -> None:
    posts = {
        route.path
        for route in create().routes
        if isinstance(route, APIRoute) and route.path.startswith("/quality") and "POST" in route.methods
    }
    alone = {"/quality/quarantine/replay", "/quality/batches/{place}/accept"}
    assert posts == alone | {"/quality/issues/{code}/{deed}", "/quality/records/{kind}/{place}/{deed}"}
    issues = {f"/quality/issues/{{code}}/{deed}" for deed in issue_routes._DEEDS}
    records = {f"/quality/records/quarantined/{{place}}/{deed}" for deed in record_routes._DEEDS}
    assert set(DEEDS) == alone | issues | records


def test_each_role_does_what_its_rights_say_and_nothing_else(pages: Pages) -> None:
    browsers = {role: pages.browser(role) for role in RIGHTS}
    code, entry = pages.issue(ORGAN), str(pages.entry("labour"))
    for path, right in DEEDS.items():
        target = path.replace("{code}", code).replace("{place}", entry)
        for role, browser in browsers.items():
            if right in RIGHTS[role]:
                continue
            page = "/accounts" if role == "administrator" else "/quality"
            answer = browser.fill_in(target, {"reason": "a test", "proposal": "1"}, page=page)
            assert answer.status_code == 403, (role, path)
    assert pages.one("SELECT count(*) FROM quality.issue_event WHERE actor <> 'hub'") == 0
    assert pages.one("SELECT count(*) FROM quality.work_log") == 0


def test_those_who_keep_accounts_see_no_data(pages: Pages) -> None:
    browser = pages.browser("administrator")
    for path in gets():
        assert browser.see(address(path, pages, ORGAN, "labour")).status_code == 403, path


def test_a_department_steward_sees_the_own_department_only(pages: Pages) -> None:
    browser = pages.browser(DEPARTMENT)
    mine, seen = set(), set()
    for path in gets():
        own = browser.see(address(path, pages, ORGAN, "labour"))
        if "{month}" not in path:
            assert own.status_code == 200, path
        assert OTHER not in own.text, path
        assert "&lt;script&gt;" not in own.text, f"{path} names the other department"
        mine.add(path)
        if "{" in path and "{rule}" not in path:  # rules are the same for all; only the counts beside them differ
            assert browser.see(address(path, pages, OTHER, "other")).status_code == 404, path
            seen.add(path)
    assert len(mine) == 11
    assert len(seen) == 4


@pytest.mark.parametrize("query", ["organ={other}", "organ={other}&kind=flagged", "source=other", "level=city"])
@pytest.mark.parametrize("path", ["/quality", "/quality/issues", "/quality/quarantine", "/quality/batches"])
def test_no_filter_leads_a_department_steward_elsewhere(pages: Pages, path: str, query: str) -> None:
    browser = pages.browser(DEPARTMENT)
    shown = browser.see(f"{path}?{query.format(other=OTHER)}")
    main = shown.text.partition("<main")[2]
    assert shown.status_code == 200
    assert OTHER not in main
    assert str(pages.issue(OTHER)) not in main
    assert f"/quality/records/quarantined/{pages.entry('other')}" not in main


def test_guessed_numbers_tell_a_department_steward_nothing(pages: Pages) -> None:
    """What is another's and what is not there are answered alike, and no deed reaches either."""
    browser = pages.browser(DEPARTMENT)
    theirs, nowhere = str(pages.entry("other")), "999999"
    for place in (theirs, nowhere):
        for deed in ("propose", "reveal"):
            path = f"/quality/records/quarantined/{place}/{deed}"
            assert browser.fill_in(path, {"reason": "x", "to:/OPINION": "y"}, page="/quality").status_code == 404
        assert browser.see(f"/quality/records/quarantined/{place}").status_code == 404
    for code in (pages.issue(OTHER), "no-such-issue"):
        assert browser.fill_in(f"/quality/issues/{code}/acknowledge", {}, page="/quality").status_code == 404
    changing = re.compile(r"nonce[^\"]*\"|value=\"\w+\"|/quarantined/\d+|%2F\d+")
    shown = [browser.see(f"/quality/records/quarantined/{place}").text for place in (theirs, nowhere)]
    same = {changing.sub("", one) for one in shown}
    assert len(same) == 1
    assert pages.one("SELECT count(*) FROM quality.work_log") == 0
