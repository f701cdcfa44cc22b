"""Dates: the calendar day at the source, as ISO text.

A column that ends a validity (`valid_to`) may say that there is no end: `2099-12-31`, `9999-12-31`, `长期`. Such an
end is NULL, as in architecture.md section 3.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from normalization.values.common import Read, map_uniques
from normalization.values.instant import instant_of, moment_of, parts_of, sane
from normalization.values.templates import NO_OFFSET
from normalization.values.text import clean_identifier
from normalization.values.zones import DAY
from normalization.values.zones import zone as zone_of

OPEN_ENDS = frozenset({date(2099, 12, 31), date(9999, 12, 31)})
OPEN_WORDS = frozenset({"长期", "长期有效", "永久", "永久有效", "无固定期限", "无期限"})


def is_open_ended(column: str) -> bool:
    """Say whether a canonical column is the end of a validity, which may be open."""
    return column.endswith("_to")


def read_scalar(value: str, zone: str, formats: tuple[str, ...] = (), *, open_end: bool = False) -> str | None:
    """Read one date as ISO text; None where nothing is said, or where an end is open.

    Raises:
        Unreadable: it is no date.
    """
    if open_end and clean_identifier(value) in OPEN_WORDS:
        return None
    moment = moment_of(value, formats)
    if moment is None or (open_end and moment.offset is None and moment.local.date() in OPEN_ENDS):
        return None
    sane(moment)
    day = moment.local.date() if moment.offset is None else instant_of(moment, zone).astimezone(zone_of(zone)).date()
    return None if open_end and day in OPEN_ENDS else day.isoformat()


def read_column(texts: pa.Array, zone: str, formats: tuple[str, ...] = (), *, open_end: bool = False) -> Read:
    """Read a column of dates: by position where no offset is written, the rest by its distinct values."""
    parts = parts_of(texts, formats)
    done = parts.done & (parts.offset == NO_OFFSET)
    days = (parts.local // DAY).astype(np.int32)
    empty = ~done
    if open_end:
        empty |= np.isin(days, [_day_number(day) for day in OPEN_ENDS])
    values = pc.cast(pa.array(days, pa.int32(), mask=empty).cast(pa.date32()), pa.string()).cast(pa.large_string())
    rest = np.flatnonzero(~done & texts.is_valid().to_numpy(zero_copy_only=False))
    if not len(rest):
        return Read(values)
    slow = map_uniques(texts.take(rest), lambda text: read_scalar(text, zone, formats, open_end=open_end))
    mask = np.zeros(len(texts), dtype=np.bool_)
    mask[rest] = True
    return Read(
        pc.replace_with_mask(values, pa.array(mask), slow.values),
        {int(rest[row]): fault for row, fault in slow.faults.items()},
    )


def _day_number(day: date) -> int:
    return (day - date(1970, 1, 1)).days
