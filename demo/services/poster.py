"""The program of a department that posts: sends what lies in its outbox to the hub, and keeps the answers.

It is written as docs/integrate/kinds/push.md tells a department to write it, and uses nothing of the hub's code.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

import requests

from demo.shapes.layout import department_place
from demo.shapes.push import OUTBOX

_PATIENCE_SECONDS = 120
_AGAIN = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class NotTaken(Exception):
    """The hub refused a post for good."""


def post_all(home: Path, department: str, url: str, token: str) -> Iterator[int]:
    """Post what was not answered yet, oldest first; yield the number of records of each post that was taken.

    Raises:
        NotTaken: the hub refused a post, or took none of it in two minutes.
    """
    with closing(sqlite3.connect(department_place(home, department) / OUTBOX, timeout=30)) as outbox:
        waiting = outbox.execute(
            "SELECT id, stream, number, records, body FROM post WHERE answer IS NULL ORDER BY id"
        ).fetchall()
        for post, stream, number, records, text in waiting:
            body = text.encode()
            headers = {
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Idempotency-Key": f"{stream}-{number}",
                "Envelope": envelope(department, stream, number, records, body),
            }
            answer = _taken(f"{url}/v1/records/{stream}", headers, body)
            with outbox:
                outbox.execute("UPDATE post SET answer = ? WHERE id = ?", (answer, post))
            yield records


def envelope(source: str, stream: str, number: int, records: int, body: bytes) -> str:
    """Write the batch envelope of a post, as the header bears it."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    said = {
        "envelope": 1,
        "source": source,
        "stream": stream,
        "number": number,
        "records": records,
        "digest": f"sha-256:{hashlib.sha256(body).hexdigest()}",
        "complete_through": now,
        "written": now,
    }
    return base64.b64encode(json.dumps(said).encode()).decode()


def _taken(url: str, headers: dict[str, str], body: bytes) -> str:
    """Post until it is taken: what the hub asks to send again is sent again, the same to the letter."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            answer = requests.post(url, data=body, headers=headers, timeout=60)
        except requests.ConnectionError as error:
            if time.monotonic() > until:
                raise NotTaken(f"{url} cannot be reached") from error
            time.sleep(1)
            continue
        if answer.status_code == HTTPStatus.OK:
            return answer.text
        if answer.status_code not in _AGAIN or time.monotonic() > until:
            raise NotTaken(f"{url} answered {answer.status_code}: {answer.text[:500]}")
        time.sleep(float(answer.headers.get("Retry-After", "1")))
