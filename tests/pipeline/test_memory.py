"""The collector keeps out of the way of slices, finds their circles now and then, and is left as it was found."""

from __future__ import annotations

import gc
import weakref

import pytest

from pipeline.pulls.memory import EVERY, EVERYTHING, sparing


class Circle:
    def __init__(self) -> None:
        self.own = self


@pytest.mark.parametrize(("slices", "old"), [(EVERY, False), (EVERYTHING, True)])
def test_circles_of_slices_are_found_now_and_then(slices: int, old: bool) -> None:
    with sparing() as between:
        assert not gc.isenabled()
        circle = Circle()
        gone = weakref.ref(circle)
        if old:
            gc.collect()  # it lives, and counts as old from now on
        del circle
        assert gone() is not None
        for _ in range(slices):
            between()
        assert gone() is None
    assert gc.isenabled()


def test_who_stopped_the_collector_finds_it_stopped() -> None:
    gc.disable()
    try:
        with sparing() as between:
            between()
        assert not gc.isenabled()
    finally:
        gc.enable()
