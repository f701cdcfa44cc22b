"""A small department that answers over HTTP, for tests of the kit: pages of records, a password, a clock."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kit.suite import loopback
from kit.suite.loopback import Quiet

PASSWORD = "s3cret-of-the-hall"


class Hall:
    """Its records, its page size, by how much its clock is wrong, and the questions that it was asked."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self.records, self.size, self.ahead, self.asked = records, 2, timedelta(), list[str]()
        self.locked = True


@contextmanager
def serving(hall: Hall) -> Iterator[str]:
    class Handler(Quiet):
        def do_GET(self) -> None:
            hall.asked.append(self.path)
            wanted = "Basic " + b64encode(f"hub:{PASSWORD}".encode()).decode()
            if hall.locked and self.headers.get("Authorization") != wanted:
                self._answer(401, {})
                return
            params = dict(parse_qsl(urlsplit(self.path).query))
            since = params.get("changedSince", "")
            found = [one for one in hall.records if str(one["changed_at"]) >= since]
            page = int(params.get("page", 1)) - 1
            self._answer(200, {"data": found[page * hall.size : (page + 1) * hall.size]})

        def _answer(self, status: int, document: Any) -> None:
            date = format_datetime(datetime.now(UTC) + hall.ahead, usegmt=True)
            self.say(status, {"Date": date, "Content-Type": "application/json"}, json.dumps(document).encode())

    with loopback.serving(lambda _own: Handler) as own:
        yield f"http://hub:{PASSWORD}@{own}"


def case(number: int, **over: Any) -> dict[str, Any]:
    """A record of the scaffold's first stream."""
    return {
        "case_number": f"2026-{number:04d}", "item_name": "建筑工程施工许可", "applicant": "王晓岚", "kind": "承诺",
        "applied_at": f"2026-01-{number:02d} 08:30:00", "changed_at": f"2026-01-{number:02d} 09:00:00", "remark": None,
        **over,
    }  # fmt: skip
