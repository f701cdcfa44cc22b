"""Works one step ahead: while the caller writes one slice, the next is prepared and the one after it read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TypeVar

_TURN = 0.0001
"""Seconds that one thread keeps the interpreter while another wants it."""

T = TypeVar("T")
R = TypeVar("R")

_END = object()


def ahead(items: Generator[T], work: Callable[[T], R]) -> Generator[R]:
    """Yield `work(item)` for each item in order; the next one is under work while the caller has the last.

    Items are taken and worked on in one other thread, never two at once. An exception reaches the caller in its turn,
    after all that came before it. Items are closed when this is.
    """

    def step() -> R | object:
        item = next(items, _END)
        return item if item is _END else work(item)  # type: ignore[arg-type]  # what is not the end is an item

    with _short_turns(), closing(items), ThreadPoolExecutor(1, thread_name_prefix="hub-ahead") as executor:
        coming: Future[R | object] = executor.submit(step)
        while True:
            done = coming.result()
            if done is _END:
                return
            coming = executor.submit(step)
            yield done  # type: ignore[misc]  # the end was told apart above


def as_it_is(item: T) -> T:
    """Return an item: the work of a thread that only reads ahead."""
    return item


@contextmanager
def _short_turns() -> Iterator[None]:
    """Let the writer go on soon after each answer of the server: the preparing thread is always busy, and with
    Python's own 5 ms each of the many short statements of a batch would wait that long for its turn."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(_TURN, before))
    try:
        yield
    finally:
        sys.setswitchinterval(before)
