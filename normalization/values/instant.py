"""Instants as departments write them, with the precision that they have.

Read without being declared: `20260105`, `2026-01-05`, `2026/1/5 8:30`, `2026.1.5`, `2026-01-05 08:30:00`,
`2026-01-05T08:30:00.123+08:00`, `…Z`, `202601050830`, `20260105083000`, `20260105083000123`, `2026年1月5日8时30分`,
`2026年1月5日 下午3:30`, epoch seconds (10 digits) and milliseconds (13 digits), `24:00` as the end of its day.
Everything else is declared in the mapping with `formats` (strptime's letters, or `epoch_s`, `epoch_ms`); then only
those are read. Never guessed: which of two numbers is the month, and ten digits that are a year-to-hour as well as
an epoch.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day

import numpy as np
import pyarrow as pa

from hub.sentences import sentence
from normalization.values import templates
from normalization.values.common import Read, Unreadable, spread
from normalization.values.templates import (
    FIRST_YEAR,
    LAST_MINUTE,
    LAST_OFFSET_HOUR,
    LAST_YEAR,
    NO_OFFSET,
    Parts,
)
from normalization.values.text import clean_text
from normalization.values.zones import SECOND, local_microseconds, offsets, to_instant

INSTANT = pa.timestamp("us", "UTC")
EPOCHS = {"epoch_s": 1, "epoch_ms": 1000}
"""Formats of a counted time, and how many units make a second."""

_COMPACT = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_COMPACT_MILLISECONDS = 17
_EPOCH_MILLISECONDS = 13
_COUNTED = {10: "epoch_s", _EPOCH_MILLISECONDS: "epoch_ms"}
_HALF_DAY = 12
_DIGITS = re.compile(r"[0-9]+")
_WRITTEN = re.compile(
    r"""(?P<Y>[0-9]{4})(?:(?P<mark>[-/.])(?P<m>[0-9]{1,2})(?P=mark)(?P<d>[0-9]{1,2})
                         |\s?年\s?(?P<cm>[0-9]{1,2})\s?月\s?(?P<cd>[0-9]{1,2})\s?(?P<day>[日号]))
        (?:(?P<gap>[T\s]?)(?P<half>上午|下午)?\s?(?P<H>[0-9]{1,2})
           (?: :(?P<M>[0-9]{1,2})(?: :(?P<S>[0-9]{1,2})(?:[.,](?P<f>[0-9]{1,9}))?)?
             | [时點点](?:(?P<cM>[0-9]{1,2})分(?:(?P<cS>[0-9]{1,2})秒)?)?)
           \s?(?P<zone>Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?
        )?""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as written: of the writer's clock, with its offset where one was written."""

    local: datetime
    offset: timedelta | None
    precision: str


def read_scalar(value: str, zone: str, formats: tuple[str, ...] = ()) -> tuple[datetime, str] | None:
    """Read one instant as (instant in UTC, precision); None where nothing is said.

    Raises:
        Unreadable: it is no time, or not one of the declared formats.
    """
    moment = moment_of(value, formats)
    return None if moment is None else (instant_of(sane(moment), zone), moment.precision)


def moment_of(value: str, formats: tuple[str, ...] = ()) -> Moment | None:
    """Read one time as written, in whatever year.

    Raises:
        Unreadable: it is no time, or not one of the declared formats.
    """
    cleaned = clean_text(unicodedata.normalize("NFKC", value))
    if cleaned is None:
        return None
    return _declared(cleaned, formats) if formats else _usual(cleaned)


def sane(moment: Moment) -> Moment:
    """Return the moment.

    Raises:
        Unreadable: its year is no year of an approval.
    """
    if not FIRST_YEAR <= moment.local.year <= LAST_YEAR:
        told = sentence("the year is not between {first} and {last}", first=FIRST_YEAR, last=LAST_YEAR)
        raise Unreadable(told)
    return moment


def instant_of(moment: Moment, zone: str) -> datetime:
    """Tell the instant of a moment; `zone` is where the clock stands that wrote no offset."""
    if moment.offset is None:
        return to_instant(moment.local, zone)
    return (moment.local - moment.offset).replace(tzinfo=UTC)


def _usual(text: str) -> Moment:
    if _DIGITS.fullmatch(text):
        return _of_digits(text)
    found = _WRITTEN.fullmatch(text)
    if found is None or (found["H"] and not found["gap"] and not (found["day"] or found["half"])):
        raise Unreadable("this is not a date or time such as 2026-01-05 08:30")
    offset, precision = _offset(found["zone"]), "d"
    hour, minute, second = found["H"], found["M"] or found["cM"], found["S"] or found["cS"]
    if hour is not None:
        precision = "m" if second is None else "s"
    return Moment(
        _local(
            (found["Y"], found["m"] or found["cm"], found["d"] or found["cd"]),
            (_hour(hour or "0", found["half"]), minute or "0", second or "0"),
            found["f"] or "",
        ),
        offset,
        precision,
    )


def _hour(hour: str, half: str | None) -> str:
    if half is None:
        return hour
    if not 1 <= int(hour) <= _HALF_DAY:
        return "99"
    return str(int(hour) % _HALF_DAY + (_HALF_DAY if half == "下午" else 0))


def _local(day: tuple[str, str, str], time: tuple[str, str, str], fraction: str) -> datetime:
    """Put a local time together; 24:00 is the end of its day (ISO 8601-1:2019, 4.3.8)."""
    year, month, number = (int(part) for part in day)
    hour, minute, second = (int(part) for part in time)
    end_of_day = (hour, minute, second) == (24, 0, 0) and not int(fraction or 0)
    try:
        at = time_of_day(0 if end_of_day else hour, minute, second, int(fraction[:6].ljust(6, "0")))
        found = datetime.combine(date(year, month, number), at)
        return found + timedelta(days=1) if end_of_day else found
    except (ValueError, OverflowError):
        raise Unreadable("there is no such day or time") from None


def _offset(zone: str | None) -> timedelta | None:
    if zone is None:
        return None
    if zone in {"Z", "UTC", "GMT"}:
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if hours > LAST_OFFSET_HOUR or minutes > LAST_MINUTE:
        raise Unreadable("there is no such offset from UTC")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset


def _of_digits(text: str) -> Moment:
    length = len(text)
    if length in _COMPACT:
        return _strptime(text, _COMPACT[length])
    if length == _COMPACT_MILLISECONDS:
        return Moment(_strptime(text[:14], _COMPACT[14]).local + timedelta(milliseconds=int(text[14:])), None, "s")
    if length not in _COUNTED:
        told = sentence("{length} digits are no time; expected a date or time such as 2026-01-05 08:30", length=length)
        raise Unreadable(told)
    if _COUNTED[length] == "epoch_s" and _looks_like_an_hour(text):
        raise Unreadable("ten digits that are both a year-to-hour and an epoch; declare `formats`")
    return _epoch(text, EPOCHS[_COUNTED[length]])


def _looks_like_an_hour(text: str) -> bool:
    try:
        return FIRST_YEAR <= _strptime(text, "%Y%m%d%H").local.year <= LAST_YEAR
    except Unreadable:
        return False


def _epoch(text: str, units: int) -> Moment:
    try:
        local = datetime(1970, 1, 1) + timedelta(microseconds=int(text) * SECOND // units)  # noqa: DTZ001 - UTC, by its offset
    except OverflowError:
        raise Unreadable("this count of seconds lies beyond the year 9999") from None
    return Moment(local, timedelta(), "s")


def _declared(text: str, formats: tuple[str, ...]) -> Moment:
    for form in formats:
        if form in EPOCHS:
            if re.fullmatch(r"-?[0-9]{1,18}", text):
                return _epoch(text, EPOCHS[form])
            continue
        try:
            return _strptime(text, form)
        except Unreadable:
            continue
    raise Unreadable("this is in none of the declared formats", known=", ".join(formats))


def _strptime(text: str, form: str) -> Moment:
    try:
        found = datetime.strptime(text, form)  # noqa: DTZ007 - the source's zone is applied where no %z stands
    except ValueError:
        raise Unreadable("there is no such day or time") from None
    return Moment(found.replace(tzinfo=None), found.utcoffset(), precision_of(form))


def precision_of(form: str) -> str:
    """Say how exact a declared format is (an hour counts as its first minute)."""
    if any(mark in form for mark in ("%S", "%T", "%X", "%c", "%s")) or form in EPOCHS:
        return "s"
    return "m" if any(mark in form for mark in ("%H", "%I", "%M", "%R")) else "d"


def parts_of(texts: pa.Array, formats: tuple[str, ...]) -> Parts:
    """Read what can be read by position; the rest stays undone."""
    if formats:
        return templates.parse(texts, templates.declared(formats))
    parts = templates.parse(texts, templates.usual())
    templates.count_from_epoch(texts, parts, _EPOCH_MILLISECONDS, EPOCHS["epoch_ms"])
    return parts


def read_column(texts: pa.Array, zone: str, formats: tuple[str, ...] = ()) -> Read:
    """Read a column of instants: by position what is written alike, the rest by its distinct values."""
    parts = parts_of(texts, formats)
    instants = parts.local - parts.offset
    naive = np.flatnonzero(parts.done & (parts.offset == NO_OFFSET))
    instants[naive] = parts.local[naive] - offsets(parts.local[naive], zone)
    precision = parts.precision.astype(object)
    rest = np.flatnonzero(~parts.done & texts.is_valid().to_numpy(zero_copy_only=False))
    faults: dict[int, Unreadable] = {}
    empty = ~parts.done
    if len(rest):
        coded = texts.take(rest).dictionary_encode()
        found, bad = _by_uniques(coded.dictionary.to_pylist(), zone, formats)
        for row, number in zip(rest.tolist(), coded.indices.to_pylist(), strict=True):
            if (read := found[number]) is not None:
                instants[row], precision[row], empty[row] = read[0], read[1], False
        faults = {int(rest[row]): fault for row, fault in spread(bad, coded.indices).items()}
    precision[empty] = None
    return Read(
        pa.array(instants, pa.int64(), mask=empty).cast(INSTANT),
        faults,
        precision=pa.array(precision, pa.large_string()),
    )


def _by_uniques(
    texts: list[str], zone: str, formats: tuple[str, ...]
) -> tuple[list[tuple[int, str] | None], dict[int, Unreadable]]:
    found: list[tuple[int, str] | None] = []
    faults: dict[int, Unreadable] = {}
    for number, text in enumerate(texts):
        read = None
        try:
            read = read_scalar(text, zone, formats)
        except Unreadable as fault:
            faults[number] = fault
        found.append(None if read is None else (local_microseconds(read[0].replace(tzinfo=None)), read[1]))
    return found, faults
