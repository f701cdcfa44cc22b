"""Carries SOAP messages: the HTTP client of all services, which posts as well and reads faults out of errors."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
from lxml import etree

from connectors.http import Answer, Client
from connectors.kinds.files.where import Where
from connectors.kinds.files.xml import worded
from connectors.kinds.soap.fault import fault_in, trouble_of
from connectors.limits import MIB
from connectors.throttle import Throttle
from hub.errors import SchemaMismatch, StopSource, WrongCredentials
from hub.xmlsafe import XmlFault, parse

_FAULTS = frozenset({400, 500})
"""The statuses of an answer that holds a fault: 500 in SOAP 1.1, both in SOAP 1.2."""
_LARGEST_FAULT = MIB
_WSDL_QUERY = re.compile(r"(?i)(?:single)?wsdl(?:=[\w.-]*)?")


class Wire(Client):
    """Gets the documents of one service and posts messages to it."""

    def __init__(
        self, url: str, options: Mapping[str, Any], *, source: str, stream: str, throttle: Throttle | None = None
    ) -> None:
        address, query = apart(url)
        super().__init__(address, options, source=source, stream=stream, throttle=throttle)
        parts = urlsplit(url)
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")
        self.session.headers["Accept"] = "text/xml, application/soap+xml, application/xml"
        self.wsdl = self.base if not query and self.base.lower().endswith(".wsdl") else f"{self.base}?{query or 'wsdl'}"

    def post(
        self, address: str | None, message: bytes, headers: Mapping[str, str], accept: Callable[[Answer], Any]
    ) -> Any:
        """Post a message and return what `accept` makes of the answer; tried again as `get` is.

        `address` is what the WSDL names: it is used where it lies at the connection's own host, for elsewhere our
        secret must not go, and behind a gateway it is seldom true.

        Raises:
            SourceTrouble: the service cannot be reached, refuses us, or answers what cannot be read.
        """
        own = address is not None and urlsplit(address)[:2] == self.origin
        return super().post(address if own and address else self.base, message, headers, accept)

    def document(self, address: str, where: Where) -> etree._ElementTree:
        """Get a WSDL or a schema.

        Raises:
            SourceTrouble: it cannot be had, or is no XML that is safe to read.
        """
        found: etree._ElementTree = self.get(address, {}, lambda answer: contract_of(answer.body, where))
        return found

    def credentials(self) -> tuple[str, str]:
        """Return the connection's user and password, for a token in the message.

        Raises:
            WrongCredentials: the connection has none.
        """
        if not self.user or not self.password:
            raise self._trouble(
                WrongCredentials, "`security` needs a user and a password, and the connection has none",
                hint="Write the connection as https://user:password@host/path.",
            )  # fmt: skip
        return self.user, self.password

    def secrets(self) -> tuple[str, ...]:
        """Return what must never be shown, not even where the service says it back."""
        return tuple(one for one in (self.password, self.user) if one)

    def _judge(self, response: requests.Response, shown: str) -> None:
        """Raise the trouble of an answer without success: what its fault says, else what its status means."""
        if response.status_code in _FAULTS and is_xml(response.headers.get("Content-Type", "")):
            body = self._body(response, shown, time.monotonic())
            fault = fault_in(body) if len(body) <= _LARGEST_FAULT else None
            if fault is not None:
                raise trouble_of(fault, Where(self.source, self.stream, shown), self.secrets())
        super()._judge(response, shown)


def apart(url: str) -> tuple[str, str]:
    """Return a connection's address without the question for its WSDL, and that question."""
    parts = urlsplit(url)
    if not _WSDL_QUERY.fullmatch(parts.query):
        return url, ""  # any other parameter is refused by the client
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", parts.fragment)), parts.query


def is_xml(content_type: str) -> bool:
    """Say whether an answer calls itself XML, or nothing at all."""
    kind = content_type.partition(";")[0].strip().lower()
    return not kind or kind in {"text/xml", "application/xml"} or kind.endswith("+xml")


def contract_of(data: bytes, where: Where) -> etree._ElementTree:
    """Parse a WSDL or a schema.

    Raises:
        SourceTrouble: it is neither, or not safe to read.
    """
    try:
        tree = parse(data)
    except XmlFault as fault:
        if fault.sort != "malformed":
            raise worded(fault, where) from None
        tree = None
    name = "" if tree is None else str(tree.getroot().tag)
    if tree is not None and name in {
        "{http://schemas.xmlsoap.org/wsdl/}definitions",
        "{http://www.w3.org/2001/XMLSchema}schema",
    }:
        return tree
    if name == "{http://www.w3.org/ns/wsdl}description":
        raise StopSource(
            source=where.source, stream=where.stream, unit=where.unit, got="the document is a WSDL 2.0",
            known="WSDL 1.1", hint="Ask the department for a WSDL 1.1 and name it in `wsdl`.",
        )  # fmt: skip
    raise SchemaMismatch(
        source=where.source, stream=where.stream, unit=where.unit, got="the document is neither a WSDL nor a schema",
        hint="It may be a log-in or error page: open the connection's address with ?wsdl in a browser.",
    )  # fmt: skip
