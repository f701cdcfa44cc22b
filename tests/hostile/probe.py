"""Reads one hostile input in a process of its own with little memory, and prints what came of it as JSON.

The seconds are of the processor, so that a busy machine does not fail a test.

python -m tests.hostile.probe KIND FOLDER '{"format": "csv", "path": "*"}'
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from connectors.source import StreamSpec
from hub.errors import RefuseUnit
from tests.connectors.parts import opened

ADDRESS_SPACE = 2 << 30


def main(kind: str, folder: str, options: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    one = StreamSpec("s", json.loads(options))
    connector = opened(kind, folder, one, folder=Path(folder))
    began, error, words, read, broken = time.process_time(), "", "", 0, 0
    try:
        for piece in connector.read(one, {}, slice_size=20_000, full=False):
            read += len(piece.records)
            broken += len(piece.broken)
    except RefuseUnit as refusal:
        error, words = type(refusal).__name__, str(refusal)
    # Not ru_maxrss: that one remembers the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    found = {"error": error, "words": words, "read": read, "broken": broken, "peak_mib": peak}
    sys.stdout.write(json.dumps({**found, "seconds": time.process_time() - began}))


if __name__ == "__main__":
    main(*sys.argv[1:4])
