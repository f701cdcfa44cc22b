"""Posts the rows of the benchmark's department to the hub's own web service, as its program would, and times it.

The service runs as a process of its own and is ready before the time begins; the last answer ends it. Each answer
means that its records are committed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from bench.kinds.feeds import ORGAN
from hub.settings import Settings
from pipeline.runtime import Runtime
from sharedrepo.access import clients

CODE = "bench-department"
AT_ONCE = 4
"""Posts under way at once: so many programs of a department, or so many connections of one."""


def main() -> None:
    """Post the bodies of a folder: `<stream>-<number>.ndjson`, all of a stream before those of the next."""
    files = sorted(Path(sys.argv[1]).glob("*.ndjson"))
    runtime = Runtime.open(Settings.load())
    token, _ = clients.make(
        runtime.engine, runtime.protector, code="bench", organ=ORGAN, rights=[f"{clients.PUSH}:{CODE}"], days=1
    )
    runtime.engine.dispose()
    serve = [sys.executable, "-c", "from hub.cli import main; main()", "web", "serve", "--port", "0", "--json"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as service:
        try:
            url = json.loads(_object(service))["url"]
            counts: Counter[str] = Counter()
            started = time.perf_counter()
            for stream in dict.fromkeys(file.name.rpartition("-")[0] for file in files):
                with ThreadPoolExecutor(AT_ONCE) as posting:
                    mine = [file for file in files if file.name.startswith(f"{stream}-")]
                    for found in posting.map(
                        lambda file, to=f"{url}/v1/records/{stream}": _post(to, token, file), mine
                    ):
                        counts.update(found)
            work = time.perf_counter() - started
        finally:
            service.terminate()
    balanced = counts["read"] == sum(count for outcome, count in counts.items() if outcome != "read")
    print(json.dumps({"work": work, "report": {"streams": [counts], "balanced": balanced}}))


def _object(service: subprocess.Popen[str]) -> str:
    """Read the JSON object that the service prints when it is ready."""
    lines = []
    for line in service.stdout or ():
        lines.append(line)
        if line.startswith("}"):
            break
    return "".join(lines)


def _post(url: str, token: str, file: Path) -> dict[str, int]:
    headers = {
        "Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson", "Idempotency-Key": file.name,
    }  # fmt: skip
    answer = requests.post(url, data=file.read_bytes(), headers=headers, timeout=300)
    answer.raise_for_status()
    counts: dict[str, int] = answer.json()["counts"]
    return counts


if __name__ == "__main__":
    main()
