"""What must hold for any input: cells come back as written, slices are a partition, resuming loses nothing."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.durations import read_duration
from connectors.pointer import has_nul
from connectors.slices import Row, cut
from hub.errors import RefuseUnit
from hub.records import BrokenRecord
from tests.connectors.parts import opened, pull, records, stream

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufdd0\ufeff"), max_size=12)
TABLE = st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=12)


@settings(max_examples=150, deadline=None)
@given(TABLE, st.sampled_from(["\r\n", "\n"]), st.sampled_from(["utf-8", "gb18030", "utf-16"]), st.integers(1, 5))
def test_any_cells_come_back_as_they_were_written(table: list[list[str]], end: str, encoding: str, size: int) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b", "c"])
    writer.writerows(table)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "t.csv").write_bytes(text.getvalue().encode(encoding))
        slices = pull("files", folder, stream("s", path="t.csv", format="csv", encoding=encoding), size=size)
        read = [[record[name] or "" for name in "abc"] for record in records(slices)]
    assert read == [row for row in table if any(row)]
    assert not any(piece.broken for piece in slices)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_and_nothing_else(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "t").write_bytes(data)
        for options in (
            {"format": "csv", "encoding": ["utf-8", "cp1252"]},
            {"format": "jsonl"},
            {"format": "json"},
            {"format": "xml", "record": "a"},
            {"format": "xlsx"},
        ):
            with contextlib.suppress(RefuseUnit):
                for piece in pull("files", folder, stream("s", path="t", **options)):
                    assert all("\0" not in str(value) for record in piece.records for value in record.values())


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 9), st.integers(0, 45))
def test_slices_are_a_partition_of_what_was_read(kinds: list[bool], size: int, skip: int) -> None:
    rows: list[Row] = [
        (number, {"n": number} if good else BrokenRecord(number, "unreadable_record", "m", "r"))
        for number, good in enumerate(kinds, 1)
    ]
    runs = list(cut(rows, size, skip=skip))
    assert [run.last for run in runs] == [False] * (len(runs) - 1) + [True]
    assert all(len(run) == size for run in runs[:-1])
    assert runs[-1].count == len(kinds)
    seen = sorted([*(row for run in runs for row in run.rows), *(one.row for run in runs for one in run.broken)])
    assert seen == list(range(skip + 1, len(kinds) + 1))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 30), st.integers(1, 7), st.lists(st.integers(0, 8), max_size=6))
def test_a_pull_that_breaks_off_anywhere_ends_with_every_record_once(rows: int, size: int, breaks: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("1.csv", "2.csv"):
            (Path(folder) / name).write_text("n\n" + "".join(f"{name}{number}\n" for number in range(rows)))
        one = stream("s", path="*.csv", format="csv")
        state: dict[str, object] = {}
        got: list[str] = []
        for after in [*breaks, 10_000]:
            running = opened("files", folder, one).read(one, state, slice_size=size, full=False)
            for count, piece in enumerate(running):
                if count >= after:
                    break
                got += [record["n"] for record in piece.records]
                state = piece.state
            running.close()
    assert got == [f"{name}{number}" for name in ("1.csv", "2.csv") for number in range(rows)]


@given(st.integers(0, 999), st.integers(0, 999), st.integers(1, 999))
def test_durations_add_up(days: int, hours: int, minutes: int) -> None:
    found = read_duration(f"P{days}DT{hours}H{minutes}M")
    assert found.total_seconds() == days * 86400 + hours * 3600 + minutes * 60


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(["\\u0000", "\\\0", "\\\\u0000"])
)
def test_a_nul_is_told_from_an_escaped_backslash(text: str) -> None:
    assert has_nul(json.dumps({"a": text})) == ("\0" in text)
    assert has_nul(json.dumps({"a": text}).encode()) == ("\0" in text)
