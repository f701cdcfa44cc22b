"""What a list is before it has a form: columns, rows, and the words that belong under it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal

from hub.errors import HubError
from hub.sentences import sentence
from hub.workdays import ZONE

Form = Literal["csv", "xlsx", "pdf"]
FORMS: Final[Mapping[Form, str]] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
"""The forms with their media types."""
UNFIT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Characters that no file of any of the forms may hold."""
LONGEST_CELL: Final = 32_767
"""Characters of a cell of a workbook; longer ones are cut in every form."""


class TooLong(HubError):
    """A list has more rows than its form can hold; nothing was written."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the key of its values in a row, its title, and whether its values are numbers."""

    name: str
    title: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list: a title, columns, rows by key, and notes such as the definitions of its rates."""

    title: str
    columns: Sequence[Column]
    rows: Iterable[Mapping[str, Any]]
    notes: Sequence[str] = ()

    def cells(self) -> Iterator[list[Any]]:
        """Yield each row as plain cells: numbers in columns of numbers, else text; what is unknown is empty."""
        for row in self.rows:
            yield [plain(row.get(one.name), number=one.number) for one in self.columns]


def plain(value: Any, *, number: bool) -> Any:
    """Return what stands in a cell."""
    if value is None:
        return ""
    if number and isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    if isinstance(value, datetime):
        return value.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "是" if value else "否"
    return UNFIT.sub("�", str(value))[:LONGEST_CELL]


def counted(sheet: Sheet, most: int, form: str) -> Iterator[list[Any]]:
    """Yield the cells of a list, as long as there are not too many.

    Raises:
        TooLong: there are more rows than `most`.
    """
    for number, cells in enumerate(sheet.cells(), 1):
        if number > most:
            told = "the list has more than {most:,} rows, which {form} cannot hold. Narrow it, or take CSV."
            raise TooLong(sentence(told, most=most, form=form))
        yield cells
