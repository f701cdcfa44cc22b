"""Cursor values: how far back to look again, and where the future begins.

A row dated 2099 must not carry the cursor with it, or everything until then would be taken for read. Values beyond
tomorrow therefore never move the cursor; such rows are read at every pull instead, until they are put right.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from connectors.source import Cursor
from hub.errors import SchemaMismatch

_FORMS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d",
    "%Y%m%d%H%M%S", "%Y%m%d", "%Y.%m.%d %H:%M:%S", "%Y.%m.%d", "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日",
)  # fmt: skip
_GRACE = timedelta(days=1)
_EPOCH_S, _EPOCH_MS = 10**9, 10**11
"""From here on a number counts seconds since 1970 (2001 and later), from there on milliseconds."""


def _read(value: Any) -> tuple[datetime, str] | None:
    """Read a cursor value as an instant; return it with the form it is written in (empty: ISO 8601)."""
    if not isinstance(value, str):
        return None
    for form in _FORMS:
        try:
            return datetime.strptime(value, form), form  # noqa: DTZ007  # compared with values of the same column only
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(value), ""
    except ValueError:
        return None


def _write(moment: datetime, form: str) -> str:
    return moment.strftime(form) if form else moment.isoformat(sep=" ")


def back(value: Any, cursor: Cursor, *, source: str, stream: str) -> Any:
    """Return where to begin reading: the cursor's value less its lookback.

    Raises:
        SchemaMismatch: the lookback does not fit the sort of values that the cursor has.
    """
    if not cursor.looks_back:
        return value
    if isinstance(cursor.lookback, timedelta):
        if isinstance(value, int | float) and value >= _EPOCH_S:
            seconds = cursor.lookback.total_seconds()
            return int(value - seconds * (1000 if value > _EPOCH_MS else 1))
        read = _read(value)
        if read is not None:
            return _write(read[0] - cursor.lookback, read[1])
    else:
        try:
            number = Decimal(str(value)) - cursor.lookback
        except InvalidOperation:
            pass
        else:
            return str(number) if isinstance(value, str) else int(number)
    raise SchemaMismatch(
        source=source,
        stream=stream,
        got=f"the lookback of cursor {cursor.field} does not fit the field's values",
        hint="Use a duration (PT10M) for instants and a number for counters.",
    )


def believable(value: Any, zone: str) -> bool:
    """Say whether a cursor value lies no further ahead than tomorrow; counters always do."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if value > _EPOCH_MS else value
        return value < _EPOCH_S or seconds <= datetime.now(ZoneInfo(zone)).timestamp() + _GRACE.total_seconds()
    return tomorrow(value, zone) is None


def moment_of(value: Any, zone: str) -> datetime | None:
    """Return a cursor value as an instant: text, or seconds or milliseconds since 1970; None for a counter."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= _EPOCH_S:
        return datetime.fromtimestamp(value / 1000 if value > _EPOCH_MS else value, ZoneInfo(zone))
    read = _read(value)
    if read is None:
        return None
    return read[0] if read[0].tzinfo else read[0].replace(tzinfo=ZoneInfo(zone))


def tomorrow(newest: Any, zone: str) -> Any | None:
    """Return the last cursor value that is still believed, in the form of `newest`; None where `newest` is."""
    read = _read(newest)
    if read is None:
        return None
    moment, form = read
    now = datetime.now(ZoneInfo(zone)) + _GRACE
    limit = now.astimezone(moment.tzinfo) if moment.tzinfo else now.replace(tzinfo=None)
    return _write(limit.replace(microsecond=0), form) if moment > limit else None


def later(one: Any, other: Any, *, as_text: bool) -> Any:
    """Return the later of two cursor values of one column, compared as its database does; None is earliest."""
    if one is None or other is None:
        return one if other is None else other
    if not as_text:
        with contextlib.suppress(InvalidOperation):
            return one if Decimal(str(one)) >= Decimal(str(other)) else other
    return one if str(one) >= str(other) else other
