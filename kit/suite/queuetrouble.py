"""Checks of brokers that misbehave: nothing false is taken for true, and what did not come lies there again."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from connectors.kinds.queue.options import QueueOptions
from connectors.source import StreamSpec
from hub.errors import SourceTrouble
from kit.suite.amqpproxy import Fault, proxied
from kit.suite.pulls import Pulled, each, guarded, pull
from kit.suite.result import Result, cannot, failed, passed, together
from kit.suite.stand import Stand

_WAIT, _AGAIN, _PAUSE = 45.0, 10.0, 0.02
"""Seconds for a pull; for the broker to have back what a line held that broke; and between two looks."""


def trouble(stand: Stand, fault: Fault, query: str = "") -> Result:
    """Read each queue through a line with a fault; `query` stands in the address."""
    parts = urlsplit(stand.there.url)
    if parts.scheme != "amqp":
        return cannot("the line to the broker is encrypted: nothing can stand in it")
    asked = parts._replace(query="&".join(one for one in (parts.query, query) if one)).geturl()
    alike: dict[str, str] = {}

    def work(spec: StreamSpec) -> Result:
        truth = pull(stand, stand.connect(), spec, {}, size=stand.most, full=True)
        if not truth.count:
            return cannot("it holds no record")
        way = repr({name: said for name, said in spec.options.items() if name != "queue"})
        if (first := alike.setdefault(way, spec.name)) != spec.name:
            return cannot(f"it is read in the same way as {first}")
        with proxied(asked, fault) as url:
            got = guarded(stand, stand.connect(url=url), spec, size=stand.most, wait=_WAIT)
        return _judged(stand, spec, truth, got)

    return together(each(stand, work))


def _judged(stand: Stand, spec: StreamSpec, truth: Pulled, got: Pulled) -> Result:
    """Judge a pull through trouble; a broker keeps what was not acknowledged, so it must come whole the next time."""
    if got.hung:
        return failed("reading hangs: give the connector a time limit")
    if got.error is not None and not isinstance(got.error, SourceTrouble):
        return failed(f"reading ends in {type(got.error).__name__}, which says nobody what to do (hub/errors.py)")
    if false := got.all - truth.all:
        return failed(f"{false.total()} records that nobody sent are taken for true")
    ends = time.monotonic() + _AGAIN
    while _ready(stand, spec) < truth.count and time.monotonic() < ends:
        time.sleep(_PAUSE)
    rest = pull(stand, stand.connect(), spec, {}, size=stand.most, full=True)
    if missing := truth.all - rest.all:
        return failed(f"{missing.total()} of {truth.count} records are lost")
    if got.error is not None:
        return passed(type(got.error).__name__)
    told = f"{got.broken} told as broken" if got.broken else "read whole all the same"
    return passed(told if got.broken or got.all == truth.all else "nothing of it is taken, and the broker keeps it all")


def _ready(stand: Stand, spec: StreamSpec) -> int:
    """Count the messages that lie ready in a stream's queue."""
    queue = QueueOptions.of(spec).queue
    return next((one.rows or 0 for one in stand.connect().discover() if one.name == queue), 0)
