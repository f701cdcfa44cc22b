"""The published catalogue for everybody: what may be seen is seen at once, what may not is not."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import requests
from lxml import etree

from catalog import reading, service
from catalog.imports import entries
from catalog.imports.service import take_in
from catalog.life import Doer
from catalog.pages import review
from tests.catalog.items import CLERK, ORGAN, code, content, proposed, published
from tests.catalog.pages.conftest import ASKED, BELOW, EVIL, FIRE, FOOD, LAND, OLD, SECRET, UNSAID, Site
from tests.web.browser import Browser

ATOM = {"a": "http://www.w3.org/2005/Atom"}
PATHS = ("/items", "/items?q=机密", f"/items/{FOOD}", f"/items/graph/{FOOD}", "/items/changes", "/items/changes.atom")


def feed(site: Site, query: str = "") -> Any:
    answer = requests.get(f"{site.url}/items/changes.atom{query}", timeout=30)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    return etree.fromstring(answer.content)


def test_everybody_finds_an_item_by_name_number_organ_and_state(site: Site) -> None:
    assert LAND in site.see("/items?q=用地")
    assert LAND in site.see("/items?q=land+USE")
    assert LAND in site.see("/items?q=XK-7")
    assert LAND not in site.see("/items?q=消防")
    assert OLD in site.see("/items?status=devolved")
    assert OLD not in site.see(f"/items?status=in_force&organ={ORGAN}")
    assert LAND not in site.see("/items?type=20", "zh")
    assert LAND not in site.see("/items?day=2025-12-31")


def test_an_item_shows_what_it_takes_and_what_it_rests_on(site: Site) -> None:
    page = site.see(f"/items/{FOOD}")
    for word in (
        "食品经营许可", "20 working days", "二楼 1 号", "处长", "营业执照", "not older than 6 months", "free of charge",
    ):  # fmt: skip
        assert word in page
    assert f'href="/items/{LAND[19:]}"' in page
    assert "Land use permit" in site.see(f"/items/{LAND[19:]}"), "a base code leads to an item that has it"
    assert f"/items/graph/{FOOD}" in page
    assert "还在起草" not in page, "a draft is nobody's business yet"
    assert "Land use permit" in site.see("/items/XK-7")


def test_what_is_not_public_is_not_shown_on_any_page(site: Site) -> None:
    for path in PATHS:
        assert "机密事项" not in site.see(path), path
    for hidden in (SECRET, f"graph/{SECRET}", f"graph/{ASKED}", "no-such-item", "x" * 200):
        assert Browser(site.url).see(f"/items/{hidden}").status_code == 404, hidden
    for item, name, place in ((ASKED, "依申请事项", "三楼"), (UNSAID, "未定级事项", "四楼")):
        page = site.see(f"/items/{item}")
        assert name in page
        assert place not in page
        assert "on request" in page
    assert "未公布的事项" in site.see(f"/items/graph/{FOOD}"), "its third option"
    assert "三楼" not in site.see("/items/changes.atom") + site.see("/items/changes")


def test_an_item_that_becomes_internal_is_gone_with_all_its_changes(site: Site) -> None:
    item = code(20)
    published(site.engine, item, content=content(name="将转为不公开"))
    assert "将转为不公开" in site.see(f"/items/{item}") + site.see("/items/changes.atom")
    hidden = content(name="将转为不公开", disclosure="internal")
    published(site.engine, item, change="change", content=hidden, on=date(2026, 2, 2))
    assert Browser(site.url).see(f"/items/{item}").status_code == 404
    assert "将转为不公开" not in site.see("/items/changes") + site.see("/items/changes.atom") + site.see("/items")


def test_a_name_is_text_on_every_page(site: Site) -> None:
    for path in (*PATHS, f"/items/{FIRE}", f"/items/graph/{FIRE}"):
        page = site.see(path)
        assert "<script>alert" not in page, path
    assert EVIL in "".join(feed(site).xpath("//a:title/text()", namespaces=ATOM))


def test_a_devolution_is_shown_above_and_below(site: Site) -> None:
    page = site.see(f"/items/{OLD}")
    assert "Handed down since 2026-02-01" in page
    assert f"/items/{BELOW}" in page
    assert "户外广告设置许可" in site.see(f"/items/{BELOW}")
    before = site.see(f"/items/{OLD}?day=2026-01-15")
    assert "Handed down" not in before
    assert "2026-01-15" in before


def test_every_change_is_in_the_feed_at_once(site: Site) -> None:
    told = feed(site).xpath("//a:entry/a:category/@term", namespaces=ATOM)
    assert told.count("devolve") == 1
    assert told.count("new") >= 7
    item = code(21)
    published(site.engine, item)
    published(site.engine, item, change="abolish", content=None, on=date(2026, 9, 1), reason="国务院决定取消")
    newest = feed(site).xpath("//a:entry[1]", namespaces=ATOM)[0]
    assert newest.xpath("string(a:category/@term)", namespaces=ATOM) == "abolish"
    assert "国务院决定取消" in newest.xpath("string(a:summary)", namespaces=ATOM)
    assert newest.xpath("string(a:link/@href)", namespaces=ATOM) == f"{site.url}/items/{item}"
    assert "国务院决定取消" in site.see("/items/changes?change=abolish")


def test_the_feed_is_well_formed_by_its_standard(site: Site) -> None:
    for root in (feed(site), feed(site, "?language=en&change=new"), feed(site, "?organ=11330000002480000X")):
        for place in (root, *root.xpath("//a:entry", namespaces=ATOM)):
            for name in ("id", "title", "updated"):
                assert len(place.xpath(f"a:{name}", namespaces=ATOM)) == 1, name
        entries = root.xpath("//a:entry", namespaces=ATOM)
        assert all(len(one.xpath("a:author/a:name", namespaces=ATOM)) == 1 for one in entries)
        ids = root.xpath("//a:id/text()", namespaces=ATOM)
        assert len(ids) == len(set(ids))
        assert root.xpath("count(a:link[@rel='self'])", namespaces=ATOM) == 1


def test_a_long_feed_goes_on_to_its_end(site: Site) -> None:
    def entry(code: str, name: str) -> entries.Entry:
        return entries.Entry("", code, ORGAN, content(name=name), effective_on=date(2026, 1, 1))

    wrong = [entry(f"L-{number}\u000b", "错号") for number in range(3)]
    right = [entry(f"L/{number}", f"事项\u000b{number}") for number in range(120)]
    before = len(feed(site).xpath("//a:entry", namespaces=ATOM))
    done = take_in(site.engine, [*wrong, *right], Doer("cli:keeper", "hub"), reason="入库", skip_refused=True)
    assert done.counts == {"new": 120, "refused": 3}
    seen: list[str] = []
    titles: list[str] = []
    query = "?language=zh"
    while query:
        root = feed(site, query)
        seen += root.xpath("//a:entry/a:id/text()", namespaces=ATOM)
        titles += root.xpath("//a:entry/a:title/text()", namespaces=ATOM)
        after = root.xpath("string(a:link[@rel='next']/@href)", namespaces=ATOM)
        query = after.partition("changes.atom")[2]
    assert len(seen) == len(set(seen)) == 120 + before
    assert "新增 事项\ufffd7" in titles, "what XML cannot hold is shown as such"
    assert "L/7" in site.see("/items/L/7"), "a number with a stroke has a page, too"


HOSTILE = (
    "q=" + "x" * 101, "q=%00", "organ=" + "x" * 19, "status=gone", "type=77", "from=-1", "from=9" * 30, "from=x",
    "day=yesterday", "day=0001-01-01", "day=9999-12-31", "change=gone",
)  # fmt: skip
SQL = "' OR 1=1; DROP TABLE catalog.item; --"


@pytest.mark.parametrize("query", HOSTILE)
def test_a_parameter_beyond_its_limits_is_refused(site: Site, query: str) -> None:
    paths = ["/items/changes", "/items/changes.atom"] if query.startswith("change=") else ["/items"]
    if query.startswith("from="):
        paths += ["/items/changes", "/items/changes.atom"]
    for path in paths:
        answer = Browser(site.url).see(f"{path}?{query}")
        assert answer.status_code == 400, path
        assert "Traceback" not in answer.text


def test_sql_and_wild_cards_in_every_field_are_words(site: Site) -> None:
    for word in (SQL, "%", "_", "\\", "\\%"):
        assert LAND not in Browser(site.url).get(f"{site.url}/items", params={"q": word}, timeout=30).text
    for path, name in (("/items", "organ"), ("/items", "status"), ("/items/changes", "organ"), ("/items", "day")):
        answer = Browser(site.url).get(f"{site.url}{path}", params={name: SQL}, timeout=30)
        assert answer.status_code == 400, name
    assert Browser(site.url).see(f"/items/{SQL}").status_code == 404
    assert LAND in site.see("/items")


def under_review(site: Site, item: str, **over: Any) -> None:
    proposed(site.engine, item, content=content(**over))
    service.act(site.engine, item, "submit", CLERK)


def test_the_public_sees_what_is_under_review_comments_on_it_and_is_answered(site: Site) -> None:
    item = code(22)
    under_review(site, item, name="拟设事项", place="五楼")
    assert "拟设事项" in site.see("/items/review")
    for word in ("五楼", "20 working days", "certificate", "administrative licence"):
        assert word in site.see(f"/items/review/{item}")
    assert Browser(site.url).see(f"/items/{item}").status_code == 404, "it is not published yet"
    sent = Browser(site.url).post(f"{site.url}/items/review/{item}", {"said": f"建议缩短期限 {EVIL}"}, timeout=30)
    assert sent.status_code == 200
    page = site.see(f"/items/review/{item}")
    assert "建议缩短期限" not in page, "what nobody has answered yet is not shown"
    assert "1 " in page
    (comment,) = reading.shown(site.engine, item)["comments"]
    service.answer(site.engine, item, comment["number"], "已采纳", CLERK)
    page = site.see(f"/items/review/{item}")
    assert "建议缩短期限" in page
    assert "已采纳" in page
    assert "<script>alert" not in page


def test_what_is_no_public_proposal_is_not_open(site: Site) -> None:
    hidden = code(23)
    under_review(site, hidden, name="不公开的拟设事项", disclosure="internal")
    proposed(site.engine, code(24), content=content(name="仅为草稿"))
    assert "不公开的拟设事项" not in site.see("/items/review")
    for item in (hidden, code(24), FOOD, LAND, "no-such"):
        assert Browser(site.url).see(f"/items/review/{item}").status_code == 404, item
        sent = Browser(site.url).post(f"{site.url}/items/review/{item}", {"said": "好"}, timeout=30)
        assert sent.status_code == 404, item


@pytest.mark.parametrize(
    ("said", "status"), [("", 409), (" \n", 409), ("x" * 2001, 409), ("a\0b", 400), ("x" * 300_000, 413)]
)
def test_a_comment_beyond_its_limits_is_refused(site: Site, said: str, status: int) -> None:
    item = code(25)
    if not site.see("/items/review").count(item):
        under_review(site, item)
    sent = Browser(site.url).post(f"{site.url}/items/review/{item}", {"said": said}, timeout=30)
    assert sent.status_code == status
    assert reading.shown(site.engine, item)["comments"] == []


def test_a_flood_of_comments_is_stopped(site: Site) -> None:
    item = code(26)
    under_review(site, item)
    for number in range(review.MOST_AT_ONCE):
        service.comment(site.engine, item, f"意见 {number}")
    sent = Browser(site.url).post(f"{site.url}/items/review/{item}", {"said": "又一条"}, timeout=30)
    assert sent.status_code == 429
    assert int(sent.headers["Retry-After"]) > 0
    assert len(reading.shown(site.engine, item)["comments"]) == review.MOST_AT_ONCE


def test_nothing_is_written_by_looking(site: Site) -> None:
    for path in PATHS:
        for method in ("POST", "PUT", "DELETE"):
            assert requests.request(method, f"{site.url}{path}", timeout=30).status_code == 405
