"""Counts the measures of every unit from the frozen rows; each row says which measures it belongs to, and by how much.

The same function counts and shows evidence: the rows of a measure are those that add to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from supervision.appraisal.inputs import Inputs, Row
from supervision.appraisal.language import half_up
from supervision.appraisal.terms import CARDS_COUNTED, GOOD_FROM, MEASURES, VERDICTS

Unit = tuple[str, str]
"""A level and a code."""
Adds = Iterator[tuple[str, Decimal]]

_ONE: Final = Decimal(1)
_ZERO: Final = Decimal(0)
_LEVEL_OF: Final = {"city": "city_department", "county": "county_department"}


@dataclass(frozen=True, slots=True)
class Span:
    """The days of a month, as they are written in the inputs: texts of one form, which compare as days do."""

    first: str
    last: str

    @classmethod
    def of(cls, month: str) -> Span:
        """Return the days of a month that is written as 2026-10."""
        first = date.fromisoformat(f"{month}-01")
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return cls(first.isoformat(), last.isoformat())

    def has(self, day: str) -> bool:
        """Say whether a day is one of the month; no day is not."""
        return self.first <= day <= self.last

    def by_end(self, day: str) -> bool:
        """Say whether a day is the month's last or earlier; no day is not."""
        return "" < day <= self.last


@dataclass(slots=True)
class Tally:
    """The measures of one unit."""

    measures: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(MEASURES, _ZERO))
    lags: list[Decimal] = field(default_factory=list)

    def finished(self) -> dict[str, Decimal]:
        """Return the measures with the figures that stand over all rows."""
        self.measures["lag_hours_median"] = _median(self.lags)
        return self.measures


@dataclass(frozen=True, slots=True)
class Places:
    """Which units there are, what each is called, and which of them a row counts for."""

    names: Mapping[Unit, str]
    organs: Mapping[str, Row]
    within: Mapping[str, frozenset[str]]
    """The organs of each city and county: those that lie there, and those with cases there."""

    @classmethod
    def of(cls, inputs: Inputs) -> Places:
        """Learn the units from the inputs."""
        organs = {row["organ"]: row for row in inputs.rows["organs.csv"]}
        names = {(_level(row), organ): row["name"] or organ for organ, row in organs.items()}
        for row in inputs.rows["regions.csv"]:
            names[row["level"], row["region"]] = row["name"] or row["region"]
        within: dict[str, set[str]] = {}
        for name in ("organs.csv", "cases.csv"):
            for row in inputs.rows[name]:
                for level in ("city", "county"):
                    if row[level]:
                        within.setdefault(row[level], set()).add(row["organ"])
                        names.setdefault((level, row[level]), row[level])
        return cls(names, organs, {region: frozenset(found) for region, found in within.items()})

    def units(self, file: str, row: Row) -> Iterator[Unit]:
        """Yield the units that a row counts for."""
        organ = self.organs.get(row["organ"])
        if organ is not None:
            yield _level(organ), row["organ"]
        if file == "feeds.csv":
            yield from ((level, code) for level, code in self.names if row["organ"] in self._organs_of(level, code))
            return
        place = row if "city" in row else organ
        for level in ("city", "county") if place is not None else ():
            if place is not None and place[level]:
                yield level, place[level]

    def _organs_of(self, level: str, code: str) -> frozenset[str]:
        return self.within.get(code, frozenset()) if level in ("city", "county") else frozenset()


@lru_cache(maxsize=2)
def places_of(inputs: Inputs) -> Places:
    """Return the units of frozen inputs; evidence is followed from page to page, so that the last ones are kept."""
    return Places.of(inputs)


def counted(inputs: Inputs) -> dict[Unit, dict[str, Decimal]]:
    """Return the measures of every unit, those without any row too."""
    places, span = places_of(inputs), Span.of(inputs.month)
    tallies = {unit: Tally() for unit in places.names}
    for file, adding in ADDING.items():
        for row in inputs.rows[file]:
            count_row(row, adding, span, [tallies[unit] for unit in places.units(file, row) if unit in tallies])
    return {unit: tally.finished() for unit, tally in tallies.items()}


def count_row(row: Row, adding: Callable[[Row, Span], Adds], span: Span, tallies: list[Tally]) -> None:
    """Add a row to the tallies of its units."""
    if not tallies:
        return
    for measure, value in adding(row, span):
        for tally in tallies:
            tally.measures[measure] += value
    if row.get("lag_hours") and span.has(row["closed"]):
        for tally in tallies:
            tally.lags.append(Decimal(row["lag_hours"]))


