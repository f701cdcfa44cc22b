"""Bounds, declared totals, silent feeds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from hub.findings import UNIT
from validation.volume import judge_silence, judge_totals, judge_volume


@dataclass(frozen=True)
class Expect:
    least: int | None = None
    most: int | None = None


@pytest.mark.parametrize(
    ("expect", "rows", "rule"),
    [
        (None, 0, None),
        (Expect(), 0, None),
        (Expect(least=1000, most=2000), 1000, None),
        (Expect(least=1000, most=2000), 2000, None),
        (Expect(least=1000), 274, "volume_below"),
        (Expect(most=2000), 2001, "volume_above"),
        (Expect(least=0), 0, None),
    ],
)
def test_counts_against_bounds(expect: Expect | None, rows: int, rule: str | None) -> None:
    found = judge_volume(expect, rows)
    assert (found.rule if found else None) == rule
    if found:
        assert found.record == UNIT
        assert found.detail["rows"] == str(rows)
        assert found.refuses == (rule == "volume_below")


def test_declared_totals_are_compared_one_by_one() -> None:
    declared = {"events": 10, "01_HOOFD_010": 3, "05_EIND_010": 2}
    assert judge_totals(declared, {**declared, "not declared": 9}) == []
    found = judge_totals(declared, {"events": 9, "01_HOOFD_010": 3})
    assert [dict(one.detail) for one in found] == [
        {"total": "05_EIND_010", "declared": "2", "counted": "0"},
        {"total": "events", "declared": "10", "counted": "9"},
    ]
    assert not any(one.refuses for one in found)


NOW = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expect", "rows", "newest", "silent"),
    [
        (Expect(least=1), 0, None, True),
        (Expect(least=1), 1, None, False),
        (Expect(least=0), 0, None, False),
        (None, 0, None, False),
        (None, 0, NOW - timedelta(days=2), False),
        (None, 0, NOW - timedelta(days=4), True),
        (None, 5, NOW - timedelta(days=4), False),
    ],
)
def test_success_without_data_is_silence(
    expect: Expect | None, rows: int, newest: datetime | None, silent: bool
) -> None:
    found = judge_silence(expect, rows, newest=newest, read_at=NOW, patience=timedelta(days=3))
    assert (found is not None) == silent
    assert found is None or (found.rule == "silent_feed" and not found.refuses)
