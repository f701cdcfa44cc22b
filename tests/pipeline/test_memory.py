"""The collector keeps out of the way of slices, and is left as it was found."""

from __future__ import annotations

import gc

from pipeline.memory import EVERY, sparing


def test_what_stood_before_is_left_out_and_comes_back() -> None:
    kept = gc.get_freeze_count()
    gc.unfreeze()
    try:
        with sparing() as between:
            assert (gc.isenabled(), gc.get_freeze_count() > 0) == (False, True)
            circle: list[object] = []
            circle.append(circle)
            number = id(circle)
            del circle
            for _ in range(EVERY):
                between()
            assert number not in {id(one) for one in gc.get_objects()}, "circles of slices are found now and then"
        assert (gc.isenabled(), gc.get_freeze_count()) == (True, 0)
    finally:
        if kept:
            gc.freeze()


def test_what_another_left_out_stays_out() -> None:
    gc.freeze()
    before = gc.get_freeze_count()
    with sparing():
        assert not gc.isenabled()
    assert gc.get_freeze_count() >= before - 100, "some of it may have been let go by name meanwhile"
    assert gc.isenabled()
