"""The connector of kind `soap`: one operation of a WSDL, called page by page.

Paging, cursor, volume and the guard against pages without end are those of kind `rest`; what differs is how a page is
asked for and read. The state moves only when a pull has come to its end, and nothing of a broken page is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

from connectors.kinds.files.where import Where
from connectors.kinds.paging import Ask, Page
from connectors.kinds.rest import Pull
from connectors.kinds.soap import shape
from connectors.kinds.soap.answer import AnswerReader
from connectors.kinds.soap.contract import Contract, Offer, offers_of
from connectors.kinds.soap.documents import gathered
from connectors.kinds.soap.wire import Wire
from connectors.limits import MIB
from connectors.seam import CheckItem, CheckReport, DiscoveredStream, KeyedHash, Window
from connectors.source import Source, StreamSpec
from connectors.throttle import Throttle
from connectors.windows import picked
from hub.errors import SchemaMismatch, SourceTrouble
from hub.records import Record, Slice

_BODY = 16 * MIB
"""The size of an answer unless the stream says otherwise: of XML more becomes than of JSON."""
_DIGITS = 15
"""No declared total has more."""


class SoapConnector:
    """Calls the declared operations of one service."""

    def __init__(self, source: Source, url: str, keyed_hash: KeyedHash | None = None) -> None:
        del keyed_hash  # a service has no delivered unit to be told from another
        self.source, self.url = source, url

    def read(self, stream: StreamSpec, state: Record, *, slice_size: int, full: bool) -> Iterator[Slice]:
        """Yield what is new since `state`; see `connectors.seam.Connector.read`."""
        with self._pulling(stream, state, full=full) as pull:
            yield from pull.slices(slice_size)

    def read_window(self, stream: StreamSpec, window: Window, *, slice_size: int) -> Iterator[Slice]:
        """Yield what bears a business date in the window, of all answers; see `connectors.seam.ReadsWindows`."""
        return picked(self.read(stream, {}, slice_size=slice_size, full=True), self.source, stream, window)

    def check(self) -> CheckReport:
        """Load the WSDL and get the first page of each declared stream."""
        return CheckReport(self.source.code, tuple(self._check(stream) for stream in self.source.streams.values()))

    def _check(self, stream: StreamSpec) -> CheckItem:
        try:
            with self._pulling(stream, {}, full=True) as pull:
                page, records = next(pull.pages())
                way = pull.contract.offer
        except SourceTrouble as error:
            return CheckItem(stream.name, ok=False, message=error.got, hint=str(error))
        total = f" of {page.total:,}" if page.total is not None else ""
        message = f"operation {pull.path} of {way} answers; the first page has {len(records)}{total} records"
        return CheckItem(stream.name, ok=True, message=message)

    def discover(self) -> list[DiscoveredStream]:
        """List the operations of the WSDL, each with what it takes (`in/…`) and what it answers (`out/…`)."""
        found: dict[str, DiscoveredStream] = {}
        for wsdl in {stream.options.get("wsdl"): stream for stream in self.source.streams.values()}.values():
            with self._pulling(wsdl, {}, full=True) as pull:
                for offer in pull.offers:
                    for name, operation in offer.binding.all().items():
                        found.setdefault(name, DiscoveredStream(name, _fields(operation)))
        return [found[name] for name in sorted(found)]

    @contextmanager
    def _pulling(self, stream: StreamSpec, state: Record, *, full: bool) -> Iterator[_SoapPull]:
        pull = _SoapPull(self.source, stream, self.url, dict(state), full=full)
        try:
            yield pull
        finally:
            pull.client.close()


class _SoapPull(Pull):
    """One pull of one operation; its WSDL is read once."""

    def __init__(self, source: Source, stream: StreamSpec, url: str, state: Record, *, full: bool) -> None:
        declared = replace(stream, options=_completed(stream.options))
        self.wire = Wire(
            url, declared.options, source=source.code, stream=stream.name, throttle=Throttle.of(stream, "requests")
        )
        super().__init__(source, declared, self.wire, state, full=full)
        self.path = str(self.options.get("operation", stream.name))

    @cached_property
    def offers(self) -> list[Offer]:
        """The ways that the WSDL offers to call its operations."""
        where = Where(self.source.code, self.stream.name, "WSDL")
        shelf = gathered(self.source, self.options.get("wsdl"), self.wire, where, self.limits.body_bytes)
        return offers_of(shelf, where)

    @cached_property
    def contract(self) -> Contract:
        """The operation that the stream calls.

        Raises:
            SourceTrouble: there is none, or its answers have no such paths as the stream declares.
        """
        made = Contract(self.offers, self.options, self.path, Where(self.source.code, self.stream.name, "WSDL"))
        for option, path in self._paths():
            lost = made.lost(path)
            if lost is not None:
                raise self._trouble(
                    SchemaMismatch, f"the answer of {self.path} has no {lost[0]!r} (option `{option}`)", "WSDL",
                    known=", ".join(lost[1][:20]),
                )  # fmt: skip
        return made

    @cached_property
    def reader(self) -> AnswerReader:
        """The reader of the operation's answers."""
        named = str(self.contract.answer.qname.localname) if self.contract.documentary else None
        where = Where(self.source.code, self.stream.name, self.path)
        vouched = "document" not in self.options and self.contract.vouches(self.options["records"])
        return AnswerReader(self.options, self.limits, where, named=named, vouched=vouched, secrets=self.wire.secrets())

    def _paths(self) -> Iterator[tuple[str, str]]:
        """Yield the paths of an answer that a stream declares; those in a document within are in no WSDL."""
        if "document" in self.options:
            yield "document", self.options["document"]
            return
        yield "records", self.options["records"]
        if "total" in self.options:
            yield "total", self.options["total"]
        if "success" in self.options:
            yield "success", self.options["success"]["path"]
        if "next" in self.options.get("paging", {}):
            yield "paging", self.options["paging"]["next"]

    def _paging(self) -> Mapping[str, Any]:
        declared = dict(super()._paging())
        return {**declared, "next": "/next"} if "next" in declared else declared

    def _page(self, ask: Ask, before: int) -> tuple[Page, list[Any]]:
        message = self.contract.message(ask.params, self._token())
        address, reader = self.contract.offer.address, self.reader
        answer, reading = self.wire.post(address, message.body, message.headers, lambda got: (got, reader.read(got)))
        count = len(reading.records)
        if "total" in self.options and self.total is None:
            self.total = self._count(reading.texts.get("total"))
        page = Page(answer, {"next": (reading.texts.get("next") or "").strip()}, count, before + count, self.total)
        return page, reading.records

    def _token(self) -> tuple[str, str, bool] | None:
        security = self.options.get("security")
        return None if security is None else (*self.wire.credentials(), security == "username_token_digest")

    def _count(self, text: str | None) -> int:
        stripped = (text or "").strip()
        if not (stripped.isascii() and stripped.isdigit()) or len(stripped) > _DIGITS:
            raise self._trouble(SchemaMismatch, "the declared total is no whole number (option `total`)")
        return int(stripped)


def _completed(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Lay a stream's options over the defaults of this kind: a token in the message needs no header as well."""
    limits = {"body_bytes": _BODY, **options.get("limits", {})}
    auth = options.get("auth", {"style": "none"} if "security" in options else {})
    return {**options, "limits": limits, "auth": auth}


def _fields(operation: Any) -> tuple[Any, ...]:
    asks = shape.fields(operation.input.body, "in") if operation.input and operation.input.body is not None else ()
    has = operation.output and operation.output.body is not None
    return (*asks, *(shape.fields(operation.output.body, "out") if has else ()))
