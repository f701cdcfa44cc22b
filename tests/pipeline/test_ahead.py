"""Working ahead: the order stays, an error comes in its turn, and what was opened is closed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import closing

import pytest

from pipeline.pulls.ahead import ahead, as_it_is


def numbers(end: int, closed: list[str], trouble: int | None = None) -> Generator[int]:
    try:
        for number in range(end):
            if number == trouble:
                raise ValueError("the source broke off")
            yield number
    finally:
        closed.append("closed")


def test_results_come_in_order_and_the_items_are_closed() -> None:
    closed: list[str] = []
    read = ahead(numbers(20, closed), as_it_is)
    assert list(ahead(read, lambda number: number * 2)) == list(range(0, 40, 2))
    assert closed == ["closed"]


def test_an_error_comes_after_all_that_came_before_it() -> None:
    closed: list[str] = []
    items = ahead(ahead(numbers(9, closed, trouble=5), as_it_is), as_it_is)
    assert [next(items) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="broke off"):
        next(items)
    assert closed == ["closed"]


def test_who_stops_early_leaves_nothing_behind() -> None:
    closed: list[str] = []
    before, turns = threading.active_count(), sys.getswitchinterval()
    with closing(ahead(ahead(numbers(1000, closed), as_it_is), as_it_is)) as items:
        assert next(items) == 0
    assert closed == ["closed"]
    assert threading.active_count() == before
    assert sys.getswitchinterval() == turns


def test_items_are_read_no_further_than_two_ahead() -> None:
    taken: list[int] = []

    def counting() -> Generator[int]:
        for number in range(50):
            taken.append(number)
            yield number

    def slow() -> Iterator[int]:
        with closing(ahead(ahead(counting(), as_it_is), as_it_is)) as items:
            for number in items:
                assert len(taken) <= number + 5
                yield number

    assert list(slow()) == list(range(50))
