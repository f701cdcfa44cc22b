"""How often a column is filled: suggested from what is held, set with a reason, judged with the suites.

A rate is a share of the rows of a canonical table that came by one stream of one organ. A column that is emptier than
its least share lacks what it had (`min`); one that is fuller than its greatest is suspect (`max`, a warning). The least
share also holds a delivery before it is published (`pipeline/writing/filled.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from connectors.source import Source
from quality.bounds.errors import BoundRefused, reasoned
from sharedrepo.feeds import bounds
from sharedrepo.models import TABLES

if TYPE_CHECKING:
    from quality.sets.run import Result

SUITE: Final = "bounds"
"""Under this name the results stand beside those of the suites."""
RULE: Final = "set_fill_bound"
MEASURE: Final = bounds.FILL
LEAST_SHARE: Final = 0.85
"""The suggested minimum: this share of the present rate."""

_LINES = """FROM core.{table} AS t JOIN ledger.source_record AS r USING (record_id)
            JOIN ledger.stream AS s USING (stream_id)
            JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id"""


@dataclass(frozen=True, slots=True)
class FillRate:
    """How often a column of a document is filled in what is held of a stream; `least` is the suggested minimum."""

    source: str
    stream: str
    document: str
    column: str
    filled: int
    rows: int
    least: float
    now_least: float | None
    now_most: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return asdict(self)


def fill_rates(engine: sa.Engine, source: str) -> list[FillRate]:
    """Return how often each column that may be empty is filled, with 85 % of that as the suggested minimum.

    Personal columns are counted by their mask or hash; no value is read.
    """
    said = {(one.stream, one.measure): one for one in bounds.history(engine, source=source) if one.latest}
    found = []
    with engine.connect() as connection:
        for document in TABLES:
            names = _columns(document)
            counts = "".join(f', count(t."{column}")' for column in names)
            query = (
                f"SELECT s.name, count(*){counts} {_LINES.format(table=document)} WHERE ss.code = :source GROUP BY 1"
            )
            for stream, rows, *filled in connection.execute(sa.text(f"{query} ORDER BY 1"), {"source": source}):
                for column, count in zip(names, filled, strict=True):
                    now = said.get((stream, f"{MEASURE}{document}.{column}"))
                    if count or now is not None:
                        found.append(
                            FillRate(
                                source, stream, document, column, count, rows, round(LEAST_SHARE * count / rows, 3),
                                None if now is None else now.least, None if now is None else now.most,
                            )
                        )  # fmt: skip
    return found


def put(
    engine: sa.Engine, source: Source, stream: str, column: str, *, least: float | None, most: float | None,
    reason: str, actor: str, now: datetime | None = None,
) -> None:  # fmt: skip
    """Set in which share of a stream's rows a column (`document.column`) is filled; neither side takes the bound away.

    Raises:
        BoundRefused: no reason, no such stream or column, shares that contradict each other; nothing was changed.
    """
    where = f"{source.code}.{stream} {column}"
    if stream not in source.streams:
        raise BoundRefused(f"{where}: no such stream; it has {', '.join(source.streams)}.")
    document, _, name = column.partition(".")
    if document not in TABLES:
        raise BoundRefused(f"{where}: no document {document!r}; write document.column, of {', '.join(TABLES)}.")
    if name not in _columns(document):
        raise BoundRefused(
            f"{where}: no column {name!r} that may be empty; {document} has {', '.join(_columns(document))}."
        )
    if any(one is not None and not 0 <= one <= 1 for one in (least, most)) or (
        least is not None and most is not None and least > most
    ):
        raise BoundRefused(f"{where}: between {least} and {most} cannot be. Give shares, 0 ≤ min ≤ max ≤ 1.")
    reason = reasoned(where, reason, actor)
    with engine.begin() as connection:
        bounds.put(
            connection, source=source.code, stream=stream, measure=f"{MEASURE}{column}", least=least, most=most,
            reason=reason, actor=actor, now=now or datetime.now(UTC),
        )  # fmt: skip


def judge(
    engine: sa.Engine, streams: Sequence[int], *, only: Collection[str] | None = None, batch: int | None = None
) -> list[Result]:
    """Judge the columns that somebody bounded in the rows of these streams: all that is held, or one batch's."""
    return [one for asked in _asked(engine, streams, only) for one in _judged(engine, asked, batch)]


@dataclass(frozen=True, slots=True)
class _Asked:
    stream_id: int
    document: str
    column: str
    least: float | None
    most: float | None


def _asked(engine: sa.Engine, streams: Sequence[int], only: Collection[str] | None) -> Iterator[_Asked]:
    query = """SELECT s.stream_id, b.measure, b.least, b.most FROM quality.bound AS b
               JOIN core.source_system AS ss ON ss.code = b.source
               JOIN ledger.stream AS s ON s.source_system_id = ss.source_system_id AND s.name = b.stream
               WHERE b.latest AND starts_with(b.measure, :measure) AND s.stream_id = ANY(:streams)
                 AND coalesce(b.least, b.most) IS NOT NULL ORDER BY s.stream_id, b.measure"""
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query), {"measure": MEASURE, "streams": list(streams)}).all()
    for stream, measure, least, most in rows:
        document, _, column = measure.removeprefix(MEASURE).partition(".")
        # A bound of a column that a later contract dropped is kept in the history and judges nothing.
        if document in TABLES and column in _columns(document) and (only is None or document in only):
            yield _Asked(
                stream, document, column, None if least is None else float(least), None if most is None else float(most)
            )


def _judged(engine: sa.Engine, asked: _Asked, batch: int | None) -> Iterator[Result]:
    from quality.sets.run import Result  # noqa: PLC0415  # the library comes with it: seconds

    query = f"""SELECT o.organ, count(*), count(t."{asked.column}")
                FROM core.{asked.document} AS t JOIN quality.record_organ AS o USING (record_id)
                WHERE o.stream_id = :stream AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
                GROUP BY 1 ORDER BY 1"""
    with engine.connect() as connection:
        counted = connection.execute(sa.text(query), {"stream": asked.stream_id, "batch": batch}).all()
    for organ, rows, filled in counted:
        rate = filled / rows
        low, high = asked.least is not None and rate < asked.least, asked.most is not None and rate > asked.most
        allowed = {
            name: one for name, one in (("min_share", asked.least), ("max_share", asked.most)) if one is not None
        }
        detail = {"bound": "max" if high else "min", "observed": round(rate, 6), "allowed": allowed}
        yield Result(
            SUITE, "fill_rate", RULE, f"{asked.document}.{asked.column}", organ, asked.stream_id, not (low or high),
            filled if high else rows - filled, rows, detail,
        )  # fmt: skip


def _columns(document: str) -> list[str]:
    return [one.name for one in TABLES[document].columns if one.nullable and "sealed" not in one.info]
