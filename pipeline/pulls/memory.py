"""Keeps Python's search for reference cycles out of the way of slices.

A slice makes hundreds of thousands of objects and no cycle to speak of. The collector counts objects, so it would
search the whole process several times a slice, which takes as long as all the rest. Within `sparing` it searches only
between slices: now and then what is new, and seldom everything.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY = 10
"""So many slices lie between two searches of what is new."""
EVERYTHING = 100
"""So many slices lie between two searches of the whole process: for circles that outlived a search and died later."""


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
        if done % EVERYTHING == 0:
            gc.collect()
        elif done % EVERY == 0:
            gc.collect(1)

    gc.disable()
    try:
        yield between
    finally:
        gc.enable()
