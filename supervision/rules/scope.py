"""Which cases a run looks at, as a condition through which the planner sees how few they are.

A condition that allows for all cases (`all or among these`) is answered by reading all of them. A statement says
`IN_SCOPE(column)` instead, which becomes what fits the run: nothing, a list of numbers, or a look into `sup_scope`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

LISTED: Final = 10_000
"""So many cases are named one by one."""
_MARK: Final = re.compile(r"IN_SCOPE\(([a-z_.]+)\)")


@dataclass(frozen=True, slots=True)
class Scope:
    """The cases of a run; None where it looks at all."""

    cases: Sequence[int] | None

    @property
    def full(self) -> bool:
        """Say whether all cases are looked at."""
        return self.cases is None

    def text(self, statement: str) -> sa.TextClause:
        """Return a statement with its conditions on the scope written out."""
        return sa.text(_MARK.sub(lambda found: self._within(found[1]), statement))

    def _within(self, column: str) -> str:
        if self.cases is None:
            return "TRUE"
        if len(self.cases) > LISTED:
            return f"{column} IN (SELECT case_id FROM sup_scope)"
        return f"{column} = ANY ('{{{','.join(map(str, self.cases))}}}'::bigint[])"
