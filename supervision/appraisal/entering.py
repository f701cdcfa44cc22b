"""What is entered by hand: points for a unit and month with category, unit value, quantity, reason, and by whom.

What was entered in error is withdrawn with a reason; it stays in the record. A frozen month keeps what it was frozen
with: what is entered later comes into the next freeze.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import sqlalchemy as sa

from supervision.appraisal import formulas
from supervision.appraisal.errors import AppraisalRefused, EntryRefused
from supervision.appraisal.freezing import checked
from supervision.appraisal.terms import LEVELS

LARGEST: Final = Decimal(100)
LONGEST: Final = 500
_PLACES: Final = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """增减分: so many points (unit value × quantity) for a head of a unit in a month."""

    month: str
    level: str
    unit: str
    head: str
    unit_value: str
    quantity: str
    reason: str


def enter(engine: sa.Engine, entry: Entry, actor: str) -> int:
    """Enter points by hand; return their number.

    Raises:
        EntryRefused: with everything that is wrong.
    """
    checked(entry.month)
    faults = _faults(entry)
    if faults:
        raise EntryRefused("; ".join(faults) + ". Nothing was entered.")
    with engine.begin() as connection:
        made = connection.execute(
            sa.text("""INSERT INTO supervision.merit
                           (month, level, unit, head, unit_value, quantity, reason, entered_by)
                       VALUES (:month, :level, :unit, :head, :unit_value, :quantity, :reason, :actor)
                       RETURNING merit_id"""),
            {"month": entry.month, "level": entry.level, "unit": entry.unit.strip(), "head": entry.head,
             "unit_value": _number(entry.unit_value), "quantity": _number(entry.quantity),
             "reason": entry.reason.strip(), "actor": actor},
        )  # fmt: skip
        return int(made.scalar_one())


def withdraw(engine: sa.Engine, number: int, reason: str, actor: str) -> None:
    """Withdraw an entry, with a reason.

    Raises:
        EntryRefused: there is none that holds, or no reason.
    """
    if not reason.strip():
        raise EntryRefused("say why the entry is withdrawn: `--reason`.")
    with engine.begin() as connection:
        done = connection.execute(
            sa.text("""UPDATE supervision.merit
                       SET withdrawn_by = :actor, withdrawn_at = now(), withdrawn_reason = :reason
                       WHERE merit_id = :number AND withdrawn_at IS NULL"""),
            {"number": number, "reason": reason.strip(), "actor": actor},
        )
    if not done.rowcount:
        raise EntryRefused(f"no entry {number} holds. `hub supervise entry list` shows those that there are.")


def listed(engine: sa.Engine, month: str) -> list[dict[str, Any]]:
    """Return the entries of a month, withdrawn ones too."""
    query = """SELECT merit_id AS entry, level, unit, head, unit_value, quantity, unit_value * quantity AS points,
                   reason, entered_by, entered_at, withdrawn_by, withdrawn_at, withdrawn_reason
               FROM supervision.merit WHERE month = :month ORDER BY merit_id"""
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query), {"month": checked(month)}).mappings()
        return [{key: _shown(value) for key, value in row.items()} for row in rows]


def unit_named(engine: sa.Engine, level: str, unit: str) -> bool:
    """Say whether anything in the repository has this code."""
    table = "core.region" if level in ("city", "county") else "core.organ"
    query = f"""SELECT EXISTS (SELECT FROM {table} WHERE code = :unit)
                    OR EXISTS (SELECT FROM supervision.clock WHERE organ = :unit OR left(region, 6) = :unit)
                    OR EXISTS (SELECT FROM catalog.item WHERE organ = :unit)"""
    with engine.connect() as connection:
        return bool(connection.scalar(sa.text(query), {"unit": unit}))


def _faults(entry: Entry) -> list[str]:
    heads = sorted({name for one in formulas.brought().values() for name in one.formula.categories})
    return [
        said
        for wrong, said in (
            (entry.level not in LEVELS, f"there is no level {entry.level[:40]!r} (there are: {', '.join(LEVELS)})"),
            (not entry.unit.strip() or len(entry.unit) > LONGEST, "no unit is named"),
            (entry.head not in heads, f"there is no head {entry.head[:40]!r} (there are: {', '.join(heads)})"),
            (_number(entry.unit_value) is None, f"unit value {entry.unit_value[:20]!r} is no number within ±{LARGEST}"),
            (_number(entry.quantity) is None, f"quantity {entry.quantity[:20]!r} is no number within ±{LARGEST}"),
            (not 0 < len(entry.reason.strip()) <= LONGEST, f"a reason of at most {LONGEST} characters is needed"),
        )
        if wrong
    ]


def _number(said: str) -> Decimal | None:
    try:
        value = Decimal(said) if said.isascii() else None
    except InvalidOperation:
        return None
    if value is None or not value.is_finite() or abs(value) > LARGEST or value != round(value, _PLACES):
        return None
    return value


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal | datetime) else value


def must_be_known(engine: sa.Engine, month: str, level: str, unit: str) -> None:
    """Go on only with a unit that the repository knows.

    Raises:
        AppraisalRefused: nothing has this code.
    """
    if not unit_named(engine, level, unit):
        raise AppraisalRefused(month, f"no {level} has the code {unit[:40]!r}", "Name it as the ranking does.")
