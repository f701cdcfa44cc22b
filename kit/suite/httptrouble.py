"""Checks of services and brokers: whatever one does, reading ends, in a typed error or with every record."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from connectors.source import StreamSpec
from hub.errors import SourceTrouble
from kit.suite import amqpproxy, queuetrouble
from kit.suite import httpproxy as proxy
from kit.suite.pulls import Pulled, each, guarded, loss, pull, with_options
from kit.suite.result import Check, Result, Status, cannot, failed, passed, together
from kit.suite.stand import Stand

FaultOf = Callable[[StreamSpec, str], proxy.Fault]
"""Makes the fault for a stream, given the proxy's own address."""

_PAGED = frozenset({"rest", "soap"})
"""The kinds that ask for page after page."""
_FEW = 2
"""Records a page of a service of examples, so that there are several."""
_HASTE = {"timeout": 0.3, "deadline": 2, "attempts": 2, "backoff": 0.05, "longest_wait": 0.2}
_PAGES = 12
_WAIT = 45.0


def slow_server(stand: Stand) -> Result:
    """Let the service answer too late."""
    if stand.there.source.kind == "queue":
        return queuetrouble.trouble(stand, amqpproxy.silent, "stack_timeout=1&socket_timeout=1")
    return _trouble(stand, lambda _spec, _own: proxy.slow)


def cut_server(stand: Stand) -> Result:
    """Let the connection break in the middle of each answer."""
    if stand.there.source.kind == "queue":
        return queuetrouble.trouble(stand, amqpproxy.cut)
    return _trouble(stand, lambda _spec, _own: proxy.cut)


def lying_length(stand: Stand) -> Result:
    """Let each answer claim to be longer than it is."""
    if stand.there.source.kind == "queue":
        return queuetrouble.trouble(stand, amqpproxy.too_long)
    return _trouble(stand, lambda _spec, _own: proxy.too_long)


def half_document(stand: Stand) -> Result:
    """Let each answer end in the middle, and say that it is whole."""
    if stand.there.source.kind == "queue":
        return queuetrouble.trouble(stand, amqpproxy.half)
    return _trouble(stand, lambda _spec, _own: proxy.half)


def repeated_page(stand: Stand) -> Result:
    """Let the service give the first page again and again."""
    return _trouble(stand, lambda _spec, _own: proxy.repeated, paged=True)


def endless_page(stand: Stand) -> Result:
    """Let the service always have one page more."""

    def fault(spec: StreamSpec, own: str) -> proxy.Fault:
        paging = spec.options.get("paging", {})
        if stand.there.source.kind == "soap":
            names = ("records", "total", "document")
            return proxy.endless_xml({name: spec.options.get(name) for name in names} | {"next": paging.get("next")})
        link = f"http://{own}/{str(spec.options.get('path', spec.name)).strip('/')}"
        return proxy.endless(
            {"records": spec.options.get("records", ""), "total": spec.options.get("total"), "next": paging.get("next"),
             "link": link if paging.get("style") == "link" else None}
        )  # fmt: skip

    return _trouble(stand, fault, paged=True, endless=True)


def _trouble(stand: Stand, fault_of: FaultOf, *, paged: bool = False, endless: bool = False) -> Result:
    if urlsplit(stand.there.url).scheme not in {"http", "https"}:
        return cannot("this kind is not read over HTTP")
    if paged and stand.there.source.kind not in _PAGED:
        return cannot("this kind has no pages that could be repeated or made endless")

    alike: dict[str, str] = {}

    def work(spec: StreamSpec) -> Result:
        way = repr({name: said for name, said in spec.options.items() if name not in {"path", "operation"}})
        if (first := alike.setdefault(way, spec.name)) != spec.name:
            return cannot(f"it is asked in the same way as {first}")
        if paged and spec.options.get("paging", {}).get("style", "none") == "none":
            return cannot("it has no pages")
        if stand.there.source.kind == "soap" and not paged:
            contract = _one(stand, spec, fault_of, spares_get=False)
            if contract.status is Status.FAILED:
                return contract
        return _one(stand, spec, fault_of, paged=paged, endless=endless)

    return together(each(stand, work))


def _one(
    stand: Stand, spec: StreamSpec, fault_of: FaultOf, *, paged: bool = False, endless: bool = False,
    spares_get: bool = True,
) -> Result:  # fmt: skip
    """Read one stream through trouble; of SOAP, `spares_get` says that it meets the records and not the WSDL."""
    truth = pull(stand, stand.connect(), spec, {}, size=stand.most, full=True)
    if not truth.count:
        return cannot("it holds no record")
    options: dict[str, Any] = dict(_HASTE) if stand.there.source.kind in _PAGED else {}
    if endless:
        options["limits"] = {**spec.options.get("limits", {}), "pages": _PAGES}
    if paged and stand.there.made_of_samples and "size" in spec.options["paging"]:
        options["paging"] = {**spec.options["paging"], "size": _FEW}
    hasty = with_options(spec, **options)

    spared = spares_get and stand.there.source.kind == "soap"
    with proxy.proxied(stand.there.url, partial(fault_of, spec), spares_get=spared) as url:
        got = guarded(stand, stand.connect(url=url), hasty, size=stand.most, wait=_WAIT)
    return judge(stand, truth, got, spec, ends=not endless)


def judge(stand: Stand, truth: Pulled, got: Pulled, spec: StreamSpec, *, ends: bool = True) -> Result:
    """Judge a pull through trouble: it ended in a typed error or with everything, and nothing is lost afterwards."""
    if got.hung:
        return failed("reading hangs: give the connector a time limit")
    if got.error is not None and not isinstance(got.error, SourceTrouble):
        return failed(f"reading ends in {type(got.error).__name__}, which says nobody what to do (hub/errors.py)")
    if not ends and got.error is None:
        return failed("reading came to an end though there were always more pages")
    missing = loss(stand, truth.all, got, spec)
    if missing is not None:
        return failed(f"{missing}, and no error says so")
    return passed(type(got.error).__name__ if got.error is not None else "read whole all the same")


CHECKS = (
    Check("slow-server", "a service that answers too late ends in a typed error, not in a hang", "system", slow_server),
    Check("cut-server", "an answer that breaks off ends in a typed error, and nothing is lost", "system", cut_server),
    Check("lying-length", "an answer that is shorter than it says ends in a typed error", "system", lying_length),
    Check("half-document", "half a document that calls itself whole ends in a typed error", "system", half_document),
    Check("repeated-page", "a page that comes again and again does not go on for ever", "system", repeated_page),
    Check("endless-page", "pages without end stop at a limit, with a typed error", "system", endless_page),
)
