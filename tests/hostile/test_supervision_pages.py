"""Hostile use of the supervisor's pages: SQL and scripts in every parameter, other people's cases, far pages."""

from __future__ import annotations

import pytest

from tests.supervision.pages.conftest import EVIL, HANGZHOU, ITEM, Site, site, stock

__all__ = ["site", "stock"]

PAGES = {
    "/supervision": ("by", "level", "region"),
    "/supervision/part": ("by", "level", "region", "mark"),
    "/supervision/cases": ("organ", "region", "stage", "light", "state", "case", "item", "month", "verdict", "from"),
    "/supervision/cards": ("level", "state", "kind", "organ", "case_id", "ended", "asked_down", "from"),
    "/supervision/load": ("month", "organ", "by"),
    "/supervision/trends": ("month", "organ"),
    "/supervision/ranking": ("month", "level"),
    "/supervision/find": ("source", "number"),
    "/supervision/cases.csv": ("organ", "region", "stage", "month", "from"),
    "/supervision/cards.pdf": ("organ", "level"),
}
BAD = (
    "' OR 1=1 --", "1; DROP TABLE supervision.clock; --", "%", "%%s", "{0}", '"><script>alert(1)</script>', "\0", "-1",
    "9" * 400, "1e9", "２０２６-10", "2026-13", "\ud7ff\u202e", "../../etc/passwd",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_no_parameter_is_anything_but_a_value(site: Site, path: str) -> None:
    browser = site.browser("supervisor")
    for name in PAGES[path]:
        for said in BAD:
            answer = browser.see(path, params={name: said})
            assert answer.status_code in (200, 204, 400, 404), (name, said, answer.status_code)
            assert "<script>alert(1)" not in answer.text, (name, said)
    with site.runtime.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM supervision.clock").scalar_one() == len(site.cases)


def test_no_address_is_anything_but_a_name(site: Site) -> None:
    browser = site.browser("supervisor")
    places = [
        "/supervision/cases/{}", "/supervision/cases/{}/days", "/supervision/cards/{}", "/supervision/processes/{}",
        "/supervision/processes/{}/map.svg", f"/supervision/processes/{ITEM}/log.{{}}", "/supervision/{}.csv",
        "/supervision/wall.{}",
    ]  # fmt: skip
    for place in places:
        for said in ("' OR 1=1 --", "<script>", "9" * 30, "-1", "%25", "ａ", "x" * 3000, "1%00"):
            answer = browser.see(place.format(said))
            assert answer.status_code in (400, 404), (place, said, answer.status_code)
            assert "<script>" not in answer.text.replace("&lt;script&gt;", "")


@pytest.mark.parametrize("path", ["/supervision/cases", "/supervision/cards"])
def test_the_millionth_page_is_empty_and_beyond_it_is_no_further(site: Site, path: str) -> None:
    browser = site.browser("supervisor")
    for far in ("1000000", "999999999999999999"):
        answer = browser.see(f"{path}?from={far}")
        assert answer.status_code == 200
        assert answer.elapsed.total_seconds() < 5


def test_a_name_that_is_a_script_is_only_shown(site: Site) -> None:
    browser = site.browser("supervisor", language="zh")
    paths = [
        "/supervision", "/supervision/cases", "/supervision/cards", "/supervision/waiting", "/supervision/load",
        f"/supervision/cases/{site.cases['B-red']}", f"/supervision/cards/{site.number('B-red', 'red')}",
    ]  # fmt: skip
    for path in paths:
        text = browser.see(path).text
        assert EVIL not in text, path
        assert "&lt;script&gt;alert(" in text, f"{path} shows the name as it is"


def test_a_case_of_another_region_is_not_there_by_any_way(site: Site) -> None:
    browser = site.browser("regional_supervisor", region=HANGZHOU)
    foreign = site.cases["B-red"]
    far = "/supervision/find?source=clock&number=B-red"
    for path in (f"/supervision/cases/{foreign}", f"/supervision/cases/{foreign}/days", far):
        assert browser.see(path).status_code == 404, path
    for known in ("9999-12-31", "0001-01-01", "2026-02-30", "soon"):
        own = f"/supervision/cases/{site.cases['A-red']}/days?known={known}"
        assert browser.see(own).status_code in (200, 400), known
    assert browser.see("/supervision/find?source=clock&number=A-red").url.endswith(f"/{site.cases['A-red']}")


def test_deeds_of_no_kind_and_reasons_of_any_size_change_nothing(site: Site) -> None:
    number = site.number("A-red", "red")
    browser = site.browser("supervisor")
    bad = [
        {"deed": "nothing", "reason": "x"}, {"deed": "uphold"}, {"deed": "uphold", "reason": "x" * 100_000},
        {"deed": "order", "reason": "x", "days": "９"}, {"deed": "order", "reason": "x", "days": "-1"},
        {"deed": "withdraw", "cause": "'; --", "reason": "x"}, {"deed": "close_order", "reason": "x"},
    ]  # fmt: skip
    for form in bad:
        answer = browser.fill_in(f"/supervision/cards/{number}", form, page="/supervision/cards")
        assert answer.status_code in (400, 404, 409), form
        assert "<script" not in answer.text.replace("<script src", "")
    with site.runtime.engine.connect() as connection:
        query = "SELECT state FROM supervision.card WHERE number = %s"
        assert connection.exec_driver_sql(query, (number,)).scalar_one() == "sent"
