"""Kind files: what departments write, told apart as new, changed and sent again; what is wrong is refused whole."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Any

import pytest

import connectors
from connectors.seam import KeepsUnits
from connectors.source import Expect, StreamSpec
from hub.errors import (
    HostileInput,
    InternalError,
    RefuseUnit,
    SourceUnreachable,
    StopSource,
    StreamMissing,
    TruncatedUnit,
    WrongEncoding,
)
from hub.records import Record, Slice
from tests.connectors.parts import opened, pull, records, source, stream


def csv(path: str = "*.csv", **options: Any) -> StreamSpec:
    return stream("s", path=path, format="csv", **options)


def put(folder: Path, name: str, text: str | bytes, encoding: str = "utf-8") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return file


def take(folder: Path, one: StreamSpec, state: Record | None = None, **more: Any) -> list[Slice]:
    return pull("files", str(folder), one, state, **more)


def rows_of(folder: Path, text: str | bytes, **options: Any) -> list[Record]:
    put(folder, "a.csv", text)
    return records(take(folder, csv(**options)))


# --- which files, and how they differ


def test_files_come_in_natural_order_each_as_a_unit(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        put(tmp_path, f"part{number}.csv", f"n\n{number}\n")
    slices = take(tmp_path, csv())
    assert [record["n"] for record in records(slices)] == ["1", "2", "10"]
    units = [piece.unit for piece in slices if piece.unit]
    assert [unit.name for unit in units] == ["part1.csv", "part2.csv", "part10.csv"]
    assert all(piece.unit_ends for piece in slices)
    assert [unit.rows for unit in units] == [1, 1, 1]
    assert len({unit.fingerprint for unit in units}) == 3


def test_a_second_pull_reads_nothing_and_says_so(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "n\n1\n")
    state = take(tmp_path, csv())[-1].state
    (empty,) = take(tmp_path, csv(), state)
    assert (empty.read, empty.last, empty.unit, empty.state) == (0, True, None, state)
    assert [record["n"] for record in records(take(tmp_path, csv(), state, full=True))] == ["1"]


def test_new_changed_and_resent_are_told_apart(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "n\n1\n")
    put(tmp_path, "b.csv", "n\n2\n")
    state = take(tmp_path, csv())[-1].state
    put(tmp_path, "a.csv", "n\n3\n")
    put(tmp_path, "c.csv", "n\n2\n")
    put(tmp_path, "d.csv", "n\n4\n")
    os.utime(tmp_path / "b.csv", (1, 1))
    slices = take(tmp_path, csv(), state)
    assert [piece.unit.name for piece in slices if piece.unit] == ["a.csv", "c.csv", "d.csv"]
    said = {name: entry["is"] for name, entry in slices[-1].state["files"].items()}
    assert said == {"a.csv": "changed", "b.csv": "new", "c.csv": "resent", "d.csv": "new"}


def test_the_state_holds_only_files_that_are_there_and_no_contents(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "n\n1\n")
    put(tmp_path, "b.csv", "n\n2\n")
    state = take(tmp_path, csv())[-1].state
    (tmp_path / "a.csv").unlink()
    after = take(tmp_path, csv(), state)[-1].state
    assert list(after["files"]) == ["b.csv"]
    assert set(after["files"]["b.csv"]) == {"fingerprint", "size", "mtime", "is"}


def test_fingerprints_need_a_key(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "n\n1\n")
    one = csv()
    with pytest.raises(InternalError, match="keyed_hash"):
        list(connectors.open(source("files", one), lambda _: str(tmp_path)).read(one, {}, slice_size=1, full=False))


def test_unfinished_files_wait_for_the_next_pull(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "n\n1\n")
    for name in ("b.csv.part", ".c.csv", "~$d.csv"):
        put(tmp_path, name, "n\n9\n")
    assert len(records(take(tmp_path, csv("*")))) == 1
    assert records(take(tmp_path, csv(settle=60))) == []
    old = time.time() - 120
    os.utime(tmp_path / "a.csv", (old, old))
    assert len(records(take(tmp_path, csv(settle=60)))) == 1


def test_a_file_that_a_writer_holds_waits(tmp_path: Path) -> None:
    file = put(tmp_path, "a.csv", "n\n1\n")
    with file.open("rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        (empty,) = take(tmp_path, csv())
        assert empty.state == {"files": {}}
    assert len(records(take(tmp_path, csv()))) == 1


def test_a_pull_that_broke_off_goes_on_inside_the_file(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "n\n" + "".join(f"{number}\n" for number in range(10)))
    one = csv(expect=None)
    running = opened("files", str(tmp_path), one).read(one, {}, slice_size=4, full=False)
    first = next(running)
    running.close()
    assert first.unit is not None
    assert (first.unit.rows, first.unit_ends) == (10, False)
    assert first.state["part"]["rows"] == 4
    rest = take(tmp_path, one, first.state, size=4)
    assert [record["n"] for record in records([first, *rest])] == [str(number) for number in range(10)]
    assert [row for piece in [first, *rest] for row in piece.rows] == list(range(2, 12)), "line numbers of the file"
    assert "part" not in rest[-1].state
    put(tmp_path, "a.csv", "n\n7\n")
    changed = take(tmp_path, one, first.state)
    assert [record["n"] for record in records(changed)] == ["7"], "a changed file begins again"


def test_a_snapshot_is_never_resumed_in_the_middle(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "n\n1\n2\n3\n")
    one = stream("s", deletion="snapshot", path="*.csv", format="csv")
    running = opened("files", str(tmp_path), one).read(one, {}, slice_size=1, full=False)
    first = next(running)
    running.close()
    assert first.state == {"files": {}}
    assert len(records(take(tmp_path, one, first.state))) == 3


def test_nothing_of_a_file_is_given_before_all_of_it_was_read(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", b"n\n" + b"1\n" * 50 + b"\xff\xfe\n")
    one = csv()
    running = opened("files", str(tmp_path), one).read(one, {}, slice_size=10, full=False)
    with pytest.raises(WrongEncoding, match=r"a\.csv: line 52 is no text in utf-8-sig \(byte 0xff\)"):
        next(running)


def test_a_refused_file_is_skipped_until_its_bytes_change(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", b"n\n\xff\n")
    put(tmp_path, "b.csv", "n\n2\n")
    one = csv()
    connector = opened("files", str(tmp_path), one)
    assert isinstance(connector, KeepsUnits)
    with pytest.raises(WrongEncoding) as caught:
        list(connector.read(one, {}, slice_size=10, full=False))
    assert caught.value.unit == "a.csv"
    assert b"".join(connector.raw(one, "a.csv")) == b"n\n\xff\n"
    state = connector.skip(one, {}, "a.csv")
    assert state["files"]["a.csv"]["is"] == "refused"
    rest = take(tmp_path, one, state)
    assert [record["n"] for record in records(rest)] == ["2"]
    put(tmp_path, "a.csv", "n\n1\n")
    mended = take(tmp_path, one, rest[-1].state)
    assert [record["n"] for record in records(mended)] == ["1"]
    assert mended[-1].state["files"]["a.csv"]["is"] == "changed"


def test_paths_and_folders_that_are_not_there(tmp_path: Path) -> None:
    put(tmp_path, "other.csv", "n\n1\n")
    with pytest.raises(StreamMissing, match=r"'day\.csv' \(known: other\.csv\)"):
        take(tmp_path, csv("day.csv"))
    assert take(tmp_path, csv("day*.csv"))[0].read == 0, "a pattern may find nothing yet"
    with pytest.raises(SourceUnreachable, match="mounted"):
        take(tmp_path / "gone", csv())
    with pytest.raises(StopSource, match="names no folder"):
        pull("files", "ftp://host/x", csv())
    put(tmp_path, "sub dir/a.csv", "n\n5\n")
    found = pull("files", f"file://{tmp_path}/sub%20dir", csv())
    assert [record["n"] for record in records(found)] == ["5"]


def test_check_and_discover_tell_files_and_fields(tmp_path: Path) -> None:
    put(tmp_path, "a1.csv", "n,m\n1,2\n")
    put(tmp_path, "left.txt", "x")
    connector = opened("files", str(tmp_path), csv("a*.csv"), stream("t", path="t.csv", format="csv"))
    report = connector.check()
    assert [(item.stream, item.ok) for item in report.items] == [(None, True), ("s", True), ("t", False)]
    assert "1 files; a1.csv has 2 fields" in report.items[1].message
    listed = {one.name: one for one in connector.discover()}
    assert [field.name for field in listed["s"].fields] == ["n", "m"]
    assert "left.txt" in listed


# --- csv


def test_cells_are_text_and_empty_ones_null(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "a,b\n007,\n") == [{"a": "007", "b": None}]
    assert rows_of(tmp_path, "a,b\n 7 ,\n", empty="keep") == [{"a": " 7 ", "b": ""}]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "名,n\n企业,1\n"),
        ("utf-8-sig", "名,n\n企业,1\n"),
        ("gb18030", "名,n\n𠮷企业,1\n"),
        ("gbk", "名,n\n企业,1\n"),
        ("big5", "名,n\n企業,1\n"),
        ("utf-16", "名,n\n企业,1\n"),
        ("cp1252", "né,n\n€5,1\n"),
    ],
)
def test_declared_encodings_are_read(tmp_path: Path, encoding: str, text: str) -> None:
    put(tmp_path, "a.csv", text, encoding)
    (record,) = records(take(tmp_path, csv(encoding=encoding)))
    header, row, _ = text.split("\n")
    assert next(iter(record.items())) == (header.split(",")[0], row.split(",")[0])


def test_several_encodings_are_tried_on_the_whole_file(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "n\ncafé\n", "cp1252")
    put(tmp_path, "b.csv", "n\ncafé\n", "utf-8")
    slices = take(tmp_path, csv(encoding=["utf-8", "cp1252"]))
    assert [record["n"] for record in records(slices)] == ["café", "café"]
    put(tmp_path, "c.csv", b"n\n\x81\n")
    with pytest.raises(WrongEncoding, match="no text in any declared encoding"):
        take(tmp_path, csv("c.csv", encoding=["utf-8", "cp1252"]))


def test_a_byte_order_mark_that_contradicts_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "n\n企业\n", "utf-8-sig")
    with pytest.raises(WrongEncoding, match="begins with the mark of utf-8-sig"):
        take(tmp_path, csv(encoding="gb18030"))


def test_line_ends_may_be_mixed_and_cells_may_hold_returns(tmp_path: Path) -> None:
    text = b'a,b\r\n1,"x\ny"\n2,one\rtwo\r\n3,"p\r\nq"\r\r\n4,z'
    found = rows_of(tmp_path, text)
    assert [record["b"] for record in found] == ["x\ny", "one\rtwo", "p\r\nq", "z"]
    assert rows_of(tmp_path, b"a,b\r1,2\r3,4\r") == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_rows_are_numbered_by_the_line_on_which_they_begin(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", 'title\n\na,b\n1,"x\ny\nz"\n\n2,y\n')
    slices = take(tmp_path, csv(header={"find": ["a", "b"]}))
    assert list(slices[0].rows) == [4, 8]


def test_titles_above_the_header_and_other_names_for_columns(tmp_path: Path) -> None:
    aliases = {"case": ["PA Ref", "Application No"], "address": ["Address"]}
    put(tmp_path, "1.csv", "Decisions 2011,,\nAddress,PA Ref,extra\nx,1,e\n")
    put(tmp_path, "2.csv", "Application  No, Address\n2,y\n")
    slices = take(tmp_path, csv(header={"find": ["case"]}, aliases=aliases, absent=["extra"]))
    assert records(slices) == [
        {"address": "x", "case": "1", "extra": "e"},
        {"case": "2", "address": "y", "extra": None},
    ]
    assert rows_of(tmp_path, "title\nn\n1\n", path="a.csv", header={"skip": 1}) == [{"n": "1"}]
    with pytest.raises(RefuseUnit, match=r"no header within 2 rows \(known: case\)"):
        rows_of(tmp_path, "x\ny\n", path="a.csv", header={"find": ["case"]})


def test_repeated_and_empty_names_stay_apart(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "n,,n,n,,\n1,2,3,4,,\n") == [{"n": "1", "column_2": "2", "n__2": "3", "n__3": "4"}]


def test_a_file_without_header_takes_declared_names(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "1|2\n", header="none", columns=["a", "b"], delimiter="|") == [{"a": "1", "b": "2"}]


def test_rows_of_another_width_are_broken_records(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "a,b\n1\n2,3\n4,5,6\n7,8,,\n")
    (piece,) = take(tmp_path, csv())
    assert piece.records == [{"a": "2", "b": "3"}, {"a": "7", "b": "8"}]
    assert [(one.row, one.rule, one.raw) for one in piece.broken] == [
        (2, "unreadable_record", "1"), (4, "unreadable_record", "4,5,6"),
    ]  # fmt: skip
    assert piece.read == 4
    assert "1 cells where the header has 2" in piece.broken[0].message
    padded = take(tmp_path, csv(short_rows="pad"))
    assert padded[0].records[0] == {"a": "1", "b": None}


def test_a_row_that_csv_cannot_read_does_not_hide_the_next(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", 'a,b\n"x"y,1\n2,3\n4,a\0b\n')
    (piece,) = take(tmp_path, csv())
    assert piece.records == [{"a": "2", "b": "3"}]
    assert [one.row for one in piece.broken] == [2, 4]
    assert '"x"y' in piece.broken[0].raw
    assert "y,1" not in piece.broken[0].message, "a message never quotes what may be a person's"


@pytest.mark.parametrize("text", ['a,b\n1,"x', "a,b\n1,2\n3", "", "\n\n"])
def test_a_file_that_ends_too_early_is_refused_whole(tmp_path: Path, text: str) -> None:
    put(tmp_path, "a.csv", text)
    with pytest.raises(TruncatedUnit, match="Ask the department to send it again"):
        take(tmp_path, csv())


def test_the_closing_line_declares_a_total_and_must_be_there(tmp_path: Path) -> None:
    trailer = r"^合计[:：]\s*([\d,]+)"
    put(tmp_path, "a.csv", "a,b\n1,2\n合计：1,\n")
    (piece,) = take(tmp_path, csv(trailer=trailer))
    assert piece.unit is not None
    assert (len(piece.records), dict(piece.unit.declared)) == (1, {"records": 1})
    with pytest.raises(TruncatedUnit, match="closing line is missing"):
        rows_of(tmp_path, "a,b\n1,2\n", trailer=trailer)
    with pytest.raises(RefuseUnit, match="line 3 stands behind the closing line 2"):
        rows_of(tmp_path, "a,b\n合计：1,\n1,2\n", trailer=trailer)


def test_the_count_of_a_closing_line_may_stand_in_any_column(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "what,number\nshed,11/00650/B\nporch,11/00600/B\n,2\n")
    (piece,) = take(tmp_path, csv(trailer="^([0-9]+)$"))
    assert piece.unit is not None
    assert (len(piece.records), dict(piece.unit.declared)) == (2, {"records": 2})


def test_quotes_may_mean_nothing(tmp_path: Path) -> None:
    assert rows_of(tmp_path, 'a,b\n"x,1\n', quote="") == [{"a": '"x', "b": "1"}]


# --- jsonl and json


def test_json_lines_give_objects_and_broken_lines(tmp_path: Path) -> None:
    put(tmp_path, "a.jsonl", '{"a": 1, "b": {"c": [1]}}\n\n[1]\n{"a": \n{"a": "x\\u0000"}\n{"a": 2}')
    (piece,) = take(tmp_path, stream("s", path="a.jsonl", format="jsonl"))
    assert piece.records == [{"a": 1, "b": {"c": [1]}}, {"a": 2}]
    assert list(piece.rows) == [1, 6]
    assert [one.row for one in piece.broken] == [3, 4, 5]


def test_a_json_line_that_is_cut_off_refuses_the_file(tmp_path: Path) -> None:
    put(tmp_path, "a.jsonl", '{"a": 1}\n{"a": ')
    with pytest.raises(TruncatedUnit, match="ends within line 2"):
        take(tmp_path, stream("s", path="a.jsonl", format="jsonl"))


def test_a_json_document_is_read_through_a_pointer(tmp_path: Path) -> None:
    put(tmp_path, "a.json", '{"data": {"items": [{"a": 1}, 5]}}')
    (piece,) = take(tmp_path, stream("s", path="a.json", format="json", record="/data/items"))
    assert (piece.records, len(piece.broken)) == ([{"a": 1}], 1)
    with pytest.raises(RefuseUnit, match="nothing at '/rows'"):
        take(tmp_path, stream("s", path="a.json", format="json", record="/rows"))
    put(tmp_path, "a.json", '{"data": {"items": [')
    with pytest.raises(TruncatedUnit):
        take(tmp_path, stream("s", path="a.json", format="json", record="/data/items"))


def test_expect_does_not_change_what_is_read(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "n\n1\n2\n")
    one = stream("s", path="*.csv", format="csv", expect=Expect(5, 9))
    (piece,) = take(tmp_path, one)
    assert piece.unit is not None
    assert piece.unit.rows == 2


def test_hostile_names_are_no_patterns(tmp_path: Path) -> None:
    put(tmp_path, "a[1].csv", "n\n1\n")
    assert len(records(take(tmp_path, csv("a*.csv")))) == 1
    for path in ("/etc/passwd", "../*.csv", "a/../../*.csv", "~/x"):
        with pytest.raises(HostileInput, match="leads out of"):
            take(tmp_path, csv(path))
