"""Hands receipts over beside the loading: while a slice is written, the source is told of those before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace

from connectors.seam import Acknowledges, Connector
from hub.errors import SourceTrouble
from pipeline.work import Line, Work
from pipeline.writing import receipts


@contextmanager
def courier(work: Work, line: Line, connector: Connector, *, idle: bool) -> Iterator[Callable[[], None]]:
    """Give what sends the courier off after a batch; at the end everything owed has been handed over.

    One thread with a connection of its own goes at a time; where it is still under way, the receipts of further
    batches go with its next round. If the body fails, what is owed is handed over as far as it can be.

    Raises:
        SourceTrouble: the source could not be told; what it has not had stays owed, and the next pull begins with it.
    """
    if idle or not isinstance(connector, Acknowledges):
        yield _stay
        return
    with work.runtime.connection() as own, ThreadPoolExecutor(1, thread_name_prefix="hub-courier") as executor:
        aside = replace(work, connection=own)
        rounds: list[Future[None]] = []

        def send() -> None:
            if rounds and not rounds[-1].done():
                return
            finish()
            rounds.append(executor.submit(receipts.deliver, aside, line, connector))

        def finish() -> None:
            while rounds:
                rounds.pop().result()

        try:
            yield send
        except Exception:
            with suppress(SourceTrouble):  # they stay owed; the trouble that ended the pull is the one to tell
                finish()
                receipts.deliver(aside, line, connector)
            raise
        finish()
        receipts.deliver(aside, line, connector)


def _stay() -> None:
    """Send nobody: nothing is owed."""
