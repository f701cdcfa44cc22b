"""A SOAP service on loopback that hands out the examples page by page, as the source declares its answers."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from xml.sax.saxutils import unescape

from lxml import etree

from connectors.kinds.files.where import Where
from connectors.kinds.soap.contract import Contract, offers_of
from connectors.kinds.soap.documents import gathered
from connectors.kinds.soap.fault import ENVELOPES
from connectors.kinds.soap.wire import Wire
from connectors.limits import MIB
from connectors.source import Source, StreamSpec
from hub.records import Record
from hub.xmlsafe import XmlFault, parse
from kit.samples import Samples
from kit.subject import Subject
from kit.suite.loopback import Quiet, serving
from kit.suite.standins.base import SECRET, USER, StandIn, filling
from kit.suite.standins.elements import child, element_of, put, text_of, unwritable
from kit.suite.standins.service import admitted, page_of
from kit.suite.standins.wsdl import Tree, answers_of, asks_of, grow, wsdl

_PATH = "/services/examples"
_PLACE = re.compile(r"\{([\w-]+)\}")
_XML = "text/xml; charset=utf-8"


def make_soap_service(subject: Subject, samples: Samples, _place: Path, stack: ExitStack) -> StandIn | str:
    """Start the service; `stack` stops it. It writes its own WSDL, unless a stream names one of the folder's."""
    source = subject.source
    for name, spec in source.streams.items():
        if why := unwritable(spec.options):
            return f"of stream {name}, {why}"
    schemas = {name: subject.mapping.streams[name].schema for name in source.streams}
    service = _Service(source, schemas, {name: filling(samples, spec) for name, spec in source.streams.items()})
    try:
        for name, spec in source.streams.items():
            service.answer(spec, {}, service.records[name][:1])
    except ValueError as error:
        return f"the examples hold what XML cannot ({type(error).__name__})"
    own = stack.enter_context(serving(service.handler))
    url = f"http://{USER}:{SECRET}@{own}{_PATH}?wsdl"
    service.learn(url)
    return StandIn(source, url, lambda stream, record: service.records[stream].append(record))


