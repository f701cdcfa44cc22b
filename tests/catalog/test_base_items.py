"""What a base item fixes no level below can change; each change of it is kept, and who differs is told."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from catalog import base_items, service
from catalog.cli import catalog
from catalog.errors import ContentRefused, DeedRefused, NoSuchItem
from catalog.life import Doer
from tests.catalog.items import BASE, CODE, LEGAL, LONG_AGO, ORGAN, OTHER, WATCH, content, proposed, published, reviewed
from tests.journeys.conftest import Hub

KEEPER = Doer("cli:keeper", "hub")
FIXED = {"name": "食品经营许可", "item_type": "01", "legal_limit": {"value": 20, "unit": "working_day"}}


def test_a_lower_level_cannot_change_what_is_fixed_and_all_else_is_its_own(engine: sa.Engine) -> None:
    assert base_items.fix(engine, BASE, FIXED, KEEPER, reason="省级基本目录") == []
    with pytest.raises(ContentRefused) as told:
        proposed(engine, content=content(name="食品许可", place="二楼"))
    assert [(one.pointer, one.rule) for one in told.value.faults] == [("/name", "central_field")]
    published(engine, content=content(place="二楼", promised_limit={"value": 3, "unit": "working_day"}))


def test_who_differs_from_a_change_is_told_and_must_follow_with_the_next_version(engine: sa.Engine) -> None:
    base_items.fix(engine, BASE, FIXED, KEEPER, reason="省级基本目录")
    published(engine)
    longer = {**FIXED, "legal_limit": {"value": 30, "unit": "working_day"}}
    differing = base_items.fix(engine, BASE, longer, KEEPER, reason="修法")
    assert differing == [{"code": CODE, "organ": ORGAN, "fields": ["legal_limit"]}]
    with pytest.raises(ContentRefused):
        proposed(engine, change="change", content=content(place="三楼"))
    proposed(engine, change="suspend", content=None)
    reviewed(engine)
    service.publish(engine, CODE, date(2026, 2, 1), WATCH, today=LONG_AGO)
    shown = base_items.shown(engine, BASE)
    assert [(one["actor"], one["reason"]) for one in shown["changes"]] == [
        ("cli:keeper", "省级基本目录"), ("cli:keeper", "修法"),
    ]  # fmt: skip
    assert [one["code"] for one in shown["differing"]] == [CODE]
    (row,) = base_items.listed(engine)
    assert (row["fixes"], row["items"], row["differing"]) == (["item_type", "legal_limit", "name"], 1, 1)


def test_a_devolved_item_begins_below_under_the_same_base_code_and_the_same_fixed_fields(engine: sa.Engine) -> None:
    base_items.fix(engine, BASE, FIXED, KEEPER, reason="省级基本目录")
    published(engine)
    below = f"{OTHER}4{BASE}"
    with pytest.raises(ContentRefused):
        proposed(engine, below, content=content(name="县级食品经营许可"))
    proposed(engine, below, content=content(place="县政务服务中心"))
    proposed(engine, change="devolve", content=None, successors=[below])
    reviewed(engine)
    reviewed(engine, below)
    service.publish(engine, CODE, date(2026, 5, 1), WATCH, today=LONG_AGO)
    with engine.connect() as connection:
        held = connection.execute(
            sa.text("SELECT code, status, base_code FROM catalog.in_force WHERE valid_from = DATE '2026-05-01'")
        ).all()
    assert {tuple(one) for one in held} == {(CODE, "devolved", BASE), (below, "in_force", BASE)}


@pytest.mark.parametrize(
    ("code", "fields", "rule"),
    [
        ("33011702100", FIXED, "number_unreadable"),
        (BASE, {}, "empty"),
        (BASE, {"place": "二楼"}, "unknown_field"),
        (BASE, {"item_type": "07"}, "type_differs"),
        (BASE, {"legal_limit": 20}, "shape"),
        (BASE, {"name": "a\x00"}, "nul_character"),
    ],
)
def test_what_cannot_be_fixed_is_refused(engine: sa.Engine, code: str, fields: dict[str, Any], rule: str) -> None:
    with pytest.raises(ContentRefused) as told:
        base_items.fix(engine, code, fields, KEEPER, reason="试")
    assert rule in {one.rule for one in told.value.faults}
    with pytest.raises(NoSuchItem):
        base_items.shown(engine, code)


def test_a_base_item_is_not_fixed_without_a_reason(engine: sa.Engine) -> None:
    with pytest.raises(DeedRefused):
        base_items.fix(engine, BASE, FIXED, LEGAL, reason=" ")


def test_base_items_and_files_go_by_commands(
    hub: Hub, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", database)
    monkeypatch.setenv("HUB_HOME", str(tmp_path))
    (tmp_path / "fixed.json").write_text(json.dumps(FIXED), encoding="utf-8")
    (tmp_path / "up.json").write_text("[]", encoding="utf-8")
    published(hub.runtime.engine)
    run = CliRunner()
    for words in (
        ["base", "set", BASE, str(tmp_path / "fixed.json"), "--reason", "省级基本目录"],
        ["base", "list"], ["base", "show", BASE], ["template", "--to", str(tmp_path / "t.xlsx")],
        ["import", str(tmp_path / "t.xlsx"), "--dry-run"], ["export", "--to", str(tmp_path / "items.xlsx")],
        ["import", str(tmp_path / "items.xlsx"), "--reason", "再次"],
        ["export", "--to", str(tmp_path / "items.jsonld")],
        ["import", str(tmp_path / "up.json"), "--form", "up_task", "--dry-run"],
    ):  # fmt: skip
        done = run.invoke(catalog, words)
        assert done.exit_code == 0, (words, done.output, done.exception)
    assert "1 unchanged" in run.invoke(catalog, ["import", str(tmp_path / "items.xlsx"), "--dry-run"]).output
