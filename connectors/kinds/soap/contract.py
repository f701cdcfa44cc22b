"""The operation that a stream calls: found in the WSDL by zeep, asked with messages that zeep writes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree
from zeep.exceptions import Error
from zeep.settings import Settings
from zeep.wsdl import Document
from zeep.wsdl.bindings import Soap12Binding
from zeep.wsdl.bindings.soap import SoapBinding
from zeep.wsse.username import UsernameToken

from connectors.kinds.files.where import Where
from connectors.kinds.soap import shape
from connectors.kinds.soap.documents import ENTRY
from connectors.kinds.soap.fault import masked
from connectors.kinds.soap.params import filled, nested
from hub.errors import SchemaMismatch, SourceTrouble, StopSource, StreamMissing

_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to call a WSDL's operations: a port of a service, or a binding that no service names."""

    service: str
    port: str
    binding: Any
    address: str | None

    @property
    def version(self) -> str:
        """Return the version of SOAP that the port speaks."""
        return "1.2" if isinstance(self.binding, Soap12Binding) else "1.1"

    def __str__(self) -> str:
        name = f"{self.service}/{self.port}" if self.port else str(self.binding.name.localname)
        return f"{name} (SOAP {self.version})"

    def suits(self, options: Mapping[str, Any]) -> bool:
        """Say whether this is the service, port and binding that a stream names."""
        own = {"service": self.service, "port": self.port, "binding": str(self.binding.name.localname)}
        return all(options.get(name, value) == value for name, value in own.items())


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it goes over the wire."""

    body: bytes
    headers: Mapping[str, str]


class Contract:
    """One operation of a WSDL."""

    def __init__(self, offers: list[Offer], options: Mapping[str, Any], name: str, where: Where) -> None:
        self.where, self.name = where, name
        self.offer = self._chosen(offers, options)
        operation: Any = self.offer.binding.get(name)
        self.operation = operation
        if operation.input is None or operation.output is None:
            raise self._trouble(
                StopSource, f"operation {name} has no answer in the WSDL", known="", hint="Name another operation."
            )
        self.answer: Any = operation.output.body
        self.documentary = operation.style == "document" and self.answer is not None

    def message(self, params: Mapping[str, Any], token: tuple[str, str, bool] | None) -> Message:
        """Write the message that asks with `params`; `token` is user, password and whether it goes as a digest.

        Raises:
            SchemaMismatch: the parameters do not fit the WSDL.
        """
        values = nested(filled(params))
        body: Any = self.operation.input.body
        wrong = shape.misfit(body, values) if body is not None else None
        if wrong:
            raise self._unfit(wrong)
        try:
            made: Any = self.operation.create(**values)
        except _ODD as error:
            raise self._unfit(str(error)) from None
        if token is not None:
            _sign(made.content, token)
        return Message(etree.tostring(made.content, encoding="utf-8", xml_declaration=True), self._headers())

    def lost(self, path: str) -> tuple[str, list[str]] | None:
        """Return the step of an answer's path that the WSDL does not know, with what it knows there."""
        steps = [step for step in path.split("/") if not step.startswith("@")]
        return None if self.answer is None else shape.lost(self.answer, steps)

    def vouches(self, path: str) -> bool:
        """Say whether the WSDL knows an answer's path to its end."""
        return self.answer is not None and shape.vouched(self.answer, path.split("/"))

    def _headers(self) -> Mapping[str, str]:
        action = self.operation.soapaction or ""
        if self.offer.version == "1.2":
            return {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
        return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}

    def _chosen(self, offers: list[Offer], options: Mapping[str, Any]) -> Offer:
        named = [one for one in offers if one.suits(options)]
        having = [one for one in named if self.name in one.binding.all()]
        if len(having) == 1:
            return having[0]
        if having:
            raise self._trouble(
                StopSource, f"operation {self.name} is offered in {len(having)} ways",
                known=_listed(map(str, having)),
                hint="Name one of them in `port`, and in `service` where that is not enough.",
            )  # fmt: skip
        if not named:
            raise self._trouble(
                StreamMissing, "the WSDL has no such service, port or binding for SOAP over HTTP",
                known=_listed(map(str, offers)), hint="Compare `service`, `port` and `binding` with it.",
            )  # fmt: skip
        known = sorted({operation for one in named for operation in one.binding.all()})
        raise self._trouble(
            StreamMissing, f"the WSDL has no operation {self.name}", known=_listed(known),
            hint="Name one of them in `operation`; one whose messages the WSDL does not declare counts as none.",
        )  # fmt: skip

    def _unfit(self, words: str) -> SourceTrouble:
        """Word the error of parameters that the WSDL does not know; zeep's words name elements and types."""
        return self._trouble(
            SchemaMismatch, f"the parameters do not fit the WSDL: {masked(words)}", known="",
            hint="Compare `params`, `since`, `until` and `paging` with `hub source check CODE --discover`.",
        )  # fmt: skip

    def _trouble(self, kind: type[SourceTrouble], got: str, *, known: str, hint: str) -> SourceTrouble:
        return kind(
            source=self.where.source, stream=self.where.stream, unit=self.where.unit, got=got, known=known, hint=hint
        )


def offers_of(shelf: Mapping[str, bytes], where: Where) -> list[Offer]:
    """Read a WSDL from the shelf and return the ways to call its operations.

    Raises:
        SchemaMismatch: zeep cannot make sense of it.
    """
    settings: Any = Settings(
        strict=True, xml_huge_tree=False, forbid_dtd=True, forbid_entities=True, forbid_external=True, force_https=False
    )
    make: Any = Document
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of messages that no operation may need; if one does, we tell
            return list(_offers(make(ENTRY, _Shelf(shelf), settings=settings)))
    except _ODD as error:
        raise SchemaMismatch(
            source=where.source, stream=where.stream, unit=where.unit,
            got=f"the WSDL makes no sense ({type(error).__name__}: {masked(str(error))})",
            hint="Ask the department for a WSDL that its own tools accept and name it in `wsdl`.",
        ) from None  # fmt: skip


_ODD = (Error, LookupError, ValueError, TypeError, AttributeError, AssertionError, RuntimeError, etree.LxmlError)
"""What zeep raises over contracts and parameters that make no sense; too deep ones are RuntimeErrors."""


class _Shelf:
    """What zeep takes for its transport: it hands out what was gathered and nothing else."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self.documents = documents

    def load(self, address: str) -> bytes:
        """Return a document.

        Raises:
            LookupError: it was not gathered; zeep asks for schemas that it knows by heart where none imports them.
        """
        try:
            return self.documents[address]
        except KeyError:
            raise LookupError("it needs the schema of SOAP's own encoding, which is not read") from None


def _offers(document: Any) -> Iterator[Offer]:
    count = 0
    for service in document.services.values():
        for port in service.ports.values():
            if isinstance(port.binding, SoapBinding):
                count += 1
                address = (port.binding_options or {}).get("address")
                yield Offer(str(service.name), str(port.name), port.binding, address)
    if count == 0:
        for binding in document.bindings.values():
            if isinstance(binding, SoapBinding):
                yield Offer("", "", binding, None)


def _sign(envelope: etree._Element, token: tuple[str, str, bool]) -> None:
    """Put a UsernameToken into a message's header (WS-Security)."""
    user, password, digest = token
    made: Any = UsernameToken
    made(user, password, use_digest=digest, zulu_timestamp=True).apply(envelope, {})


def _listed(names: Any) -> str:
    every = list(names)
    return ", ".join(every[:_SHOWN]) + (f", and {len(every) - _SHOWN} more" if len(every) > _SHOWN else "")
