"""What a suite counts in SQL equals what a slow reference counts with pandas, set by set, on random small sets."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import great_expectations.expectations as gxe
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.runtime import Runtime
from quality.sets import expectations as own
from quality.sets import run
from quality.sets.engine import OneScanEngine, Repeats
from quality.sets.run import Result
from quality.sets.suite import Asked
from tests.quality.sets.laying import judged

START = 29_500_000
"""A minute of the year 2026, counted from 1970."""
Judged = tuple[bool, int, int]
Reference = Callable[[pd.DataFrame], Judged]


def _asked(built: Any) -> Asked:
    return Asked(built, "set_spread", "", "max")


def _share(rows: pd.DataFrame, *, least: float | None, most: float | None, few: int, never: bool) -> Judged:
    known = [one for one in rows["fact"] if not pd.isna(one)]
    true = sum(map(bool, known))
    if never and not true:
        return True, 0, len(known)
    unexpected = len(known) - true if least is not None else true
    if not known or len(known) < few:
        return True, unexpected, len(known)
    share = true / len(known)
    return (share >= least if least is not None else share <= (most or 0)), unexpected, len(known)


def _counts(rows: pd.DataFrame, column: str) -> dict[Any, int]:
    counts: dict[Any, int] = {}
    for value in rows[column]:
        if not pd.isna(value):
            counts[value] = counts.get(value, 0) + 1
    return counts


def _prevails(rows: pd.DataFrame) -> Judged:
    counts = _counts(rows, "word")
    known = sum(counts.values())
    bad = bool(known) and max(counts.values()) / known > 0.6
    return not bad or known < 3, max(counts.values()) if bad else 0, known


def _once(rows: pd.DataFrame) -> Judged:
    counts = _counts(rows, "word")
    known, twice = sum(counts.values()), sum(count for count in counts.values() if count > 1)
    return known < 2 or twice / known <= 0.25, twice, known


def _crowds(rows: pd.DataFrame) -> Judged:
    counts = _counts(rows, "minute")
    known, crowded = sum(counts.values()), sum(count for count in counts.values() if count >= 3)
    if not known:
        return True, 0, 0
    at_work = max(480, (max(counts) - min(counts)) * 5 / 21)
    bad = crowded / known > 0.3 and max(counts.values()) >= 1.5 * known / at_work
    return not bad or known < 4, crowded if bad else 0, known


def _recent(rows: pd.DataFrame) -> Judged:
    ages = [one for one in rows["number"] if one is not None and not math.isnan(one)]
    if len(ages) < 3:
        return True, 0, len(ages)
    usual = (max(ages) - min(ages)) / (len(ages) - 1)
    fresh = min(ages) <= max(5, 2 * usual)
    return fresh, int(not fresh), 1


def _filled(rows: pd.DataFrame) -> Judged:
    empty = sum(map(pd.isna, rows["word"]))
    return (len(rows) - empty) / len(rows) >= 0.5, empty, len(rows)


def _listed(rows: pd.DataFrame) -> Judged:
    known = [one for one in rows["word"] if not pd.isna(one)]
    strange = sum(one not in ("同意", "不同意") for one in known)
    return not known or (len(known) - strange) / len(known) >= 0.75, strange, len(known)


def _between(rows: pd.DataFrame) -> Judged:
    known = [one for one in rows["number"] if not pd.isna(one)]
    strange = sum(not 0 <= one <= 10 for one in known)
    return not known or (len(known) - strange) / len(known) >= 0.5, strange, len(known)


def _mean(rows: pd.DataFrame) -> Judged:
    known = [one for one in rows["number"] if not pd.isna(one)]
    good = not known or 2 <= sum(known) / len(known) <= 20
    return good, int(not good), 1


CASES: list[tuple[Asked, Reference]] = [
    (
        _asked(own.ExpectColumnTrueShareToBeBetween(column="fact", min_share=0.5, min_elements=3)),
        lambda rows: _share(rows, least=0.5, most=None, few=3, never=False),
    ),
    (
        _asked(own.ExpectColumnTrueShareToBeBetween(column="fact", max_share=0.25)),
        lambda rows: _share(rows, least=None, most=0.25, few=1, never=False),
    ),
    (
        _asked(own.ExpectColumnTrueShareToBeBetween(column="fact", min_share=0.9, unless_never=True)),
        lambda rows: _share(rows, least=0.9, most=None, few=1, never=True),
    ),
    (_asked(own.ExpectColumnValueNotToPrevail(column="word", max_share=0.6, min_elements=3)), _prevails),
    (_asked(own.ExpectKeysToStandOnce(column="word", max_share=0.25, min_elements=2)), _once),
    (
        _asked(own.ExpectColumnNotToCrowd(column="minute", least=3, times=1.5, max_share=0.3, min_elements=4)),
        _crowds,
    ),
    (_asked(own.ExpectColumnNewestToBeRecent(column="number", max_days=5, gaps=2, min_elements=3)), _recent),
    (_asked(gxe.ExpectColumnValuesToNotBeNull(column="word", mostly=0.5)), _filled),
    (_asked(gxe.ExpectColumnValuesToBeInSet(column="word", value_set=["同意", "不同意"], mostly=0.75)), _listed),
    (_asked(gxe.ExpectColumnValuesToBeBetween(column="number", min_value=0, max_value=10, mostly=0.5)), _between),
    (_asked(gxe.ExpectColumnMeanToBeBetween(column="number", min_value=2, max_value=20)), _mean),
]

ROW = st.fixed_dictionaries(
    {
        "organ": st.sampled_from(["A", "B", ""]),
        "stream_id": st.sampled_from([1, 2]),
        "fact": st.sampled_from([True, False, None]),
        "word": st.sampled_from(["同意", "不同意", "无", None]),
        "minute": st.sampled_from([START, START + 1, START + 2, START + 9_000, None]),
        "number": st.one_of(st.none(), st.integers(-5, 30).map(float)),
    }
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].code}-{CASES.index(case)}")
def test_each_kind_alone_counts_what_the_reference_counts(runtime: Runtime, case: tuple[Asked, Reference]) -> None:
    asked, reference = case
    words = ["同意", "同意", "同意", "同意", "无", "不同意", None, "同意"]
    rows = [
        {
            "organ": organ, "stream_id": 1, "fact": place % 3 == 0, "word": word,
            "minute": START + place % step, "number": float(place * step),
        }
        for organ, step in (("A", 1), ("B", 9))
        for place, word in enumerate(words)
    ]  # fmt: skip
    _same(judged(runtime.engine, rows, asked), rows, [(asked, reference)])


@given(rows=st.lists(ROW, min_size=1, max_size=40))
@settings(max_examples=60)
def test_a_suite_counts_what_a_slow_reference_counts(engine: sa.Engine, rows: list[dict[str, Any]]) -> None:
    """All kinds of expectations in one suite, and so in one scan: none disturbs another, and no set another set."""
    _same(judged(engine, rows, *(asked for asked, _ in CASES)), rows, CASES)


def _same(found: list[Result], rows: list[dict[str, Any]], cases: list[tuple[Asked, Reference]]) -> None:
    frame = pd.DataFrame(rows).astype({"fact": object, "word": object, "number": float})
    groups = [(key, group) for key, group in frame.groupby(["organ", "stream_id"])]
    assert len(found) == len(groups) * len(cases)
    told = iter(found)
    for asked, reference in cases:
        for (organ, stream_id), group in groups:
            one = next(told)
            assert (one.organ, one.stream_id, one.expectation) == (organ, stream_id, asked.code)
            assert (one.success, one.unexpected, one.elements) == reference(group), (asked.code, group)


class _Backwards:
    """A connection that gives the rows of a scan in the other order, as a server may."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def execute(self, query: Any) -> list[Any]:
        return list(self._connection.execute(query))[::-1]


class _TwoOrders(OneScanEngine):
    """The engine on a server whose second scan gives the sets in the other order than its first."""

    def _repeats(self, rows: sa.FromClause, wanted: Mapping[Any, Any]) -> dict[Any, Repeats]:
        on, self._on = self._on, cast("sa.Connection", _Backwards(self._on))
        try:
            return super()._repeats(rows, wanted)
        finally:
            self._on = on


@pytest.mark.parametrize("every", [2, 3, 5, 7])
def test_sets_without_any_value_stop_no_other(runtime: Runtime, every: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whatever order scans give the sets: the figures of two are never judged as those of one."""
    monkeypatch.setattr(run, "OneScanEngine", _TwoOrders)
    organs = [f"M{number:03d}" for number in range(200)]
    empty = {one for place, one in enumerate(organs) if place % every}
    rows = [
        {
            "organ": organ, "stream_id": place % 3, "fact": True, "word": f"{organ}{place}", "number": float(place),
            "minute": None if organ in empty else START + place % 2,
        }
        for organ in organs for place in range(9)
    ]  # fmt: skip
    found = judged(runtime.engine, rows, *(asked for asked, _ in CASES))
    _same(found, rows, CASES)
