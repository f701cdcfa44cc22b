"""Runs a suite's metrics in SQL, all organs at once: one scan of the rows for all expectations of the suite.

Great Expectations bundles the aggregates that its expectations ask for into one SELECT for each domain. This engine
groups that SELECT by organ and stream and keeps the figures of each set. The library itself is given those of one set
only, and its verdict on them is not used: totals over all sets would cost as much again. Counts of repeated values
need a grouping of their own; they share one second scan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine

SET_COLUMNS = ("organ", "stream_id")
"""What a set is made of; every relation has these two columns."""
SetKey = tuple[str, int]
MetricId = Any  # the library's id of a metric: its name, domain and values

REPEATS = "hub_repeats"
"""Name of the marker function `hub_repeats(column, least)`: how often values stand more than once."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """How the values of a column repeat: `known` rows have one, the commonest stands in `most` of them.

    `crowded` rows have a value that stands in `least` rows or more, and there are `values` different ones.
    """

    known: int = 0
    most: int = 0
    crowded: int = 0
    values: int = 0


@dataclass(slots=True)
class Figures:
    """What the scans found: for each set the value of each metric, by the library's own metric id."""

    by_set: dict[SetKey, dict[MetricId, Any]] = field(default_factory=dict)
    queries: int = 0


class OneScanEngine(SqlAlchemyExecutionEngine):
    """The library's SQL engine on one open connection, with its bundles grouped by set."""

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(engine=connection.engine, create_temp_table=False)
        self._on = connection
        self.figures = Figures()

    def resolve_metric_bundle(self, metric_fn_bundle: Iterable[Any]) -> dict[MetricId, Any]:
        """Run the bundle; keep each metric for each set in `figures`, and return those of one set."""
        bundle = list(metric_fn_bundle)
        plain = [one for one in bundle if not is_repeats(one.metric_fn)]
        found: dict[MetricId, Any] = {}
        for query in self._organize_metrics_by_domain(plain):
            rows = self._rows_of(query["domain_kwargs"])
            found |= self._grouped(rows, query["select"], query["metric_ids"])
        counted = [one for one in bundle if is_repeats(one.metric_fn)]
        if counted:
            rows = self._rows_of(counted[0].compute_domain_kwargs)
            found |= self._repeats(rows, {one.metric_configuration.id: one.metric_fn for one in counted})
        return found

    def _rows_of(self, domain: Mapping[str, Any]) -> sa.FromClause:
        chosen: Any = self.get_domain_records(domain_kwargs=dict(domain))
        return cast("sa.FromClause", chosen.subquery() if isinstance(chosen, sa.Select) else chosen)

    def _grouped(
        self, rows: sa.FromClause, aggregates: Sequence[sa.ColumnElement[Any]], ids: Sequence[MetricId]
    ) -> dict[MetricId, Any]:
        keys: list[sa.ColumnClause[Any]] = [sa.column(name) for name in SET_COLUMNS]
        named = [one.label(f"m{place}") for place, one in enumerate(_bare(aggregates))]
        self.figures.queries += 1
        found: dict[SetKey, dict[MetricId, Any]] = {}
        for row in self._on.execute(sa.select(*keys, *named).select_from(rows).group_by(*keys)):
            found[row.organ, row.stream_id] = dict(zip(ids, (_plain(value) for value in row[2:]), strict=True))
        return self._kept(found)

    def _repeats(self, rows: sa.FromClause, wanted: Mapping[MetricId, Any]) -> dict[MetricId, Repeats]:
        """Count repeated values of several columns in one scan: a grouping set for each column."""
        keys: list[sa.ColumnClause[Any]] = [sa.column(name) for name in SET_COLUMNS]
        columns: dict[str, sa.ColumnClause[Any]] = {
            name: sa.column(name) for name in sorted({_repeats_of(call)[0] for call in wanted.values()})
        }
        marked = sa.func.grouping(*columns.values()).label("left_out")
        counted = (
            sa.select(*keys, *columns.values(), marked, sa.func.count().label("rows"))
            .select_from(rows)
            .group_by(sa.func.grouping_sets(*(sa.tuple_(*keys, one) for one in columns.values())))
        ).subquery()
        # GROUPING() has a bit for each column, the last one lowest; the bit of the column that was grouped by is 0.
        every = (1 << len(columns)) - 1
        bits = {name: every & ~(1 << (len(columns) - 1 - place)) for place, name in enumerate(columns)}
        told: list[sa.ColumnElement[Any]] = []
        for place, call in enumerate(wanted.values()):
            name, least = _repeats_of(call)
            mine = sa.and_(counted.c.left_out == bits[name], counted.c[name].is_not(None))
            times = counted.c.rows
            told += [
                sa.func.coalesce(sa.func.sum(times).filter(mine), 0).label(f"known{place}"),
                sa.func.coalesce(sa.func.max(times).filter(mine), 0).label(f"most{place}"),
                sa.func.coalesce(sa.func.sum(times).filter(mine, times >= least), 0).label(f"crowded{place}"),
                sa.func.count().filter(mine).label(f"values{place}"),
            ]
        of_set = [counted.c[name] for name in SET_COLUMNS]
        self.figures.queries += 1
        found: dict[SetKey, dict[MetricId, Repeats]] = {}
        for row in self._on.execute(sa.select(*of_set, *told).group_by(*of_set)):
            counts = ([int(value) for value in row[2 + 4 * place : 6 + 4 * place]] for place in range(len(wanted)))
            found[row.organ, row.stream_id] = {one: Repeats(*four) for one, four in zip(wanted, counts, strict=True)}
        return self._kept(found)

    def _kept(self, found: Mapping[SetKey, dict[MetricId, Any]]) -> dict[MetricId, Any]:
        """Keep the figures of every set; return those of the first one, the same in each scan of the same rows.

        Figures of two sets together would say what no rows say: values that repeat, and no least value among them.
        """
        for key, values in found.items():
            self.figures.by_set.setdefault(key, {}).update(values)
        return dict(found[min(found)]) if found else {}

    def get_inspector(self) -> sa.Inspector:
        """Look at tables on the same connection, where the temporary one can be seen."""
        return sa.inspect(self._on)

    def execute_query(self, query: Any) -> Any:
        """Run one of the library's own queries on the same connection, in the same transaction."""
        return self._on.execute(query)


def is_repeats(expression: Any) -> bool:
    """Say whether a metric asks for the counts of repeated values."""
    return isinstance(expression, sa.sql.functions.Function) and expression.name == REPEATS


def _repeats_of(call: Any) -> tuple[str, int]:
    column, least = call.clauses.clauses
    return column.name, least.value


def _bare(aggregates: Sequence[Any]) -> list[Any]:
    """Take the library's own labels off, which repeat."""
    return [one.element if isinstance(one, sa.Label) else one for one in aggregates]


def _plain(value: Any) -> Any:
    """Return a number as the library's arithmetic takes it (sums come as Decimal)."""
    return value if value is None or isinstance(value, bool | int | float | str) else float(value)
