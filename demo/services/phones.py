"""A fake SMS gateway for the demonstration and for tests: nothing is sent to anybody, a page shows the phones.

It listens on loopback only. `POST /send` takes `{"mobile", "content", "id"}` and answers `{"code": 0, "msgid": …}`; a
second text under the same `id` is answered as the first and shown once. `POST /report` tells what became of an `id`.
`GET /` shows every phone with its messages, `GET /messages` the same as JSON. Where it is told a place for receipts it
reports there, as real gateways do.
"""

from __future__ import annotations

import hmac
import json
import queue
import secrets
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests

_LARGEST = 64 * 1024
_ZONE = ZoneInfo("Asia/Shanghai")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, mobile TEXT NOT NULL, content TEXT NOT NULL, at TEXT NOT NULL,
    posted INTEGER NOT NULL DEFAULT 1)
"""
_STYLE = """body{font:15px/1.5 'Noto Sans CJK SC',sans-serif;background:#e9eef3;margin:0;padding:24px;color:#1d2733}
h1{font-size:20px;margin:0}p.fake{background:#8a4b00;color:#fff;padding:8px 12px;border-radius:6px;max-width:70em}
.phones{display:flex;flex-wrap:wrap;gap:20px;align-items:flex-start}
.phone{background:#1d2733;border-radius:26px;padding:14px;width:300px}
.phone h2{color:#fff;font-size:15px;text-align:center;margin:0 0 10px}
.screen{background:#f4f7fa;border-radius:14px;padding:10px;min-height:220px}
.sms{background:#fff;border:1px solid #cfd8e1;border-radius:12px;padding:8px 10px;margin:0 0 10px}
.sms.red{border-left:5px solid #a3122a}.sms.yellow{border-left:5px solid #b98900}
.sms.warning{border-left:5px solid #12406b}
.sms time{display:block;font-size:12px;color:#51606f}"""


@dataclass(frozen=True, slots=True)
class PhonesSettings:
    """Where the fake gateway listens, the word it wants from its client, and where it reports receipts."""

    port: int
    secret: str
    receipts: str | None = None
    receipts_secret: str | None = None


class Phones(ThreadingHTTPServer):
    """The fake gateway. Tests let it hold answers back (`held`), or forget that it knows a text (`forgetful`)."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, place: Path, settings: PhonesSettings) -> None:
        self.settings, self.place = settings, place
        self.held: threading.Event | None = None
        self.forgetful = False
        self.came = threading.Event()
        self._lock = threading.Lock()
        self._reports: queue.Queue[dict[str, str] | None] = queue.Queue()
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch(mode=0o600)
        self._run(_SCHEMA)
        super().__init__(("127.0.0.1", settings.port), _Handler)
        self._reporter = threading.Thread(target=self._report, daemon=True)
        self._reporter.start()

    @property
    def at(self) -> str:
        """Return the address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def take(self, said: dict[str, str]) -> dict[str, Any]:
        """Keep a text, once per id, and return the answer."""
        key = secrets.token_hex(8) if self.forgetful else said["id"]
        self._run(
            """INSERT INTO message (id, mobile, content, at) VALUES (?, ?, ?, ?)
               ON CONFLICT (id) DO UPDATE SET posted = posted + 1""",
            key, said["mobile"], said["content"], datetime.now(UTC).isoformat(timespec="seconds"),
        )  # fmt: skip
        ((number,),) = self._run("SELECT number FROM message WHERE id = ?", key)
        self._reports.put({"id": said["id"], "state": "DELIVRD"})
        self.came.set()
        return {"code": 0, "msgid": f"fake-{number}", "fake": True}

    def messages(self) -> list[dict[str, Any]]:
        """Return all texts, the oldest first."""
        names = ("id", "mobile", "content", "at", "posted")
        rows = self._run(f"SELECT {', '.join(names)} FROM message ORDER BY number")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def state_of(self, key: str) -> str:
        """Return what became of a text."""
        return "DELIVRD" if self._run("SELECT 1 FROM message WHERE id = ?", key) else "NOTFOUND"

    def server_close(self) -> None:
        """Stop listening and reporting."""
        super().server_close()
        self._reports.put(None)
        self._reporter.join(5)

    def _run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, closing(sqlite3.connect(self.place, timeout=30)) as store, store:
            return store.execute(statement, values).fetchall()

    def _report(self) -> None:
        """Report receipts to the place that was named; what is not taken there is let be."""
        while (one := self._reports.get()) is not None:
            if self.settings.receipts is None:
                continue
            try:
                requests.post(
                    self.settings.receipts, json={"reports": [one]}, timeout=10,
                    headers={"Authorization": f"Bearer {self.settings.receipts_secret}"},
                )  # fmt: skip
            except requests.RequestException:
                continue


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Phones
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # the name that http.server asks for
        """Show the phones."""
        if self.path == "/":
            self._send(HTTPStatus.OK, _page(self.server.messages()).encode(), "text/html; charset=utf-8")
        elif self.path == "/messages":
            self._json(HTTPStatus.OK, {"fake": True, "messages": self.server.messages()})
        else:
            self._json(HTTPStatus.NOT_FOUND, {"code": 404})

    def do_POST(self) -> None:  # the name that http.server asks for
        """Take a text, or say what became of one."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _LARGEST))
        said = self._said(body)
        right = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(right.encode(), self.server.settings.secret.encode()):
            self._json(HTTPStatus.UNAUTHORIZED, {"code": 401})
        elif self.path == "/send" and {"mobile", "content", "id"} <= said.keys():
            answer = self.server.take(said)
            if self.server.held is not None:
                self.server.held.wait(60)
            self._json(HTTPStatus.OK, answer)
        elif self.path == "/report" and "id" in said:
            self._json(HTTPStatus.OK, {"state": self.server.state_of(said["id"])})
        else:
            self._json(HTTPStatus.BAD_REQUEST, {"code": 400})

    @staticmethod
    def _said(body: bytes) -> dict[str, str]:
        try:
            found = json.loads(body)
        except ValueError:
            return {}
        return {str(name): str(one) for name, one in found.items()} if isinstance(found, dict) else {}

    def _json(self, status: HTTPStatus, body: dict[str, Any]) -> None:
        self._send(status, json.dumps(body, ensure_ascii=False).encode(), "application/json")

    def _send(self, status: HTTPStatus, body: bytes, form: str) -> None:
        try:
            self.send_response(status)
            for name, value in {"Content-Type": form, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True  # whoever asked is gone

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the names that http.server gives
        """Say nothing: phones have no place in a log."""


def _page(messages: list[dict[str, Any]]) -> str:
    phones: dict[str, list[dict[str, Any]]] = {}
    for one in messages:
        phones.setdefault(one["mobile"], []).append(one)
    shown = "".join(
        f'<section class="phone"><h2>{escape(mobile)}</h2><div class="screen">'
        + "".join(map(_bubble, reversed(texts))) + "</div></section>"
        for mobile, texts in sorted(phones.items())
    )  # fmt: skip
    return (
        '<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8"><meta http-equiv="refresh" content="3">'
        f"<title>演示短信网关 Fake SMS gateway</title><style>{_STYLE}</style></head><body>"
        "<h1>演示短信网关 Fake SMS gateway</h1>"
        '<p class="fake">这是演示用的假网关：没有短信发给任何人，号码均为虚构。'
        "This gateway is a fake: nothing is sent to anybody, all numbers are invented.</p>"
        f'<main class="phones">{shown or "<p>尚无短信 No messages yet</p>"}</main></body></html>'
    )


def _bubble(one: dict[str, Any]) -> str:
    content, at = str(one["content"]), datetime.fromisoformat(one["at"]).astimezone(_ZONE)
    marks = {"red": ("红牌", "red card"), "yellow": ("黄牌", "yellow card"), "warning": ("预警", "warning")}
    level = next((name for name, words in marks.items() if any(word in content for word in words)), "")
    return f'<article class="sms {level}"><time>{at:%Y-%m-%d %H:%M:%S}</time>{escape(content)}</article>'
