"""Kinds `rest` and `soap`: the department's rows in pages that were made before anybody asks, served on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from lxml import etree

from bench.kinds.feeds import STREAMS, Feed, Ground, Kind, Row, declared
from kit.suite.loopback import Quiet, serving

PAGE = 1_000
TNS = "urn:bench"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
Pages = dict[str, list[bytes]]
Page = Callable[[list[Row]], bytes]

WSDL = f"""<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:t="{TNS}" xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{TNS}">
<wsdl:types><xs:schema targetNamespace="{TNS}" elementFormDefault="qualified">
  <xs:element name="read"><xs:complexType><xs:sequence>
    <xs:element name="stream" type="xs:string"/><xs:element name="page" type="xs:int"/>
  </xs:sequence></xs:complexType></xs:element>
  <xs:element name="readResponse"><xs:complexType><xs:sequence>
    <xs:element name="record" type="xs:anyType" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema></wsdl:types>
<wsdl:message name="ask"><wsdl:part name="parameters" element="t:read"/></wsdl:message>
<wsdl:message name="answer"><wsdl:part name="parameters" element="t:readResponse"/></wsdl:message>
<wsdl:portType name="Read"><wsdl:operation name="read">
  <wsdl:input message="t:ask"/><wsdl:output message="t:answer"/></wsdl:operation></wsdl:portType>
<wsdl:binding name="Binding" type="t:Read"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
  <wsdl:operation name="read"><soap:operation soapAction="{TNS}/read"/>
  <wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output>
</wsdl:operation></wsdl:binding>
<wsdl:service name="Reading"><wsdl:port name="Port" binding="t:Binding"><soap:address location="ADDRESS"/></wsdl:port>
</wsdl:service></wsdl:definitions>"""


def question(stream: str, page: int) -> bytes:
    """Write the message that asks for a page."""
    return (
        f'<e:Envelope xmlns:e="{SOAP}"><e:Body><read xmlns="{TNS}"><stream>{stream}</stream><page>{page}</page></read>'
        "</e:Body></e:Envelope>"
    ).encode()


def _json(rows: list[Row]) -> bytes:
    return json.dumps({"data": rows}, ensure_ascii=False).encode()


def _xml(rows: list[Row]) -> bytes:
    said = "".join(
        "<record>" + "".join(f"<{name}>{escape(str(value))}</{name}>" if value is not None else f"<{name}/>"
                             for name, value in row.items()) + "</record>"
        for row in rows
    )  # fmt: skip
    body = f'<readResponse xmlns="{TNS}">{said}</readResponse>'
    return f'<e:Envelope xmlns:e="{SOAP}"><e:Body>{body}</e:Body></e:Envelope>'.encode()


@contextmanager
def rest(ground: Ground) -> Iterator[Feed]:
    """Pages of JSON."""
    with _serving(_pages(ground, _json)) as url:
        streams = {stream: {"options": {"path": stream}, "cursor": {"field": "CREATE_TIME"}} for stream in STREAMS}
        options = {"records": "/data", "paging": {"style": "page", "param": "page", "first": 1}}
        floor = ["rest", *(f"{url}/{stream}" for stream in STREAMS)]
        yield Feed(declared("rest", streams, options=options), url, floor, ground.size.records)


@contextmanager
def soap(ground: Ground) -> Iterator[Feed]:
    """Pages of XML in envelopes."""
    with _serving(_pages(ground, _xml)) as url:
        streams = {stream: {"options": {"params": {"stream": stream}}} for stream in STREAMS}
        options = {"operation": "read", "records": "record", "paging": {"style": "page", "param": "page", "first": 1}}
        feed = declared("soap", streams, options=options)
        yield Feed(feed, f"{url}/soap?wsdl", ["soap", f"{url}/soap", *STREAMS], ground.size.records)


def _pages(ground: Ground, page: Page) -> Pages:
    """Make the pages of each stream; the last one is empty."""
    return {stream: [*(page(some) for some in _batched(ground.rows(stream))), page([])] for stream in STREAMS}


def _batched(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while found := list(islice(rows, PAGE)):
        yield found


@contextmanager
def _serving(pages: Pages) -> Iterator[str]:
    class Handler(Quiet):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path == "/soap":
                address = f"http://{self.headers['Host']}/soap"
                self._say(WSDL.replace("ADDRESS", address).encode(), "text/xml")
                return
            self._page(asked.path.strip("/"), int(dict(parse_qsl(asked.query))["page"]), "application/json")

        def do_POST(self) -> None:
            body = etree.fromstring(self.rfile.read(int(self.headers["Content-Length"])))
            stream, page = (body.findtext(f".//{{{TNS}}}{name}", "") for name in ("stream", "page"))
            self._page(stream, int(page), "text/xml")

        def _page(self, stream: str, number: int, kind: str) -> None:
            self._say(pages[stream][number - 1], kind)

        def _say(self, body: bytes, kind: str) -> None:
            self.say(200, {"Content-Type": f"{kind}; charset=utf-8"}, body)

    with serving(lambda _: Handler) as own:
        yield f"http://{own}"


KINDS = (Kind("rest", "rest", rest), Kind("soap", "soap", soap))
