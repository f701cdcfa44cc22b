"""A card's dossier: one printed page, in both languages, that loads nothing, with whatever a card has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sharedrepo.keyring import signing
from supervision.cards import deeds, dossier, orders
from tests.quality.pages import chromium
from tests.supervision.desk import Desk
from tests.supervision.world import World

_PAGES = re.compile(rb"/Type\s*/Page[^s]")


def full(desk: Desk, world: World, folder: Path) -> str:
    """A card with forty records, a year of days that were not counted, and a life of thirty deeds."""
    desk.register(folder)
    world.item(stages={"review": "2 working_day"})
    world.case(
        applied="2026-01-05 09:00", accepted="2026-01-05 10:00", pauses=[("2026-01-08 09:00", "2026-01-09 09:00")],
        stages=[("review", f"2026-02-{day:02d} 09:00", f"2026-02-{day:02d} 10:00") for day in range(1, 29)],
    )  # fmt: skip
    desk.only_rules("case_overdue")
    desk.run("2026-11-20 09:00")
    number = desk.only()
    for place in range(20):
        desk.deed(
            deeds.answer, number, now="2026-11-23 10:00", actor="account:clerk", text=f"反馈{place}" + "详" * 1_900
        )
    desk.deed(orders.issue, number, now="2026-11-23 11:00", actor="account:officer", opinion="三日内说明", days=3)
    return number


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_dossier_prints_on_one_page_and_loads_nothing(
    desk: Desk, world: World, tmp_path: Path, language: str
) -> None:
    number = full(desk, world, tmp_path)
    file = tmp_path / "dossier.html"
    file.write_text(dossier.page(desk.card(number), signing.published(desk.engine), language), encoding="utf-8")
    asked = []
    with chromium.running() as browser:
        page = browser.new_page()
        page.on("request", lambda one: asked.append(one.url))
        page.goto(file.as_uri())
        shown = page.inner_text("body")
        printed = page.pdf(prefer_css_page_size=True)
    assert len(_PAGES.findall(printed)) == 1
    assert asked == [file.as_uri()]
    assert number in shown
    assert ("已验证" in shown) == (language == "zh")


def test_a_dossier_says_when_its_seal_proves_nothing(desk: Desk, world: World, tmp_path: Path) -> None:
    number = full(desk, world, tmp_path)
    card = desk.card(number)
    card["evidence"]["clock"]["due_at"] = "2026-12-31T00:00:00+00:00"
    assert "未通过验证" in dossier.page(card, signing.published(desk.engine))


def test_a_dossier_is_made_of_a_card_over_a_month_and_of_a_held_one(desk: Desk, world: World) -> None:
    world.item()
    for place in range(4):
        world.case(f"L{place}", closed="2026-03-20 16:00")
    desk.only_rules("overdue_rate", "case_overdue")
    desk.set("overdue_rate", basis={"more_than": 10, "least": 4})
    desk.through("2026-03-10 00:00")
    desk.run("2026-04-02 09:00")
    for one in desk.cards():
        page = dossier.page(desk.card(one["number"]), signing.published(desk.engine))
        assert "暂缓" in page
        assert "无人" in page
