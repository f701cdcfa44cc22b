"""The metrics of our own expectations: aggregates that the library bundles with its own."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.metrics.column_aggregate_metric_provider import (
    ColumnAggregateMetricProvider,
    column_aggregate_partial,
)

from quality.sets.engine import REPEATS


class ColumnKnown(ColumnAggregateMetricProvider):
    """Counts the rows in which a column is filled."""

    metric_name = "column.known"

    @column_aggregate_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column: sa.ColumnClause[Any], **_: Any) -> Any:  # noqa: N805  # the library calls it so
        return sa.func.count(column)


class ColumnTrue(ColumnAggregateMetricProvider):
    """Counts the rows in which a yes-or-no column says yes."""

    metric_name = "column.true"

    @column_aggregate_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column: sa.ColumnClause[Any], **_: Any) -> Any:  # noqa: N805  # the library calls it so
        return sa.func.count().filter(column)


class ColumnRepeats(ColumnAggregateMetricProvider):
    """Counts how often the values of a column repeat (`quality.sets.engine.Repeats`)."""

    metric_name = "column.repeats"
    value_keys = ("least",)

    @column_aggregate_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column: sa.ColumnClause[Any], least: int = 2, **_: Any) -> Any:  # noqa: N805  # so called
        return getattr(sa.func, REPEATS)(column, least)
