"""A back-fill of files: picked out of those that lie there, never out of one that stands aside."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from connectors.seam import Window
from pipeline.afterwards.rebuild import rebuild
from pipeline.runtime import Runtime
from sharedrepo.telling import digest
from tests.complaints.test_signals import Dropping, rows
from tests.journeys.conftest import Hub

ZONE = ZoneInfo("Asia/Shanghai")
MARCH = Window(datetime(2026, 3, 1, tzinfo=ZONE), datetime(2026, 4, 1, tzinfo=ZONE))
STATE = "SELECT name, state, complete_through, last_success_at FROM ledger.stream"


@pytest.fixture
def dropping(tmp_path: Path) -> Dropping:
    made = Dropping(tmp_path / "dropping", tmp_path / "drop")
    file = made.folder / "source.yml"
    body: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    body["streams"]["PRE_APASINFO"]["options"]["business_date"] = "RECEIVETIME"
    file.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
    return made


def drop(dropping: Dropping, name: str, *numbers: int, day: str = "2026-03-02 08:40:10") -> None:
    dropping.write(name, [{**one, "RECEIVETIME": day} for one in rows(*numbers)], dropping.fields("PRE_APASINFO"))


def test_it_is_idempotent_and_the_files_that_are_due_stay_due(hub: Hub, dropping: Dropping) -> None:
    hub = Hub(hub.runtime, dropping)
    drop(dropping, "day1.csv", 1, 2)
    hub.pull()
    before = hub.rows(STATE)
    drop(dropping, "day2.csv", 3)
    drop(dropping, "day3.csv", 4, day="2026-02-02 08:40:10")
    told = [hub.pull(window=MARCH)["PRE_APASINFO"] for _ in range(2)]
    assert [(one["read"], one["new"], one["unchanged"]) for one in told] == [(3, 1, 2), (3, 0, 3)]
    assert hub.rows(STATE) == before
    told = [hub.pull()["PRE_APASINFO"]]
    assert [(one["read"], one["new"], one["unchanged"]) for one in told] == [(2, 1, 1)]


def test_nothing_is_taken_out_of_a_delivery_that_stands_aside(
    hub: Hub, dropping: Dropping, empty_runtime: Runtime
) -> None:
    hub = Hub(hub.runtime, dropping)
    file = dropping.folder / "source.yml"
    body: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    body["streams"]["PRE_APASINFO"]["expect"] = {"rows": {"min": 2}}
    file.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
    drop(dropping, "day1.csv", 1, 2)
    drop(dropping, "day2.csv", 3)
    assert hub.pull()["PRE_APASINFO"]["refused_units"] == ["day2.csv"]
    told = hub.pull(window=MARCH)["PRE_APASINFO"]
    assert (told["read"], told["unchanged"], told["refused_units"]) == (2, 2, ["day2.csv"])
    drop(dropping, "day3.csv", 4)  # nobody has looked at it yet: it is too small as well
    told = hub.pull(window=MARCH)["PRE_APASINFO"]
    assert (told["new"], told["quarantined"], told["refused_units"]) == (0, 1, ["day2.csv", "day3.csv"])
    assert hub.one("SELECT count(*) FROM core.approval_case") == 2
    hub.pull()
    rebuild(empty_runtime)
    assert digest.digest(empty_runtime.engine) == digest.digest(hub.runtime.engine)
