"""Reading whole columns of times that are written alike: by the position of their digits.

A template is the shape of one style of writing (`YYYY-mm-dd HH:MM:SS`). All texts of one length lie in one matrix of
bytes; a template reads those rows whose digits and separators stand where it says, and leaves the rest to the scalar
reader in `instant.py`. So the two never differ: a template only reads what the scalar reader would read alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from normalization.values.zones import DAY, SECOND

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Years outside are no dates of an approval; 9999 and 0001 are what programs write for "none"."""

NO_OFFSET = np.iinfo(np.int64).min
"""Stands for the offset of a time that was written without one."""

_DIGITS = frozenset(b"YmdHMSfhn")
_SIGN = "\x01"
MONTHS, LAST_HOUR, LAST_MINUTE, LAST_OFFSET_HOUR, MICRO_DIGITS = 12, 23, 59, 15, 6

_ZERO, _NINE, _PLUS, _MINUS = (ord(character) for character in "09+-")


@dataclass(frozen=True, slots=True)
class Template:
    """One style of writing a time: Y m d H M S, f fraction, h and n hours and minutes of the offset, ± its sign."""

    shape: str

    @property
    def precision(self) -> str:
        """Say how exact this style is: day, minute or second."""
        return "s" if "S" in self.shape else "m" if "H" in self.shape else "d"

    @property
    def marks(self) -> bytes:
        """Return the shape byte by byte (a Chinese separator has three)."""
        return self.shape.replace("±", _SIGN).encode()

    def number(self, matrix: npt.NDArray[np.uint8], letter: str) -> npt.NDArray[np.int64]:
        """Read the digits of one letter in every row (0 where the style has none)."""
        total = np.zeros(len(matrix), dtype=np.int64)
        for place in (place for place, mark in enumerate(self.marks) if mark == ord(letter)):
            total = total * 10 + (matrix[:, place] - _ZERO)
        return total

    def fits(self, matrix: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        """Say which rows have digits and separators where this style has them."""
        good = np.ones(len(matrix), dtype=np.bool_)
        marks = self.marks
        for place in sorted(range(len(marks)), key=lambda place: marks[place] in _DIGITS):  # separators tell soonest
            mark, column = marks[place], matrix[:, place]
            if mark in _DIGITS:
                good &= (column >= _ZERO) & (column <= _NINE)
            elif mark == ord(_SIGN):
                good &= (column == _PLUS) | (column == _MINUS)
            else:
                good &= column == mark
                if not good.any():
                    break
        return good


@dataclass(slots=True)
class Parts:
    """A column of local times: microseconds since 1970 of the writer's clock, offset, precision, what is done."""

    local: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]
    precision: npt.NDArray[np.str_]
    done: npt.NDArray[np.bool_]

    @classmethod
    def empty(cls, count: int) -> Parts:
        """Make a column of which nothing is read yet."""
        return cls(
            np.zeros(count, dtype=np.int64),
            np.full(count, NO_OFFSET, dtype=np.int64),
            np.full(count, "", dtype="<U1"),
            np.zeros(count, dtype=np.bool_),
        )


def parse(texts: pa.Array, templates: tuple[Template, ...]) -> Parts:
    """Read those texts that one of the templates fits; the others stay undone."""
    parts = Parts.empty(len(texts))
    lengths = pc.binary_length(texts).fill_null(-1).to_numpy(zero_copy_only=False)
    for length in np.unique(lengths):
        fitting = [template for template in templates if len(template.marks) == length]
        if not fitting:
            continue
        rows = np.flatnonzero(lengths == length)
        matrix = _bytes(texts if len(rows) == len(texts) else texts.take(rows), int(length))
        for template in fitting:
            chosen = np.flatnonzero(~parts.done[rows] & template.fits(matrix))
            if len(chosen):
                _fill(parts, rows[chosen], matrix[chosen], template)
    return parts


def _bytes(texts: pa.Array, length: int) -> npt.NDArray[np.uint8]:
    """Lay texts of one length into a matrix of bytes, column by column in memory."""
    if texts.offset or texts.null_count:
        texts = pa.concat_arrays([texts])
    data = np.frombuffer(texts.buffers()[2], dtype=np.uint8)
    start = int(np.frombuffer(texts.buffers()[1], dtype=np.int64)[texts.offset])
    return np.asfortranarray(data[start : start + length * len(texts)].reshape(len(texts), length))


