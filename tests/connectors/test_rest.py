"""Kind rest, against a real HTTP server on a free port: paging, patience, and every way an answer can be broken."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.source import Cursor, Expect, StreamSpec
from hub.errors import (
    HostileInput,
    RefuseUnit,
    RetrySource,
    SchemaMismatch,
    SourceUnreachable,
    StopSource,
    StreamMissing,
    TruncatedUnit,
    WrongCredentials,
    WrongEncoding,
)
from hub.records import Record, Slice
from kit.suite.loopback import Quiet, serving
from tests.connectors.parts import opened, pull, records, stream

Reply = tuple[int, dict[str, str], bytes]


class Service:
    """A service whose answers a test writes as a function of path and parameters."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.answer: Callable[[str, dict[str, str]], Reply | Any] = lambda _path, _params: []

    def handler(self) -> type[Quiet]:
        service = self

        class Handler(Quiet):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                params = dict(parse_qsl(parts.query))
                service.asked.append((parts.path, params, dict(self.headers)))
                reply = service.answer(parts.path, params)
                if callable(reply):
                    reply(self)
                    self.close_connection = True
                    return
                status, headers, body = reply if isinstance(reply, tuple) else (200, {}, json.dumps(reply).encode())
                self.say(status, {"Content-Type": "application/json", **headers}, body)

        return Handler


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    with serving(lambda _own: made.handler()) as own:
        made.url = f"http://{own}"
        yield made


def rest(cursor: Cursor | None = None, expect: Expect | None = None, **options: Any) -> StreamSpec:
    return stream("cases", cursor=cursor, expect=expect, **{"backoff": 0.01, "attempts": 3, **options})


def take(service: Service, one: StreamSpec, state: Record | None = None, **more: Any) -> list[Slice]:
    return pull("rest", service.url, one, state, **more)


def ids(slices: list[Slice]) -> list[int]:
    return [record["id"] for record in records(slices)]


ALL = [{"id": number} for number in range(25)]


# --- paging


def test_one_answer_may_hold_all(service: Service) -> None:
    service.answer = lambda _path, _params: {"data": {"items": ALL, "total": 25}}
    slices = take(service, rest(path="api/v1/cases", records="/data/items", total="/data/total"), size=10)
    assert ids(slices) == list(range(25))
    assert [piece.read for piece in slices] == [10, 10, 5]
    assert [row for piece in slices for row in piece.rows] == list(range(1, 26))
    unit = slices[0].unit
    assert unit is not None
    assert (unit.name, unit.rows, dict(unit.declared)) == ("api/v1/cases", 25, {"records": 25})
    assert service.asked[0][0] == "/api/v1/cases"


@pytest.mark.parametrize("stop", ["empty", "short"])
@pytest.mark.parametrize("style", ["page", "offset"])
def test_pages_by_number_and_by_offset(service: Service, style: str, stop: str) -> None:
    def answer(_path: str, params: dict[str, str]) -> list[Record]:
        size = int(params["size"])
        start = (int(params["at"]) - 1) * size if style == "page" else int(params["at"])
        return ALL[start : start + size]

    service.answer = answer
    slices = take(service, rest(paging={"style": style, "param": "at", "size_param": "size", "size": 10, "stop": stop}))
    assert ids(slices) == list(range(25))
    assert len(service.asked) == (3 if stop == "short" else 4)


def test_a_service_that_holds_its_pages_shorter_loses_nothing(service: Service) -> None:
    service.answer = lambda _path, params: ALL[int(params["offset"]) :][:7]
    assert ids(take(service, rest(paging={"style": "offset", "size_param": "limit", "size": 10}))) == list(range(25))


def test_the_total_ends_the_pull_without_an_empty_page(service: Service) -> None:
    service.answer = lambda _path, params: {"n": 25, "rows": ALL[(int(params["page"]) - 1) * 5 :][:5]}
    assert ids(take(service, rest(paging={"style": "page"}, records="/rows", total="/n"))) == list(range(25))
    assert len(service.asked) == 5


def test_pages_by_token(service: Service) -> None:
    def answer(_path: str, params: dict[str, str]) -> Record:
        start = int(params.get("after", 0))
        return {"rows": ALL[start : start + 10], "next": str(start + 10) if start + 10 < 25 else None}

    service.answer = answer
    slices = take(service, rest(records="/rows", paging={"style": "cursor", "param": "after", "next": "/next"}))
    assert ids(slices) == list(range(25))


