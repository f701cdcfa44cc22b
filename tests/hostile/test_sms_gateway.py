"""SMS gateways that lie, hang, drip, redirect or answer with 500 MB; callbacks of strangers and of foreign ids."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import requests
import sqlalchemy as sa

from demo.services.phones import Phones
from supervision.notices import receipts
from supervision.notices.template import Receipts
from tests.supervision.notices.conftest import Office, described, notice, office, phones
from tests.verification.receiver import receiving, speaking
from tests.web.serving import serving

__all__ = ["office", "phones"]
PASSWORD = "receipt-password"
YES = b'{"code": 0, "msgid": "fake-1"}'


def became(office: Office, at: str, **changes: str) -> dict[str, Any]:
    """Send one notice to a gateway at an address that can do nothing for us, and return its row."""
    file = (
        f"name: bad\nseconds: 1\nsend:\n  url: {at}\n  body: 'to={{phone}}'\n  taken: '\"code\": 0\\b'\n"
        '  number: \'"msgid": "([^"]*)"\'\n  refused: \'black\'\n'
    )
    office.queue(notice())
    begun = time.monotonic()
    asyncio.run(office.sender(file, **changes).round())
    assert time.monotonic() - begun < 30, "it hangs"
    (row,) = office.rows()
    return row


@pytest.mark.parametrize(
    ("status", "body", "state", "fault"),
    [
        (200, b'{"code": 13, "msg": "no money"}', "waiting", "no_success"),
        (200, b"", "waiting", "no_success"),
        (200, b"\xff\xfe\x00", "waiting", "no_success"),
        (200, b'"code": 0' + b"0" * 10, "waiting", "no_success"),
        (200, b"on the black list", "given_up", "refused"),
        (404, YES, "waiting", "status_404"),
        (429, YES, "waiting", "status_429"),
        (500, YES, "doubtful", "status_500"),
        (204, b"", "waiting", "no_success"),
    ],
)
def test_a_lie_is_no_yes_and_what_nobody_can_say_is_doubtful(
    office: Office, status: int, body: bytes, state: str, fault: str
) -> None:
    with receiving(status=status, body=body) as gateway:
        row = became(office, gateway.at)
    assert (row["state"], row["fault"], len(gateway.got)) == (state, fault, 1)


def test_a_redirection_leads_no_phone_elsewhere(office: Office) -> None:
    with receiving() as inner, receiving(status=307, headers={"Location": inner.at}) as gateway:
        row = became(office, gateway.at)
        assert (row["state"], row["fault"], inner.got) == ("waiting", "redirected", [])


def test_of_500_megabytes_64_kilobytes_are_read(office: Office) -> None:
    asked: list[int] = []

    def flood(line: socket.socket) -> None:
        line.recv(4096)
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 524288000\r\n\r\n" + YES)
        piece = b"x" * 65536
        with suppress(OSError):
            for _ in range(8000):
                line.sendall(piece)
                asked.append(len(piece))

    tracemalloc.start()
    try:
        with speaking(flood) as at:
            row = became(office, at)
        assert tracemalloc.get_traced_memory()[1] < 30 << 20
    finally:
        tracemalloc.stop()
    assert row["state"] == "sent", "its beginning says yes"
    assert sum(asked) < 50 << 20


def test_a_flood_without_a_yes_is_doubtful(office: Office) -> None:
    with receiving(status=200, body=b"x" * (1 << 20)) as gateway:
        row = became(office, gateway.at)
    assert (row["state"], row["fault"]) == ("doubtful", "cut_off")


def _hang(line: socket.socket) -> None:
    line.recv(4096)
    with suppress(OSError):
        line.recv(4096)


def _drip(line: socket.socket) -> None:
    with suppress(OSError):
        for one in b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n" + YES:
            line.send(bytes([one]))
            time.sleep(0.1)


def _endless_head(line: socket.socket) -> None:
    with suppress(OSError):
        line.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            line.sendall(b"X: " + b"y" * 1000 + b"\r\n")


def _rubbish(line: socket.socket) -> None:
    with suppress(OSError):
        line.recv(4096)
        line.sendall(b"220 mail ESMTP\r\n\r\n")


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        line.recv(4096)
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")


@pytest.mark.parametrize("manner", [_hang, _drip, _endless_head, _rubbish, _cut], ids=lambda one: one.__name__)
def test_bad_gateways_cost_a_second_and_leave_the_text_doubtful(
    office: Office, manner: Callable[[socket.socket], None]
) -> None:
    with speaking(manner) as at:
        row = became(office, at)
    assert row["state"] == "doubtful", row["fault"]


def test_a_number_that_a_gateway_gives_is_short_and_printable_or_none(office: Office) -> None:
    for body in (b'{"code": 0, "msgid": "%s"}' % (b"9" * 500), b'{"code": 0, "msgid": "a\x07b"}'):
        with receiving(status=200, body=body) as gateway:
            row = became(office, gateway.at)
        assert (row["state"], row["gateway_number"]) == ("sent", None)
        with office.runtime.engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM supervision.notice"))


def test_a_gateway_that_contradicts_itself_when_asked_is_not_believed(office: Office, phones: Phones) -> None:
    both = b'{"DELIVRD": 1, "NOTFOUND": "DELIVRD" "NOTFOUND"}'
    with receiving(status=200, body=both) as liar:
        office.queue(notice())
        sender = office.sender(described(phones).replace(f"{phones.at}/report", liar.at))
        asyncio.run(sender.round())
        office.clock.later(minutes=1)
        asyncio.run(sender.round())
    assert office.states() == ["sent"]


# --- callbacks ---


@pytest.fixture
def at(office: Office, phones: Phones) -> Iterator[str]:
    settings = office.settings(described(phones, asked=False), sms_receipt_secret=PASSWORD, notice_quiet="none")
    office.clock.now = datetime.now(UTC)
    with serving(lambda: replace(office.runtime, settings=settings)) as address:
        yield f"{address}/v1/notices/receipts"


def call(at: str, body: Any, password: str = PASSWORD) -> requests.Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return requests.post(at, data=data, headers={"Authorization": f"Bearer {password}"}, timeout=20)


def test_foreign_ids_change_nothing_and_are_counted(office: Office, at: str) -> None:
    office.queue(notice(until=datetime(2099, 1, 1, tzinfo=UTC), who=notice().recipient))
    with office.runtime.engine.connect() as connection:
        own = connection.scalar(sa.text("SELECT message::text FROM supervision.notice"))
    ids = [str(uuid4()), "1", "' OR 1=1 --", "x" * 5000, "\x00", {"a": 1}, None, True, 17, own.upper()]
    answer = call(at, {"reports": [{"id": one, "state": "DELIVRD"} for one in ids]})
    assert answer.json() == {"taken": 0, "unknown": len(ids)}
    assert "delivered" not in office.states()


def test_a_receipt_of_what_was_never_sent_is_not_believed(office: Office, phones: Phones, at: str) -> None:
    phones.shutdown()  # the gateway is gone: the notice is queued, and never leaves
    with office.runtime.engine.begin() as connection:
        connection.execute(sa.text(
            """INSERT INTO supervision.notice (message, subject, recipient, level, channel, words, language, said,
                   made_at, until, sealed) VALUES ('00000000-0000-4000-8000-000000000001', 's', 'r', 'red', 'sms',
                   'overdue.red', 'zh', 'x', now(), now() + interval '1 day', '')"""
        ))  # fmt: skip
    said = {"reports": [{"id": "00000000-0000-4000-8000-000000000001", "state": "DELIVRD"}]}
    assert call(at, said).json() == {"taken": 0, "unknown": 1}
    assert office.states() == ["waiting"]


def test_strangers_are_not_let_in_and_without_a_password_nobody_is(office: Office, at: str) -> None:
    for password in ("", "wrong", PASSWORD + "x", "é"):
        answer = requests.post(at, data=b"{}", headers={"Authorization": f"Bearer {password}".encode()}, timeout=10)
        assert answer.status_code == 401
    for header in ("Basic !!!", "Basic " + "x" * 5000, "Digest x", f"{PASSWORD}"):
        assert requests.post(at, data=b"{}", headers={"Authorization": header}, timeout=10).status_code == 401
    closed = office.settings(None, sms_receipt_secret="")
    with serving(lambda: replace(office.runtime, settings=closed)) as address:
        answer = requests.post(f"{address}/v1/notices/receipts", headers={"Authorization": "Bearer "}, timeout=10)
        assert answer.status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[" * 100_000, b"\xff\xfe", b"7", b'{"reports": 7}', b'{"reports": [7]}', b'{"other": []}',
        b'{"reports": [' + b",".join([b"{}"] * 1_001) + b"]}", b"null", b'"x"',
    ],
    ids=lambda one: repr(one[:20]),
)  # fmt: skip
def test_a_callback_that_is_none_is_refused_in_words(body: bytes) -> None:
    how = Receipts(entries="reports", key="id", state="state", delivered=["DELIVRD"])
    with pytest.raises(receipts.BadCallback):
        receipts.read(how, body, "utf-8")


def test_a_callback_is_read_to_its_limit_only(at: str) -> None:
    assert call(at, b"{").status_code == 400
    assert call(at, b"x" * (receipts.LARGEST + 1)).status_code == 413
