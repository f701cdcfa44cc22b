"""Excel sheets: every cell is text as people see it; what cannot be trusted is refused."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kinds.files.xlsx import last_column
from connectors.source import StreamSpec
from hub.errors import HostileInput, RefuseUnit, TruncatedUnit
from hub.records import Slice
from tests.connectors.parts import pull, records, stream


def sheet(**options: Any) -> StreamSpec:
    return stream("s", path="*.xlsx", format="xlsx", **options)


def save(folder: Path, rows: list[list[Any]], title: str = "办件", name: str = "a.xlsx") -> Path:
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    page.title = title
    for row in rows:
        page.append(row)
    book.save(folder / name)
    return folder / name


def take(folder: Path, one: StreamSpec, **more: Any) -> list[Slice]:
    return pull("files", str(folder), one, **more)


def test_cells_are_text_as_excel_shows_them(tmp_path: Path) -> None:
    values: list[Any] = [
        "A1", 12, 12.5, 0.1 + 0.2, 330102199001011234, True, dt.date(2026, 1, 5), dt.datetime(2026, 1, 5, 8, 30, 5),  # noqa: DTZ001  # a local time
        dt.time(8, 30), dt.timedelta(hours=30), None, " x ", "#N/A",
    ]  # fmt: skip
    save(tmp_path, [[f"c{number}" for number in range(len(values))], values])
    (record,) = records(take(tmp_path, sheet()))
    assert list(record.values()) == [
        "A1", "12", "12.5", "0.3", "3.30102199001011E+17", "TRUE", "2026-01-05", "2026-01-05T08:30:05",
        "08:30:00", "30:00:00", None, " x ", "#N/A",
    ]  # fmt: skip


def test_titles_blank_rows_and_row_numbers(tmp_path: Path) -> None:
    save(tmp_path, [["审批台账"], ["填报人", "李"], ["登记号", "修订", "修订"], ["1", 1, 2], [], ["2", 3, None]])
    slices = take(tmp_path, sheet(header={"find": ["登记号", "修订"], "within": 5}), size=1)
    assert records(slices) == [
        {"登记号": "1", "修订": "1", "修订__2": "2"},
        {"登记号": "2", "修订": "3", "修订__2": None},
    ]
    assert [row for piece in slices for row in piece.rows] == [4, 6]


def test_the_sheet_is_chosen_by_name_or_place(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["a"])
    second = book.create_sheet("第二")
    second.append(["b"])
    second.append([1])
    book.save(tmp_path / "a.xlsx")
    assert records(take(tmp_path, sheet(sheet="第二"))) == [{"b": "1"}]
    assert records(take(tmp_path, sheet(sheet=2))) == [{"b": "1"}]
    assert records(take(tmp_path, sheet())) == []
    with pytest.raises(RefuseUnit, match=r"no sheet '第三' \(known: Sheet, 第二\)"):
        take(tmp_path, sheet(sheet="第三"))


def test_formulas_are_refused_or_their_values_read(tmp_path: Path) -> None:
    save(tmp_path, [["a", "b"], ["x", "=1+1"]])
    with pytest.raises(HostileInput, match="cell B2 holds a formula"):
        take(tmp_path, sheet())
    assert records(take(tmp_path, sheet(formulas="values"))) == [{"a": "x", "b": None}]


def test_formulas_of_other_sheets_do_not_matter(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["a"])
    book.worksheets[0].append(["1"])
    book.create_sheet("sums").append(["=1+1"])
    book.save(tmp_path / "a.xlsx")
    assert records(take(tmp_path, sheet())) == [{"a": "1"}]


def test_a_value_right_of_the_named_columns_is_a_broken_record(tmp_path: Path) -> None:
    save(tmp_path, [["a", "b"], [1, 2, "stray"], [3, 4]])
    (piece,) = take(tmp_path, sheet())
    assert piece.records == [{"a": "3", "b": "4"}]
    assert [(one.row, one.rule) for one in piece.broken] == [(2, "unreadable_record")]


def test_a_workbook_that_is_cut_off_or_none_is_refused(tmp_path: Path) -> None:
    file = save(tmp_path, [["a"], ["1"]])
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TruncatedUnit, match="cut off"):
        take(tmp_path, sheet())
    file.write_bytes(b"<html>log in</html>")
    with pytest.raises(RefuseUnit, match=r"no \.xlsx workbook"):
        take(tmp_path, sheet())
    file.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old")
    with pytest.raises(RefuseUnit, match=r"old \.xls form or locked"):
        take(tmp_path, sheet())
    file.write_bytes(b"")
    with pytest.raises(TruncatedUnit, match="empty"):
        take(tmp_path, sheet())


def test_a_damaged_part_is_refused(tmp_path: Path) -> None:
    file = save(tmp_path, [["a"], *([f"v{number}"] for number in range(2000))])
    data = bytearray(file.read_bytes())
    place = data.index(b"xl/worksheets/sheet1.xml") + 2000
    data[place : place + 40] = b"\x00" * 40
    file.write_bytes(data)
    with pytest.raises(TruncatedUnit, match="is damaged"):
        take(tmp_path, sheet())


def letters(column: int) -> str:
    first, second = divmod(column - 1, 26)
    return (chr(64 + first) if first else "") + chr(65 + second)


PLACED = st.builds(lambda column, row: f"{letters(column)}{row}", st.integers(1, 60), st.sampled_from([7, 7, 7, 71, 8]))
PLACES = st.lists(st.one_of(PLACED, PLACED, PLACED, st.sampled_from(["", "7", "a7", "AAAA7", "B07", "Ä7"])), max_size=6)


@given(PLACES)
def test_the_last_column_of_a_row_is_known_at_once_or_its_cells_are_looked_at_one_by_one(places: list[str]) -> None:
    found = last_column(places, 7)
    plain = bool(places) and all(re.fullmatch(r"[A-Z]{1,3}7", one) for one in places)
    assert bool(found) == plain
    if plain:
        columns = [sum((ord(letter) - 64) * 26**place for place, letter in enumerate(one[-2::-1])) for one in places]
        assert found == max(columns)


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ('<c r="A2"><v>1</v></c><c><v>2</v></c>', {"a": "1", "b": "2"}),
        ('<c r="B2"><v>2</v></c>', {"a": None, "b": "2"}),
        ('<c r="A2" t="e"><v>#REF!</v></c><c r="B2"><v>2</v></c>', {"a": "#REF!", "b": "2"}),
        ('<c r="A2"><v>1</v></c><extLst><ext uri="x"/></extLst>', {"a": "1", "b": None}),
    ],
    ids=["places left out", "a gap", "an error", "an extension"],
)
def test_rows_as_other_programs_write_them(tmp_path: Path, cells: str, told: dict[str, Any]) -> None:
    file = save(tmp_path, [["a", "b"], ["x", "y"]])
    with zipfile.ZipFile(file) as good:
        parts = {name: good.read(name) for name in good.namelist()}
    sheet_xml = "xl/worksheets/sheet1.xml"
    changed = re.sub(rb'(<row r="2"[^>]*>).*?</row>', rb"\1" + cells.encode() + b"</row>", parts[sheet_xml])
    assert changed != parts[sheet_xml]
    with zipfile.ZipFile(file, "w") as other:
        for name, data in {**parts, sheet_xml: changed}.items():
            other.writestr(name, data)
    assert records(take(tmp_path, sheet())) == [told]