def test_pages_by_link(service: Service) -> None:
    def answer(_path: str, params: dict[str, str]) -> Reply:
        start = int(params.get("from", 0))
        link = f'<{service.url}/cases?from={start + 10}>; rel="next", </cases>; rel="first"'
        return 200, {"Link": link} if start + 10 < 25 else {}, json.dumps(ALL[start : start + 10]).encode()

    service.answer = answer
    assert ids(take(service, rest(paging={"style": "link"}))) == list(range(25))


def test_a_link_to_another_host_is_never_followed(service: Service) -> None:
    service.answer = lambda _path, _params: (200, {"Link": '<http://127.0.0.1:1/steal>; rel="next"'}, b'[{"id": 1}]')
    with pytest.raises(HostileInput, match="leads to another host"):
        take(service, rest(paging={"style": "link"}))


@pytest.mark.parametrize("records_differ", [False, True])
def test_pages_that_repeat_or_never_end_are_told(service: Service, records_differ: bool) -> None:
    count = iter(range(10_000))
    service.answer = lambda _path, _params: {"n": 5, "rows": [{"id": next(count) if records_differ else 1}] * 3}
    one = rest(paging={"style": "page"}, records="/rows", limits={"pages": 50})
    error = HostileInput if records_differ else SchemaMismatch
    with pytest.raises(error, match=r"do not end|repeats an earlier page"):
        take(service, one)


def test_a_declared_total_bounds_an_endless_service(service: Service) -> None:
    count = iter(range(10_000_000))
    service.answer = lambda _path, params: {
        "n": 10, "next": params.get("after", "") + "x", "rows": [{"id": next(count)} for _ in range(3000)],
    }  # fmt: skip
    one = rest(paging={"style": "cursor", "param": "after", "next": "/next"}, records="/rows", total="/n")
    with pytest.raises(HostileInput, match="do not end"):
        take(service, one)


# --- what is new


def test_the_cursor_moves_only_when_the_pull_has_ended(service: Service) -> None:
    rows = [{"id": number, "at": f"2026-01-05T08:{number:02}:00+08:00"} for number in range(25)]
    service.answer = lambda _path, _params: rows
    one = rest(Cursor("at", timedelta(minutes=5)), since={"param": "since"})
    slices = take(service, one, {"cursor": "2026-01-05T07:00:00+08:00"}, size=10)
    assert service.asked[0][1] == {"since": "2026-01-05 06:55:00+08:00"}
    assert [piece.state["cursor"][11:16] for piece in slices] == ["07:00", "07:00", "08:24"]
    assert take(service, one, full=True) != []
    assert service.asked[-1][1] == {}, "a full pull asks for everything"


@pytest.mark.parametrize(
    ("form", "sent"),
    [
        ("iso", "2026-01-05T08:00:00+08:00"),
        ("local", "2026-01-05 08:00:00"),
        ("epoch_s", "1767571200"),
        ("epoch_ms", "1767571200000"),
    ],
)
def test_the_cursor_is_sent_in_the_form_that_the_service_takes(service: Service, form: str, sent: str) -> None:
    one = rest(Cursor("at"), since={"param": "since", "format": form}, until={"param": "until", "format": form})
    take(service, one, {"cursor": "2026-01-05T08:00:00+08:00"})
    assert service.asked[0][1]["since"] == sent
    assert service.asked[0][1]["until"] > sent
    take(service, one, {"cursor": 1767571200000})
    assert service.asked[-1][1]["since"] == sent


def test_milliseconds_look_back_and_ignore_the_future(service: Service) -> None:
    future = int((datetime.now(UTC) + timedelta(days=900)).timestamp() * 1000)
    service.answer = lambda _path, _params: [
        {"id": 1, "at": 1767571200000},
        {"id": 2, "at": future},
        {"id": 3, "at": None},
    ]
    one = rest(Cursor("at", timedelta(minutes=10)), since={"param": "since"})
    slices = take(service, one)
    assert len(records(slices)) == 3
    assert slices[-1].state == {"cursor": 1767571200000}
    take(service, one, slices[-1].state)
    assert service.asked[-1][1] == {"since": str(1767571200000 - 600_000)}


def test_an_empty_pull_leaves_the_cursor_where_it_was(service: Service) -> None:
    (piece,) = take(service, rest(Cursor("at")), {"cursor": "2026-01-01"})
    assert (piece.read, piece.state, piece.last) == (0, {"cursor": "2026-01-01"}, True)


