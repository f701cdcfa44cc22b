"""The departments' SOAP service: a WSDL with an operation for each kind of message, a token in each question, pages.

`POST /<department>/services/approval` takes `query<Kind>` with `changedAfter`, `page` and `pageSize` and answers with
`total` and `rows`, oldest change first. Now and then it is too busy and says so with a fault of the server.
"""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from demo.services.settings import USER, settings_of
from demo.shapes.case_xml import STREAMS
from demo.shapes.layout import department_place
from demo.shapes.record import Stream
from demo.shapes.soap import HALF
from demo.shapes.store import STORE, read_page
from demo.shapes.xml_files import element

_NAMESPACE = "urn:demonstration:approval"
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_TOKEN = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}UsernameToken"  # noqa: S105  # an element's name
_LARGEST_PAGE, _LARGEST_QUESTION = 200, 1 << 16
_BUSY_EACH = 30
"""One question in so many finds the service busy."""


class SoapService(ThreadingHTTPServer):
    """The service of all departments that have one."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, home: Path) -> None:
        known = settings_of(home)
        self.home, self.token = home, known.token
        self._asked, self._lock = 0, threading.Lock()
        super().__init__(("127.0.0.1", known.soap), _Handler)

    def busy(self) -> bool:
        """Count a question, and say whether it comes at a bad moment."""
        with self._lock:
            self._asked += 1
            return self._asked % _BUSY_EACH == 0


class _Handler(BaseHTTPRequestHandler):
    """Hands out the WSDL, and answers one question."""

    server: SoapService
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:  # the name that http.server asks for
        """Hand out the WSDL, which holds nothing that is not for everybody."""
        department = self._department()
        if department is None or not self.path.endswith("?wsdl"):
            self._send(HTTPStatus.NOT_FOUND, "")
        else:
            self._send(HTTPStatus.OK, wsdl(f"http://127.0.0.1:{self.server.server_address[1]}{self._address()}"))

    def do_POST(self) -> None:  # the name that http.server asks for
        """Answer a question, or say in a fault why not."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, _LARGEST_QUESTION))
        department = self._department()
        try:
            asked = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError:
            asked = None
        if asked is None or department is None:
            self._fault("soap:Client", "this is no question")
        elif not self._may(asked):
            self._fault("wsse:FailedAuthentication", "the security token could not be authenticated")
        elif self.server.busy():
            self._fault("soap:Server", "too many questions at once, try again")
        else:
            self._page(department, asked)

    def _page(self, department: str, asked: Any) -> None:
        question = asked.find(f"{{{_ENVELOPE}}}Body/*")
        kind = "" if question is None else etree.QName(question).localname.removeprefix("query")
        if kind not in STREAMS:
            self._fault("soap:Client", "there is no such operation")
            return
        said = {etree.QName(one).localname: one.text or "" for one in question}
        try:
            page, size = max(1, int(said.get("page", 1))), min(int(said.get("pageSize", 50)), _LARGEST_PAGE)
            since = said.get("changedAfter")
            after = round(datetime.fromisoformat(since).timestamp() * 1000) if since else -1
        except ValueError:
            self._fault("soap:Client", "page and pageSize are numbers, changedAfter is an instant")
            return
        total, bodies = read_page(department_place(self.server.home, department) / STORE, kind, after, page, size)
        rows = "".join(row(kind, json.loads(body)) for body in bodies)
        inner = f"<total>{total}</total><rows>{rows}</rows>"
        self._send(
            HTTPStatus.OK, _enveloped(f'<query{kind}Response xmlns="{_NAMESPACE}">{inner}</query{kind}Response>')
        )

    def _may(self, asked: Any) -> bool:
        token = asked.find(f".//{_TOKEN}")
        said = {} if token is None else {etree.QName(one).localname: one.text or "" for one in token}
        right = hmac.compare_digest(said.get("Password", "").encode(), self.server.token.encode())
        return right and said.get("Username") == USER

    def _address(self) -> str:
        return self.path.partition("?")[0]

    def _department(self) -> str | None:
        code, _, rest = self._address().strip("/").partition("/")
        return code if code.isalnum() and rest == "services/approval" else None

    def _fault(self, code: str, reason: str) -> None:
        said = f"<soap:Fault><faultcode>{code}</faultcode><faultstring>{escape(reason)}</faultstring></soap:Fault>"
        self._send(HTTPStatus.INTERNAL_SERVER_ERROR, _enveloped(said))

    def _send(self, status: HTTPStatus, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/xml; charset=utf-8", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the names that http.server gives
        """Say nothing: addresses and tokens have no place in a log."""


def row(kind: str, values: dict[str, Any]) -> str:
    """Write a record: all of its elements, or of a half one those that it had come to."""
    half = values.pop(HALF, False)
    fields = STREAMS[kind].fields
    return element("row", [name for name in fields if name in values] if half else fields, values)


def _enveloped(body: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="{_ENVELOPE}">'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )


def wsdl(address: str) -> str:
    """Write the description of the service: an operation for each stream."""
    parts = [_operation(stream) for stream in STREAMS.values()]
    types, messages, port, binding = ("".join(one[place] for one in parts) for place in range(4))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:t="{_NAMESPACE}" xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{_NAMESPACE}">
<wsdl:types><xs:schema targetNamespace="{_NAMESPACE}" elementFormDefault="qualified">
<xs:complexType name="Question"><xs:sequence>
<xs:element name="changedAfter" type="xs:dateTime" minOccurs="0"/>
<xs:element name="page" type="xs:int" minOccurs="0"/><xs:element name="pageSize" type="xs:int" minOccurs="0"/>
</xs:sequence></xs:complexType>
{types}</xs:schema></wsdl:types>
{messages}<wsdl:portType name="Query">{port}</wsdl:portType>
<wsdl:binding name="Binding" type="t:Query"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
{binding}</wsdl:binding>
<wsdl:service name="Approval"><wsdl:port name="Soap" binding="t:Binding"><soap:address location="{escape(address)}"/>
</wsdl:port></wsdl:service></wsdl:definitions>"""


def _operation(stream: Stream) -> tuple[str, str, str, str]:
    """Write types, messages, operation and binding of one stream."""
    name = f"query{stream.name}"
    row = f"<xs:sequence>{''.join(_elements(stream.fields))}</xs:sequence>"
    types = f"""<xs:element name="{name}" type="t:Question"/>
<xs:element name="{name}Response"><xs:complexType><xs:sequence><xs:element name="total" type="xs:int"/>
<xs:element name="rows"><xs:complexType><xs:sequence>
<xs:element name="row" minOccurs="0" maxOccurs="unbounded"><xs:complexType>{row}</xs:complexType></xs:element>
</xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>
"""
    messages = f"""<wsdl:message name="{name}"><wsdl:part name="parameters" element="t:{name}"/></wsdl:message>
<wsdl:message name="{name}Response"><wsdl:part name="parameters" element="t:{name}Response"/></wsdl:message>
"""
    ways = f'<wsdl:input message="t:{name}"/><wsdl:output message="t:{name}Response"/>'
    literal = '<wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output>'
    action = f'<soap:operation soapAction="{_NAMESPACE}/{name}"/>'
    return (
        types, messages, f'<wsdl:operation name="{name}">{ways}</wsdl:operation>',
        f'<wsdl:operation name="{name}">{action}{literal}</wsdl:operation>',
    )  # fmt: skip


def _elements(fields: tuple[str, ...]) -> Iterator[str]:
    for parent, group in groupby(fields, key=lambda field: field.rpartition("/")[0]):
        inner = "".join(
            f'<xs:element name="{field.rpartition("/")[2]}" type="xs:string" nillable="true" minOccurs="0"/>'
            for field in group
        )
        if not parent:
            yield inner
        else:
            yield (
                f'<xs:element name="{parent}" minOccurs="0"><xs:complexType><xs:sequence>{inner}'
                "</xs:sequence></xs:complexType></xs:element>"
            )
