"""Hostile SOAP services: each answer is refused by name, quickly, and in bounded memory; nothing of the pull is kept.

The service runs in the test's process, the pull in one of its own with little memory.
"""

from __future__ import annotations

import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from connectors.source import Cursor
from hub.errors import HubError
from hub.records import Slice
from tests.connectors.parts import opened, stream
from tests.connectors.soap_service import SCHEMA, TNS, Asked, SoapService, answer_of, enveloped, serving
from tests.hostile.probe import read_apart

SECONDS, MIB = 15.0, 600.0
STATE = {"cursor": "2026-01-01T00:00:00+08:00"}

Reply = str | tuple[int, dict[str, str], bytes] | Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Case:
    """What a service answers from its second page on, and how the pull must end."""

    answer: Callable[[Asked], Reply]
    error: str = "HostileInput"
    words: str = ""
    asks: int | None = None
    options: dict[str, Any] = field(default_factory=dict)


def bomb(megabytes: int) -> bytes:
    """An answer that never ends, packed; it is made in pieces, for what this process holds is measured too."""
    packer = zlib.compressobj(wbits=31)
    pieces = [packer.compress(OPEN), *(packer.compress(b" " * 1_000_000) for _ in range(megabytes)), packer.flush()]
    return b"".join(pieces)


def xml(body: str | bytes, kind: str = "text/xml", **headers: str) -> Reply:
    return 200, {"Content-Type": kind, **headers}, body if isinstance(body, bytes) else body.encode()


def always(reply: Reply) -> Callable[[Asked], Reply]:
    return lambda _asked: reply


def sent(*parts: bytes, times: int = 1, length: int | None = None, pause: float = 0) -> Reply:
    """Send a body of the first part, many of the second, and the third, without holding it; `length` may lie."""
    head, block, tail = (*parts, b"", b"")[:3]

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/xml")
        if length is not None:
            handler.send_header("Content-Length", str(length))
        handler.send_header("Connection", "close")
        handler.end_headers()
        with suppress(OSError):
            handler.wfile.write(head)
            for _ in range(times if block else 0):
                handler.wfile.write(block)
                time.sleep(pause)
            handler.wfile.write(tail)

    return send


WHOLE = enveloped(answer_of([{"caseNo": "a", "applicant": "王"}] * 20))
OPEN = WHOLE[: WHOLE.index(b"<case>")]
SHUT = WHOLE[WHOLE.rindex(b"</cases>") :]
ENTITIES = (
    '<!DOCTYPE l [<!ENTITY a0 "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
)


def with_doctype(doctype: str, content: str, encoding: str = "utf-8") -> Reply:
    text = enveloped(answer_of([{"caseNo": "X"}])).decode().replace(">X<", f">{content}<")
    text = text.replace("?>", f"?>{doctype}", 1).replace('encoding="UTF-8"', f'encoding="{encoding}"')
    return xml(text.encode(encoding))


def fresh(asked: Asked) -> Reply:
    """Answer a page that no page before it was like."""
    return answer_of([{"caseNo": f"{asked.one('page')}-{n}"} for n in range(5)])


