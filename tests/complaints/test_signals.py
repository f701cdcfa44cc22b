"""Complaints 16 and 17: alerts that nobody owns, and warnings so noisy that people learn to pass them over."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from connectors.loading import load_sources
from hub.errors import ConfigError
from hub.findings import RULES
from tests.departments import GOOD, Department
from tests.journeys.conftest import Hub

A_SENTENCE = 12


def test_every_rule_says_in_both_languages_what_it_is_and_what_to_do() -> None:
    for rule in RULES.values():
        assert rule.title, rule.code
        assert any("\u4e00" <= sign <= "\u9fff" for sign in rule.title_zh), rule.code
        assert len(rule.hint) >= A_SENTENCE, rule.code
        assert rule.hint.endswith("."), rule.code


@pytest.mark.parametrize("part", ["organ", "name", "contact"])
def test_no_source_is_read_that_nobody_answers_for(tmp_path: Path, part: str) -> None:
    department = Department(tmp_path)
    owner = {"organ": "11330000002482285J", "name": "测试部门", "contact": "office 0571-0000"}
    department.declare(owner={name: said for name, said in owner.items() if name != part})
    with pytest.raises(ConfigError, match=part):
        load_sources([tmp_path])


class Dropping(Department):
    """A department that drops its applications as CSV files."""

    def __init__(self, sources: Path, drop: Path) -> None:
        self.drop = drop
        drop.mkdir()
        super().__init__(sources)

    @property
    def url(self) -> str:
        return self.drop.as_uri()

    def declare(self, **over: Any) -> None:
        options = {"path": "*.csv", "format": "csv", "encoding": "utf-8"}
        each = {"cursor": None, "options": options}
        super().declare(kind="files", streams=("PRE_APASINFO",), each=each, **over)

    def write(self, name: str, rows: list[dict[str, Any]], names: list[str]) -> None:
        with (self.drop / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, names, restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)


@pytest.fixture
def dropping(tmp_path: Path) -> Dropping:
    return Dropping(tmp_path / "dropping", tmp_path / "drop")


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [{**GOOD["PRE_APASINFO"], "PROJID": f"C-{number}"} for number in numbers]


def test_other_bytes_order_and_number_of_rows_raise_no_word(hub: Hub, dropping: Dropping) -> None:
    """A hash of the whole file would have warned three times."""
    hub = Hub(hub.runtime, dropping)
    names = dropping.fields("PRE_APASINFO")
    dropping.write("day1.csv", rows(1, 2, 3), names)
    dropping.write("day2.csv", rows(3, 2, 1, 4), names)
    dropping.write("day3.csv", rows(5), list(reversed(names)))
    assert hub.pull()["PRE_APASINFO"]["new"] == 5
    assert hub.findings() == set()


def test_a_new_column_is_told_once_however_many_rows_and_days_bear_it(hub: Hub, dropping: Dropping) -> None:
    hub = Hub(hub.runtime, dropping)
    names = [*dropping.fields("PRE_APASINFO"), "NEU"]
    for day in range(3):
        dropping.write(f"day{day}.csv", rows(*range(day * 50, day * 50 + 50)), names)
    hub.pull()
    found = hub.rows("SELECT rule, field, findings FROM quality.finding_group")
    assert [(rule, field) for rule, field, _ in found] == [("unknown_field", "NEU")]
    assert found[0][2] <= 3, "at most one a delivery, none a row"
