"""The departments' REST service: a small HTTP server with a token, pages, and a limit on how often it is asked.

`GET /<department>/api/v1/<endpoint>?page=1&size=200&updatedAfter=<epoch ms>` answers
`{"code": 0, "data": {"total": …, "items": […]}}`, oldest change first. Now and then it answers 429 with `Retry-After`.
"""

from __future__ import annotations

import hmac
import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from demo.services.settings import settings_of
from demo.shapes.layout import department_place
from demo.shapes.rest import STREAMS
from demo.shapes.store import STORE, read_page

_LARGEST_PAGE = 200
_BUSY_EACH = 40
"""One question in so many comes too often, as the service sees it."""


class Service(ThreadingHTTPServer):
    """The service of all departments that have one."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, home: Path, port: int = 0) -> None:
        known = settings_of(home)
        self.home, self.token = home, known.token
        self._asked, self._lock = 0, threading.Lock()
        super().__init__(("127.0.0.1", port or known.rest), _Handler)

    def too_often(self) -> bool:
        """Count a question, and say whether it is one too many."""
        with self._lock:
            self._asked += 1
            return self._asked % _BUSY_EACH == 0


class _Handler(BaseHTTPRequestHandler):
    """Answers one question."""

    server: Service
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # the name that http.server asks for
        """Answer with a page, or say why not."""
        said = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(said.encode(), self.server.token.encode()):
            self._answer(HTTPStatus.UNAUTHORIZED, {"code": 401, "message": "token missing or wrong"})
        elif self.server.too_often():
            self._answer(
                HTTPStatus.TOO_MANY_REQUESTS, {"code": 429, "message": "asked too often"}, {"Retry-After": "1"}
            )
        else:
            self._page()

    def _page(self) -> None:
        parts = urlsplit(self.path)
        words = [unquote(word) for word in parts.path.strip("/").split("/")]
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if len(words) != 4 or words[1:3] != ["api", "v1"] or words[3] not in STREAMS or not words[0].isalnum():
            self._answer(HTTPStatus.NOT_FOUND, {"code": 404, "message": "no such endpoint"})
            return
        store = department_place(self.server.home, words[0]) / STORE
        try:
            page, size = max(1, int(asked.get("page", 1))), min(int(asked.get("size", 50)), _LARGEST_PAGE)
            after = int(asked.get("updatedAfter", -1))
        except ValueError:
            self._answer(HTTPStatus.BAD_REQUEST, {"code": 400, "message": "page, size and updatedAfter are numbers"})
            return
        total, bodies = read_page(store, words[3], after, page, size)
        text = f'{{"code":0,"data":{{"total":{total},"items":[{",".join(bodies)}]}}}}'
        self._send(HTTPStatus.OK, text.encode(), {})

    def _answer(self, status: HTTPStatus, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), headers or {})

    def _send(self, status: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the names that http.server gives
        """Say nothing: addresses and tokens have no place in a log."""