CASES = {
    "page_that_is_cut": Case(always(xml(WHOLE[:-200])), "TruncatedUnit", "ends before its last element", 3),
    "half_an_element": Case(always(xml(WHOLE[: WHOLE.rindex(b"<caseNo") + 4])), "TruncatedUnit", "ends before", 3),
    "nothing_at_all": Case(always(xml(b"")), "TruncatedUnit", "ends before", 3),
    "length_that_is_more": Case(always(sent(WHOLE, length=len(WHOLE) + 100)), "RetrySource", "broke off", 3),
    "length_that_is_less": Case(always(sent(WHOLE, length=len(WHOLE) - 100)), "TruncatedUnit", "ends before", 3),
    "json_instead": Case(always(xml(b"{}", "application/json")), "SchemaMismatch", "the answer is application/json", 1),
    "type_with_a_name": Case(always(xml(b"", "王".encode().decode("latin-1"))), "SchemaMismatch", "unreadable"),
    "attachments": Case(always(xml(WHOLE, 'multipart/related; type="text/xml"')), "SchemaMismatch", "attachments"),
    "error_page": Case(always(xml(b"<html><body>error", "text/html")), "SchemaMismatch", "the answer is text/html", 1),
    "page_that_says_it_is_xml": Case(always(xml("<html><body/></html>")), "SchemaMismatch", "a web page", 1),
    "no_envelope": Case(always(xml(answer_of([]))), "SchemaMismatch", "no SOAP envelope", 1),
    "no_body": Case(always(xml(WHOLE[: WHOLE.index(b"<s:Body>")] + b"</s:Envelope>")), "SchemaMismatch", "no body", 1),
    "not_well_formed": Case(always(xml(WHOLE.replace(b"</case>", b"</cafe>", 1))), "RefuseUnit", "well-formed", 1),
    "wrong_encoding": Case(
        always(xml(WHOLE.decode().encode("gb18030"), "text/xml; charset=utf-8")), "WrongEncoding", "declared", 1
    ),
    "repeated_page": Case(always(answer_of([{"caseNo": "first"}])), "SchemaMismatch", "page 2 repeats an earlier", 1),
    "pages_without_end": Case(fresh, "HostileInput", "the pages do not end"),
    "billion_laughs": Case(always(with_doctype(ENTITIES, "&a9;")), words="document type declaration", asks=1),
    "billion_laughs_in_utf_16": Case(always(with_doctype(ENTITIES, "&a9;", "utf-16"))),
    "external_entity": Case(
        always(with_doctype('<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;")), words="document type"
    ),
    "external_parameter_entity": Case(
        always(with_doctype('<!DOCTYPE s [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x"> %x;]>', "x")),
        words="document type",
    ),
    "a_hundred_thousand_levels": Case(
        always(xml(OPEN + b"<case>" + b"<d>" * 100_000 + b"</d>" * 100_000 + b"</case>" + SHUT)), words="limit of depth"
    ),
    "answer_that_drips": Case(
        always(sent(OPEN, b" ", times=400, pause=0.05)), "RetrySource", "took more than 0.5 s", 3, {"deadline": 0.5}
    ),
}  # fmt: skip
LARGE: dict[str, Callable[[], Case]] = {
    "answer_of_200_mb": lambda: Case(
        always(sent(OPEN, b"<case><caseNo>1</caseNo></case>" * 10_000, SHUT, times=700)), words="more than 16,777,216"
    ),
    "packed_answer_of_200_mb": lambda: Case(
        always(xml(bomb(200), **{"Content-Encoding": "gzip"})),
        words="more than 16,777,216",
    ),
    "a_million_empty_records": lambda: Case(
        always(xml(OPEN + b"<case/>" * 1_000_000 + SHUT)), words="more than 500,000"
    ),
    "record_of_a_million_fields": lambda: Case(
        always(xml(OPEN + b"<case>" + b"".join(b"<f%d/>" % n for n in range(700_000)) + b"</case>" + SHUT)),
        words="beyond the limits",
    ),
    "elements_without_a_record": lambda: Case(always(xml(OPEN + b"<j/>" * 3_000_000 + SHUT)), words="without a record"),
    "text_of_12_mb": lambda: Case(
        always(xml(OPEN + b"<case><caseNo>" + b"x" * 12_000_000 + b"</caseNo></case>" + SHUT))
    ),
    "fault_of_10_mb": lambda: Case(
        always((500, {"Content-Type": "text/xml"}, enveloped("<s:Fault>" + "<faultcode>Client</faultcode>" * 300_000))),
        "RetrySource", "answered 500", 3,
    ),
}  # fmt: skip
"""Cases that are made before their pull, for they hold megabytes, or take a second."""

OPTIONS = {
    "operation": "queryCases", "port": "Soap11", "records": "cases/case", "params": {"query": {}},
    "paging": {"style": "page", "param": "query/page"}, "limits": {"pages": 50},
    "attempts": 3, "backoff": 0.01, "deadline": 1, "timeout": 5,
}  # fmt: skip


@pytest.fixture
def service() -> Iterator[SoapService]:
    with serving() as made:
        yield made


def pulled(service: SoapService, options: dict[str, Any]) -> dict[str, Any]:
    one = stream("s", cursor=Cursor("changedAt"), **options)
    found = read_apart("soap", service.url(":TopSecret"), one, dict(STATE))
    assert found["peak_mib"] < MIB, found
    assert found["seconds"] < SECONDS, found
    assert "TopSecret" not in str(found)
    return found


@pytest.mark.parametrize("name", [*CASES, *LARGE])
def test_a_hostile_answer_is_refused_and_nothing_of_the_pull_is_kept(service: SoapService, name: str) -> None:
    case = LARGE[name]() if name in LARGE else CASES[name]
    first = answer_of([{"caseNo": "first", "changedAt": "2026-02-01T00:00:00+08:00"}])
    service.answer = lambda asked: first if asked.one("page") == "1" else case.answer(asked)
    if name == "repeated_page":
        service.answer = lambda _asked: first
    found = pulled(service, OPTIONS | case.options)
    assert (found["error"], found["slices"]) == (case.error, 0), found
    assert case.words in found["words"]
    assert found["words"].startswith("source probe, stream s, ")
    assert case.asks is None or len(service.asked) == 1 + case.asks


def test_what_was_committed_before_a_broken_page_leaves_the_cursor_where_it_was(service: SoapService) -> None:
    rows = [{"caseNo": str(n), "changedAt": "2026-02-01T00:00:00+08:00"} for n in range(10)]
    service.answer = lambda asked: answer_of(rows) if asked.one("page") == "1" else xml(WHOLE[:-200])
    one = stream("s", cursor=Cursor("changedAt"), **OPTIONS)
    got: list[Slice] = []
    with pytest.raises(HubError, match="ends before its last element"):
        got.extend(opened("soap", service.url(), one).read(one, dict(STATE), slice_size=4, full=False))
    assert [(piece.read, piece.state) for piece in got] == [(4, STATE), (4, STATE)]
    assert all(record["caseNo"] != "a" for piece in got for record in piece.records)


def test_a_document_within_an_answer_is_no_way_around(service: SoapService) -> None:
    inner = f"{ENTITIES}<r><row><a>&a9;</a></row></r>"
    service.answer = lambda _asked: (
        f'<t:getDataResponse xmlns:t="{TNS}"><return><![CDATA[{inner}]]></return></t:getDataResponse>'
    )
    options = {"operation": "getData", "params": {"request": ""}, "document": "return", "records": "row"}
    found = pulled(service, options)
    assert (found["error"], found["slices"]) == ("HostileInput", 0)
    assert "document type declaration" in found["words"]


def test_an_external_entity_reaches_no_network(service: SoapService) -> None:
    reached = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            with suppress(OSError):
                server.accept()[0].close()
                reached.set()

        threading.Thread(target=listen, daemon=True).start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        one = stream("s", **OPTIONS)
        for doctype in (f'<!DOCTYPE s SYSTEM "{address}">', f'<!DOCTYPE s [<!ENTITY x SYSTEM "{address}">]>'):
            service.answer = always(with_doctype(doctype, "&x;"))
            with pytest.raises(HubError, match="document type"):
                list(opened("soap", service.url(), one).read(one, {}, slice_size=10, full=False))
            service.documents["/services/approval?wsdl"] = service.wsdl().replace("?>", f"?>{doctype}", 1).encode()
            with pytest.raises(HubError, match="document type"):
                list(opened("soap", service.url(), one).read(one, {}, slice_size=10, full=False))
            service.documents.clear()
        assert not reached.wait(0.3)


FIRST = '<xs:element name="queryCases">'
GROUPS = "".join(
    f'<xs:group name="g{n}"><xs:sequence>{inner}</xs:sequence></xs:group>'
    for n, inner in enumerate(['<xs:element name="a"/>', *(f'<xs:group ref="t:g{n}"/>' * 10 for n in range(9))])
)
CIRCLE = '<xs:group name="g9"><xs:sequence><xs:group ref="t:g9"/></xs:sequence></xs:group>'
STATE_ELEMENT = '<xs:element name="state" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>'
WSDLS: dict[str, tuple[str, str, str]] = {
    "billion_laughs": (SCHEMA.replace("?>", f"?>{ENTITIES}", 1), "HostileInput", "document type declaration"),
    "a_hundred_thousand_levels": (SCHEMA.replace(FIRST, "<xs:annotation>" * 100_000), "HostileInput", "limit of depth"),
    "schema_of_5_mb": (
        SCHEMA.replace(FIRST, '<xs:element name="q" type="xs:string"/>' * 130_000 + FIRST), "HostileInput", "too large"
    ),
    "schema_of_200_mb": (SCHEMA.replace(FIRST, " " * 20_000_000 + FIRST), "HostileInput", "more than 16,777,216"),
    "type_that_extends_itself": (
        SCHEMA.replace(
            FIRST,
            '<xs:complexType name="Z"><xs:complexContent><xs:extension base="t:Z"/></xs:complexContent>'
            f"</xs:complexType>{FIRST}",
        ).replace('type="t:Query"', 'type="t:Z"'), "SchemaMismatch", "",
    ),
    "groups_that_grow": (
        SCHEMA.replace(FIRST, GROUPS + FIRST).replace(STATE_ELEMENT, '<xs:group ref="t:g9"/>'),
        "HostileInput", "grow without end",
    ),
    "group_within_itself": (
        SCHEMA.replace(FIRST, CIRCLE + FIRST).replace(STATE_ELEMENT, '<xs:group ref="t:g9"/>'),
        "HostileInput", "grow without end",
    ),
    "html": ("<html/>", "SchemaMismatch", "neither a WSDL nor a schema"),
}  # fmt: skip


@pytest.mark.parametrize("name", WSDLS)
def test_a_hostile_wsdl_is_refused(service: SoapService, name: str) -> None:
    schema, error, words = WSDLS[name]
    service.documents["/services/approval.xsd"] = schema.encode()
    found = pulled(service, OPTIONS)
    assert found["error"] == error, found
    assert words in found["words"]


def test_imports_without_end_are_refused_and_circles_are_not_followed(service: SoapService) -> None:
    class Endless(dict[str, Any]):
        def __contains__(self, path: object) -> bool:
            return str(path).startswith("/services/more/")

        def __getitem__(self, path: str) -> bytes:
            number = int(path.rpartition("/")[2])
            inner = f'<xs:include schemaLocation="{number + 1}"/>'
            head = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{TNS}">'
            return f"{head}{inner}</xs:schema>".encode()

    service.documents = Endless()
    real = service.document
    start = SCHEMA.replace(FIRST, f'<xs:include schemaLocation="more/1"/>{FIRST}').encode()
    service.document = lambda path: start if path.endswith(".xsd") else real(path)  # type: ignore[method-assign]
    found = pulled(service, OPTIONS)
    assert found["error"] == "HostileInput", found
    assert "100 documents" in found["words"]
    circle = SCHEMA.replace(FIRST, f'<xs:include schemaLocation="approval.xsd"/>{FIRST}').encode()
    service.document = lambda path: circle if path.endswith(".xsd") else service.wsdl().encode()  # type: ignore[method-assign]
    service.answer = lambda asked: answer_of([{"caseNo": "1"}] if asked.one("page") == "1" else [])
    found = pulled(service, OPTIONS)
    assert (found["error"], found["slices"]) == ("", 1), found
