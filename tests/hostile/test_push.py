"""Bodies and callers that mean harm, or are broken: refused in seconds and bounded memory, and nothing is kept."""

from __future__ import annotations

import gzip
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from hub.settings import Settings
from pipeline.routes.receiving import Room
from pipeline.runtime import Runtime
from sharedrepo.access import clients
from sharedrepo.embedded import EmbeddedServer
from tests.crash.campaign import execute
from tests.departments import ORGAN
from tests.posters import Poster
from tests.web.serving import serving
from web import protocol

LIMIT = 200_000
"""The body's limit of these tests' department."""
BODY_SECONDS = 1.5


@pytest.fixture(scope="module")
def hub(
    server: EmbeddedServer, template: str, key_ring: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runtime]:
    """A hub with little patience. All callers of this module come to it: none may leave anything behind."""
    place = tmp_path_factory.mktemp("hub")
    execute(server, f"CREATE DATABASE hostile_push TEMPLATE {template}")
    opened = Runtime.open(
        Settings(
            home=place / "home", database_url=SecretStr(server.url("hostile_push")), keys=SecretStr(key_ring),
            sources=(place / "sources",), push_body_seconds=BODY_SECONDS, push_memory=1,
        )
    )  # fmt: skip
    yield opened
    opened.engine.dispose()
    execute(server, "DROP DATABASE hostile_push WITH (FORCE)")


@pytest.fixture(scope="module")
def served_poster(hub: Runtime) -> Iterator[Poster]:
    """A department with small limits, and the hub served."""
    made = Poster(hub.settings.sources[0])
    file = made.folder / "source.yml"
    text = file.read_text(encoding="utf-8")
    options = (
        "streams:\n  PRE_APASINFO:\n    options: {record: //ROW, limits: "
        f"{{body_bytes: {LIMIT}, rows: 1000, depth: 8}}}}\n  PRE_ACCEPT:"
    )
    file.write_text(text[: text.index("streams:")] + options + " {}\n  PRE_NODE: {}\n", encoding="utf-8")
    made.token, _ = clients.make(
        hub.engine, hub.protector, code="labour-it", organ=ORGAN, rights=["push:labour"], days=1
    )
    with serving(lambda: hub) as made.at:
        yield made


@pytest.fixture
def poster(served_poster: Poster, hub: Runtime) -> Iterator[Poster]:
    """The department; whatever a test does to the hub, it serves on, and nothing is kept."""
    yield served_poster
    assert refused(served_poster.post("PRE_APASINFO", body=b"{")) == (400, "Malformed"), "it serves on"
    with hub.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM ledger.batch").scalar() == 0, "nothing is kept"


def refused(answer: requests.Response) -> tuple[int, str]:
    said = answer.json()
    return said["status"], said["type"].rpartition(":")[2]


