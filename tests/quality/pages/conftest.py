"""A hub of two departments with a refused record each, its issues and scores, and a browser for each role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from connectors.loading import load_sources
from hub.settings import Settings
from hub.visitor import BOUND, REGIONAL
from pipeline.pulls.exchange import exchange
from pipeline.runtime import Runtime
from quality.issues.service import listed, refresh
from quality.pages.routes import today
from quality.scores.service import record_day
from tests.conftest import Stock, Stocking
from tests.departments import ORGAN, Department
from tests.web.browser import PASSWORD, Browser
from tests.web.serving import serving
from web.accounts import service as accounts

OTHER = "113300000024905091"
EVIL = '<script>alert("部门")</script>'
"""A title that a hostile department gives itself."""


@dataclass
class Pages:
    """The address of a hub, what is in it, and persons who look at it."""

    url: str
    runtime: Runtime

    def browser(self, role: str, code: str | None = None, language: str = "en") -> Browser:
        """A browser in which an account of a role is signed in."""
        chosen = code or role.replace("_", "-")
        if accounts.find(self.runtime.engine, chosen) is None:
            accounts.make(
                self.runtime.engine, code=chosen, name=chosen, roles=[role], password=PASSWORD, actor="cli:test",
                organ=ORGAN if role in BOUND else None, region="330100" if role == REGIONAL else None,
            )  # fmt: skip
        made = Browser(self.url, language)
        assert made.sign_in(chosen).status_code in (200, 403)
        return made

    def entry(self, source: str) -> int:
        """The number of a source's refused record."""
        query = """SELECT w.waiting_id FROM ledger.waiting AS w JOIN ledger.stream AS s USING (stream_id)
                   JOIN core.source_system AS y USING (source_system_id)
                   WHERE y.code = :source AND w.kind = 'quarantined' AND w.status = 'open'"""
        return int(self.one(query, source=source))

    def issue(self, organ: str) -> str:
        """The code of an organ's issue."""
        return listed(self.runtime.engine, organ=organ)[0].code

    def one(self, query: str, **values: object) -> object:
        """One value."""
        with self.runtime.engine.connect() as connection:
            return connection.execute(sa.text(query), values).scalar_one()

    def refresh(self) -> None:
        """Bring issues and scores to what is so now."""
        refresh(self.runtime.engine, datetime.now(UTC))
        record_day(self.runtime.engine, today())


def filled(settings: Settings, runtime: Runtime) -> None:
    """Pull two departments, and write their issues and the scores of two days."""
    (place,) = settings.sources
    for code, organ, title in (("labour", ORGAN, "人力资源厅"), ("other", OTHER, EVIL)):
        over = {"organ": organ, "owner": {"organ": organ, "name": title, "contact": "office 0571-0000"}}
        department = Department(place, code, title={"zh": title, "en": title}, **over)
        for number in range(3):
            department.case(f"{code}-{number}", DEPTID=organ, SS_ORGCODE=organ)
        department.put("PRE_NODE", UNID=f"{code}-bad", PROJID=f"{code}-0", PHASE_CODE="SIGNED", OPINION="机密意见")
    for source in load_sources(settings.sources):
        url = f"sqlite:///{place / source.code / 'system.sqlite'}"
        assert exchange(source, runtime=runtime, connections=lambda _id, url=url: url).balanced  # type: ignore[misc]  # a default of a lambda
    refresh(runtime.engine, datetime.now(UTC))
    for day in (today() - timedelta(days=1), today()):
        record_day(runtime.engine, day)


@pytest.fixture(scope="session")
def stock(stocking: Stocking) -> Stock:
    """The two departments, pulled once for all tests."""
    return stocking(filled)


@pytest.fixture
def pages(runtime: Runtime) -> Iterator[Pages]:
    """The hub with its pages, served."""
    with serving(lambda: runtime) as url:
        yield Pages(url, runtime)
