"""A random sample of a month's closed cases for spot checks, drawn so that anybody can draw it again.

Each closed case gets SHA-256 over the seed followed by its pseudonym of the frozen `cases.csv`, both as UTF-8; those
with the smallest digests (as hexadecimal text) are drawn. The seed is named after the month was frozen, and published.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from supervision.appraisal import freezing
from supervision.appraisal.counting import Span
from supervision.appraisal.errors import AppraisalRefused
from supervision.appraisal.inputs import Row

MOST: Final = 10_000
_LONGEST_SEED: Final = 200


def drawn(rows: Iterable[Row], month: str, seed: str, size: int, organ: str | None = None) -> list[tuple[str, Row]]:
    """Return the sample as digests with their rows, the smallest digest first."""
    span = Span.of(month)
    closed = (row for row in rows if span.has(row["closed"]) and organ in (None, row["organ"]))
    digests = ((hashlib.sha256((seed + row["case"]).encode()).hexdigest(), row["case"], row) for row in closed)
    return [(digest, row) for digest, _, row in heapq.nsmallest(size, digests, key=lambda one: one[:2])]


def draw(
    engine: sa.Engine, month: str, seed: str, size: int, actor: str, organ: str | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """Draw a sample of the month's newest frozen inputs and keep its seed; return its number and its cases.

    The case numbers stand beside the pseudonyms: for those who check, not for the public.

    Raises:
        AppraisalRefused: the month is not frozen, or seed or size are none.
    """
    if not 0 < len(seed) <= _LONGEST_SEED or not seed.isprintable() or not 0 < size <= MOST:
        raise AppraisalRefused(month, "a sample has a seed of printable text and a size",
                               f"Draw at most {MOST:,} cases.")  # fmt: skip
    frozen = freezing.found(engine, month)
    with engine.begin() as connection:
        number = connection.execute(
            sa.text("""INSERT INTO supervision.appraisal_sample (freeze_id, seed, size, organ, drawn_by)
                       VALUES (:id, :seed, :size, :organ, :actor) RETURNING sample_id"""),
            {"id": frozen.freeze_id, "seed": seed, "size": size, "organ": organ, "actor": actor},
        ).scalar_one()
    return int(number), cases(engine, frozen, seed, size, organ)


def cases(engine: sa.Engine, frozen: freezing.Frozen, seed: str, size: int, organ: str | None) -> list[dict[str, Any]]:
    """Return the cases of a sample, with their numbers."""
    rows: Sequence[Row] = freezing.opened(engine, frozen).rows["cases.csv"]
    numbers = freezing.case_numbers(engine, frozen)
    return [
        {"place": place, "digest": digest, **{name: row[name] for name in ("case", "organ", "item", "closed")},
         "source": numbers.get(row["case"], ("", ""))[0], "case_number": numbers.get(row["case"], ("", ""))[1]}
        for place, (digest, row) in enumerate(drawn(rows, frozen.month, seed, size, organ), 1)
    ]  # fmt: skip


def listed(engine: sa.Engine, month: str) -> list[dict[str, Any]]:
    """Return the samples of a month: all that the public needs to draw them again."""
    query = """SELECT s.sample_id AS sample, f.number AS frozen, f.digest AS inputs_sha256, s.seed, s.size, s.organ,
                   s.drawn_at
               FROM supervision.appraisal_sample AS s JOIN supervision.frozen_month AS f USING (freeze_id)
               WHERE f.month = :month ORDER BY s.sample_id"""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(query), {"month": month}).mappings()]
