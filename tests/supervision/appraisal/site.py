"""A hub that is served, with an October that is published, an erratum of it under hearing, and persons who look."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from hub.settings import Settings
from hub.visitor import DEPARTMENT
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.keyring import signing
from sharedrepo.keyring.signing import Ed25519Signer
from supervision.appraisal import editions, entering, freezing, ratings, sampling, yearly
from supervision.appraisal.entering import Entry
from tests.real.conftest import module_repository
from tests.supervision.appraisal import filling
from tests.supervision.appraisal.filling import ORGAN, OTHER
from tests.supervision.appraisal.test_freezing import RATINGS
from tests.web.browser import PASSWORD, Browser
from tests.web.serving import serving
from web.accounts import service as accounts

MONTH = "2026-10"
NOW, LATER = datetime(2026, 11, 3, 1, 0, tzinfo=UTC), datetime(2026, 11, 11, 1, 0, tzinfo=UTC)
OVER = datetime(2027, 1, 1, 1, 0, tzinfo=UTC)
EVIL = '<script>alert("排名")</script>' if "PICTURES" not in os.environ else "〔2026〕7号"
"""What a page must not run; a picture shows what stands there else."""


@dataclass
class Site:
    """The address of a hub, and what is in it."""

    url: str
    engine: sa.Engine

    def see(self, path: str, language: str = "en", code: str | None = None) -> str:
        """Read a page, as somebody without an account or as a person."""
        answer = self.browser(language, code).see(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def browser(self, language: str = "en", code: str | None = None) -> Browser:
        """Open a browser, signed in or not."""
        opened = Browser(self.url, language)
        if code is not None:
            opened.sign_in(code)
        return opened


def filled(engine: sa.Engine, signer: Ed25519Signer, folder: object) -> None:
    """Publish October, then freeze it anew and open the hearing of an erratum."""
    with engine.begin() as connection:
        filling.month(connection)
        for place in range(4):
            filling.card(connection, f"YJ-2026-10-{place:04d}", 1001 + place, ORGAN, "warning")
        filling.card(connection, "HP-2026-10-0007", 1008, ORGAN, "yellow")
        filling.card(connection, "HP-2026-10-0008", 2007, OTHER, "red", kind="process")
        signing.publish(connection, signer)
    file = folder / "ratings.csv"  # type: ignore[operator]  # a folder of pytest
    file.write_text(RATINGS, encoding="utf-8")
    ratings.import_(engine, file, "account:anna")
    entering.enter(
        engine, Entry(MONTH, "department", ORGAN, "integrity", "-1.5", "2", f"审计通报 {EVIL}"), "account:anna"
    )
    freezing.freeze(engine, MONTH, actor="account:anna", now=NOW)
    editions.draft(engine, MONTH, "account:anna")
    editions.hear(engine, MONTH, date(2026, 11, 10), "account:anna", NOW)
    editions.publish(engine, MONTH, "account:bernd", signer, LATER)
    yearly.publish(engine, 2026, 2, actor="account:bernd", signer=signer, now=OVER)
    sampling.draw(engine, MONTH, "双色球 2026130 期 03 09 11 17 28 31", 5, "account:anna")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE supervision.clock SET verdict = 'early' WHERE case_id = 70001008"))
    freezing.freeze(engine, MONTH, actor="account:anna", now=LATER, reason="C-1008 was closed in time")
    editions.draft(engine, MONTH, "account:anna", "一件办件的办结时间已更正")
    editions.hear(engine, MONTH, date(2199, 12, 31), "account:anna", LATER)


def persons(engine: sa.Engine) -> None:
    """Make a supervisor and a person of each of two departments."""
    for code, roles, organ in (
        ("watch", ["supervisor"], None), ("labour", [DEPARTMENT], ORGAN), ("land", [DEPARTMENT], OTHER),
    ):  # fmt: skip
        accounts.make(engine, code=code, name=code.title(), roles=roles, organ=organ, password=PASSWORD, actor="test")


@pytest.fixture(scope="module")
def site(
    server: EmbeddedServer, template: str, key_ring: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The hub with its ranking; the tests of a module share it."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), keys=SecretStr(key_ring))
    with module_repository(server, template, settings, "hub_ranking") as runtime:
        filled(runtime.engine, Ed25519Signer.of(runtime.protector.ring), tmp_path_factory.mktemp("ratings"))
        persons(runtime.engine)
        with serving(lambda: runtime) as url:
            yield Site(url, runtime.engine)
