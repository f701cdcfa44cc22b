"""Expectations that Great Expectations does not have: what is asked of a set as a whole, once it is large enough.

Each looks at one column of a relation (`quality/sets/relations`), asks for aggregates only, and so joins the one scan
of its suite. A set with fewer than `min_elements` rows that the question applies to says nothing: a county with five
cases a year has no spread to judge.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from great_expectations.compatibility import pydantic
from great_expectations.expectations.expectation import ColumnAggregateExpectation

from quality.sets import metrics
from quality.sets.engine import Repeats

__all__ = [
    "ExpectColumnNewestToBeRecent",
    "ExpectColumnNotToCrowd",
    "ExpectColumnTrueShareToBeBetween",
    "ExpectColumnValueNotToPrevail",
    "ExpectKeysToStandOnce",
    "metrics",
]

_MINUTES_A_DAY = 8 * 60
_AT_WORK = _MINUTES_A_DAY / (24 * 60) * 5 / 7
"""The share of all minutes that offices work in."""


class OfSets(ColumnAggregateExpectation, ABC):
    """What the expectations below share: how a result is told."""

    min_elements: int = pydantic.Field(default=1, ge=1)
    args_keys: ClassVar[tuple[str, ...]] = ("column",)

    @abstractmethod
    def _judged(self, metrics: dict[str, Any]) -> dict[str, Any]:
        """Judge the figures of one set, or of all rows together."""

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002  # the library's signature
        execution_engine: Any = None,  # noqa: ARG002  # the same
    ) -> dict[str, Any]:
        return self._judged(metrics)

    def _told(self, success: bool, unexpected: int, elements: int, observed: Any) -> dict[str, Any]:
        few = elements < self.min_elements
        return {
            "success": success or few,
            "result": {
                "observed_value": observed,
                "unexpected_count": unexpected,
                "element_count": elements,
                "details": {"few": few} if few else {},
            },
        }


class ExpectColumnTrueShareToBeBetween(OfSets):
    """Expect that the rows with a true fact are at least `min_share`, or at most `max_share`, of those it is known of.

    With `min_share`, rows where it is false are unexpected; with `max_share`, rows where it is true. With
    `unless_never`, a set in which it is never true says nothing: a system that has no such field at all is a matter of
    its mapping.
    """

    min_share: float | None = pydantic.Field(default=None, ge=0, le=1)
    max_share: float | None = pydantic.Field(default=None, ge=0, le=1)
    unless_never: bool = False
    metric_dependencies: ClassVar[tuple[str, ...]] = ("column.known", "column.true")
    success_keys: ClassVar[tuple[str, ...]] = ("min_share", "max_share", "min_elements", "unless_never")

    @pydantic.root_validator
    def _one_bound(cls, values: dict[str, Any]) -> dict[str, Any]:  # noqa: N805  # a validator is a class method
        if (values.get("min_share") is None) == (values.get("max_share") is None):
            raise ValueError("give either min_share or max_share")
        return values

    def _judged(self, metrics: dict[str, Any]) -> dict[str, Any]:
        known, true = int(metrics["column.known"] or 0), int(metrics["column.true"] or 0)
        share = true / known if known else None
        if self.unless_never and not true:
            told = self._told(True, 0, known, share)
            told["result"]["details"]["never"] = True
            return told
        if self.min_share is not None:
            return self._told(share is None or share >= self.min_share, known - true, known, share)
        return self._told(share is None or share <= (self.max_share or 0), true, known, share)


class ExpectColumnValueNotToPrevail(OfSets):
    """Expect that no single value stands in more than `max_share` of the rows: a column that varies is not hard-coded.

    Unexpected are the rows with the commonest value.
    """

    max_share: float = pydantic.Field(ge=0, le=1)
    metric_dependencies: ClassVar[tuple[str, ...]] = ("column.repeats",)
    success_keys: ClassVar[tuple[str, ...]] = ("max_share", "min_elements", "least")
    least: int = 2

    def _judged(self, metrics: dict[str, Any]) -> dict[str, Any]:
        found: Repeats = metrics["column.repeats"]
        share = found.most / found.known if found.known else None
        kept = share is None or share <= self.max_share
        return self._told(kept, 0 if kept else found.most, found.known, share)


class ExpectKeysToStandOnce(OfSets):
    """Expect that no key stands in two rows of the set, but for `max_share` of the rows."""

    max_share: float = pydantic.Field(default=0, ge=0, le=1)
    metric_dependencies: ClassVar[tuple[str, ...]] = ("column.repeats",)
    success_keys: ClassVar[tuple[str, ...]] = ("max_share", "min_elements", "least")
    least: int = 2

    def _judged(self, metrics: dict[str, Any]) -> dict[str, Any]:
        found: Repeats = metrics["column.repeats"]
        share = found.crowded / found.known if found.known else None
        return self._told(share is None or share <= self.max_share, found.crowded, found.known, share)


class ExpectColumnNotToCrowd(OfSets):
    """Expect that records do not gather in single minutes, as they do when they are made up in one sitting.

    The column holds minutes since 1970. A minute is crowded if `least` rows or more bear it. Crowded minutes may hold
    `max_share` of the rows; and they say nothing where the fullest of them has not `times` as many rows as each minute
    of work would have if the rows were spread evenly: a province's largest office fills every minute.
    """

    least: int = pydantic.Field(ge=2)
    times: float = pydantic.Field(default=5, ge=1)
    max_share: float = pydantic.Field(default=0, ge=0, le=1)
    metric_dependencies: ClassVar[tuple[str, ...]] = ("column.repeats", "column.min", "column.max")
    success_keys: ClassVar[tuple[str, ...]] = ("least", "times", "max_share", "min_elements")

    def _judged(self, metrics: dict[str, Any]) -> dict[str, Any]:
        found: Repeats = metrics["column.repeats"]
        if not found.known:
            return self._told(True, 0, 0, None)
        span = float(metrics["column.max"]) - float(metrics["column.min"])
        usual = found.known / max(_MINUTES_A_DAY, span * _AT_WORK)
        share = found.crowded / found.known
        kept = share <= self.max_share or found.most < self.times * usual
        return self._told(kept, 0 if kept else found.crowded, found.known, share)


class ExpectColumnNewestToBeRecent(OfSets):
    """Expect news: the least age (in days) is at most `max_days`, or `gaps` times the usual gap between two rows.

    One element, the set: either it is fresh or it is not.
    """

    max_days: float = pydantic.Field(gt=0)
    gaps: float = pydantic.Field(default=12, gt=0)
    metric_dependencies: ClassVar[tuple[str, ...]] = ("column.min", "column.max", "column.known")
    success_keys: ClassVar[tuple[str, ...]] = ("max_days", "gaps", "min_elements")

    def _judged(self, metrics: dict[str, Any]) -> dict[str, Any]:
        known, newest, oldest = int(metrics["column.known"] or 0), metrics["column.min"], metrics["column.max"]
        if newest is None or known < self.min_elements:
            return self._told(True, 0, known, newest)
        usual = (float(oldest) - float(newest)) / (known - 1) if known > 1 else 0.0
        fresh = float(newest) <= max(self.max_days, self.gaps * usual)
        told = self._told(fresh, int(not fresh), known, round(float(newest), 1))
        told["result"]["element_count"] = 1
        return told
