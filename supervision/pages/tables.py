"""The lists of these pages as plain tables, in the reader's language, to be written into files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from hub.words import Words
from supervision.logs.rates import definition
from supervision.logs.trends import VOLUMES, Month
from supervision.pages import names
from supervision.pages.names import Named
from supervision.pages.terms import LIGHTS, STAGES
from supervision.pages.wall import Wall
from supervision.sheets import Column, Sheet

Rows = Sequence[Mapping[str, Any]]
SHOWN: Final = ("completion_a", "early_a", "on_time_a", "overdue_a", "speed_up_a", "speed_up_b")
"""The rates of a month that the page of trends shows."""
MOST: Final = 100_000
"""Rows of a workbook or a CSV file; who needs more asks for a month or a department at a time."""
MOST_PDF: Final = 5_000
"""Rows of a PDF, which is to be printed."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table to be written: its title, heads of columns, rows, and what is to be said below."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Any]]
    notes: Sequence[str] = ()

    def sheet(self) -> Sheet:
        """Return it as the writers of files take it; a column is one of numbers where all its values are."""
        columns = [[row[place] for row in self.rows if row[place] is not None] for place in range(len(self.heads))]
        numbers = [bool(values) and all(isinstance(one, int) for one in values) for values in columns]
        heads = [
            Column(str(place), head, number=number)
            for place, (head, number) in enumerate(zip(self.heads, numbers, strict=True))
        ]
        return Sheet(
            self.title, heads, [{str(place): value for place, value in enumerate(row)} for row in self.rows],
            self.notes,
        )  # fmt: skip


def cut(table: Table, most: int, words: Words) -> Table:
    """Return the first rows of a table, saying that there are more."""
    said = words("file.cut", shown=f"{most:,}", total=f"{len(table.rows):,}")
    return replace(table, rows=table.rows[:most], notes=[said])


def of_wall(wall: Wall, words: Words) -> Table:
    """Return the wall: a row a department, stage and light would be long, so a column a stage and light."""
    columns = [(stage, light) for stage in STAGES for light in LIGHTS]
    heads = [words("col.organ"), *(f"{words.or_code('stage', s)} {words.or_code('light', one)}" for s, one in columns)]
    rows = [
        [row.name.said(words.language), *(row.cells[stage].get(one, 0) for stage, one in columns), row.open]
        for row in wall.rows
    ]
    return Table(words("wall.title"), [*heads, words("wall.open")], rows)


def of_cases(connection: sa.Connection, rows: Rows, words: Words) -> Table:
    """Return cases with their clocks."""
    organs, regions = _named(connection, rows, words)
    keys = ("col.case", "col.light", "col.item", "col.organ", "col.region", "col.stage", "col.status", "col.used",
            "col.limit", "col.left", "case.due", "case.closed_at")  # fmt: skip
    made = [
        [
            row["case_number"], _how(row, words), row["item_name"] or row["item_code"], organs(row["organ"]),
            regions(row["region"]), words.or_code("stage", row["stage"]), words.or_code("clock_state", row["state"]),
            row["used_days"], row["limit_days"], row["left_days"], row["due_at"], row["closed_at"],
        ]
        for row in rows
    ]  # fmt: skip
    return Table(words("supervision.cases"), [words(key) for key in keys], made)


def of_cards(connection: sa.Connection, rows: Rows, words: Words) -> Table:
    """Return cards."""
    organs, regions = _named(connection, rows, words)
    title = "title_zh" if words.language == "zh" else "title_en"
    keys = ("col.card", "col.level", "col.rule", "col.organ", "col.region", "col.case", "col.stage", "col.status",
            "col.raised", "col.feedback_due")  # fmt: skip
    made = [
        [
            row["number"], words.or_code("card_level", row["level"]), row[title], organs(row["organ"]),
            regions(row["region"]), row["case_number"], row["stage"] and words.or_code("stage", row["stage"]),
            words.or_code("card_state", row["state"]), row["raised_at"], row["due_at"],
        ]
        for row in rows
    ]  # fmt: skip
    return Table(words("supervision.cards"), [words(key) for key in keys], made)


def of_waiting(connection: sa.Connection, rows: Rows, words: Words) -> Table:
    """Return the cases that wait for their applicants."""
    organs, regions = _named(connection, rows, words)
    keys = ("col.case", "col.item", "col.organ", "col.region", "waiting.since", "waiting.days", "waiting.reminders")
    made = [
        [
            row["case_number"], row["item_code"], organs(row["organ"]), regions(row["region"]), row["waiting_since"],
            row["days"], row["reminders"],
        ]
        for row in rows
    ]  # fmt: skip
    return Table(words("supervision.waiting"), [words(key) for key in keys], made)


def of_trends(months: Sequence[Month], words: Words) -> Table:
    """Return months with their volumes and, of each rate that the page shows, numerator and denominator."""
    heads = [words("col.month"), *(words.or_code("trend", name) for name in VOLUMES)]
    for code in SHOWN:
        named = _rate_name(code, words)
        heads += [f"{named} {words('trend.numerator')}", f"{named} {words('trend.denominator')}"]
    made = [
        [
            f"{one.month:%Y-%m}", *one.volumes.values(),
            *(count for code in SHOWN for count in (one.rate(code).numerator, one.rate(code).denominator)),
        ]
        for one in months
    ]  # fmt: skip
    notes = [f"{_rate_name(code, words)}: {defined(code, words)}" for code in SHOWN]
    return Table(words("supervision.trends"), heads, made, notes)


def defined(code: str, words: Words) -> str:
    """Return the definition and the cohort of a rate, in the reader's language."""
    said = definition(code)
    if words.language == "zh":
        return f"{said.formula_zh}（{said.cohort_zh}）"
    return f"{said.formula_en} ({said.cohort_en})"


def _rate_name(code: str, words: Words) -> str:
    return definition(code).zh if words.language == "zh" else definition(code).en


def _how(row: Mapping[str, Any], words: Words) -> str:
    if row["closed_at"] is not None:
        return words.or_code("verdict", row["verdict"] or "none")
    return words.or_code("light", row["light"])


def _named(connection: sa.Connection, rows: Rows, words: Words) -> tuple[Any, Any]:
    """Return how organs and regions of these rows are named."""

    def by(known: Mapping[str, Named]) -> Any:
        return lambda code: known[code].said(words.language) if code in known else code

    return by(names.organs(connection, {row["organ"] for row in rows})), by(
        names.regions(connection, {row["region"] for row in rows})
    )