class _Service:
    """The service: which operation each stream calls, and what each answers."""

    def __init__(self, source: Source, schemas: Mapping[str, Any], records: dict[str, list[Record]]) -> None:
        self.source, self.schemas, self.records = source, schemas, records
        self.operations = {name: str(spec.options.get("operation", name)) for name, spec in source.streams.items()}
        self.answers = {name: f"{operation}Response" for name, operation in self.operations.items()}

    def learn(self, url: str) -> None:
        """Learn from the WSDL that a folder has of its own what the answers of its operations are called."""
        for name, spec in self.source.streams.items():
            if "wsdl" in spec.options:
                where = Where(self.source.code, name, "WSDL")
                wire = Wire(url, spec.options, source=self.source.code, stream=name)
                try:
                    shelf = gathered(self.source, spec.options["wsdl"], wire, where, 16 * MIB)
                    made = Contract(offers_of(shelf, where), spec.options, self.operations[name], where)
                finally:
                    wire.close()
                if made.documentary:
                    self.answers[name] = str(made.answer.qname.localname)

    def handler(self, own: str) -> type[Quiet]:
        """Return what serves the WSDL and answers messages at this host and port."""
        service = self

        class Handler(Quiet):
            def do_GET(self) -> None:
                self.say(200, {"Content-Type": _XML}, service.contract(f"http://{own}{_PATH}").encode())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.say(*service.called(dict(self.headers), body))

        return Handler

    def contract(self, address: str) -> str:
        """Describe the operations; streams that call the same one describe it together."""
        described: dict[str, tuple[Tree, Tree]] = {}
        for name, spec in self.source.streams.items():
            asks, answers = described.setdefault(self.operations[name], ({}, {}))
            grow(asks, (), asks_of(spec))
            grow(answers, (), answers_of(spec, self.schemas[name]))
        return wsdl(address, described)

    def called(self, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Answer one message."""
        try:
            root = parse(body).getroot()
        except XmlFault:
            return _fault(None, "Client", "this is no message")
        space = etree.QName(root).namespace
        message = root.find(f"{{{space}}}Body/*")
        if space not in ENVELOPES or message is None:
            return _fault(None, "Client", "this is no envelope")
        asked = dict(_leaves(message, ()))
        streams = [one for one in self.source.streams if self.operations[one] == etree.QName(message).localname]
        chosen = next((one for one in streams if self._means(one, asked)), None)
        if chosen is None:
            return _fault(space, "Client", "there is no such operation")
        spec = self.source.streams[chosen]
        if not _may(spec.options, root, headers):
            return _fault(space, "FailedAuthentication", "the security token could not be authenticated")
        said = self.answer(spec, {**asked, **_within(spec.options.get("params", {}), asked)}, self.records[chosen])
        return 200, {"Content-Type": _XML}, _enveloped(space, said)

    def _means(self, stream: str, asked: Mapping[str, str]) -> bool:
        """Say whether a message is this stream's: several may call one operation with other fixed parameters."""
        options = self.source.streams[stream].options
        moving = {options.get("paging", {}).get("param"), options.get("since", {}).get("param")}
        fixed = {path: text_of(value) for path, value in _told(options.get("params", {}), ()) if path not in moving}
        return all(_PLACE.search(text) or asked.get(path, text) == text for path, text in fixed.items())

    def answer(self, spec: StreamSpec, params: Mapping[str, str], records: list[Record]) -> etree._Element:
        """Write an answer: the page that is asked for, and what stands beside it.

        Raises:
            ValueError: a record holds what XML cannot.
        """
        options = spec.options
        total, page, following = page_of(self.source, spec, records, params)
        out = etree.Element(self.answers[spec.name])
        base = etree.Element("document") if "document" in options else out
        *above, last = options["records"].split("/")
        home = base
        for step in above:
            home = child(home, step)
        for record in page:
            home.append(element_of(last, options, record, order=self.schemas[spec.name]["properties"]))
        if "total" in options:
            put(base, options["total"].split("/"), str(total))
        if "success" in options:
            put(base, options["success"]["path"].split("/"), options["success"]["values"][0])
        if following and "next" in options.get("paging", {}):
            put(base, options["paging"]["next"].split("/"), following)
        if base is not out:
            put(out, options["document"].split("/"), etree.tostring(base, encoding="unicode"))
        return out


def _may(options: Mapping[str, Any], root: etree._Element, headers: Mapping[str, str]) -> bool:
    """Say whether a message bears the secret where its stream declares it: in a token, over HTTP, or both."""
    security = options.get("security")
    if not admitted(options.get("auth", {"style": "none"} if security else {}), headers):
        return False
    if security is None:
        return True
    said = {etree.QName(one).localname: one.text or "" for one in root.iterfind(".//{*}UsernameToken/*")}
    wanted = SECRET
    if security == "username_token_digest":
        seed = b64decode(said.get("Nonce", "")) + said.get("Created", "").encode() + SECRET.encode()
        wanted = b64encode(hashlib.sha1(seed, usedforsecurity=False).digest()).decode()  # as WS-Security has it
    return said.get("Username") == USER and said.get("Password") == wanted


def _leaves(element: etree._Element, above: tuple[str, ...]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for one in element:
        path = (*above, etree.QName(one).localname)
        found += _leaves(one, path) if len(one) else [("/".join(path), one.text or "")]
    return found


def _told(params: Mapping[str, Any], above: tuple[str, ...]) -> list[tuple[str, Any]]:
    """Return declared parameters that hold one value, by their paths."""
    found: list[tuple[str, Any]] = []
    for name, value in params.items():
        path = (*above, *name.split("/"))
        if isinstance(value, dict):
            found += _told(value, path)
        elif not isinstance(value, list):
            found.append(("/".join(path), value))
    return found


def _within(params: Mapping[str, Any], asked: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that were filled into texts, read out of these texts again."""
    found: dict[str, str] = {}
    for path, template in _told(params, ()):
        names = _PLACE.findall(str(template))
        if not names or path not in asked:
            continue
        literals = [re.escape(one) for one in _PLACE.split(str(template))[::2]]
        said = re.fullmatch("(.*?)".join(literals), asked[path], re.DOTALL)
        if said is not None:
            found |= {name: unescape(one, {"&quot;": '"'}) for name, one in zip(names, said.groups(), strict=True)}
    return found


def _enveloped(space: str | None, inner: etree._Element) -> bytes:
    space = space or next(iter(ENVELOPES))
    envelope = etree.Element(f"{{{space}}}Envelope", nsmap={"soap": space})
    etree.SubElement(envelope, f"{{{space}}}Body").append(inner)
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _fault(space: str | None, code: str, reason: str) -> tuple[int, dict[str, str], bytes]:
    inner = etree.Element(f"{{{space or next(iter(ENVELOPES))}}}Fault")
    etree.SubElement(inner, "faultcode").text = code
    etree.SubElement(inner, "faultstring").text = reason
    return 500, {"Content-Type": _XML}, _enveloped(space, inner)