def test_a_volume_bound_counts_before_the_first_record_is_kept(service: Service) -> None:
    service.answer = lambda _path, params: ALL[int(params["offset"]) :][:10]
    slices = take(service, rest(expect=Expect(100), paging={"style": "offset"}), size=10)
    assert slices[0].unit is not None
    assert slices[0].unit.rows == 25


# --- who asks


@pytest.mark.parametrize(
    ("secret", "auth", "header", "value"),
    [
        (":T%40ken", {}, "Authorization", "Bearer T@ken"),
        ("Token", {}, "Authorization", "Bearer Token"),
        ("user:pw", {}, "Authorization", "Basic dXNlcjpwdw=="),
        (":T", {"style": "header", "name": "X-Key"}, "X-Key", "T"),
    ],
)
def test_the_secret_goes_into_a_header_only(
    service: Service, secret: str, auth: dict[str, str], header: str, value: str
) -> None:
    url = service.url.replace("//", f"//{secret}@")
    pull("rest", url, rest(auth=auth) if auth else rest())
    path, params, headers = service.asked[0]
    assert headers[header] == value
    assert "T" not in path
    assert params == {}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, WrongCredentials), (403, WrongCredentials), (404, StreamMissing), (410, StreamMissing),
        (302, SourceUnreachable), (400, SchemaMismatch), (422, SchemaMismatch), (418, StopSource),
    ],
)  # fmt: skip
def test_answers_that_waiting_does_not_mend_stop_at_once(service: Service, status: int, error: type[Exception]) -> None:
    service.answer = lambda _path, _params: (status, {"Location": "http://127.0.0.1:1/"}, b"no")
    with pytest.raises(error, match=rf"source probe, stream cases, /cases: the service answered {status}"):
        pull("rest", service.url.replace("//", "//:TopSecret@"), rest())
    assert len(service.asked) == 1


def test_no_error_shows_the_secret(service: Service) -> None:
    for url in ("http://:TopSecret@127.0.0.1:1", "ftp://:TopSecret@x", "http://:TopSecret@x/?token=TopSecret"):
        with pytest.raises(StopSource) as caught:
            pull("rest", url, rest(attempts=1))
        assert "TopSecret" not in repr(caught.value)
        assert "TopSecret" not in repr(caught.value.__cause__)


# --- patience


def test_a_busy_service_is_asked_again(service: Service) -> None:
    replies = iter([(503, {}, b""), (429, {"Retry-After": "0"}, b""), (200, {}, b'[{"id": 1}]')])
    service.answer = lambda _path, _params: next(replies)
    assert ids(take(service, rest())) == [1]


def test_retry_after_is_kept_in_seconds_and_as_a_date(service: Service) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    replies = iter([(429, {"Retry-After": "1"}, b""), (503, {"Retry-After": soon}, b""), (200, {}, b"[]")])
    service.answer = lambda _path, _params: next(replies)
    began = time.monotonic()
    take(service, rest())
    assert 1.9 < time.monotonic() - began < 6


def test_a_wait_that_is_too_long_ends_the_pull_and_says_how_long(service: Service) -> None:
    service.answer = lambda _path, _params: (429, {"Retry-After": "3600"}, b"")
    with pytest.raises(RetrySource) as caught:
        take(service, rest(longest_wait=5))
    assert caught.value.after_seconds == 3600
    assert len(service.asked) == 1


def test_a_service_that_stays_busy_is_given_up(service: Service) -> None:
    service.answer = lambda _path, _params: (500, {}, b"")
    with pytest.raises(RetrySource, match="answered 500"):
        take(service, rest())
    assert len(service.asked) == 3


def test_nothing_that_answers_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SourceUnreachable, match=rf"nothing answers at 127\.0\.0\.1:{port}"):
        pull("rest", f"http://127.0.0.1:{port}", rest(attempts=2))


def test_slow_answers_are_given_up(service: Service) -> None:
    def stall(_path: str, _params: dict[str, str]) -> Callable[[BaseHTTPRequestHandler], None]:
        return lambda _handler: time.sleep(1)

    service.answer = stall
    with pytest.raises(RetrySource, match=r"no answer within 0\.2 s|broke off"):
        take(service, rest(timeout=0.2, attempts=1))


def test_an_answer_that_drips_is_given_up(service: Service) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        try:
            for _ in range(100):
                handler.wfile.write(b"1\r\n \r\n")
                time.sleep(0.05)
        except OSError:
            return

    service.answer = lambda _path, _params: drip
    with pytest.raises(RetrySource, match=r"took more than 0\.3 s"):
        take(service, rest(deadline=0.3, attempts=1))


