"""A loopback proxy in front of a service that delays, cuts, repeats and lies, to see what a connector makes of it."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from lxml import etree

from hub.xmlsafe import parse
from kit.suite.loopback import Quiet, serving

_PASSED_ON = ("content-type", "link", "retry-after", "date")
_HOP = ("host", "connection", "accept-encoding", "content-length", "transfer-encoding")
_UPSTREAM_WAIT = 30


@dataclass(slots=True)
class Answer:
    """An answer on its way: what a fault may change. `declared` is the Content-Length to claim."""

    status: int
    headers: dict[str, str]
    body: bytes
    declared: int
    sent: int


Fault = Callable[["Answer", "Proxy"], None]
"""Changes an answer before it goes out."""


@dataclass(slots=True)
class Proxy:
    """What a fault may look at: the count of answers so far, the first body, and the event that ends all waiting."""

    count: int = 0
    first: bytes | None = None
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


def slow(answer: Answer, proxy: Proxy) -> None:
    """Let the reader wait until it has had enough."""
    del answer
    proxy.over.wait(_UPSTREAM_WAIT)


def cut(answer: Answer, proxy: Proxy) -> None:
    """Close the connection in the middle of the body."""
    del proxy
    answer.sent = len(answer.body) // 2


def too_long(answer: Answer, proxy: Proxy) -> None:
    """Claim more bytes than there are."""
    del proxy
    answer.declared = len(answer.body) + 1000


def half(answer: Answer, proxy: Proxy) -> None:
    """Send half of the document as if it were whole."""
    del proxy
    answer.body = answer.body[: len(answer.body) // 2]
    answer.declared = answer.sent = len(answer.body)


def repeated(answer: Answer, proxy: Proxy) -> None:
    """Answer every question as the first."""
    answer.body = proxy.first or answer.body
    answer.declared = answer.sent = len(answer.body)


def endless(pointers: Mapping[str, Any]) -> Fault:
    """Make a fault that always has one page more: each unlike the others, and no total tells the end."""

    def change(answer: Answer, proxy: Proxy) -> None:
        document = json.loads(proxy.first or answer.body)
        records = _at(document, pointers["records"])
        for record in records if isinstance(records, list) else ():
            if isinstance(record, dict):
                record["endless"] = proxy.count
        if pointers.get("total"):
            _replace(document, pointers["total"], 10**9)
        if pointers.get("next"):
            _replace(document, pointers["next"], f"t{proxy.count}")
        if pointers.get("link"):
            answer.headers["Link"] = f'<{pointers["link"]}?endless={proxy.count}>; rel="next"'
        answer.body = json.dumps(document).encode()
        answer.declared = answer.sent = len(answer.body)

    return change


def endless_xml(paths: Mapping[str, Any]) -> Fault:
    """Make the like of `endless` for a SOAP service, whose paths lead from the answer, or from a document in it."""

    def change(answer: Answer, proxy: Proxy) -> None:
        root = parse(proxy.first or answer.body).getroot()
        for base in root.iterfind("{*}Body/*"):
            within = _element(base, str(paths["document"]).split("/")) if paths.get("document") else None
            inner = parse((within.text or "").encode()).getroot() if within is not None else base
            _lengthen(inner, paths, proxy.count)
            if within is not None:
                within.text = etree.tostring(inner, encoding="unicode")
        answer.body = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
        answer.declared = answer.sent = len(answer.body)

    return change


def _lengthen(base: etree._Element, paths: Mapping[str, Any], count: int) -> None:
    """Make the records below an element unlike those of the page before, and say that more come."""
    *above, last = str(paths["records"]).split("/")
    home = _element(base, above)
    for one in home if home is not None else ():
        if etree.QName(one).localname == last:
            etree.SubElement(one, "endless").text = str(count)
    for path, said in ((paths.get("total"), str(10**9)), (paths.get("next"), f"t{count}")):
        if path:
            *way, end = str(path).split("/")
            holder = _element(base, way if end.startswith("@") else [*way, end])
            if holder is not None and end.startswith("@"):
                holder.set(end[1:], said)
            elif holder is not None:
                holder.text = said


def _element(base: etree._Element, steps: Sequence[str]) -> etree._Element | None:
    here: etree._Element | None = base
    for step in steps:
        here = None if here is None else here.find(f"{{*}}{step}")
    return here


def _at(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        document = document.get(part) if isinstance(document, dict) else None
    return document


def _replace(document: Any, pointer: str, value: Any) -> None:
    *path, last = pointer.split("/")[1:]
    for part in path:
        document = document.setdefault(part, {}) if isinstance(document, dict) else {}
    if isinstance(document, dict):
        document[last] = value


@contextmanager
def proxied(url: str, fault_at: Callable[[str], Fault], *, spares_get: bool = False) -> Iterator[str]:
    """Stand between a reader and the service at `url` while the body runs; yields the address to read instead.

    `fault_at` is given the proxy's own host and port, and returns what to do with each answer. `spares_get` lets
    the answers to GET pass, with which a SOAP service hands out its WSDL, so that the trouble meets its records.
    """
    upstream = urlsplit(url)
    state = Proxy()
    user = upstream.netloc.rpartition("@")[0]
    with serving(lambda own: _handler(upstream, fault_at(own), state, own, spares_get=spares_get)) as own:
        try:
            yield urlunsplit(("http", f"{user}@{own}" if user else own, upstream.path, upstream.query, ""))
        finally:
            state.over.set()


def _handler(upstream: SplitResult, fault: Fault, state: Proxy, own: str, *, spares_get: bool) -> type[Quiet]:
    class Handler(Quiet):
        def do_GET(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def _pass_on(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            answer = _ask(upstream, self.command, self.path, dict(self.headers), self.rfile.read(length), own)
            if not (spares_get and self.command == "GET"):
                with state.lock:
                    state.count += 1
                    state.first = state.first if state.first is not None else answer.body
                fault(answer, state)
            self.close_connection = True
            headers = {**answer.headers, "Content-Length": str(answer.declared), "Connection": "close"}
            with contextlib.suppress(OSError):  # the reader may have gone away
                self.say(answer.status, headers, answer.body[: answer.sent])

    return Handler


def _ask(upstream: SplitResult, method: str, path: str, headers: dict[str, str], body: bytes, own: str) -> Answer:
    """Ask the real service."""
    kind = http.client.HTTPSConnection if upstream.scheme == "https" else http.client.HTTPConnection
    connection = kind(upstream.hostname or "", upstream.port, timeout=_UPSTREAM_WAIT)
    kept = {name: value for name, value in headers.items() if name.lower() not in _HOP}
    try:
        connection.request(method, path, body=body or None, headers={**kept, "Accept-Encoding": "identity"})
        response = connection.getresponse()
        content = response.read()
        passed = {name: value for name, value in response.getheaders() if name.lower() in _PASSED_ON}
    finally:
        connection.close()
    theirs, ours = f"{upstream.scheme}://{upstream.netloc.rpartition('@')[2]}", f"http://{own}"
    passed = {name: value.replace(theirs, ours) for name, value in passed.items()}
    if method == "GET" and "xml" in passed.get("Content-Type", ""):
        content = content.replace(theirs.encode(), ours.encode())  # what a WSDL imports is asked for here, too
    return Answer(response.status, passed, content, len(content), len(content))
