"""A department's SOAP service, really served on loopback: a WSDL with an imported schema, document/literal and
rpc/literal operations in SOAP 1.1 and 1.2. Each message that comes in is judged by the schema of the WSDL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from kit.suite import loopback
from kit.suite.loopback import Quiet

TNS = "urn:example:approval"
ENVELOPES = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
WSSE = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
TYPES = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}

SCHEMA = f"""<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="{TNS}" targetNamespace="{TNS}"
           elementFormDefault="qualified">
  <xs:element name="queryCases"><xs:complexType><xs:sequence>
    <xs:element name="query" type="t:Query"/></xs:sequence></xs:complexType></xs:element>
  <xs:complexType name="Query"><xs:sequence>
    <xs:element name="changedSince" type="xs:dateTime" minOccurs="0"/>
    <xs:element name="changedUntil" type="xs:dateTime" minOccurs="0"/>
    <xs:element name="page" type="xs:int" minOccurs="0"/>
    <xs:element name="offset" type="xs:int" minOccurs="0"/>
    <xs:element name="after" type="xs:string" minOccurs="0"/>
    <xs:element name="pageSize" type="xs:int" minOccurs="0"/>
    <xs:element name="state" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType>
  <xs:element name="queryCasesResponse"><xs:complexType><xs:sequence>
    <xs:element name="code" type="xs:string" minOccurs="0"/>
    <xs:element name="cases"><xs:complexType>
      <xs:sequence><xs:element name="case" type="t:Case" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
      <xs:attribute name="total" type="xs:int"/></xs:complexType></xs:element>
    <xs:element name="next" type="xs:string" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element>
  <xs:complexType name="Case"><xs:sequence>
    <xs:element name="caseNo" type="xs:string"/>
    <xs:element name="itemName" type="xs:string" nillable="true" minOccurs="0"/>
    <xs:element name="applicant" type="xs:string" nillable="true" minOccurs="0"/>
    <xs:element name="kind" type="xs:string" nillable="true" minOccurs="0"/>
    <xs:element name="appliedAt" type="xs:dateTime" nillable="true" minOccurs="0"/>
    <xs:element name="changedAt" type="xs:dateTime" minOccurs="0"/>
    <xs:element name="fee" type="xs:decimal" minOccurs="0"/>
    <xs:element name="step" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="item" minOccurs="0"><xs:complexType><xs:sequence><xs:element name="code" type="xs:string"/>
      <xs:element name="sub" type="t:Case" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence><xs:attribute name="version" type="xs:int"/></xs:complexType>
</xs:schema>"""

_OPERATION = """<wsdl:operation name="queryCases"><{0}:operation soapAction="urn:example:approval/queryCases"/>
<wsdl:input><{0}:body use="literal"/></wsdl:input><wsdl:output><{0}:body use="literal"/></wsdl:output>
</wsdl:operation>"""
_RPC = f"""<wsdl:operation name="getData"><soap:operation soapAction="urn:example:approval/getData" style="rpc"/>
<wsdl:input><soap:body use="literal" namespace="{TNS}"/></wsdl:input>
<wsdl:output><soap:body use="literal" namespace="{TNS}"/></wsdl:output></wsdl:operation>"""

WSDL = f"""<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:t="{TNS}" xmlns:xs="http://www.w3.org/2001/XMLSchema"
  targetNamespace="{TNS}">