# --- broken answers: nothing of the slice is kept


def test_half_a_page_keeps_nothing_of_its_slice(service: Service) -> None:
    body = json.dumps(ALL[:10]).encode()

    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:40])

    service.answer = lambda _path, params: cut if params["page"] == "3" else ALL[(int(params["page"]) - 1) * 10 :][:10]
    one = rest(paging={"style": "page"})
    got: list[Slice] = []
    with pytest.raises(RetrySource, match="broke off"):
        got.extend(opened("rest", service.url, one).read(one, {}, slice_size=15, full=False))
    assert [(piece.read, piece.state) for piece in got] == [(15, {})], "the slice that was being filled is gone"
    assert len(service.asked) == 2 + 3


@pytest.mark.parametrize(
    ("body", "headers", "error", "words"),
    [
        (b'[{"id": 1}, {"id"', {}, TruncatedUnit, "ends too early"),
        (b"", {}, TruncatedUnit, "ends too early"),
        (b"[nonsense]", {}, RefuseUnit, "no JSON"),
        (b"<html>log in</html>", {"Content-Type": "text/html"}, SchemaMismatch, "web page"),
        (b'{"error": "x"}', {}, SchemaMismatch, "no array"),
        (b'["\xff"]', {}, WrongEncoding, "no text in utf-8"),
        (b"[" * 100_000 + b"]" * 100_000, {}, HostileInput, "deeper than 64"),
        (b'[{"a": ' * 50 + b"1" + b"}]" * 50, {}, HostileInput, "deeper than 64"),
    ],
)
def test_answers_that_are_not_what_was_declared(
    service: Service, body: bytes, headers: dict[str, str], error: type[Exception], words: str
) -> None:
    service.answer = lambda _path, _params: (200, headers, body)
    with pytest.raises(error, match=words) as caught:
        take(service, rest())
    assert type(caught.value) is error


def test_missing_parts_of_an_answer_name_those_that_are_there(service: Service) -> None:
    service.answer = lambda _path, _params: {"code": 0, "data": []}
    with pytest.raises(SchemaMismatch, match=r"nothing at /rows .option `records`. \(known: code, data\)"):
        take(service, rest(records="/rows"))
    with pytest.raises(SchemaMismatch, match="total is no whole number"):
        take(service, rest(records="/data", total="/data"))


def test_a_service_that_says_no_in_its_answer_is_heard(service: Service) -> None:
    service.answer = lambda _path, _params: {"code": 40301, "data": []}
    with pytest.raises(StopSource, match="/code = 40301"):
        take(service, rest(records="/data", success={"pointer": "/code", "values": [0, 200]}))


def test_answers_too_large_are_refused_packed_ones_too(service: Service) -> None:
    bomb = gzip.compress(b'["' + b"x" * 50_000_000 + b'"]')
    service.answer = lambda _path, _params: (200, {"Content-Encoding": "gzip"}, bomb)
    with pytest.raises(HostileInput, match="more than 1,000,000 bytes"):
        take(service, rest(limits={"body_bytes": 1_000_000}))


def test_numbers_keep_all_their_digits(service: Service) -> None:
    service.answer = lambda _path, _params: (200, {}, b'[{"a": 330102199001011234, "b": 123456789012345678901234}]')
    assert records(take(service, rest())) == [{"a": 330102199001011234, "b": "123456789012345678901234"}]


def test_records_that_are_no_objects_are_broken(service: Service) -> None:
    service.answer = lambda _path, _params: [{"id": 1}, 7, {"id": 2}]
    (piece,) = take(service, rest())
    assert ids([piece]) == [1, 2]
    assert [(one.row, one.rule, one.raw) for one in piece.broken] == [(2, "unreadable_record", "7")]


def test_check_and_discover(service: Service) -> None:
    service.answer = lambda path, _params: ALL if path == "/cases" else (404, {}, b"")
    connector = opened("rest", service.url, rest(), stream("gone", attempts=1))
    report = connector.check()
    assert [(item.stream, item.ok) for item in report.items] == [("cases", True), ("gone", False)]
    assert "first page has 25 records" in report.items[0].message
    (found,) = opened("rest", service.url, rest()).discover()
    assert [(field.name, field.type) for field in found.fields] == [("id", "integer")]
