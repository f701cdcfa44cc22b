"""Kind `push`: the department posts its rows to the hub's own web service, a few thousand at a time."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path

from bench.kinds.feeds import STREAMS, Feed, Ground, Kind, declared

AT_ONCE = 2_000
"""Records of one post."""


@contextmanager
def push(ground: Ground) -> Iterator[Feed]:
    """Bodies of JSON lines in files; the floor posts them to a service that parses each line and keeps nothing."""
    folder = ground.folder / "posts"
    folder.mkdir()
    for stream in STREAMS:
        _bodies(ground, stream, folder)
    said = declared("push", {stream: {} for stream in STREAMS})
    del said["connection"]
    with _listening() as url:
        floor, ours = ["posts", url, str(folder)], ["bench.drivers.push_load", str(folder)]
        yield Feed(said, "", floor, ground.size.records, program=ours)
    shutil.rmtree(folder)


def _bodies(ground: Ground, stream: str, folder: Path) -> None:
    rows, number = ground.rows(stream), 0
    while some := list(islice(rows, AT_ONCE)):
        number += 1
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in some)
        (folder / f"{stream}-{number:05}.ndjson").write_text(text, encoding="utf-8")


@contextmanager
def _listening() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits for an acknowledgement

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = json.dumps({"read": sum(1 for line in body.splitlines() if json.loads(line))}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


KINDS = (Kind("push", "push", push),)