<wsdl:types><xs:schema><xs:import namespace="{TNS}" schemaLocation="SCHEMA"/></xs:schema></wsdl:types>
<wsdl:message name="ask"><wsdl:part name="parameters" element="t:queryCases"/></wsdl:message>
<wsdl:message name="answer"><wsdl:part name="parameters" element="t:queryCasesResponse"/></wsdl:message>
<wsdl:message name="text"><wsdl:part name="request" type="xs:string"/></wsdl:message>
<wsdl:message name="said"><wsdl:part name="return" type="xs:string"/></wsdl:message>
<wsdl:portType name="Query">
<wsdl:operation name="queryCases"><wsdl:input message="t:ask"/><wsdl:output message="t:answer"/></wsdl:operation>
<wsdl:operation name="getData"><wsdl:input message="t:text"/><wsdl:output message="t:said"/></wsdl:operation>
</wsdl:portType>
<wsdl:binding name="Binding11" type="t:Query"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
{_OPERATION.format("soap")}{_RPC}</wsdl:binding>
<wsdl:binding name="Binding12" type="t:Query"><soap12:binding transport="http://schemas.xmlsoap.org/soap/http"/>
{_OPERATION.format("soap12")}</wsdl:binding>
<wsdl:service name="Approval">
<wsdl:port name="Soap11" binding="t:Binding11"><soap:address location="ADDRESS"/></wsdl:port>
<wsdl:port name="Soap12" binding="t:Binding12"><soap12:address location="ADDRESS"/></wsdl:port>
</wsdl:service></wsdl:definitions>"""

Reply = tuple[int, dict[str, str], bytes]
Broken = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Asked:
    """A message as it came: the version of SOAP, the operation, its values by path, and the HTTP headers."""

    version: str
    operation: str
    values: dict[str, list[str]]
    headers: dict[str, str]
    path: str
    token: dict[str, str] = field(default_factory=dict)

    def one(self, name: str, default: str = "") -> str:
        return self.values.get(name, [default])[0]


class SoapService:
    """The service: `cases` is what its system holds, in order of change; `answer` can be replaced by a test."""

    def __init__(self) -> None:
        self.cases: list[dict[str, Any]] = []
        self.user: tuple[str, str] | None = None
        self.asked: list[Asked] = []
        self.got: list[str] = []
        self.documents: dict[str, bytes | Reply] = {}
        self.answer: Callable[[Asked], str | Reply | Broken] = self.honest
        self._schema = etree.XMLSchema(etree.fromstring(SCHEMA.encode()))
        self.host = ""

    def handler(self) -> type[Quiet]:
        service = self

        class Handler(Quiet):
            def do_GET(self) -> None:
                service.got.append(self.path)
                found = service.document(self.path)
                self.say(*(found if isinstance(found, tuple) else (200, {"Content-Type": "text/xml"}, found)))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                reply = service.called(self.path, dict(self.headers), body)
                if callable(reply):
                    reply(self)
                    self.close_connection = True
                    return
                self.say(*reply)

        return Handler

    def url(self, secret: str = "") -> str:
        return f"http://{secret + '@' if secret else ''}{self.host}/services/approval?wsdl"

    def wsdl(self, *, schema: str = "approval.xsd", address: str | None = None) -> str:
        own = f"http://{self.host}/services/approval"
        return WSDL.replace("SCHEMA", schema).replace("ADDRESS", address or own)

    def document(self, path: str) -> bytes | Reply:
        """The WSDL and its schema, unless a test laid something else there."""
        if path in self.documents:
            return self.documents[path]
        if path == "/services/approval?wsdl":
            return self.wsdl().encode()
        return SCHEMA.encode() if path == "/services/approval.xsd" else (404, {}, b"")

    def called(self, path: str, headers: dict[str, str], body: bytes) -> Reply | Broken:
        asked = self._read(path, headers, body)
        self.asked.append(asked)
        if self.user is not None and self.user != (asked.token.get("Username"), asked.token.get("Password")):
            return fault(asked.version, "wsse:FailedAuthentication", "The security token could not be authenticated")
        said = self.answer(asked)
        if isinstance(said, str):
            return 200, {"Content-Type": TYPES[asked.version]}, enveloped(said, asked.version)
        return said

    def _read(self, path: str, headers: dict[str, str], body: bytes) -> Asked:
        root = etree.fromstring(body)
        version = next(found for found, space in ENVELOPES.items() if root.tag == f"{{{space}}}Envelope")
        assert headers["Content-Type"].startswith(TYPES[version])
        said = headers.get("SOAPAction") if version == "1.1" else headers["Content-Type"].partition("action=")[2]
        message = root.find(f"{{{ENVELOPES[version]}}}Body")[0]  # type: ignore[index]  # each message has a body
        operation = etree.QName(message).localname
        assert said == f'"urn:example:approval/{operation}"'
        if operation == "queryCases":
            self._schema.assertValid(message)
        token = {etree.QName(one).localname: str(one.text) for one in root.iterfind(f".//{WSSE}UsernameToken/*")}
        values: dict[str, list[str]] = {}
        for one in message.iter("{*}*"):
            if not len(one):
                values.setdefault(etree.QName(one).localname, []).append(str(one.text or ""))
        return Asked(version, operation, values, headers, path, token)

    def honest(self, asked: Asked) -> str:
        """Answer as the department's system does: what changed since, page by page."""
        since = asked.one("changedSince")
        found = [one for one in self.cases if str(one.get("changedAt", "")) >= since]
        size, start = int(asked.one("pageSize", "100")), 0
        if "page" in asked.values:
            start = (int(asked.one("page")) - 1) * size
        elif "offset" in asked.values or "after" in asked.values:
            start = int(asked.one("offset") or asked.one("after"))
        more = f"<next>{start + size}</next>" if start + size < len(found) else ""
        return answer_of(found[start : start + size], len(found), more)


def enveloped(message: str, version: str = "1.1") -> bytes:
    space = ENVELOPES[version]
    head = f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{space}"><s:Header/><s:Body>'
    return f"{head}{message}</s:Body></s:Envelope>".encode()


def case(one: dict[str, Any]) -> str:
    """Write a case: `@name` is an attribute, None is nil, a list repeats."""
    attributes = "".join(f" {name[1:]}={quoteattr(str(value))}" for name, value in one.items() if name[0] == "@")
    return f"<case{attributes}>{_inner({name: value for name, value in one.items() if name[0] != '@'})}</case>"


def _inner(one: dict[str, Any]) -> str:
    made = ""
    for name, values in one.items():
        for value in values if isinstance(values, list) else [values]:
            if value is None:
                made += f'<{name} xsi:nil="true"/>'
            else:
                made += f"<{name}>{_inner(value) if isinstance(value, dict) else escape(str(value))}</{name}>"
    return made


def answer_of(cases: list[dict[str, Any]], total: int | None = None, more: str = "", before: str = "") -> str:
    count = "" if total is None else f' total="{total}"'
    inner = "".join(map(case, cases))
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    return f'<queryCasesResponse xmlns="{TNS}" {xsi}>{before}<cases{count}>{inner}</cases>{more}</queryCasesResponse>'


def fault(version: str, code: str, reason: str, status: int = 500) -> Reply:
    if version == "1.1":
        inner = f"<faultcode>{code}</faultcode><faultstring>{escape(reason)}</faultstring>"
    else:
        general, _, sub = code.partition("/")
        more = f"<s:Subcode><s:Value>{sub}</s:Value></s:Subcode>" if sub else ""
        inner = (
            f"<s:Code><s:Value>{general}</s:Value>{more}</s:Code>"
            f'<s:Reason><s:Text xml:lang="en">{escape(reason)}</s:Text></s:Reason>'
        )
    return status, {"Content-Type": TYPES[version]}, enveloped(f"<s:Fault>{inner}</s:Fault>", version)


@contextmanager
def serving() -> Iterator[SoapService]:
    """Serve until the end of the block."""
    made = SoapService()
    with loopback.serving(lambda _own: made.handler()) as made.host:
        yield made
