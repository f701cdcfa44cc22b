"""Kind `push`: the department posts its rows to the hub's own web service, a few thousand at a time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from bench.kinds.feeds import STREAMS, Feed, Ground, Kind, declared
from kit.suite.loopback import Quiet, serving

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
    class Handler(Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.say(200, {}, json.dumps({"read": sum(1 for line in body.splitlines() if json.loads(line))}).encode())

    with serving(lambda _: Handler) as own:
        yield f"http://{own}"


KINDS = (Kind("push", "push", push),)
