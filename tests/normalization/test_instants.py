"""Instants: what is read, what is not, and that the fast way and the slow way never differ."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from normalization.values import date as dates
from normalization.values import instant, kinds, templates
from normalization.values.common import TEXT, Read, Unreadable, texts_of
from normalization.values.zones import offsets, to_instant

SHANGHAI, AMSTERDAM, LORD_HOWE, DUBLIN = "Asia/Shanghai", "Europe/Amsterdam", "Australia/Lord_Howe", "Europe/Dublin"
ZONES = [SHANGHAI, AMSTERDAM, LORD_HOWE, DUBLIN, "America/Sao_Paulo", "Asia/Kathmandu", "UTC", "Africa/Casablanca"]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]  # parts are the numbers of datetime


@pytest.mark.parametrize(
    ("text", "at", "precision"),
    [
        ("20260105", utc(2026, 1, 4, 16), "d"),
        ("2026-01-05", utc(2026, 1, 4, 16), "d"),
        ("2026-1-5", utc(2026, 1, 4, 16), "d"),
        ("2026/1/5 8:30", utc(2026, 1, 5, 0, 30), "m"),
        ("2026.1.5", utc(2026, 1, 4, 16), "d"),
        ("2026-01-05 08:30:00", utc(2026, 1, 5, 0, 30), "s"),
        ("2026-01-05T08:30:00+08:00", utc(2026, 1, 5, 0, 30), "s"),
        ("2026-01-05T08:30:00+0800", utc(2026, 1, 5, 0, 30), "s"),
        ("2026-01-05 08:30:00 +08", utc(2026, 1, 5, 0, 30), "s"),
        ("2026-01-05T08:30:00Z", utc(2026, 1, 5, 8, 30), "s"),
        ("2011-10-11 13:42:22.688000+02:00", utc(2011, 10, 11, 11, 42, 22, 688000), "s"),
        ("2026-01-05T08:30:00.1234567Z", utc(2026, 1, 5, 8, 30, 0, 123456), "s"),
        ("2026-01-05 08:30:00,5", utc(2026, 1, 5, 0, 30, 0, 500000), "s"),
        ("202601050830", utc(2026, 1, 5, 0, 30), "m"),
        ("20260105083000", utc(2026, 1, 5, 0, 30), "s"),
        ("20260105083000123", utc(2026, 1, 5, 0, 30, 0, 123000), "s"),
        ("1767573000", utc(2026, 1, 5, 0, 30), "s"),
        ("1767573000000", utc(2026, 1, 5, 0, 30), "s"),
        ("2026年1月5日", utc(2026, 1, 4, 16), "d"),
        ("2026年1月5日8时30分", utc(2026, 1, 5, 0, 30), "m"),
        ("2026年01月05日 08时30分00秒", utc(2026, 1, 5, 0, 30), "s"),
        ("2026 年 1 月 5 日 8时", utc(2026, 1, 5), "m"),
        ("2026年1月5日 下午3:30", utc(2026, 1, 5, 7, 30), "m"),
        ("2026/1/5 上午12:05:00", utc(2026, 1, 4, 16, 5), "s"),
        ("２０２６－０１－０５　０８：３０", utc(2026, 1, 5, 0, 30), "m"),
        (" 2026-01-05 ", utc(2026, 1, 4, 16), "d"),
        ("2026-01-05 24:00:00", utc(2026, 1, 5, 16), "s"),
        ("2024-02-29", utc(2024, 2, 28, 16), "d"),
        ("1988-07-01 12:00:00", utc(1988, 7, 1, 3), "s"),  # China had summer time from 1986 to 1991
    ],
)
def test_reads_what_departments_write(text: str, at: datetime, precision: str) -> None:
    assert instant.read_scalar(text, SHANGHAI) == (at, precision)
    column = instant.read_column(pa.array([text], TEXT), SHANGHAI)
    assert (column.values.to_pylist(), column.precision.to_pylist()) == ([at], [precision])


@pytest.mark.parametrize(
    "text",
    [
        "1/2/2026",  # whose month is it?
        "2026-13-01",
        "2025-02-29",
        "2026-1/5",
        "2026-01-0508:30",
        "2026-01-05 25:00",
        "2026-01-05 24:00:01",
        "2026-01-05 08:60",
        "2026-01-05 08:30:60",
        "2026年1月5日 下午13:30",
        "2026-01-05 08:30:00+16:00",
        "2026010508",  # a year to an hour, or an epoch in 2034?
        "0000-00-00 00:00:00",
        "9999-12-31",
        "1899-12-31",
        "2200-01-01",
        "45000.5",
        "12345",
        "暂无",
        "长期",
        "true",
        "1.7e9",
    ],
)
def test_refuses_to_guess(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        instant.read_scalar(text, SHANGHAI)
    assert text not in caught.value.reason
    assert set(instant.read_column(pa.array([text], TEXT), SHANGHAI).faults) == {0}


@pytest.mark.parametrize("text", ["", "  ", "　", "\ufeff"])
def test_blank_says_nothing(text: str) -> None:
    assert instant.read_scalar(text, SHANGHAI) is None
    assert instant.read_column(pa.array([text, None], TEXT), SHANGHAI).values.null_count == 2


def test_json_numbers_are_read_as_their_digits() -> None:
    column = instant.read_column(texts_of([20260105, 1767573000000, 1767573000, None]), SHANGHAI)
    assert column.values.to_pylist() == [utc(2026, 1, 4, 16), utc(2026, 1, 5, 0, 30), utc(2026, 1, 5, 0, 30), None]
    mixed = instant.read_column(texts_of([20260105.0, "2026-01-05", True]), SHANGHAI)
    assert mixed.values.to_pylist() == [utc(2026, 1, 4, 16), utc(2026, 1, 4, 16), None]
    assert set(mixed.faults) == {2}


def test_only_declared_formats_are_read() -> None:
    assert instant.read_scalar("05/01/2026", SHANGHAI, ("%d/%m/%Y",)) == (utc(2026, 1, 4, 16), "d")
    assert instant.read_scalar("5 Jan 2026", "Europe/London", ("%d %b %Y",)) == (utc(2026, 1, 5), "d")
    assert instant.read_scalar("3:30 PM, 05.01.26", SHANGHAI, ("%I:%M %p, %d.%m.%y",)) == (utc(2026, 1, 5, 7, 30), "m")
    assert instant.read_scalar("2026010508", SHANGHAI, ("%Y%m%d%H",)) == (utc(2026, 1, 5), "m")
    assert instant.read_scalar("2026010508", SHANGHAI, ("epoch_s",)) == (utc(2034, 3, 15, 4, 41, 48), "s")
    assert instant.read_scalar("-1000", SHANGHAI, ("epoch_ms",)) == (utc(1969, 12, 31, 23, 59, 59), "s")
    with pytest.raises(Unreadable, match="declared formats"):
        instant.read_scalar("2026-01-05", SHANGHAI, ("%d/%m/%Y",))


def test_the_hour_that_happens_twice_is_the_first() -> None:
    """RFC 5545 section 3.3.5; Amsterdam puts its clocks back on 2015-10-25 at 03:00 summer time."""
    assert instant.read_scalar("2015-10-25 02:30:00", AMSTERDAM) == (utc(2015, 10, 25, 0, 30), "s")
    assert instant.read_scalar("2015-10-25 03:00:00", AMSTERDAM) == (utc(2015, 10, 25, 2), "s")


def test_the_hour_that_does_not_happen_is_read_with_the_offset_before() -> None:
    assert instant.read_scalar("2015-03-29 02:30:00", AMSTERDAM) == (utc(2015, 3, 29, 1, 30), "s")
    assert instant.read_scalar("2015-03-29 03:30:00", AMSTERDAM) == (utc(2015, 3, 29, 1, 30), "s")


@pytest.mark.parametrize("zone", ZONES)
def test_offsets_of_columns_are_those_of_the_zone_around_every_change(zone: str) -> None:
    """Every half hour of the two years around each change of Amsterdam, Lord Howe (30 minutes), and so on."""
    start = datetime.fromisoformat("2014-12-31")
    local = [start + timedelta(minutes=30 * step) for step in range(2 * 365 * 48)]
    micros = pa.array(local, pa.timestamp("us")).cast(pa.int64()).to_numpy()
    slow = [at.replace(tzinfo=ZoneInfo(zone), fold=0).utcoffset() for at in local]
    assert [timedelta(microseconds=int(found)) for found in offsets(micros, zone)] == slow


YEARS = st.datetimes(
    min_value=datetime.fromisoformat("1900-01-01"),
    max_value=datetime.fromisoformat("2199-12-31T23:59:59"),
)
WRITTEN = st.one_of(
    YEARS.map(lambda at: at.strftime("%Y%m%d")),
    YEARS.map(lambda at: at.strftime("%Y-%m-%d %H:%M:%S")),
    YEARS.map(lambda at: at.isoformat()),
    YEARS.map(lambda at: at.isoformat(timespec="minutes") + "Z"),
    YEARS.map(lambda at: f"{at.year}/{at.month}/{at.day} {at.hour}:{at.minute:02}"),
    YEARS.map(lambda at: f"{at.year}年{at.month}月{at.day}日{at.hour}时{at.minute}分"),
    YEARS.map(lambda at: at.strftime("%Y%m%d%H%M%S")),
    YEARS.map(lambda at: str(int(at.replace(tzinfo=UTC).timestamp() * 1000))),
    st.builds("{}{:+03d}:{:02d}".format, YEARS.map(datetime.isoformat), st.integers(-15, 16), st.integers(0, 61)),
)
DIRTY = st.one_of(
    WRITTEN,
    st.none(),
    st.text(alphabet="0123456789-/:.TZ+ 年月日时分秒上下午　", max_size=24),
    st.builds(
        lambda text, place, mark: text[:place] + mark + text[place + 1 :],
        WRITTEN,
        st.integers(0, 20),
        st.sampled_from("0129-/: Tx"),
    ),
)


def slow(texts: list[str | None], zone: str, formats: tuple[str, ...] = ()) -> list[object]:
    found: list[object] = []
    for text in texts:
        try:
            found.append(None if text is None else instant.read_scalar(text, zone, formats))
        except Unreadable as fault:
            found.append(fault.reason)
    return found


def fast(read: Read) -> list[object]:
    pairs = zip(read.values.to_pylist(), read.precision.to_pylist(), strict=True)
    return [
        read.faults[row].reason if row in read.faults else (pair if pair[0] is not None else None)
        for row, pair in enumerate(pairs)
    ]


@given(st.lists(DIRTY, max_size=30), st.sampled_from(ZONES))
@example(["20260105", "2026-02-30", None, "", "20260105"], SHANGHAI)
@settings(max_examples=300, deadline=None)
def test_a_column_is_read_as_each_of_its_values(texts: list[str | None], zone: str) -> None:
    assert fast(instant.read_column(pa.array(texts, TEXT), zone)) == slow(texts, zone)


FORMATS = ["%d/%m/%Y", "%d%m%Y", "%Y%d%m %H:%M", "%d.%m.%Y %H:%M:%S.%f", "%d %b %Y", "%m/%d/%y", "%Y%m%d%H", "epoch_s"]


@given(st.lists(st.tuples(YEARS, st.sampled_from(FORMATS[:-1])), max_size=20), st.sampled_from(ZONES))
@settings(max_examples=200, deadline=None)
def test_declared_formats_are_read_alike_fast_and_slow(values: list[tuple[datetime, str]], zone: str) -> None:
    for form in FORMATS:
        texts: list[str | None] = [at.strftime(made) for at, made in values]
        assert fast(instant.read_column(pa.array(texts, TEXT), zone, (form,))) == slow(texts, zone, (form,))


@given(YEARS, st.sampled_from(ZONES), st.sampled_from(templates.usual()))
@settings(max_examples=300, deadline=None)
def test_what_is_written_is_read_back(at: datetime, zone: str, template: templates.Template) -> None:
    digits = template.shape.count("f")
    lengths = {"d": 10, "m": 16, "s": 19}
    iso = at.isoformat(timespec="microseconds")
    kept = datetime.fromisoformat(iso[: lengths[template.precision]])
    kept = kept.replace(
        microsecond=at.microsecond // 10 ** (6 - digits) * 10 ** (6 - digits)
        if 0 < digits <= 6
        else at.microsecond
        if digits
        else 0
    )
    numbers = {"Y": f"{at.year:04}", "m": at.month, "d": at.day, "H": at.hour, "M": at.minute, "S": at.second}
    numbers |= {"f": f"{at.microsecond:06}000"[:digits], "h": 8, "n": 0}
    text = re.sub(
        "([YmdHMSfhn])\\1*", lambda run: str(numbers[run[1]]).rjust(len(run[0]), "0"), template.shape.replace("±", "+")
    )
    if "±" in template.shape:
        expected = (kept - timedelta(hours=8)).replace(tzinfo=UTC)
    elif template.shape.endswith("Z"):
        expected = kept.replace(tzinfo=UTC)
    else:
        expected = to_instant(kept, zone)
    assert instant.read_scalar(text, zone) == (expected, template.precision)
    assert instant.read_column(pa.array([text], TEXT), zone).values.to_pylist() == [expected]


@given(
    st.lists(
        st.one_of(
            DIRTY,
            st.sampled_from(["2099-12-31", "9999/12/31", "长期", "20991231", "4102329600000", "2099-12-31 23:59:59"]),
        )
    ),
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_a_column_of_dates_is_read_as_each_of_its_values(texts: list[str | None], open_end: bool) -> None:
    expected: list[object] = []
    for text in texts:
        try:
            expected.append(None if text is None else dates.read_scalar(text, AMSTERDAM, open_end=open_end))
        except Unreadable as fault:
            expected.append(fault.reason)
    read = dates.read_column(pa.array(texts, TEXT), AMSTERDAM, open_end=open_end)
    found = [
        read.faults[row].reason if row in read.faults else value for row, value in enumerate(read.values.to_pylist())
    ]
    assert found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2016/6/27", "2016-06-27"),
        ("20160627", "2016-06-27"),
        ("2026-01-04T16:00:00.000Z", "2026-01-05"),  # midnight in Shanghai, as Java writes a date
        ("1767542400000", "2026-01-05"),
        ("2099-12-31", None),
        ("2099年12月31日", None),
        ("9999-12-31 23:59:59", None),
        ("99991231", None),
        ("长期", None),
        ("长期有效", None),
        ("2099-12-30", "2099-12-30"),
    ],
)
def test_the_end_of_a_validity_may_be_open(text: str, expected: str | None) -> None:
    assert dates.read_scalar(text, SHANGHAI, open_end=True) == expected


def test_an_open_end_is_a_date_elsewhere() -> None:
    assert dates.read_scalar("2099-12-31", SHANGHAI) == "2099-12-31"
    with pytest.raises(Unreadable):
        dates.read_scalar("9999-12-31", SHANGHAI)
    with pytest.raises(Unreadable):
        dates.read_scalar("长期", SHANGHAI)
    assert dates.read_scalar("31/12/9999", SHANGHAI, ("%d/%m/%Y",), open_end=True) is None


@pytest.mark.parametrize("form", ["%d/%m", "%Y", "nonsense", "%Y-%m-%d %Q"])
def test_a_format_must_say_a_day(form: str) -> None:
    assert kinds.fault_of_format(form) is not None


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%d %b %y", "%Y%m%d%H%M", "epoch_s", "epoch_ms", "%d.%m.%Y %H:%M:%S%z"])
def test_usable_formats(form: str) -> None:
    assert kinds.fault_of_format(form) is None
