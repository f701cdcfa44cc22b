"""A case keeps the version of its item that was in force when it was accepted; what does not fit is listed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from catalog import reading, service
from catalog.cli import catalog
from catalog.errors import DeedRefused
from catalog.life import Proposal
from tests.catalog.items import CLERK, LONG_AGO, WATCH, code, content, proposed, published, reviewed
from tests.departments import ITEM, Department
from tests.journeys.conftest import Hub

SHOWN = "SELECT version, status, why FROM catalog.version_of_case ORDER BY case_id"


def change(hub: Hub, kind: str, on: date) -> None:
    """Publish a change of the item that the department's cases name."""
    service.propose(hub.runtime.engine, Proposal(ITEM, kind, "依法调整"), CLERK)  # type: ignore[arg-type]  # one of the changes
    reviewed(hub.runtime.engine, ITEM)
    service.publish(hub.runtime.engine, ITEM, on, WATCH, today=LONG_AGO)


def test_a_case_keeps_the_version_in_force_on_the_day_of_its_acceptance(hub: Hub, department: Department) -> None:
    department.case("C1")  # accepted on 2026-03-02
    hub.pull()
    assert hub.rows(SHOWN) == [(None, None, "not_in_catalogue")]
    published(hub.runtime.engine, ITEM, on=date(2026, 3, 3))
    assert hub.rows(SHOWN) == [(None, None, "not_yet_in_force")]


def test_a_later_version_changes_nothing_for_cases_that_were_accepted_before(hub: Hub, department: Department) -> None:
    department.case("C1")
    hub.pull()
    published(hub.runtime.engine, ITEM, on=date(2026, 3, 2))
    change(hub, "change", date(2026, 3, 3))
    change(hub, "abolish", date(2026, 3, 4))
    assert hub.rows(SHOWN) == [(1, "in_force", None)]


@pytest.mark.parametrize(("kind", "status"), [("suspend", "suspended"), ("abolish", "abolished")])
def test_a_case_that_was_accepted_on_an_item_that_takes_none_is_listed(
    kind: str, status: str, hub: Hub, department: Department
) -> None:
    department.case("C1")
    hub.pull()
    published(hub.runtime.engine, ITEM, on=date(2025, 1, 1))
    change(hub, kind, date(2026, 3, 2))
    assert hub.rows(SHOWN) == [(2, status, status)]
    idle, loose = reading.cleaning(hub.runtime.engine, date(2026, 3, 9))
    assert idle == []
    assert [(one["item_code"], one["why"], one["cases"]) for one in loose] == [(ITEM, status, 1)]


def test_another_number_of_the_item_and_the_base_code_with_the_organ_name_it_too(
    hub: Hub, department: Department
) -> None:
    department.case("C1", SERVICECODE="其他-02491-006")
    department.case("C2", SERVICECODE=ITEM[19:31])
    department.case("C3", SERVICECODE="其他-02491-007")
    hub.pull()
    published(hub.runtime.engine, ITEM, on=date(2025, 1, 1), numbers={"浙江": "其他-02491-006"})
    assert hub.rows(SHOWN) == [(1, "in_force", None), (1, "in_force", None), (None, None, "not_in_catalogue")]


def test_items_without_cases_are_listed(hub: Hub, department: Department) -> None:
    department.case("C1")
    hub.pull()
    published(hub.runtime.engine, ITEM, on=date(2025, 1, 1))
    published(hub.runtime.engine, code(5), on=date(2025, 1, 1))
    idle, _ = reading.cleaning(hub.runtime.engine, date(2026, 3, 9))
    assert [one["code"] for one in idle] == [code(5)]


def test_an_item_goes_its_whole_way_by_commands(
    hub: Hub, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", database)
    monkeypatch.setenv("HUB_HOME", str(tmp_path))
    file, run, item = tmp_path / "content.json", CliRunner(), code(1)
    file.write_text(json.dumps(content()), encoding="utf-8")

    def says(who: str, *words: str) -> str:
        monkeypatch.setattr("getpass.getuser", lambda: who)
        done = run.invoke(catalog, [*words, "--json"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    organ = item[:18]
    says("wang", "propose", str(file), "--code", item, "--change", "new", "--organ", organ, "--reason", "新设")
    says("wang", "revise", item, str(file), "--reason", "更正")
    says("wang", "act", item, "submit", "--as", "department")
    number = json.loads(says("public", "comment", item, "建议缩短期限"))["comment"]
    says("wang", "answer", item, str(number), "已采纳")
    says("li", "act", item, "agree", "--as", "legal")
    with pytest.raises(DeedRefused, match="another seat"):
        says("li", "act", item, "agree", "--as", "reform")
    says("zhao", "act", item, "agree", "--as", "reform")
    says("sun", "publish", item, "--effective", "2199-07-01")
    shown = json.loads(says("anyone", "show", item))
    assert [(one["state"], one["effective_on"]) for one in shown["versions"]] == [("published", "2199-07-01")]
    assert [(one["said"], one["answer"]) for one in shown["comments"]] == [("建议缩短期限", "已采纳")]
    assert [one["actor"] for one in shown["deeds"]] == [
        "cli:wang", "cli:wang", "cli:wang", "cli:li", "cli:zhao", "cli:sun",
    ]  # fmt: skip


def test_the_commands_show_an_item_with_its_life_and_draw_what_it_rests_on(
    hub: Hub, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", database)
    monkeypatch.setenv("HUB_HOME", str(tmp_path))
    published(hub.runtime.engine, code(1))
    proposed(hub.runtime.engine, code(2), content=content(requirements=[
        {"name": "前置", "holder": "applicant", "valid_on": "acceptance", "any_of": [{"item": code(1)}]},
    ]))  # fmt: skip
    run = CliRunner()
    for words in (["list"], ["show", code(1)], ["cleaning"], ["graph", code(2), "--to", str(tmp_path / "graph.svg")],
                  ["export", "--to", str(tmp_path / "items.json")],
                  ["import", str(tmp_path / "items.json"), "--dry-run"]):  # fmt: skip
        done = run.invoke(catalog, words)
        assert done.exit_code == 0, done.output
    assert (tmp_path / "graph.svg").read_text(encoding="utf-8").count("<rect") == 2
