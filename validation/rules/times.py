"""Times that cannot be: events in the future, ends before their beginnings.

Instants have a precision (d, m, s). Two of them are compared no finer than the coarser one: what is known to the day is
compared by its local day, what is known to the minute by its minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from validation.rules.view import Breach, Mask, Rows, View, text_array

CLOCK_SKEW = timedelta(minutes=10)
"""How far a department's clock may run ahead of ours without a finding."""

NOT_EVENTS = frozenset({"due_at"})
"""Instants that may well lie in the future: they say what is owed, not what happened."""

PERIODS = {
    "stage_event": (("started_at", "finished_at"),),
    "suspension": (("started_at", "ended_at"),),
    "supplement": (("told_at", "received_at"),),
}
VALIDITIES = {
    "credential": (("valid_from", "valid_to"),),
    "item_version": (("effective_from", "cancelled_on"),),
}
_UNITS = {"s": "s", "m": "m", "d": "D"}
_COARSENESS = {"s": 0, "m": 1, "d": 2}

Instants = npt.NDArray[np.datetime64]


def before(
    first: pd.Series[Any],
    first_precision: pd.Series[Any],
    second: pd.Series[Any],
    second_precision: pd.Series[Any],
    zone: str,
) -> Mask:
    """Say where `first` is surely before `second`: also in the coarser precision of the two, by the clock of `zone`.

    Where a precision is not known, the second counts.
    """
    out = instants(first) < instants(second)
    rows = np.flatnonzero(out)
    if not len(rows):
        return out
    coarse = np.maximum(_coarseness(first_precision.iloc[rows]), _coarseness(second_precision.iloc[rows]))
    early, late = local(first.iloc[rows], zone), local(second.iloc[rows], zone)
    sure = np.zeros(len(rows), dtype=np.bool_)
    for precision, unit in _UNITS.items():
        here = coarse == _COARSENESS[precision]
        sure[here] = early[here].astype(f"datetime64[{unit}]") < late[here].astype(f"datetime64[{unit}]")
    out[rows] = sure
    return out


def instants(series: pd.Series[Any]) -> Instants:
    """Return a column of instants as UTC, NaT where there is none."""
    return series.to_numpy(dtype="datetime64[us]")


def local(series: pd.Series[Any], zone: str) -> Instants:
    """Return a column of instants as read off a clock in `zone`."""
    found: Instants = series.dt.tz_convert(zone).dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return found


def _coarseness(precision: pd.Series[Any]) -> npt.NDArray[np.int64]:
    return np.asarray(precision.map(_COARSENESS).fillna(0), dtype=np.int64)


def _precision(view: View, name: str) -> pd.Series[Any]:
    beside = f"{name}_precision"
    return view.frame[beside] if beside in view.frame else pd.Series("s", index=view.frame.index, dtype="str")


def future_time(view: View) -> Iterator[Breach]:
    """Flag events that lie after the moment of reading: what has not happened cannot be reported.

    Due dates and validities are no events. CLOCK_SKEW is allowed; a day is in the future when it is after today at the
    source.
    """
    limit = pd.Series([pd.Timestamp(view.read_at).tz_convert("UTC") + CLOCK_SKEW]).astype("datetime64[us, UTC]")
    for column in view.columns("instant"):
        if column.name in NOT_EVENTS:
            continue
        rows = np.flatnonzero(instants(view.frame[column.name]) > instants(limit)[0])
        if not len(rows):
            continue
        chosen = view.frame[column.name].iloc[rows]
        bound = limit.repeat(len(rows)).set_axis(chosen.index)
        exact = pd.Series("s", index=chosen.index, dtype="str")
        found = rows[before(bound, exact, chosen, _precision(view, column.name).iloc[rows], view.zone)]
        if len(found):
            yield Breach(column.name, found, [{"read_at": view.read_at.isoformat()}] * len(found))


def ended_before_started(view: View) -> Iterator[Breach]:
    """Flag stages, pauses and supplements that ended before they began (流程监察: 时间逻辑错误)."""
    for start, end in PERIODS.get(view.document.name, ()):
        if start not in view.frame or end not in view.frame:
            continue
        starts, ends = view.frame[start], view.frame[end]
        found = np.flatnonzero(before(ends, _precision(view, end), starts, _precision(view, start), view.zone))
        yield from _breach(end, start, found, starts)


def valid_to_before_from(view: View) -> Iterator[Breach]:
    """Flag validities that end before they begin; one that ends on its first day is valid for that day."""
    for start, end in VALIDITIES.get(view.document.name, ()):
        if start not in view.frame or end not in view.frame:
            continue
        yield from _breach(end, start, np.flatnonzero(_earlier(view.frame[end], view.frame[start])), view.frame[start])


def _breach(end: str, start: str, rows: Rows, starts: pd.Series[Any]) -> Iterator[Breach]:
    if len(rows):
        yield Breach(end, rows, [{start: written(value)} for value in starts.iloc[rows]])


def _earlier(first: pd.Series[Any], second: pd.Series[Any]) -> Mask:
    """Say where a date (ISO text, a date or a timestamp) is before another; nowhere if one of them is missing."""
    if all(isinstance(one.dtype, pd.StringDtype) for one in (first, second)):
        # Dates as ISO text sort as dates, without being read.
        return np.array(pc.fill_null(pc.less(text_array(first), text_array(second)), fill_value=False), dtype=np.bool_)
    return np.asarray(_days(first) < _days(second), dtype=np.bool_)


def _days(series: pd.Series[Any]) -> Instants:
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_localize(None)
    if not pd.api.types.is_datetime64_dtype(series.dtype):
        series = pd.to_datetime(series.astype("str"), format="%Y-%m-%d", errors="coerce")
    return series.to_numpy(dtype="datetime64[D]")


def written(value: Any) -> str:
    """Write a canonical value as findings show it."""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
