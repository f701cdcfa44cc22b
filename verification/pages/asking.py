"""What the routes of these pages ask of the application that mounts them, and organs by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import sqlalchemy as sa

from verification.checks.service import Checker

PAGE = 50
"""So many rows stand on one page of a list."""
_NAMES = """SELECT DISTINCT ON (code) code, name FROM core.organ WHERE code = ANY(:codes)
            ORDER BY code, valid_from DESC NULLS LAST"""


def engine_of(request: Any) -> sa.Engine:
    """Return the repository."""
    return cast("sa.Engine", request.app.state.hub.runtime.engine)


def checker_of(request: Any) -> Checker:
    """Return what answers checks."""
    return cast("Checker", request.app.state.verification.checker)


def names(engine: sa.Engine, codes: Iterable[str | None]) -> Mapping[str, str]:
    """Return the names of organs, as far as the register has them."""
    with engine.connect() as connection:
        rows = connection.execute(sa.text(_NAMES), {"codes": sorted({one for one in codes if one})})
        return {row.code: row.name for row in rows}