def evidence(inputs: Inputs, unit: Unit, measure: str) -> Iterator[Row]:
    """Yield the frozen rows that a measure of a unit was counted from, in their order."""
    file = MEASURES[measure].file
    places, span = places_of(inputs), Span.of(inputs.month)
    level, code = unit
    for row in inputs.rows[file]:
        if code not in (row["organ"], row.get("city", code), row.get("county", code)):
            continue  # most rows are of other units
        if (level, code) in places.units(file, row) and any(name == measure for name, _ in ADDING[file](row, span)):
            yield row


def case(row: Row, span: Span) -> Adds:
    """Say what a case adds: one row may be of several cohorts."""
    closed_by_end = span.by_end(row["closed"])
    if span.has(row["received"]):
        yield from _received(row, early=closed_by_end and row["verdict"] == "early")
    if span.has(row["accepted"]):
        yield from _accepted(row)
    if span.has(row["due"]):
        yield "due", _ONE
        if closed_by_end:
            yield "due_closed", _ONE
    if span.has(row["closed"]):
        yield from _closed(row)
    if span.by_end(row["due"]) and not closed_by_end:
        yield from (("open_overdue", _ONE), ("overdue_base", _ONE))


def _received(row: Row, *, early: bool) -> Adds:
    yield "received", _ONE
    if row["kind"] in ("immediate", "promised"):
        yield from (("received_with_kind", _ONE), (f"{row['kind']}_received", _ONE))
    if row["kind"] == "promised" and early:
        yield "promised_received_early", _ONE


def _accepted(row: Row) -> Adds:
    yield "accepted", _ONE
    if row["in_force"] == "1":
        yield "accepted_in_force", _ONE
    if row["back_entered"] == "1":
        yield "back_entered", _ONE
    legal, promised = _decimal(row["legal"]), _decimal(row["promised"])
    if legal and promised is not None:
        yield from (("cut_cases", _ONE), ("cut_legal", legal), ("cut_days", legal - promised))


def _closed(row: Row) -> Adds:
    yield "closed", _ONE
    if row["verdict"] in VERDICTS:
        yield from ((f"closed_{row['verdict']}", _ONE), ("overdue_base", _ONE))
    else:
        yield "closed_without_verdict", _ONE
    if row["missing"]:
        yield "closed_incomplete", _ONE
    used = _decimal(row["used"])
    if used is not None and row["kind"] == "promised":
        for name in ("legal", "promised"):
            limit = _decimal(row[name])
            if limit:
                yield from ((f"speed_{name}_cases", _ONE), (f"speed_{name}", limit))
                yield f"speed_{name}_saved", limit - used


def item(row: Row, _span: Span) -> Adds:
    """Say what an item in force adds."""
    yield "items_in_force", _ONE
    if row["has_cases"] == "1":
        yield "items_with_cases", _ONE
    legal, promised = _decimal(row["legal"]), _decimal(row["promised"])
    if legal and promised is not None:
        yield from (("cut_items", _ONE), ("cut_item_shares", half_up(legal - promised, legal, 6)))


def card(row: Row, _span: Span) -> Adds:
    """Say what a card adds; one that is held or withdrawn adds nothing."""
    if row["state"] not in CARDS_COUNTED:
        return
    for name in (f"cards_{row['kind']}_{row['level']}", f"cards_{row['level']}"):
        if name in MEASURES:
            yield name, _ONE
    if row["unanswered"] == "1":
        yield "cards_unanswered", _ONE


def rating(row: Row, _span: Span) -> Adds:
    """Say what a rating adds."""
    yield "ratings", _ONE
    good = int(row["satisfaction"]) >= GOOD_FROM
    yield "ratings_good" if good else "ratings_bad", _ONE
    if not good and row["mended_in_time"] == "0":
        yield "ratings_bad_unmended", _ONE


def feed(row: Row, _span: Span) -> Adds:
    """Say what a feed adds."""
    yield "feeds", _ONE
    if row["behind"] == "1":
        yield "feeds_behind", _ONE


ADDING: Final[Mapping[str, Callable[[Row, Span], Adds]]] = {
    "cases.csv": case, "items.csv": item, "cards.csv": card, "ratings.csv": rating, "feeds.csv": feed,
}  # fmt: skip
"""For each frozen file, what a row of it adds."""


def _level(organ: Row) -> str:
    return _LEVEL_OF.get(organ["level"], "department")


def _decimal(said: str) -> Decimal | None:
    return Decimal(said) if said else None


def _median(found: list[Decimal]) -> Decimal:
    if not found:
        return _ZERO
    ordered, middle = sorted(found), len(found) // 2
    return ordered[middle] if len(found) % 2 else half_up(ordered[middle - 1] + ordered[middle], Decimal(2), 2)