def _fill(parts: Parts, rows: npt.NDArray[np.int64], matrix: npt.NDArray[np.uint8], template: Template) -> None:
    year, month, day = (template.number(matrix, letter) for letter in "Ymd")
    hour, minute, second = (template.number(matrix, letter) for letter in "HMS")
    digits = template.shape.count("f")
    fraction = template.number(matrix, "f")
    micros = fraction * 10 ** max(MICRO_DIGITS - digits, 0) // 10 ** max(digits - MICRO_DIGITS, 0)
    good = (year >= FIRST_YEAR) & (year <= LAST_YEAR) & (month >= 1) & (month <= MONTHS) & (day >= 1)
    good &= (hour <= LAST_HOUR) & (minute <= LAST_MINUTE) & (second <= LAST_MINUTE)
    months = (year - 1970) * 12 + np.clip(month, 1, MONTHS) - 1
    first = months.astype("datetime64[M]")
    days = first.astype("datetime64[D]").astype(np.int64)
    good &= day <= (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) - days
    days += day - 1
    local = days * DAY + ((hour * 60 + minute) * 60 + second) * SECOND + micros
    offset, sane = _offset(matrix, template)
    good &= sane
    done = rows[good]
    parts.local[done] = local[good]
    parts.offset[done] = offset[good]
    parts.precision[done] = template.precision
    parts.done[done] = True


def _offset(matrix: npt.NDArray[np.uint8], template: Template) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    if template.shape.endswith("Z"):
        return np.zeros(len(matrix), dtype=np.int64), np.ones(len(matrix), dtype=np.bool_)
    if "±" not in template.shape:
        return np.full(len(matrix), NO_OFFSET, dtype=np.int64), np.ones(len(matrix), dtype=np.bool_)
    hours, minutes = template.number(matrix, "h"), template.number(matrix, "n")
    sign = np.where(matrix[:, template.marks.index(ord(_SIGN))] == _MINUS, -1, 1)
    return sign * (hours * 60 + minutes) * 60 * SECOND, (hours <= LAST_OFFSET_HOUR) & (minutes <= LAST_MINUTE)


@cache
def usual() -> tuple[Template, ...]:
    """List the styles that need no declaration and are worth a fast way; the scalar reader knows some more."""
    compact = ["YYYYmmdd", "YYYYmmddHHMM", "YYYYmmddHHMMSS", "YYYYmmddHHMMSSfff"]
    days = [f"YYYY{mark}mm{mark}dd" for mark in "-/"]
    times = ["HH:MM", "HH:MM:SS", *(f"HH:MM:SS.{'f' * digits}" for digits in (1, 2, 3, 6, 7, 9))]
    zones = ["", "Z", "±hh:nn", "±hhnn"]
    clocks = [f"{day}{gap}{time}{zone}" for day, gap, time, zone in product(days, " T", times, zones)]
    narrow_days = [f"YYYY{mark}{month}{mark}{day}" for mark, month, day in product("-/", ("mm", "m"), ("dd", "d"))]
    narrow_times = ["", " HH:MM", " H:MM", " HH:MM:SS", " H:MM:SS"]
    chinese_days = [f"YYYY年{month}月{day}日" for month, day in product(("mm", "m"), ("dd", "d"))]
    chinese_times = [f"{gap}{hour}时{minute}分" for gap, hour, minute in product(("", " "), ("HH", "H"), ("MM", "M"))]
    narrow = [f"{day}{time}" for day, time in product(narrow_days, narrow_times)]
    chinese = [f"{day}{time}" for day, time in product(chinese_days, ["", *chinese_times])]
    return tuple(Template(shape) for shape in dict.fromkeys([*compact, *days, *clocks, *narrow, *chinese]))


def count_from_epoch(texts: pa.Array, parts: Parts, length: int, units: int) -> None:
    """Read the undone texts that are this many digits as units a second since 1970 (UTC)."""
    digits = pc.match_substring_regex(texts, f"^[0-9]{{{length}}}$").fill_null(False)
    rows = np.flatnonzero(digits.to_numpy(zero_copy_only=False) & ~parts.done)
    if not len(rows):
        return
    local = texts.take(pa.array(rows)).cast(pa.int64()).to_numpy() * (SECOND // units)
    first, last = (np.datetime64(f"{year}-01-01", "us").astype(np.int64) for year in (FIRST_YEAR, LAST_YEAR + 1))
    good = (local >= first) & (local < last)
    parts.local[rows[good]] = local[good]
    parts.offset[rows[good]] = 0
    parts.precision[rows[good]] = "s"
    parts.done[rows[good]] = True


_DIRECTIVES = {"%Y": "YYYY", "%m": "mm", "%d": "dd", "%H": "HH", "%M": "MM", "%S": "SS", "%f": "ffffff"}


@cache
def declared(formats: tuple[str, ...]) -> tuple[Template, ...]:
    """Make templates of those declared formats whose numbers have a fixed width; the others are read one by one."""
    shapes = [re.sub(r"%[YmdHMSf]", lambda found: _DIRECTIVES[found.group()], form) for form in formats]
    plain = [
        shape
        for shape, form in zip(shapes, formats, strict=True)
        if not re.search(r"%|[^\x00-\x7f]", shape) and not re.search("[A-Za-z]", re.sub(r"%[YmdHMSf]", "", form))
    ]
    return tuple(Template(shape) for shape in plain)
