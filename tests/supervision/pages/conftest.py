"""A province in small: departments of two cities with cases in every light, cards on some, and who looks at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from hub.settings import Settings
from hub.visitor import BOUND, CHIEF, DEPARTMENT, REGIONAL
from hub.workdays import ZONE
from pipeline.runtime import Runtime
from supervision import running
from supervision.cards.duty import files, service
from tests.conftest import Stock, Stocking
from tests.supervision.desk import REGISTER
from tests.supervision.world import ITEM, ORGAN, World
from tests.web.browser import PASSWORD, Browser
from tests.web.serving import serving
from web.accounts import service as accounts

OTHER = "113300000024905091"
EVIL = '<script>alert("局")</script>'
HANGZHOU, XIHU, NINGBO = "330100", "330106", "330200"
NAMES = {ORGAN: "人力资源和社会保障厅", OTHER: EVIL}
REGIONS = {"330000": "浙江省", HANGZHOU: "杭州市", XIHU: "西湖区", NINGBO: "宁波市"}


def ago(days: int, hour: int = 9) -> str:
    """An instant some days before today, as the world writes it."""
    then = datetime.now(UTC).astimezone(ZONE) - timedelta(days=days)
    return f"{then:%Y-%m-%d} {hour:02d}:00"


@dataclass
class Site:
    """The address of a hub, what is in it, and persons who look at it."""

    url: str
    runtime: Runtime
    cases: dict[str, int] = field(default_factory=dict)

    def browser(
        self, role: str, *, region: str | None = None, organ: str | None = None, language: str = "en"
    ) -> Browser:
        """A browser in which an account of a role is signed in."""
        made = Browser(self.url, language)
        assert made.sign_in(self.account(role, region=region, organ=organ)).status_code == 200
        return made

    def account(self, role: str, *, region: str | None = None, organ: str | None = None) -> str:
        """The code of an account of a role, entered where it is not there yet."""
        bound = organ or (ORGAN if role in BOUND else None)
        code = "-".join(one for one in (role.replace("_", "-"), region, (organ or "")[-4:].lower()) if one)
        if accounts.find(self.runtime.engine, code) is None:
            accounts.make(
                self.runtime.engine, code=code, name=f"王{code}", roles=[role], organ=bound, region=region,
                password=PASSWORD, actor="cli:test",
            )  # fmt: skip
        return code

    def number(self, case: str, level: str) -> str:
        """The number of the card of a level on a case."""
        with self.runtime.engine.connect() as connection:
            return str(connection.execute(
                sa.text("SELECT number FROM supervision.card WHERE case_id = :case AND level = :level"),
                {"case": self.cases[case], "level": level},
            ).scalar_one())  # fmt: skip


def filled(settings: Settings, runtime: Runtime) -> None:
    """Write cases in every light, and let supervision run over them."""
    world = World(runtime.engine)
    registers(world)
    world.item(
        name="劳务派遣经营许可",
        stages={"accept": "2 working_day", "review": "3 working_day", "approve": "3 working_day"},
    )
    for organ in (ORGAN, OTHER):
        write(world, organ)
    with runtime.engine.begin() as connection:  # both feeds are complete, so that no card is held
        connection.execute(sa.text("UPDATE ledger.stream SET complete_through = now(), complete_basis = 'declared'"))
        register = settings.home.parent / "duty.csv"
        register.write_text(REGISTER, encoding="utf-8")
        service.take_in(connection, runtime.protector, files.read(register), file=register.name, actor="cli:test",
                        today=date(2026, 3, 1), whole=False, reason="a test")  # fmt: skip
    running.run(runtime.engine, protector=runtime.protector)


def registers(world: World) -> None:
    """Name organs and regions as the registers do."""
    with world.engine.begin() as connection:
        batch = world.batch(connection, datetime.now(UTC))
        common = {"part": 0, "valid_from": date(2000, 1, 1), "batch_id": batch, "content_hash": b"\x00"}
        for code, name in NAMES.items():
            world._put(connection, "organ", record_id=world._record(connection, batch), code=code, name=name,
                       level="province", region="330000", **common)  # fmt: skip
        for code, name in REGIONS.items():
            world._put(connection, "region", record_id=world._record(connection, batch), code=code, name=name,
                       level="city", **common)  # fmt: skip


def write(world: World, organ: str) -> None:
    """Write the cases of one department: one of each light, one that waits, closed ones."""
    tag, home = ("A", HANGZHOU) if organ == ORGAN else ("B", NINGBO)
    mine = {"organ": organ, "region": home}
    world.case(f"{tag}-red", applied=ago(60), accepted=ago(60, 10), **mine,
               stages=[("accept", ago(60), ago(59)), ("undertake", ago(59), ago(50)), ("review", ago(50), None)],
               pauses=[(ago(45), ago(38))])  # fmt: skip
    world.case(f"{tag}-green", applied=ago(1), accepted=ago(1, 10), organ=organ,
               region=XIHU if organ == ORGAN else home, stages=[("accept", ago(1), ago(0, 1))])  # fmt: skip
    world.case(f"{tag}-grey", applied=ago(3), accepted=ago(3, 10), item=None, **mine)
    world.case(f"{tag}-waits", applied=ago(20), accepted=None, supplements=[(ago(18), None)], **mine)
    world.case(f"{tag}-early", applied=ago(40), accepted=ago(40, 10), closed=ago(36), **mine)
    world.case(f"{tag}-late", applied=ago(90), accepted=ago(90, 10), closed=ago(45), **mine,
               stages=[("accept", ago(90), ago(89)), ("review", ago(89), ago(60), "returned"),
                       ("accept", ago(60), ago(59)), ("review", ago(59), ago(47)),
                       ("approve", ago(47), ago(45))])  # fmt: skip


@pytest.fixture(scope="session")
def stock(stocking: Stocking) -> Stock:
    """The province, written once for all tests."""
    return stocking(filled)


@pytest.fixture
def site(runtime: Runtime) -> Iterator[Site]:
    """The hub with its pages, served."""
    with runtime.engine.connect() as connection:
        cases = dict(connection.execute(sa.text("SELECT case_number, record_id FROM core.approval_case")).all())
    with serving(lambda: runtime, supervised=True) as url:
        yield Site(url, runtime, {str(name): int(number) for name, number in cases.items()})


__all__ = ["CHIEF", "DEPARTMENT", "ITEM", "REGIONAL"]