def memory() -> int:
    """The bytes that this process, and so the server, holds in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def raw(poster: Poster, head: str, *, path: str = "/v1/records/PRE_APASINFO") -> socket.socket:
    """Connect and send the head of a post, with whatever it says more."""
    host, port = poster.at.removeprefix("http://").split(":")
    caller = socket.create_connection((host, int(port)), timeout=20)
    caller.sendall(
        f"POST {path} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {poster.token}\r\n"
        f"Content-Type: application/json\r\n{head}\r\n".encode()
    )
    return caller


def told(caller: socket.socket) -> bytes:
    """All that is answered until the server hangs up, or has answered."""
    said = b""
    try:
        while b"}" not in said and (chunk := caller.recv(65536)):
            said += chunk
    except ConnectionResetError:
        pass
    return said


# --- bodies ---


def test_a_body_of_two_gigabytes_is_refused_before_it_is_read(poster: Poster) -> None:
    before, began = memory(), time.monotonic()
    with closing(raw(poster, f"Content-Length: {2 << 30}\r\n")) as caller:
        assert b" 413 " in told(caller)
    assert time.monotonic() - began < 5
    assert memory() - before < 50 << 20


def test_a_body_without_end_is_cut_off(poster: Poster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.5)
    before, began = memory(), time.monotonic()
    with closing(raw(poster, "Transfer-Encoding: chunked\r\n")) as caller:
        with pytest.raises(ConnectionError):
            _pour(caller)
        assert time.monotonic() - began < 10
    assert memory() - before < 50 << 20


def _pour(caller: socket.socket) -> None:
    """Send two gigabytes, whatever is answered."""
    for _ in range(2 << 14):
        caller.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        time.sleep(0.001)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
     b"[" * 9 + b"]" * 9, b"[{}", b'[{"a": "', b"\xff\xfe[]", b"nonsense", b"   ", b"[1 2]", b'"text', b"{}{}"],
    ids=lambda body: repr(body[:8]) + str(len(body)),
)  # fmt: skip
def test_a_body_that_is_no_json_or_too_deep_is_refused(poster: Poster, body: bytes) -> None:
    began = time.monotonic()
    assert refused(poster.post("PRE_APASINFO", body=body)) == (400, "Malformed")
    assert time.monotonic() - began < 5


def test_more_records_than_the_limit_are_refused(poster: Poster) -> None:
    small = b"[" + b",".join([b"{}"] * 60_000) + b"]"
    assert refused(poster.post("PRE_APASINFO", body=small)) == (413, "TooLarge")
    lines = b"{}\n" * 60_000
    answer = poster.post("PRE_APASINFO", body=lines, Content_Type="application/x-ndjson")
    assert refused(answer) == (413, "TooLarge")
    assert "rows" in answer.json()["detail"]
    xml = b"<D>" + b"<ROW/>" * 30_000 + b"</D>"
    assert refused(poster.post("PRE_APASINFO", body=xml, Content_Type="application/xml")) == (413, "TooLarge")


BOMB = b'<!DOCTYPE d [<!ENTITY a "' + b"x" * 1000 + b'"><!ENTITY b "&a;&a;&a;">]><D><ROW><A>&b;</A></ROW></D>'
OUTSIDE = b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><D><ROW><A>&a;</A></ROW></D>'


@pytest.mark.parametrize(
    "body",
    [BOMB, OUTSIDE, b"<D><ROW>", b"<D>" * 100_000, b"not xml", b"<D><ROW>\x00</ROW></D>", b"\xff\xff<D/>"],
    ids=["entities", "a file of ours", "cut off", "too deep", "no XML", "a NUL", "no UTF-8"],
)
def test_xml_that_means_harm_is_refused(poster: Poster, body: bytes) -> None:
    answer = poster.post("PRE_APASINFO", body=body, Content_Type="application/xml")
    assert refused(answer)[0] in (400, 413), answer.text
    assert "root:" not in answer.text


def test_packed_bodies_and_other_forms_are_not_read(poster: Poster) -> None:
    bomb = gzip.compress(b"[" + b" " * (64 << 20) + b"]")
    before = memory()
    packed = poster.post("PRE_APASINFO", body=bomb, Content_Encoding="gzip")
    assert refused(packed) == (415, "UnsupportedForm")
    assert memory() - before < 50 << 20
    for form in ("text/html", "multipart/form-data", "application/json; charset=gbk", "", None, "x" * 5_000):
        assert refused(poster.post("PRE_APASINFO", body=b"[]", Content_Type=form)) == (415, "UnsupportedForm"), form
    xml = poster.post("PRE_NODE", body=b"<D/>", Content_Type="application/xml")
    assert refused(xml) == (415, "UnsupportedForm")
    assert "record" in xml.json()["hint"]


# --- callers ---


def test_a_length_that_lies_ends_in_time(poster: Poster) -> None:
    began = time.monotonic()
    with closing(raw(poster, "Content-Length: 1000\r\n")) as caller:
        caller.sendall(b"[]")
        assert b" 408 " in told(caller), "more was promised than comes"
    assert BODY_SECONDS * 0.8 < time.monotonic() - began < BODY_SECONDS + 5
    for wrong in ("-1", "1e3", "9" * 400, "1, 2", "0x10"):
        with closing(raw(poster, f"Content-Length: {wrong}\r\n")) as caller:
            assert told(caller).split(b" ")[1] in (b"400", b"413"), wrong
    with closing(raw(poster, "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n")) as caller:
        caller.sendall(b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert b'"ok"' not in told(caller), "no second request is smuggled in"


def test_a_body_that_is_dribbled_is_cut_off_in_time(poster: Poster) -> None:
    began = time.monotonic()
    with closing(raw(poster, "Content-Length: 100000\r\n")) as caller:
        threading.Thread(target=_dribble, args=(caller,), daemon=True).start()
        assert b" 408 " in told(caller)
    assert time.monotonic() - began < BODY_SECONDS + 5


def _dribble(caller: socket.socket) -> None:
    try:
        for _ in range(200):
            caller.sendall(b" ")
            time.sleep(0.05)
    except OSError:
        return


def test_a_caller_that_goes_away_in_the_midst_harms_nobody(poster: Poster) -> None:
    for _ in range(20):
        with closing(raw(poster, "Content-Length: 100000\r\n")) as caller:
            caller.sendall(b'[{"a": 1}, ')


def test_wrong_tokens_and_tokens_of_another_source_are_refused(poster: Poster, hub: Runtime) -> None:
    right = poster.token
    for wrong in ("", "x", right[:-1], right + "x", right.upper(), "身份", "x" * 20_000):
        poster.token = wrong.encode().decode("latin-1")
        answer = poster.post("PRE_APASINFO", {})
        assert answer.status_code in (401, 400), wrong
    poster.token, _ = clients.make(
        hub.engine, hub.protector, code="housing-it", organ=ORGAN, rights=["push:housing"], days=1
    )
    assert refused(poster.post("PRE_APASINFO?source=labour", {})) == (403, "NotAllowed")
    assert refused(poster.post("PRE_APASINFO?source=%27%3B%20DROP%20TABLE", {})) == (403, "NotAllowed")
    poster.token = right


@pytest.mark.parametrize(
    "stream", ["../../../etc/passwd", "PRE_APASINFO%00", "%2e%2e%2f", "x" * 5_000, "PRE_APASINFO%0d%0aX: y", "'--"]
)
def test_names_of_streams_lead_nowhere_else(poster: Poster, stream: str) -> None:
    answer = poster.post(stream, {})
    assert answer.status_code in (400, 404), answer.text
    assert "X" not in answer.headers
    assert "passwd" not in answer.text


@pytest.mark.parametrize(
    "line",
    ["Idempotency-Key: a\r\nIdempotency-Key: b", "Idempotency-Key: " + "x" * 201, "Idempotency-Key: 身份",
     "Idempotency-Key: a b", "Idempotency-Key:", "Record-Count: -1", "Record-Count: 1e9", "Record-Count: ٣",
     "Complete-Through: 0000-00-00", "Complete-Through: 2026-03-02T00:00:00+99:99", "Complete-Through: x\r\nX-A: b"],
)  # fmt: skip
def test_headers_that_cannot_be_are_refused(poster: Poster, line: str) -> None:
    with closing(raw(poster, f"{line}\r\nContent-Length: 2\r\n")) as caller:
        caller.sendall(b"[]")
        said = told(caller)
    assert said.split(b" ")[1] == b"400", said
    assert b"X-A" not in said


def test_a_hundred_thousand_header_lines_are_refused(poster: Poster) -> None:
    with closing(raw(poster, "")) as caller:
        try:
            caller.sendall(b"X-A: b\r\n" * 100_000)
        except ConnectionError:
            return
        assert told(caller).split(b" ")[1] in (b"400", b"408")


def test_what_does_not_fit_into_memory_is_turned_away(poster: Poster) -> None:
    """The hub of these tests holds 1 MiB of bodies: some of many at once are told to come again."""
    statuses: list[int] = []
    body = b"[" + b" " * (LIMIT - 10) + b"]"

    def call() -> None:
        with closing(raw(poster, f"Content-Length: {len(body) + 1}\r\n")) as caller:
            caller.sendall(body)  # a byte less than promised: its room stays taken until the time is over
            statuses.append(int(told(caller).split(b" ")[1]))

    callers = [threading.Thread(target=call) for _ in range(12)]
    for one in callers:
        one.start()
    for one in callers:
        one.join(30)
    assert set(statuses) == {408, 503}


def test_room_is_given_back(poster: Poster) -> None:
    room = Room(10)
    room.take(8)
    room.leave(8)
    room.take(10)


def test_odd_values_in_records_are_told_and_stop_nothing(poster: Poster) -> None:
    """Broken records would be kept in quarantine: here each stands in a body that is refused for its count."""
    odd: list[Any] = [None, 1, "x", [], {"": {"": [{}]}}, {"a": 10**30}, {"PROJID": "x" * 100_000}]
    answer = poster.post("PRE_APASINFO", body=json.dumps(odd).encode(), Record_Count="99")
    assert refused(answer) == (422, "Contradicted")
