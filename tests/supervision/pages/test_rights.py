"""Who sees what: every route and every role; the own region, the own department, and another's."""

from __future__ import annotations

import pytest
import requests
from fastapi.routing import APIRoute

from hub.visitor import CHIEF, DEPARTMENT, REGIONAL, RIGHTS
from supervision.pages import card_routes, days_routes, export_routes, mining_routes, ranking_routes, routes
from supervision.pages.cards import DEEDS
from tests.supervision.pages.conftest import HANGZHOU, ITEM, NINGBO, ORGAN, OTHER, XIHU, Site

SEEING = [role for role, rights in RIGHTS.items() if "supervise" in rights]
LISTS = ["/supervision/cases", "/supervision/cards", "/supervision/waiting", "/supervision/cases?month={month}",
         "/supervision/cases.csv", "/supervision/cards.csv", "/supervision/waiting.csv"]  # fmt: skip


def paths(site: Site) -> list[str]:
    """Every address that is asked by GET, with what there is."""
    given = {"case_id": str(site.cases["A-red"]), "card": site.number("A-red", "red"), "what": "wall", "kind": "csv",
             "item": ITEM}  # fmt: skip
    found = []
    for router in (
        one.router for one in (routes, card_routes, days_routes, export_routes, mining_routes, ranking_routes)
    ):
        for route in router.routes:
            assert isinstance(route, APIRoute)
            if "GET" in route.methods:
                more = {**given, "kind": "xes"} if route.path.endswith("log.{kind}") else given
                more_query = "?source=clock&number=A-red" if route.path.endswith("/find") else ""
                found.append(route.path.format(**more) + more_query)
    return found


def test_every_page_is_for_those_who_supervise_and_nobody_else(site: Site) -> None:
    asked = paths(site)
    assert len(asked) >= 12
    for role in RIGHTS:
        browser = site.browser(role, region=HANGZHOU if role == REGIONAL else None)
        for path in asked:
            status = browser.see(path).status_code
            assert status == (200 if role in SEEING else 403), (role, path)
    for path in asked:
        answer = requests.get(site.url + path, headers={"Accept": "text/html"}, allow_redirects=False, timeout=30)
        assert (answer.status_code, "/sign-in" in answer.headers["Location"]) == (303, True), path


def own(site: Site, role: str, region: str | None = None, organ: str | None = None) -> set[str]:
    """The cases that such a person sees: A lies at Hangzhou, A-green in its county Xihu, B at Ningbo."""
    if region == XIHU:
        return {"A-green"}
    first = {HANGZHOU: "A", NINGBO: "B"}.get(region or "") or ("A" if organ else "")
    return {name for name in site.cases if name.startswith(first)}


@pytest.mark.parametrize(
    ("who", "sees", "hidden"),
    [
        ({"role": REGIONAL, "region": HANGZHOU}, ["A-red", "A-green"], ["B-red", "B-green"]),
        ({"role": REGIONAL, "region": XIHU}, ["A-green"], ["A-red", "B-green"]),
        ({"role": CHIEF, "region": NINGBO}, ["B-red"], ["A-red", "A-green"]),
        ({"role": DEPARTMENT, "organ": ORGAN}, ["A-red", "A-green"], ["B-red", "B-waits"]),
        ({"role": "supervisor"}, ["A-red", "B-red", "A-waits", "B-late"], []),
    ],
)
def test_a_city_a_county_and_a_department_see_their_own_cases_only(
    site: Site, who: dict[str, str], sees: list[str], hidden: list[str]
) -> None:
    browser = site.browser(**who)
    for name in sees:
        assert browser.see(f"/supervision/cases/{site.cases[name]}").status_code == 200, name
    for name in hidden:
        assert browser.see(f"/supervision/cases/{site.cases[name]}").status_code == 404, name
    foreign = set(site.cases) - own(site, **who)
    for path in LISTS:
        text = browser.see(path.format(month="2026-10")).text
        assert [name for name in foreign if f">{name}<" in text or f"{name}," in text] == [], path
    assert all(f">{name}<" in browser.see("/supervision/cases").text for name in sees if "late" not in name)


def test_filters_do_not_widen_what_a_region_or_a_department_sees(site: Site) -> None:
    ningbo = f"region={NINGBO}"
    for who in ({"role": REGIONAL, "region": HANGZHOU}, {"role": DEPARTMENT, "organ": ORGAN}):
        browser = site.browser(**who)
        wider = [
            f"/supervision/cases?organ={OTHER}", f"/supervision/cases?{ningbo}", "/supervision/cases?case=B-red",
            f"/supervision/cards?organ={OTHER}", f"/supervision?by=organ&{ningbo}",
        ]  # fmt: skip
        for path in wider:
            text = browser.see(path).text
            assert ">B-red<" not in text, (who, path)
            assert 'class="light red" href' not in text, (who, path)


def test_another_regions_card_is_not_there_and_cannot_be_acted_on(site: Site) -> None:
    foreign = site.number("B-red", "red")
    for who in (
        {"role": REGIONAL, "region": HANGZHOU},
        {"role": DEPARTMENT, "organ": ORGAN},
        {"role": CHIEF, "region": HANGZHOU},
    ):
        browser = site.browser(**who)
        assert browser.see(f"/supervision/cards/{foreign}").status_code == 404
        right = "answer" if who["role"] == DEPARTMENT else "uphold"
        answer = browser.fill_in(
            f"/supervision/cards/{foreign}", {"deed": right, "reason": "x"}, page="/supervision/cards"
        )
        assert answer.status_code == 404


@pytest.mark.parametrize("deed", DEEDS)
def test_each_deed_needs_its_right(site: Site, deed: str) -> None:
    card = site.number("A-red", "red")
    for role in SEEING:
        browser = site.browser(role, region=HANGZHOU if role == REGIONAL else None)
        answer = browser.fill_in(f"/supervision/cards/{card}", {"deed": deed, "reason": ""}, page="/supervision/cards")
        expected = (409, 400) if DEEDS[deed] in RIGHTS[role] else (403,)
        assert answer.status_code in expected or answer.status_code == 404, (role, deed, answer.status_code)
        assert (answer.status_code == 403) == (DEEDS[deed] not in RIGHTS[role])


def test_a_form_of_another_site_does_nothing(site: Site) -> None:
    card = site.number("A-red", "red")
    browser = site.browser("supervisor")
    answer = browser.post(f"{site.url}/supervision/cards/{card}", {"deed": "uphold", "reason": "x"}, timeout=30)
    assert answer.status_code == 403
    assert "card_state" not in answer.text
