"""A catalogue goes out as a workbook, is filled in by people, and comes back the same; hostile ones are refused."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from catalog import exports
from catalog.errors import FileRefused
from catalog.imports import entries
from catalog.imports.service import take_in
from catalog.life import Doer
from catalog.workbook import reading, writing
from catalog.workbook.sheets import FIRST, NAMES, arrays, sheets
from hub.documents import SCHEMAS
from hub.errors import HostileInput, RefuseUnit, TruncatedUnit
from tests.catalog.items import ORGAN, code, content, needs

HUB = Doer("cli:keeper", "hub")
ITEMS = "事项 items"
LIMIT = {"value": 5, "unit": "working_day"}
FULL = content(
    name_en="Food licence", counted_from="acceptance", place="二楼", telephone="0571-1", window="3 号",
    handling_unit="处", fee={"charged": True, "basis": "=1+1", "standard": "+100 元"}, online_depth="4",
    procedures=["hearing", "extension"],
    stages=[{"stage": "review", "limit": LIMIT, "unit": "一处", "post": "处长"}, {"stage": "approve"}],
    materials=[{"name": "@申请书", "required": True, "form": "electronic", "source": "-本人"}, {"name": "章程"}],
    legal_basis=["《食品安全法》\n第三十五条", "0012"],
    requirements=[
        {"name": "消防", "holder": "project", "valid_on": "decision", "any_of": [
            {"credential": "消防验收", "issued_by": ORGAN, "not_older_than": {"value": 6, "unit": "month"}},
            {"item": "330117022000"},
        ]},
        *needs("330117023000"),
    ],
)  # fmt: skip


def said(number: int = 1, **over: Any) -> dict[str, Any]:
    return {"code": code(number), "organ": ORGAN, "effective_on": "2026-01-01", "content": content(), **over}


def written(folder: Path, *items: dict[str, Any]) -> Path:
    writing.write(folder / "items.xlsx", items)
    return folder / "items.xlsx"


def changed(path: Path, change: Callable[[openpyxl.Workbook], object]) -> Path:
    """Change a workbook as a person does in a spreadsheet program."""
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(path)
    return path


def column(name: str, sheet: int = 0) -> int:
    return sheets()[sheet].names.index(name) + 1


def leaves(spec: dict[str, Any], path: str = "") -> Iterator[str]:
    if spec["type"] == "object":
        for name, inner in spec["properties"].items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    elif spec["type"] == "array" and "enum" not in spec["items"]:
        yield from leaves(spec["items"], "" if spec["items"]["type"] == "object" else path)
    else:
        yield path


def test_all_that_an_item_says_has_a_column() -> None:
    contract = json.loads((SCHEMAS / "catalog/item/v1/schema.json").read_text(encoding="utf-8"))
    columns = {name for sheet in sheets() for name in sheet.names}
    assert set(leaves(contract)) <= columns
    assert {"requirements", "materials", "procedures"} <= set(arrays())


def test_an_item_that_says_everything_comes_back_as_it_was(tmp_path: Path) -> None:
    item = said(
        content=FULL, numbers={"浙江": "其他-02491-006", "旧": "XK-7"}, base_code=code(1)[19:31], region="330000",
        status="suspended", cancelled_on="2027-01-01",
    )  # fmt: skip
    (found,) = reading.read(written(tmp_path, item))
    assert found.faults == ()
    assert found == entries.entry(found.place, item)
    assert found.place == "items.xlsx: 事项 items, row 3"


def test_no_text_of_an_item_becomes_a_formula(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(written(tmp_path, said(content=FULL)))
    kinds = {cell.data_type for page in book for row in page.iter_rows() for cell in row if cell.value is not None}
    assert kinds == {"s"}


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="￾￿"), min_size=1, max_size=30)
"""Printable texts; a workbook that cannot hold one says so (below)."""


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(TEXTS, st.lists(TEXTS, max_size=3), st.sampled_from([[], ["hearing"], ...])), max_size=4))
def test_any_text_comes_back_as_it_was(tmp_path: Path, texts: list[tuple[str, list[str], Any]]) -> None:
    items = [
        said(number, content=content(place=place, legal_basis=basis, procedures=procedures))
        for number, (place, basis, procedures) in enumerate(texts)
    ]
    assume(not re.search(r"_x[0-9A-Fa-f]{4}_", json.dumps(items, ensure_ascii=False)))
    assert [one.content for one in reading.read(written(tmp_path, *items))] == [one["content"] for one in items]


@pytest.mark.parametrize("text", ["a\x0bb", "a\rb", "_x0041_", "\ud800", "￿"])
def test_a_text_that_a_workbook_would_give_back_otherwise_is_not_written(text: str, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=re.escape(code(1))):
        written(tmp_path, said(content=content(place=text)))
    assert list(tmp_path.iterdir()) == []


def test_people_fill_the_template_in_with_words_and_dates(tmp_path: Path) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        page, results = book[ITEMS], book["审批结果 results"]
        said: dict[str, Any] = {
            "code": code(1), "organ": ORGAN, "status": "在用", "effective_on": date(2026, 1, 31),
            "name": "食品经营许可",
            "item_type": "01", "kind": "承诺件", "legal_limit.value": 20, "legal_limit.unit": "working_day 工作日",
            "fee.charged": "否", "procedures": "听证、expert_review", "empty_lists": "materials",
        }  # fmt: skip
        for name, value in said.items():
            page.cell(FIRST, column(name), value)
        results.append([code(1), "证照", "食品经营许可证", "食品经营许可证"])

    writing.write(tmp_path / "t.xlsx")
    assert list(reading.read(tmp_path / "t.xlsx")) == []
    (found,) = reading.read(changed(tmp_path / "t.xlsx", fill))
    assert found.faults == ()
    assert found.effective_on == date(2026, 1, 31)
    assert found.content == {
        "name": "食品经营许可", "item_type": "01", "kind": "promised",
        "legal_limit": {"value": 20, "unit": "working_day"},
        "fee": {"charged": False}, "procedures": ["hearing", "expert_review"], "materials": [],
        "results": [{"kind": "credential", "type": "食品经营许可证", "name": "食品经营许可证"}],
    }  # fmt: skip


def test_the_template_offers_the_words_of_closed_sets(tmp_path: Path) -> None:
    writing.write(tmp_path / "t.xlsx")
    page = openpyxl.load_workbook(tmp_path / "t.xlsx")[ITEMS]
    offered = {str(one.sqref).split(":")[0]: one.formula1 for one in page.data_validations.dataValidation}
    at = page.cell(FIRST, column("kind")).coordinate
    assert offered[at] == '"immediate 即办件,promised 承诺件"'


def put(sheet: str, row: int, at: int, value: Any) -> Callable[[openpyxl.Workbook], object]:
    return lambda book: book[sheet].cell(row, at, value)


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        (put(ITEMS, 3, column("effective_on"), "31.1.2026"), {"unreadable_day", "day_missing"}),
        (put(ITEMS, 3, column("legal_limit.value"), "twenty"), {"shape"}),
        (put(ITEMS, 3, column("fee.charged"), "也许"), {"shape"}),
        (put(ITEMS, 3, column("kind"), "有时"), {"shape"}),
        (put(ITEMS, 3, column("status"), "gone"), {"unknown_code"}),
        (put(ITEMS, 3, column("empty_lists"), "nothing"), {"unknown_code"}),
        (put(ITEMS, 3, column("organ"), "somebody"), {"organ_unreadable", "numbers_differ"}),
        (lambda book: book[ITEMS].append([code(1), ORGAN]), {"code_twice"}),
        (lambda book: book["申请材料 materials"].append(["另一个", "申请书"]), {"no_such_row"}),
        (put("前置审批 requirements", 4, column("group", -1), "3"), {"unreadable"}),
        (put("前置审批 requirements", 4, column("holder", -1), "applicant"), {"group_differs"}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_sheet_and_row(
    change: Callable[[openpyxl.Workbook], object], rules: set[str], tmp_path: Path, engine: sa.Engine
) -> None:
    path = changed(written(tmp_path, said(content=FULL)), change)
    plan = take_in(engine, reading.read(path), HUB, reason="试", dry_run=True)
    refused = [one for one in plan.lines if one.fate == "refused"]
    assert len(refused) == 1
    assert rules <= {one.rule for one in refused[0].faults}
    assert re.match(r"items\.xlsx: \S+ \S+, row \d+", refused[0].entry.place)


def test_the_plan_of_a_workbook_is_that_of_json(engine: sa.Engine, tmp_path: Path) -> None:
    items = [said(1, content=FULL), said(2), said(3, status="suspended")]
    path = tmp_path / "items.json"
    path.write_text(json.dumps({"catalogue": 1, "items": items}), encoding="utf-8")
    assert [one.fate for one in take_in(engine, entries.read_file(path)[0], HUB, reason="入库").lines] == ["new"] * 3
    with engine.connect() as connection:
        made = exports.document(connection, date(2026, 2, 1))
    writing.write(tmp_path / "items.xlsx", made["items"])
    again = take_in(engine, reading.read(tmp_path / "items.xlsx"), HUB, reason="再入")
    assert [one.fate for one in again.lines] == ["unchanged"] * 3
    changed(tmp_path / "items.xlsx", put(ITEMS, 4, column("place"), "三楼"))
    plan = take_in(engine, reading.read(tmp_path / "items.xlsx"), HUB, reason="再入", dry_run=True)
    assert [(one.fate, one.changes) for one in plan.lines][1] == ("changed", ("place",))


BASES = "基本目录 base_items"
FIXED = {
    "name": "食品经营许可", "item_type": "01", "legal_limit": {"value": 20, "unit": "working_day"},
    "legal_basis": ["《食品安全法》\n第三十五条"],
    "results": [{"kind": "credential", "name": "许可证", "type": "食品经营许可证"}],
}  # fmt: skip


def test_base_items_go_out_and_come_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "items.xlsx"
    writing.write(path, [said()], [{"base_code": "330117021000", "content": FIXED}])
    assert reading.read_bases(path) == {"330117021000": FIXED}
    assert len(list(reading.read(path))) == 1
    writing.write(path)
    assert reading.read_bases(path) == {}


@pytest.mark.parametrize(
    "row", [("330117021000", "name", "twice"), ("330117021000", "results", "[x"), ("330117021000", "legal_basis", "")]
)
def test_a_row_of_base_items_that_cannot_be_read_refuses_the_file(row: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "items.xlsx"
    writing.write(path, [], [{"base_code": "330117021000", "content": {"name": "食品经营许可"}}])
    with pytest.raises(FileRefused, match="base_items, row 4"):
        reading.read_bases(changed(path, lambda book: book[BASES].append(row)))


def with_part(name: str) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(name, b"x")

    return spoil


def with_xml(old: str, new: str) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with zipfile.ZipFile(path) as good:
            parts = {name: good.read(name) for name in good.namelist()}
        name = "xl/worksheets/sheet2.xml"
        text = re.sub(old, new, parts[name].decode(), count=1)
        assert text != parts[name].decode()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bad:
            for part, body in {**parts, name: text.encode()}.items():
                bad.writestr(part, body)

    return spoil


def by_person(change: Callable[[openpyxl.Workbook], object]) -> Callable[[Path], None]:
    return lambda path: void(changed(path, change))


def void(_: object) -> None:
    """Nothing."""


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><worksheet'
FAR = '<sheetData><row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'
HOSTILE: dict[str, tuple[Callable[[Path], None], type[RefuseUnit], str]] = {
    "a formula": (by_person(put(ITEMS, 3, 8, '=HYPERLINK("http://x","y")')), HostileInput, "H3 holds a formula"),
    "macros": (with_part("xl/vbaProject.bin"), HostileInput, "vbaProject"),
    "a link to another file": (with_part("xl/externalLinks/externalLink1.xml"), HostileInput, "externalLinks"),
    "entities": (with_xml("<worksheet", ENTITIES), HostileInput, "document type"),
    "a cell as far out as can be": (with_xml("<sheetData>", FAR), HostileInput, "column|spans"),
    "merged cells": (by_person(lambda book: book[ITEMS].merge_cells("A3:B3")), RefuseUnit, "merged"),
    "a further sheet": (by_person(lambda book: book.create_sheet("备注")), RefuseUnit, "备注"),
    "a further column": (by_person(put(ITEMS, NAMES, 40, "note")), RefuseUnit, "note"),
    "no items": (by_person(lambda book: book.remove(book[ITEMS])), RefuseUnit, "no sheet"),
    "cut in two": (lambda path: void(path.write_bytes(path.read_bytes()[:900])), TruncatedUnit, "cut off"),
    "no workbook": (lambda path: void(path.write_bytes(b"<html>")), RefuseUnit, "no .xlsx"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_workbook_is_refused_whole(name: str, tmp_path: Path) -> None:
    spoil, error, words = HOSTILE[name]
    path = written(tmp_path, said(content=FULL))
    spoil(path)
    with pytest.raises(error, match=words):
        list(reading.read(path))


def test_a_workbook_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST_FILE", 10)
    with pytest.raises(FileRefused, match="MiB"):
        list(reading.read(written(tmp_path)))
