"""A back-fill of what cannot ask its system by date: the days in a window are picked out of a whole read."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.seam import ReadsWindows, Window
from connectors.source import Cursor, StreamSpec
from connectors.windows import picked
from hub.errors import StopSource
from hub.mends import Mend
from hub.records import BrokenRecord, Enveloped, Slice, Unit
from kit.suite.loopback import serving
from tests.connectors.parts import opened, records, source, stream
from tests.connectors.test_rest import Service

ZONE = ZoneInfo("Asia/Shanghai")
MARCH = Window(datetime(2026, 3, 1, tzinfo=ZONE), datetime(2026, 4, 1, tzinfo=ZONE))
FORMS = {
    "2026-03-31": True, "2026-03-31 23:59:59": True, "2026-04-01 00:00:00": False, "2026/3/1": True,
    "2026.03.01": True, "20260331": True, "20260331235959": True, "20260401000000": False, "2026年3月9日": True,
    " 2026年3月09日 08:00:00": True,
    "2026-03-31T16:30:00Z": False, "2026-02-28T16:00:00Z": True, "2026-03-31T23:30:00+08:00": True,
    "2026-03-01T00:00:00.123+08:00": True, "1772294400000": True, 1772294399999: False, "": False, "  ": False,
    None: False,
}  # fmt: skip


def march(value: Any, **more: Any) -> list[Slice]:
    one = stream(business_date="day", **more)
    pieces = [Slice("s", [{"day": value}], [1], {"files": {}}, Unit("a.csv"))]
    return list(picked(pieces, source("files", one), one, MARCH))


@pytest.mark.parametrize("value", FORMS)
def test_a_day_is_the_departments_in_all_its_forms(value: Any) -> None:
    assert [bool(piece.records) for piece in march(value)] == [FORMS[value]]


@pytest.mark.parametrize(
    "value", ["昨天", "2026-13-01", "2026-02-30", "260301", "2026-03", 10**30, 20.5, True, ["2026-03-01"]]
)
def test_what_is_no_date_stops_the_back_fill_and_is_not_repeated(value: Any) -> None:
    with pytest.raises(StopSource, match="holds what is no date") as stopped:
        march(value)
    assert str(value) not in str(stopped.value)


def test_a_stream_without_a_field_of_dates_says_so() -> None:
    one = stream()
    with pytest.raises(StopSource, match="option `business_date`"):
        list(picked([], source("files", one), one, MARCH))


def test_the_cursors_field_is_the_business_date_where_no_other_is_named_and_may_lie_deep() -> None:
    deep = stream(business_date="/head/days/0")
    plain = stream(cursor=Cursor("at"))
    records_ = [{"at": "2026-03-05", "head": {"days": ["2026-03-05"]}}, {"at": "2025-03-05", "head": {}}]
    for one in (deep, plain):
        pieces = [Slice("s", records_, [1, 2], {})]
        assert records(list(picked(pieces, source("files", one), one, MARCH))) == records_[:1]


def test_what_is_picked_settles_nothing_of_its_delivery() -> None:
    unit = Unit("a.csv", "print", declared={"records": 3}, rows=3, envelope=Enveloped(1, "m", 3))
    broken = [BrokenRecord(9, "unreadable", "m", "raw")]
    piece = Slice(
        "s", [{"day": "2025-01-01"}, {"day": "2026-03-02"}, {"day": "2026-03-03"}], [4, 5, 6], {"files": {"a.csv": {}}},
        unit, unit_ends=True, broken=broken, complete_through="2026-03-09T00:00:00Z", counted={"records": 3},
        tokens=("a", "b", "c", "d"), mends={0: Mend(b"", ()), 2: Mend(b"", ())},
    )  # fmt: skip
    one = stream(business_date="day")
    (got,) = picked([piece], source("files", one), one, MARCH)
    assert (got.rows, got.unit, got.unit_ends, got.broken) == ([5, 6], Unit("a.csv", rows=3), False, [])
    assert (got.state, got.complete_through, got.counted, got.tokens) == ({}, None, None, ())
    assert list(got.mends) == [1]


@given(st.lists(st.lists(st.dates(date(2026, 1, 1), date(2026, 6, 1)), max_size=4), max_size=4), st.data())
def test_exactly_the_days_of_the_window_come_whatever_the_slices(days: list[list[date]], data: Any) -> None:
    first = data.draw(st.dates(date(2026, 1, 1), date(2026, 6, 1)))
    end = data.draw(st.dates(first, date(2026, 6, 2)))
    window = Window(*(datetime(one.year, one.month, one.day, tzinfo=ZONE).astimezone(UTC) for one in (first, end)))
    one = stream(business_date="day")
    pieces = [Slice("s", [{"day": str(day)} for day in some], list(range(len(some))), {}) for some in days]
    got = list(picked(pieces, source("files", one), one, window))
    assert [record["day"] for record in records(got)] == [str(x) for some in days for x in some if first <= x < end]
    assert got


def test_a_service_is_read_page_by_page_and_its_cursor_plays_no_part() -> None:
    service = Service()
    rows = [{"id": n, "at": str(date(2026, 2, 27) + timedelta(days=n))} for n in range(4)]
    service.answer = lambda _path, _params: {"items": rows}
    one = StreamSpec("s", {"path": "s", "records": "/items", "business_date": "at"}, cursor=Cursor("at"))
    with serving(lambda _url: service.handler()) as own:
        connector = opened("rest", f"http://{own}", one)
        assert isinstance(connector, ReadsWindows)
        got = list(connector.read_window(one, MARCH, slice_size=10))
    assert [record["id"] for record in records(got)] == [2, 3]
    assert "since" not in json.dumps(service.asked)


def test_a_file_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,day\n1,2026-03-02\n2,2026-02-02\n", encoding="utf-8")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00no text")
    (tmp_path / "c.csv").write_text("id,day\n3,2026-03-03\n", encoding="utf-8")
    one = stream(path="*.csv", format="csv", encoding="utf-8", business_date="day")
    connector = opened("files", tmp_path.as_uri(), one)
    assert isinstance(connector, ReadsWindows)
    got = list(connector.read_window(one, MARCH, slice_size=1))
    assert [record["id"] for record in records(got)] == ["1", "3"]
