"""Runs one suite over the rows that are laid out and returns a result for each expectation, organ and stream."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from great_expectations.core.batch import Batch
from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.validator.validator import Validator

from hub.errors import HubError
from quality.sets.engine import OneScanEngine
from quality.sets.relation import ROWS
from quality.sets.suite import Asked, Suite

_RUNTIME = {"catch_exceptions": False, "result_format": {"result_format": "BOOLEAN_ONLY"}}
_LIMITS = (
    "min_share", "max_share", "mostly", "min_value", "max_value", "max_days", "gaps", "least", "times", "min_elements",
)  # fmt: skip


class SuiteTrouble(HubError):
    """A suite could not be run to its end; the message says which expectation and why."""

    exit_status = 70


@dataclass(frozen=True, slots=True)
class Result:
    """What one expectation found in one set; `detail` holds its bound, what was observed, and what was allowed."""

    suite: str
    expectation: str
    rule: str
    field: str
    organ: str
    stream_id: int
    success: bool
    unexpected: int
    elements: int
    detail: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def judge(connection: sa.Connection, suite: Suite) -> list[Result]:
    """Judge the rows that lie in the table `ROWS`, in SQL.

    Raises:
        SuiteTrouble: an expectation could not be computed, or not for each set.
    """
    engine = OneScanEngine(connection)
    data = SqlAlchemyBatchData(execution_engine=engine, table_name=ROWS, create_temp_table=False)
    validator = _Quiet(
        execution_engine=engine,
        batches=[Batch(data=data)],  # type: ignore[arg-type]  # the library's hint names the class
    )
    try:
        whole = validator.graph_validate([one.built.configuration for one in suite.asked], _RUNTIME)
    except Exception as error:
        raise SuiteTrouble(f"suite {suite.name} did not run: {_words(error)}") from error
    broken = [_words(one.exception_info) for one in whole if _raised(one)]
    if len(whole) != len(suite.asked) or broken:
        counts = f"{len(suite.asked)} expectations, {len(whole)} ran, {len(broken)} broke"
        raise SuiteTrouble(f"suite {suite.name}: {counts}: {'; '.join(broken)}")
    return [result for one in suite.asked for result in _of_sets(suite.name, one, engine)]


def _of_sets(suite: str, asked: Asked, engine: OneScanEngine) -> Iterator[Result]:
    """Let the expectation judge the figures of each set."""
    said = asked.built.dict()
    allowed = {name: said[name] for name in _LIMITS if said.get(name) is not None}
    wanted = asked.built.get_validation_dependencies(engine, _RUNTIME).metric_configurations
    for (organ, stream_id), figures in sorted(engine.figures.by_set.items()):
        metrics: dict[str, Any] = {}
        for name, configuration in wanted.items():
            if configuration.id not in figures:
                raise SuiteTrouble(f"suite {suite}: {asked.code} asks for {name}, which is not told for each set")
            metrics[name] = figures[configuration.id]
        told = asked.built._validate(metrics, _RUNTIME, engine)  # noqa: SLF001  # what every expectation must implement
        yield _result(suite, asked, organ, stream_id, told, metrics, allowed)


def _result(
    suite: str, asked: Asked, organ: str, stream_id: int, told: Any, metrics: Mapping[str, Any],
    allowed: Mapping[str, Any],
) -> Result:  # fmt: skip
    success = bool(told["success"])
    more: dict[str, Any] = {}
    if isinstance(asked.built, ColumnMapExpectation):
        unexpected, elements = _counted(asked.built, metrics)
        observed = unexpected / elements if elements else None
    else:
        found = told["result"]
        observed, more = found.get("observed_value"), found.get("details") or more
        # An aggregate of the library's own speaks of the set as one.
        success = success or observed is None
        unexpected, elements = found.get("unexpected_count", int(not success)), found.get("element_count", 1)
    detail = {
        "bound": asked.bound,
        "observed": round(observed, 6) if isinstance(observed, float) else observed,
        "allowed": allowed,
        **more,
    }
    return Result(suite, asked.code, asked.rule, asked.field, organ, stream_id, success, unexpected, elements, detail)


def _counted(built: ColumnMapExpectation, metrics: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many of how many values are unexpected, from what the library counts: empty values ask nothing."""
    rows, empty = int(metrics["table.row_count"]), int(metrics["column_values.nonnull.unexpected_count"] or 0)
    if built.map_metric == "column_values.nonnull":
        return empty, rows
    return int(metrics[f"{built.map_metric}.unexpected_count"] or 0), rows - empty


class _Quiet(Validator):
    """The library's validator without its progress bars: the command shows its own."""

    def _determine_progress_bars(self) -> bool:
        return False


def _raised(result: Any) -> bool:
    said = result.exception_info or {}
    return bool(said.get("raised_exception")) or any(isinstance(one, dict) for one in said.values())


def _words(said: object) -> str:
    return " ".join(str(said).split())[:600]
