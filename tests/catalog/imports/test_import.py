"""Items come in from files and from departments' streams: planned first, then whole or not at all."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog import base_items, exports, reading, service
from catalog.errors import ContentRefused, Cycle, FileRefused, ImportRefused
from catalog.imports import entries
from catalog.imports.service import take_in
from catalog.life import Doer
from pipeline.runtime import Runtime
from tests.catalog.items import BASE, CLERK, CODE, ORGAN, OTHER, code, content, needs, proposed, published
from tests.verification.registry import Registry

HUB = Doer("cli:keeper", "hub")


def item(number: int = 1, **over: Any) -> dict[str, Any]:
    said = {"code": code(number), "organ": ORGAN, "effective_on": "2026-01-01", "content": content(), **over}
    return {name: value for name, value in said.items() if value is not ...}


def file(folder: Path, *items: Any) -> Path:
    path = folder / "items.json"
    path.write_text(json.dumps({"catalogue": 1, "items": list(items)}), encoding="utf-8")
    return path


def taken(engine: sa.Engine, path: Path, **more: Any) -> Any:
    found, bases = entries.read_file(path)
    return take_in(engine, found, HUB, reason="年度清理", bases=bases, **more)


def fates(plan: Any) -> list[str]:
    return [one.fate for one in plan.lines]


def test_what_is_right_is_published_and_a_second_import_changes_nothing(engine: sa.Engine, tmp_path: Path) -> None:
    path = file(tmp_path, item(1), item(2, content=content(requirements=needs(code(1)))))
    assert fates(taken(engine, path, dry_run=True)) == ["new", "new"]
    assert fates(taken(engine, path)) == ["new", "new"]
    assert fates(taken(engine, path)) == ["unchanged", "unchanged"]
    with engine.connect() as connection:
        deeds = connection.execute(sa.text("SELECT actor, what, opinion FROM catalog.item_deed")).all()
    assert [tuple(one) for one in deeds] == [("cli:keeper", "import", "年度清理")] * 2


def test_a_change_is_shown_by_its_fields_and_becomes_the_next_version(engine: sa.Engine, tmp_path: Path) -> None:
    taken(engine, file(tmp_path, item()))
    changed = item(effective_on="2026-06-01", content=content(place="二楼", telephone="0571-1"))
    plan = taken(engine, file(tmp_path, changed))
    assert [(one.fate, one.changes) for one in plan.lines] == [("changed", ("place", "telephone"))]
    assert plan.lines[0].as_dict()["diff"] == [
        {"field": "place", "before": None, "after": "二楼"}, {"field": "telephone", "before": None, "after": "0571-1"},
    ]  # fmt: skip
    with engine.connect() as connection:
        held = connection.execute(
            sa.text("SELECT version, valid_from, valid_to FROM catalog.in_force ORDER BY 1")
        ).all()
    assert [tuple(one) for one in held] == [(1, date(2026, 1, 1), date(2026, 6, 1)), (2, date(2026, 6, 1), None)]


def test_a_further_number_of_a_known_item_is_taken_in_and_another_organ_is_not(
    engine: sa.Engine, tmp_path: Path
) -> None:
    local = {"code": "XK-1", "effective_on": "2026-01-01"}
    taken(engine, file(tmp_path, item(**local)))
    plan = taken(engine, file(tmp_path, item(**local, numbers={"旧": "OLD-1"})))
    assert [(one.fate, one.changes) for one in plan.lines] == [("changed", ("numbers",))]
    assert fates(taken(engine, file(tmp_path, item(**local, numbers={"旧": "OLD-1"})))) == ["unchanged"]
    assert reading.shown(engine, "OLD-1")["code"] == "XK-1"
    moved = taken(engine, file(tmp_path, item(**local, organ=OTHER)), dry_run=True)
    assert [[one.rule for one in line.faults] for line in moved.lines] == [["organ_differs"]]


def test_an_item_that_an_import_brings_back_is_restored(engine: sa.Engine, tmp_path: Path) -> None:
    taken(engine, file(tmp_path, item(status="suspended")))
    taken(engine, file(tmp_path, item(effective_on="2026-02-01")))
    with engine.connect() as connection:
        said = connection.execute(sa.text("SELECT change, status FROM catalog.item_version ORDER BY version")).all()
    assert [tuple(one) for one in said] == [("new", "suspended"), ("restore", "in_force")]


def test_an_item_that_is_cancelled_later_ends_on_that_day(engine: sa.Engine, tmp_path: Path) -> None:
    taken(engine, file(tmp_path, item(cancelled_on="2026-09-01")))
    with engine.connect() as connection:
        held = connection.execute(sa.text("SELECT status, valid_from, valid_to FROM catalog.in_force ORDER BY 2")).all()
    assert [tuple(one) for one in held] == [
        ("in_force", date(2026, 1, 1), date(2026, 9, 1)), ("abolished", date(2026, 9, 1), None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "rules"),
    [
        (item(effective_on=...), {"day_missing"}),
        (item(effective_on="2026-13-01"), {"unreadable_day", "day_missing"}),
        (item(status="gone"), {"unknown_code"}),
        (item(surprise=1), {"unknown_field"}),
        (item(content=[]), {"shape"}),
        (item(content=content(kind="sometimes")), {"shape"}),
        (item(content=content(place="二楼\x00")), {"nul_character"}),
        (item(code=5), {"shape", "number_unreadable"}),
        (item(organ="somebody"), {"organ_unreadable", "numbers_differ"}),
        (item(code=CODE), {"under_way"}),
        (item(numbers={"旧": "XK-7"}), {"number_taken"}),
        ("no object", {"shape", "number_unreadable", "organ_unreadable", "day_missing"}),
    ],
)  # fmt: skip
def test_every_reason_is_told_and_nothing_is_taken_in_by_halves(
    entry: Any, rules: set[str], engine: sa.Engine, tmp_path: Path
) -> None:
    published(engine)
    proposed(engine, change="change")
    published(engine, code(8), numbers={"旧": "XK-7"})
    path = file(tmp_path, item(5), entry)
    plan = taken(engine, path, dry_run=True)
    assert fates(plan) == ["new", "refused"]
    assert {one.rule for one in plan.lines[1].faults} == rules
    with pytest.raises(ImportRefused, match="1 of 2"):
        taken(engine, path)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM catalog.item")) == 2
    assert fates(taken(engine, path, skip_refused=True)) == ["new", "refused"]
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM catalog.item")) == 3


def test_one_number_for_two_items_of_an_import_is_refused_at_the_second(engine: sa.Engine, tmp_path: Path) -> None:
    path = file(tmp_path, item(1, numbers={"旧": "XK-7"}), item(2, numbers={"旧": "XK-7"}))
    plan = taken(engine, path, dry_run=True)
    assert fates(plan) == ["new", "refused"]
    assert [one.rule for one in plan.lines[1].faults] == ["number_taken"]


def test_an_import_that_makes_a_cycle_is_refused_whole(engine: sa.Engine, tmp_path: Path) -> None:
    path = file(
        tmp_path, item(1, content=content(requirements=needs(code(2)))),
        item(2, content=content(requirements=needs(code(1)))),
    )  # fmt: skip
    assert set(taken(engine, path, dry_run=True).cycle) == {code(1)[19:31], code(2)[19:31]}
    with pytest.raises(Cycle):
        taken(engine, path)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"catalogue": 2, "items": []}',
        b'{"catalogue": 1, "items": {}}',
        b"\xff",
        b'{"catalogue": 1, "items": [], "base_items": {}}',
        b'{"catalogue": 1, "items": [], "base_items": [1]}',
        b'{"catalogue": 1, "items": [], "base_items": [{"base_code": "x", "content": {}, "more": 1}]}',
        b'{"catalogue": 1, "items": [], "base_items": [%b, %b]}' % ((b'{"base_code": "x", "content": {}}',) * 2),
    ],
)
def test_a_file_of_another_form_is_refused_whole(body: bytes, tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    path.write_bytes(body)
    with pytest.raises(FileRefused):
        list(entries.read_file(path))


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "LARGEST_FILE", 10)
    with pytest.raises(FileRefused, match="MiB"):
        list(entries.read_file(file(tmp_path, item())))


PLACES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    said=st.lists(st.tuples(PLACES, st.sampled_from(["in_force", "suspended", "abolished"])), min_size=1, max_size=6)
)
def test_what_is_exported_is_imported_unchanged(said: list[tuple[str, str]], engine: sa.Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE catalog.item CASCADE")
    items = [item(number, status=status, content=content(place=place)) for number, (place, status) in enumerate(said)]
    assert fates(taken(engine, file(tmp_path, *items))) == ["new"] * len(items)
    with engine.connect() as connection:
        made = exports.document(connection, date(2026, 2, 1))
    again = tmp_path / "again.json"
    again.write_text(json.dumps(made), encoding="utf-8")
    assert fates(taken(engine, again)) == ["unchanged"] * len(items)


def test_a_proposal_under_way_is_not_run_over(engine: sa.Engine, tmp_path: Path) -> None:
    published(engine)
    proposed(engine, change="change")
    with pytest.raises(ImportRefused):
        taken(engine, file(tmp_path, item(code=CODE, content=content(place="二楼"))))
    service.act(engine, CODE, "withdraw", CLERK, opinion="改由导入")
    assert fates(taken(engine, file(tmp_path, item(code=CODE, content=content(place="二楼"))))) == ["changed"]


FIXED = {"name": "食品经营许可", "item_type": "01", "legal_limit": {"value": 20, "unit": "working_day"}}


def test_base_items_are_exported_fixed_first_and_kept_with_who_did_it(engine: sa.Engine, tmp_path: Path) -> None:
    base_items.fix(engine, BASE, FIXED, HUB, reason="省级基本目录")
    published(engine)
    with engine.connect() as connection:
        made = exports.document(connection, date(2026, 2, 1))
    assert made["base_items"] == [{"base_code": BASE, "content": FIXED}]
    path = tmp_path / "items.json"
    path.write_text(json.dumps(made), encoding="utf-8")
    assert dict(taken(engine, path).bases) == {BASE: "unchanged"}
    longer = {**FIXED, "legal_limit": {"value": 30, "unit": "working_day"}}
    made["base_items"][0]["content"] = longer
    path.write_text(json.dumps(made), encoding="utf-8")
    tried = taken(engine, path, dry_run=True)
    assert (dict(tried.bases), fates(tried)) == ({BASE: "changed"}, ["refused"]), "its items are judged by it"
    assert base_items.shown(engine, BASE)["content"] == FIXED, "a dry run writes nothing"
    with pytest.raises(ImportRefused):
        taken(engine, path)
    assert base_items.shown(engine, BASE)["content"] == FIXED, "whole or not at all"
    made["items"][0]["content"]["legal_limit"] = longer["legal_limit"]
    path.write_text(json.dumps(made), encoding="utf-8")
    assert fates(taken(engine, path)) == ["changed"]
    shown = base_items.shown(engine, BASE)
    assert (shown["content"], shown["changes"][-1]["reason"]) == (longer, "年度清理")
    made["base_items"][0]["content"] = {"place": "二楼"}
    path.write_text(json.dumps(made), encoding="utf-8")
    with pytest.raises(ContentRefused):
        taken(engine, path)


def test_items_of_a_departments_streams_are_taken_in_as_they_stand_in_the_repository(runtime: Runtime) -> None:
    registry, engine = Registry(runtime), runtime.engine
    stream = registry.stream("items", organ=ORGAN)

    def base(number: int) -> str:
        return code(number)[-12:]

    def sent(number: int, **over: Any) -> None:
        batch = registry.batch(stream)
        row = {
            "record_id": registry.record(stream, batch), "part": 0, "base_code": base(number),
            "implementation_code": code(number), "version": "1", "name": "食品经营许可", "organ": ORGAN,
            "item_type": "行政许可", "status": "in_force", "effective_from": date(2026, 1, 1), "item_kind": "promised",
            "legal_value": 20, "legal_unit": "working_day", "promised_value": 8, "promised_unit": "working_day",
            "batch_id": batch, "content_hash": b"\x00",
        }  # fmt: skip
        registry.put("item_version", **{**row, **over})

    sent(1)
    sent(2, prerequisites=json.dumps([[code(1)]]))
    sent(3, prerequisites="code 1", organ=OTHER)

    def read() -> list[entries.Entry]:
        with engine.connect() as connection:
            return list(entries.from_source(connection, "items"))

    plan = take_in(engine, read(), HUB, reason="省级目录", skip_refused=True)
    assert fates(plan) == ["new", "new", "refused"]
    assert {one.pointer for one in plan.lines[2].faults} >= {"/requirements"}, "what is wrong in it is reported"
    held = reading.shown(engine, code(2))["versions"][0]["content"]
    assert (held["promised_limit"], held["requirements"][0]["any_of"]) == (
        {"value": 8, "unit": "working_day"}, [{"item": code(1)}],
    )  # fmt: skip
    assert fates(take_in(engine, read(), HUB, reason="再来", skip_refused=True)) == [
        "unchanged", "unchanged", "refused",
    ]  # fmt: skip
