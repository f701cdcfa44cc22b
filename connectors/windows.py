"""Picks what bears a business date in a window out of a whole read, for kinds that cannot ask their system for it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectors.marks import moment_of
from connectors.pointer import find
from connectors.seam import Window
from connectors.source import Source, StreamSpec
from hub.errors import StopSource
from hub.records import Record, Slice, Unit

_MILLISECONDS: Final = re.compile("[0-9]{13}")


def picked(pieces: Iterable[Slice], source: Source, stream: StreamSpec, window: Window) -> Iterator[Slice]:
    """Yield of each slice the records whose business date lies in the window, at least one slice.

    The business date is the field of option `business_date`, else the cursor's; days are the department's. A record
    without one is in no window. No unit ends with what was picked: a few of its records settle nothing of the whole;
    nor do its totals or its envelope speak of them. What could not be read is told by the pull that reads all.

    Raises:
        StopSource: there is no such field, or it holds what is no date.
    """
    name, zone = _field(source, stream), ZoneInfo(source.time_zone)
    first, end = (moment.astimezone(zone).date() for moment in (window.since, window.until))
    empty = True
    for piece in pieces:
        if piece.unit is not None and piece.unit.refusal:
            continue
        days = [_day(_value(record, name), zone, source, stream, name) for record in piece.records]
        kept = [index for index, day in enumerate(days) if day is not None and first <= day < end]
        if kept:
            empty = False
            yield _only(piece, kept)
    if empty:
        yield Slice(stream.name, [], [], {}, last=True)


def _only(piece: Slice, kept: list[int]) -> Slice:
    unit = None if piece.unit is None else Unit(piece.unit.name, rows=piece.unit.rows)
    places = {old: new for new, old in enumerate(kept)}
    return replace(
        piece, records=[piece.records[one] for one in kept], rows=[piece.rows[one] for one in kept], state={},
        unit=unit, unit_ends=False, broken=[], complete_through=None, counted=None, tokens=(),
        mends={places[old]: mend for old, mend in piece.mends.items() if old in places},
    )  # fmt: skip


def _field(source: Source, stream: StreamSpec) -> str:
    named = stream.options.get("business_date") or (stream.cursor.field if stream.cursor else None)
    if not named:
        raise StopSource(
            source=source.code, stream=stream.name, got="a back-fill needs a field of business dates",
            hint="Name it in option `business_date` of the stream.",
        )  # fmt: skip
    return str(named)


def _value(record: Record, name: str) -> Any:
    try:
        return find(record, name) if name.startswith("/") else record.get(name)
    except KeyError:
        return None


def _day(value: Any, zone: ZoneInfo, source: Source, stream: StreamSpec, name: str) -> date | None:
    """Return the day of a value by the department's clock; None where there is none."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    moment = None
    with contextlib.suppress(ValueError, OverflowError, OSError):  # a number beyond all years
        text = value.strip() if isinstance(value, str) else value
        moment = moment_of(int(text) if isinstance(text, str) and _MILLISECONDS.fullmatch(text) else text, str(zone))
    if moment is None:
        raise StopSource(
            source=source.code, stream=stream.name, got=f"field {name!r} holds what is no date",
            known="2026-01-05, 2026/1/5, 20260105, 2026年1月5日, each with or without a time; milliseconds since 1970",
            hint="Name another field in `business_date`, or read everything again with --full.",
        )  # fmt: skip
    return moment.astimezone(zone).date()
