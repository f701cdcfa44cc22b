"""Makes the pictures of the supervisor's pages anew: `pytest tests/supervision/pages/pictures.py`. Look at them.

A dozen departments of an invented province, some hundred cases, drawn by a published seed.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.settings import Settings
from pipeline.runtime import Runtime
from supervision import running
from supervision.cards.duty import files, service
from tests.conftest import Stock, Stocking
from tests.quality.pages import chromium
from tests.supervision.desk import REGISTER
from tests.supervision.pages.conftest import ITEM, ORGAN, REGIONS, Site, ago, registers
from tests.supervision.pages.signing import person
from tests.supervision.world import World

TO = Path(__file__).resolve().parents[3] / "docs" / "pictures"
DEPARTMENTS = (
    "发展和改革委员会", "教育厅", "公安厅", "民政厅", "自然资源厅", "住房和城乡建设厅", "交通运输厅",
    "农业农村厅", "卫生健康委员会", "应急管理厅", "市场监督管理局",
)  # fmt: skip
POSTS = {"accept": "窗口受理岗", "undertake": "承办岗", "review": "审核岗", "approve": "处长", "complete": "窗口送达岗"}
KEPT = ("wall", "case", "card", "trends")
"""Those that the docs show; all pages are looked at for what is wider than a narrow screen."""
PLACES = [one for one in REGIONS if one != "330000"]


def filled(settings: Settings, runtime: Runtime) -> None:
    """Write the cases."""
    world, chance = World(runtime.engine), random.Random(20261001)
    registers(world)
    organs = [ORGAN, *(f"1133000000248{number:04d}X" for number in range(len(DEPARTMENTS)))]
    with runtime.engine.begin() as connection:
        batch = world.batch(connection, datetime.now(UTC))
        for organ, name in zip(organs[1:], DEPARTMENTS, strict=True):
            world._put(connection, "organ", record_id=world._record(connection, batch), part=0, batch_id=batch,
                       content_hash=b"\x00", code=organ, name=name, level="province",
                       valid_from=date(2000, 1, 1))  # fmt: skip
    limits = {
        "accept": "2 working_day",
        "undertake": "4 working_day",
        "review": "3 working_day",
        "approve": "2 working_day",
    }
    world.item(name="劳务派遣经营许可", name_en="Labour dispatch permit", stages=limits)
    for number in range(360):
        _case(world, chance, number, chance.choice(organs))
    with runtime.engine.begin() as connection:
        connection.execute(sa.text("UPDATE ledger.stream SET complete_through = now(), complete_basis = 'declared'"))
        for stage, post in POSTS.items():
            connection.execute(
                sa.text("""UPDATE core.stage_event SET handler_post = :post, unit_name = '审批处',
                           handler_mask = '王**' WHERE stage = :stage"""),
                {"post": post, "stage": stage},
            )
        register = settings.home.parent / "duty.csv"
        head, rows = REGISTER.split("\n", 1)
        register.write_text("\n".join([head, *(rows.replace(ORGAN, one).rstrip() for one in organs)]) + "\n", "utf-8")
        service.take_in(connection, runtime.protector, files.read(register), file=register.name, actor="cli:demo",
                        today=date(2026, 3, 1), reason="a picture")  # fmt: skip
    running.run(runtime.engine, full=True, protector=runtime.protector)


def _case(world: World, chance: random.Random, number: int, organ: str) -> None:
    began = chance.choice([chance.randint(0, 17), chance.randint(14, 390), chance.randint(14, 390)])
    closed = began > 24 or chance.random() < 0.15 + began / 60
    spent = min(began, max(1, round(chance.gauss(9, 3.2)))) if closed else began
    stages, day = [], began
    for stage in ("accept", "undertake", "review", "approve", "complete"):
        end = max(day - chance.randint(0, 2 + spent // 4), began - spent, 0)
        last = not closed and (end <= 1 or chance.random() < 0.3)
        stages.append((stage, ago(day), None if last else ago(end, 11)))
        day = end
        if last:
            break
    if number % 29 == 0:
        world.case(f"浙-{number:05d}", applied=ago(began), accepted=None, supplements=[(ago(began), None)], organ=organ,
                   region=chance.choice(PLACES))  # fmt: skip
        return
    world.case(
        f"浙-{number:05d}", applied=ago(began), accepted=ago(began, 10),
        closed=ago(began - spent, 16) if closed else None,
        organ=organ, region=chance.choice(PLACES), item=None if number % 41 == 0 else ITEM, stages=stages,
        pauses=[(ago(max(began - 2, 0)), ago(max(began - 5, 0), 17))] if number % 7 == 0 and began > 6 else [],
    )  # fmt: skip


@pytest.fixture(scope="session")
def stock(stocking: Stocking) -> Stock:
    """The invented province."""
    return stocking(filled)


def test_pictures(site: Site) -> None:
    with site.runtime.engine.connect() as connection:
        red = connection.execute(sa.text(
            """SELECT c.number, c.case_id FROM supervision.card AS c JOIN supervision.clock AS k USING (case_id)
               WHERE c.case_id IS NOT NULL AND k.closed_at IS NULL
               ORDER BY c.level = 'red' DESC, coalesce(k.paused_days, 0) DESC, c.card_id LIMIT 1""")).one()  # fmt: skip
    pages = {
        "wall": "/supervision", "cases": "/supervision/cases", "case": f"/supervision/cases/{red.case_id}",
        "cards": "/supervision/cards", "card": f"/supervision/cards/{red.number}", "waiting": "/supervision/waiting",
        "load": "/supervision/load", "trends": "/supervision/trends", "processes": "/supervision/processes",
        "process": f"/supervision/processes/{ITEM}",
    }  # fmt: skip
    with chromium.running() as browser:
        for language in ("zh", "en"):
            with person(browser, site.url, site.account("supervisor"), language) as page:
                for name, path in pages.items():
                    page.goto(site.url + path)
                    if name in KEPT:
                        page.screenshot(path=TO / f"supervision-{name}-{language}.png", full_page=True)
                    page.set_viewport_size({"width": 360, "height": 700})
                    wide = page.evaluate("""[...document.querySelectorAll('body *')].filter((one) =>
                        one.getBoundingClientRect().right > 361 && !one.closest('.wide')).map((one) =>
                        one.outerHTML.slice(0, 150))""")
                    assert wide == [], (path, language)
                    page.set_viewport_size({"width": 1280, "height": 800})
