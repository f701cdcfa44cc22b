"""A small catalogue that is published, and the hub that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from catalog import service
from catalog.life import Proposal
from catalog.pages import senders
from hub.settings import Settings
from sharedrepo.embedded import EmbeddedServer
from tests.catalog.items import BASE, CLERK, LONG_AGO, OTHER, WATCH, code, content, needs, proposed, published, reviewed
from tests.real.conftest import module_repository
from tests.web.browser import Browser
from tests.web.serving import serving

EVIL = '<script>alert("事项")</script>'
LAND, FIRE, FOOD, SECRET, ASKED, UNSAID, OLD = (code(number) for number in range(1, 8))
PROPOSED = code(8)
BELOW = f"{OTHER}4{OLD[19:]}"
TODAY = date(2026, 3, 1)


@dataclass
class Site:
    """The address of a hub, and what is in it."""

    url: str
    engine: sa.Engine

    def see(self, path: str, language: str = "en") -> str:
        """Read a page as somebody who has no account."""
        answer = Browser(self.url, language).see(path)
        assert answer.status_code == 200, answer.text
        return answer.text


def filled(engine: sa.Engine) -> None:
    """Publish items of every disclosure class, with prerequisites, and devolve one."""
    published(engine, LAND, content=content(name="建设用地规划许可", name_en="Land use permit"), numbers={"旧": "XK-7"})
    published(engine, FIRE, content=content(name=EVIL))
    published(engine, SECRET, content=content(name="机密事项", disclosure="internal", place="密室"))
    published(engine, ASKED, content=content(name="依申请事项", disclosure="on_request", place="三楼"))
    published(engine, UNSAID, content=content(name="未定级事项", place="四楼"))
    with engine.begin() as connection:  # as an import leaves it that says no class
        connection.execute(
            sa.text("""UPDATE catalog.item_version SET content = content - 'disclosure'
                       WHERE item_id = (SELECT item_id FROM catalog.item WHERE code = :code)"""),
            {"code": UNSAID},
        )
    groups = [
        {"name": "用地与消防", "holder": "project", "valid_on": "decision", "any_of": [
            {"item": LAND[19:]}, {"item": FIRE, "not_older_than": {"value": 6, "unit": "month"}}, {"item": SECRET},
        ]},
        {"name": "主体", "holder": "applicant", "valid_on": "application", "any_of": [{"credential": "营业执照"}]},
    ]  # fmt: skip
    stages = [{"stage": "review", "limit": {"value": 3, "unit": "working_day"}, "unit": "一处", "post": "处长"}]
    published(engine, FOOD, content=content(name="食品经营许可", requirements=groups, stages=stages, place="二楼 1 号"))
    published(engine, OLD, content=content(name="户外广告设置许可"))
    proposed(engine, BELOW, content=content(name="户外广告设置许可"))
    service.propose(engine, Proposal(OLD, "devolve", "放管服改革", successors=(BELOW,)), CLERK)
    reviewed(engine, BELOW)
    reviewed(engine, OLD)
    service.publish(engine, OLD, date(2026, 2, 1), WATCH, today=LONG_AGO)
    proposed(engine, FOOD, change="change", content=content(name="还在起草", requirements=needs(BASE)))
    proposed(engine, PROPOSED, content=content(name="拟新设许可"))
    service.act(engine, PROPOSED, "submit", CLERK)
    service.answer(engine, PROPOSED, service.comment(engine, PROPOSED, "建议缩短期限"), "已采纳", CLERK)


@pytest.fixture(autouse=True)
def _talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine say as much as the tests have to say: all of them are one sender."""
    monkeypatch.setattr(senders, "MOST", 10_000)


@pytest.fixture(scope="module")
def site(
    server: EmbeddedServer, template: str, key_ring: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The hub with its catalogue, served; the tests of a module share it, and change only items of their own."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), keys=SecretStr(key_ring))
    with module_repository(server, template, settings, "hub_items") as runtime:
        filled(runtime.engine)
        with serving(lambda: runtime) as url:
            yield Site(url, runtime.engine)
