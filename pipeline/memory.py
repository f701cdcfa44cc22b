"""Keeps Python's search for reference cycles out of the way of slices.

A slice makes hundreds of thousands of objects and no cycle to speak of. The collector counts objects, so it would
search the whole process several times a slice, which takes as long as all the rest. Within `sparing` it searches only
between slices, and leaves out what stood before the pull.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY = 10
"""So many slices lie between two searches."""


@contextmanager
def sparing() -> Iterator[Callable[[], None]]:
    """Stop the automatic search; gives a function to call after each slice, which searches now and then."""
    if not gc.isenabled():
        yield lambda: None  # whoever stopped it searches when it suits them
        return
    done = 0

    def between() -> None:
        nonlocal done
        done += 1
        if done % EVERY == 0:
            gc.collect()

    gc.disable()
    ours = gc.get_freeze_count() == 0  # else somebody (a process that forks tasks) left out what stood before
    if ours:
        gc.freeze()
    try:
        yield between
    finally:
        if ours:
            gc.unfreeze()
        gc.enable()
