"""The connector of kind `rest`: JSON over HTTP, page by page.

Services rarely promise an order, so the state moves only when a pull has come to its end: one that broke off begins
again where the last whole one ended, and what comes twice is unchanged.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from connectors.http import Answer, Client
from connectors.kinds.paging import Ask, Page, paging_of
from connectors.limits import Limits
from connectors.marks import back, believable, later, moment_of
from connectors.pointer import JsonFault, find, read_json
from connectors.seam import CheckItem, CheckReport, DiscoveredStream, KeyedHash, Window, fields_of
from connectors.sizes import fields_of_record
from connectors.slices import Row, cut
from connectors.source import Source, StreamSpec
from connectors.throttle import Throttle
from connectors.windows import picked
from hub.errors import (
    HostileInput,
    RefuseUnit,
    SchemaMismatch,
    SourceTrouble,
    StopSource,
    TruncatedUnit,
    WrongEncoding,
)
from hub.records import BrokenRecord, Record, Slice, Unit

_DEFAULT_SIZE = 200
_OVERRUN = 2
"""A pull that brings more than so many times the declared total never ends."""


class RestConnector:
    """Reads the declared endpoints of one service."""

    def __init__(self, source: Source, url: str, keyed_hash: KeyedHash | None = None) -> None:
        del keyed_hash  # a service has no delivered unit to be told from another
        self.source, self.url = source, url

    def read(self, stream: StreamSpec, state: Record, *, slice_size: int, full: bool) -> Iterator[Slice]:
        """Yield what is new since `state`; see `connectors.seam.Connector.read`."""
        pull = Pull(self.source, stream, self._client(stream), dict(state), full=full)
        try:
            yield from pull.slices(slice_size)
        finally:
            pull.client.close()

    def read_window(self, stream: StreamSpec, window: Window, *, slice_size: int) -> Iterator[Slice]:
        """Yield what bears a business date in the window, of all pages; see `connectors.seam.ReadsWindows`."""
        return picked(self.read(stream, {}, slice_size=slice_size, full=True), self.source, stream, window)

    def check(self) -> CheckReport:
        """Get the first page of each declared stream."""
        return CheckReport(self.source.code, tuple(self._check(stream) for stream in self.source.streams.values()))

    def _check(self, stream: StreamSpec) -> CheckItem:
        try:
            page, records = self._first(stream)
        except SourceTrouble as error:
            return CheckItem(stream.name, ok=False, message=error.got, hint=str(error))
        total = f" of {page.total:,}" if page.total is not None else ""
        return CheckItem(stream.name, ok=True, message=f"the first page has {len(records)}{total} records")

    def discover(self) -> list[DiscoveredStream]:
        """List the declared endpoints with the fields of their first page."""
        found = []
        for stream in self.source.streams.values():
            page, records = self._first(stream)
            found.append(DiscoveredStream(stream.name, fields_of(records), rows=page.total, key=stream.key))
        return found

    def _first(self, stream: StreamSpec) -> tuple[Page, list[Any]]:
        pull = Pull(self.source, stream, self._client(stream), {}, full=True)
        try:
            return next(pull.pages())
        finally:
            pull.client.close()

    def _client(self, stream: StreamSpec) -> Client:
        throttle = Throttle.of(stream, "requests")
        return Client(self.url, stream.options, source=self.source.code, stream=stream.name, throttle=throttle)


class Pull:
    """One pull of one endpoint."""

    def __init__(self, source: Source, stream: StreamSpec, client: Client, state: Record, *, full: bool) -> None:
        self.source, self.stream, self.state, self.options = source, stream, state, stream.options
        self.limits, self.client = Limits.of(self.options), client
        self.path = str(self.options.get("path", stream.name))
        self.since = None if full else state.get("cursor")
        self.newest = state.get("cursor")
        self.began = datetime.now(ZoneInfo(source.time_zone))
        self.total: int | None = None

    def slices(self, size: int) -> Iterator[Slice]:
        """Yield the slices of the pull; only the last one moves the state."""
        name = self.stream.name
        runs = cut(self._rows(), size)
        held = [next(runs)]  # the first page is in, and with it the total
        rows = self.total
        if self.stream.expect is not None and rows is None:
            held += list(runs)  # a volume bound must be judged before the first record is kept
            rows = held[-1].count
        unit = Unit(self.path, declared={} if self.total is None else {"records": self.total}, rows=rows)
        for run in itertools.chain(held, runs):
            after = dict(self.state)
            if run.last and self.newest is not None:
                after = {"cursor": self.newest}
            yield Slice(
                name, run.records, run.rows, after, unit, unit_ends=run.last, broken=run.broken, last=run.last
            )  # fmt: skip

    def _rows(self) -> Iterator[Row]:
        number = 0
        for _, records in self.pages():
            for record in records:
                number += 1
                if not isinstance(record, dict):
                    raw = orjson.dumps(record).decode()
                    yield number, BrokenRecord(number, "unreadable_record", f"record {number} is no JSON object", raw)
                    continue
                if (count := fields_of_record(record, self.limits.columns)) > self.limits.columns:
                    raise self._trouble(HostileInput, f"record {number} has {count:,} fields or more")
                self._note(record)
                yield number, record

    def pages(self) -> Iterator[tuple[Page, list[Any]]]:
        """Yield each page with its records.

        Raises:
            SourceTrouble: a page cannot be had, or the pages never end.
        """
        paging = paging_of(self._paging())
        ask: Ask | None = paging.first(Ask(self.path, self._params()))
        seen: set[int] = set()
        asked: set[int] = set()
        count = pages = 0
        while ask is not None:
            question = hash(orjson.dumps([ask.path, sorted(ask.params.items(), key=str)]))
            page, records = self._page(ask, count)
            pages, count = pages + 1, count + len(records)
            if question in asked or (records and hash(orjson.dumps(records)) in seen):
                raise self._trouble(
                    SchemaMismatch, f"page {pages} repeats an earlier page",
                    hint="Compare `paging` with the service's manual: it may not know the parameter.",
                )  # fmt: skip
            asked.add(question)
            seen.add(hash(orjson.dumps(records)))
            if pages > self.limits.pages or count > self.limits.rows or self._overruns(count):
                raise self._trouble(HostileInput, f"the pages do not end: {count:,} records on {pages:,} pages")
            yield page, records
            ask = paging.next(ask, page)

    def _overruns(self, count: int) -> bool:
        return self.total is not None and count > _OVERRUN * self.total + self.limits.columns

    def _paging(self) -> Mapping[str, Any]:
        declared = dict(self.options.get("paging", {}))
        if declared.get("size_param"):
            declared.setdefault("size", _DEFAULT_SIZE)
        return declared

    def _page(self, ask: Ask, before: int) -> tuple[Page, list[Any]]:
        answer, document = self.client.get(ask.path, ask.params, lambda got: (got, self._document(got)))
        self._succeeded(document, answer)
        records = self._at(document, self.options.get("records", ""), answer, "records")
        if not isinstance(records, list):
            raise self._trouble(SchemaMismatch, "the records are no array", answer.path)
        if "total" in self.options:
            total = self._at(document, self.options["total"], answer, "total")
            if isinstance(total, bool) or not isinstance(total, int):
                raise self._trouble(SchemaMismatch, "the declared total is no whole number", answer.path)
            self.total = total if self.total is None else self.total
        return Page(answer, document, len(records), before + len(records), self.total), records

    def _document(self, answer: Answer) -> Any:
        """Parse an answer; one that ends too early is tried again before it is refused."""
        kind = answer.headers.get("Content-Type", "").lower()
        try:
            return read_json(_text(answer.body, kind), self.limits.depth)
        except UnicodeDecodeError as error:
            raise self._trouble(WrongEncoding, f"the answer is no text in {error.encoding}", answer.path) from None
        except JsonFault as fault:
            if fault.unsafe:
                raise self._trouble(HostileInput, str(fault), answer.path) from None
            if "html" in kind or answer.body.lstrip()[:1] == b"<":
                raise self._trouble(
                    SchemaMismatch, "the answer is a web page, not JSON", answer.path,
                    hint="It may be a log-in page: check the address and the credentials in the connection.",
                ) from None  # fmt: skip
            raise self._trouble(TruncatedUnit if fault.cut else RefuseUnit, str(fault), answer.path) from None

    def _succeeded(self, document: Any, answer: Answer) -> None:
        declared = self.options.get("success")
        if declared is None:
            return
        said = self._at(document, declared["pointer"], answer, "success")
        if said not in declared["values"]:
            shown = said if isinstance(said, int | bool) else "another value"
            raise self._trouble(
                StopSource, f"the service says {declared['pointer']} = {shown}", answer.path,
                known=", ".join(map(str, declared["values"])), hint="Ask the department what this answer means.",
            )  # fmt: skip

    def _at(self, document: Any, pointer: str, answer: Answer, option: str) -> Any:
        try:
            return find(document, pointer)
        except KeyError:
            known = ", ".join(list(document)[:20]) if isinstance(document, dict) else type(document).__name__
            raise self._trouble(
                SchemaMismatch, f"the answer has nothing at {pointer or 'its root'} (option `{option}`)", answer.path,
                known=known,
            ) from None  # fmt: skip

    def _params(self) -> dict[str, Any]:
        params = dict(self.options.get("params", {}))
        since, until = self.options.get("since"), self.options.get("until")
        if since and self.since is not None and self.stream.cursor is not None:
            start = back(self.since, self.stream.cursor, source=self.source.code, stream=self.stream.name)
            params[since["param"]] = self._formed(start, since.get("format", "as_is"))
        if until:
            params[until["param"]] = self._formed(self.began.isoformat(), until.get("format", "iso"))
        return params

    def _formed(self, value: Any, form: str) -> Any:
        """Return a cursor value in the form that the service's parameter takes."""
        moment = None if form == "as_is" else moment_of(value, self.source.time_zone)
        if moment is None:
            return value
        if form == "iso":
            return moment.isoformat(timespec="seconds")
        if form == "local":
            return moment.astimezone(ZoneInfo(self.source.time_zone)).strftime("%Y-%m-%d %H:%M:%S")
        return int(moment.timestamp() * (1000 if form == "epoch_ms" else 1))

    def _note(self, record: Record) -> None:
        """Let the cursor follow a record, unless its value lies beyond tomorrow."""
        if self.stream.cursor is None:
            return
        field = self.stream.cursor.field
        try:
            value = find(record, field) if field.startswith("/") else record.get(field)
        except KeyError:
            return
        if value is None or isinstance(value, bool | dict | list) or not believable(value, self.source.time_zone):
            return
        self.newest = self._later(value)

    def _later(self, value: Any) -> Any:
        if type(value) is not type(self.newest):
            return value if self.newest is None else self.newest
        one, other = (moment_of(each, self.source.time_zone) for each in (value, self.newest))
        if one is not None and other is not None:
            return value if one >= other else self.newest
        return later(value, self.newest, as_text=isinstance(value, str))

    def _trouble(
        self, kind: type[SourceTrouble], got: str, unit: str | None = None, *, known: str = "", hint: str = ""
    ) -> SourceTrouble:
        return kind(
            source=self.source.code, stream=self.stream.name, unit=unit or self.path, got=got, known=known, hint=hint
        )


def _text(body: bytes, kind: str) -> bytes | str:
    """Return a body for parsing; JSON is UTF-8 (RFC 8259) unless the answer says that it is a Chinese encoding."""
    if "charset=gb" in kind.replace(" ", "").replace('"', ""):
        return body.decode("gb18030", "strict")
    body.decode("utf-8", "strict")
    return body.removeprefix(b"\xef\xbb\xbf")
