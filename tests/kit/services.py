"""A small department that answers over HTTP, for tests of the kit: pages of records, a password, a clock."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

PASSWORD = "s3cret-of-the-hall"


class Hall:
    """Its records, its page size, by how much its clock is wrong, and the questions that it was asked."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self.records, self.size, self.ahead, self.asked = records, 2, timedelta(), list[str]()
        self.locked = True


@contextmanager
def serving(hall: Hall) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hall.asked.append(self.path)
            wanted = "Basic " + b64encode(f"hub:{PASSWORD}".encode()).decode()
            if hall.locked and self.headers.get("Authorization") != wanted:
                self._say(401, {})
                return
            params = dict(parse_qsl(urlsplit(self.path).query))
            since = params.get("changedSince", "")
            found = [one for one in hall.records if str(one["changed_at"]) >= since]
            page = int(params.get("page", 1)) - 1
            self._say(200, {"data": found[page * hall.size : (page + 1) * hall.size]})

        def _say(self, status: int, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response_only(status)
            self.send_header("Date", format_datetime(datetime.now(UTC) + hall.ahead, usegmt=True))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://hub:{PASSWORD}@127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def case(number: int, **over: Any) -> dict[str, Any]:
    """A record of the scaffold's first stream."""
    return {
        "case_number": f"2026-{number:04d}", "item_name": "建筑工程施工许可", "applicant": "王晓岚", "kind": "承诺",
        "applied_at": f"2026-01-{number:02d} 08:30:00", "changed_at": f"2026-01-{number:02d} 09:00:00", "remark": None,
        **over,
    }  # fmt: skip
