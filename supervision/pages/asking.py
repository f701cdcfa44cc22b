"""How the addresses of these pages are read: closed sets, numbers, months; all else is refused with what there is."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, TypeVar, cast

import sqlalchemy as sa

from hub.asking import chosen, number
from hub.refusals import Malformed
from hub.sentences import sentence
from hub.visitor import SUPERVISE, Visitor
from hub.workdays import local_day
from supervision.pages.scope import Scope

T = TypeVar("T")
FURTHEST = 1_000_000
"""Nobody pages further down a list than this."""
SIZE = 50
"""Rows on one page of a list."""
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
_REGION = re.compile(r"[0-9]{6}")


def engine_of(request: Any) -> sa.Engine:
    """Return the repository."""
    return cast("sa.Engine", request.app.state.hub.runtime.engine)


def admitted(request: Any) -> tuple[Visitor, Scope]:
    """Return who looks and what the person sees.

    Raises:
        NotAllowed: no role of the person looks at supervision.
    """
    visitor = cast("Visitor", request.state.visitor)
    visitor.must(SUPERVISE)
    return visitor, Scope.of(visitor)


def looking(engine: sa.Engine, look: Callable[[sa.Connection], T]) -> T:
    """Look at the repository as it stands at one moment, without changing it."""
    with engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.exec_driver_sql("SET LOCAL jit = off")
        return look(connection)


def one_of(request: Any, name: str, known: tuple[str, ...]) -> str | None:
    """Return a choice of a closed set; None where nothing was chosen.

    Raises:
        Malformed: there is no such choice.
    """
    said = chosen(request, name, 40)
    if said is not None and said not in known:
        raise Malformed(
            sentence("the filter {name} has no such choice", name=name),
            hint=sentence("There are: {known}.", known=", ".join(known)),
        )
    return said


def first(request: Any) -> int:
    """Return from which row on a list is shown."""
    said = chosen(request, "from", 18)
    return 0 if said is None else min(number(said, "from"), FURTHEST)


def region(request: Any) -> str | None:
    """Return the code of a region; None where none was chosen.

    Raises:
        Malformed: it is none.
    """
    said = chosen(request, "region", 12)
    if said is not None and not _REGION.fullmatch(said):
        raise Malformed("the region has no such code", hint="A region has 6 digits: 330100.")
    return said


def month(said: str | None) -> date | None:
    """Return the first day of a month that is written as 2026-01; None where nothing is said.

    Raises:
        Malformed: it is none.
    """
    if not said:
        return None
    found = _MONTH.fullmatch(said)
    if found is None:
        raise Malformed("this is no month", hint="Write it as 2026-01.")
    return date(int(found[1]), int(found[2]), 1)


def today() -> date:
    """Return the day in the province."""
    return local_day(datetime.now(UTC))
