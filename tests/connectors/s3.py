"""A real S3 server process (moto) that asks for keys, and the package that speaks to it, beside the hub's own.

Both are brought by uv into the user's cache folder once; the hub's own environment stays without them, as a deployment
that reads no object store has it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import fsspec
import pytest
import requests

SERVER = "moto[server]>=5.1,<6"
_WITHIN = 60
_STEPS = 3
"""Requests that the server takes before it asks for keys: they make the user, its rights and its keys."""
_RIGHTS = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'


def environment() -> Path:
    """Return the folder of the packages; skip the test where they cannot be brought."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "approval-exchange-hub-tests"
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    place = cache / f"s3-{fsspec.__version__}-{python}"
    if (place / "made").is_file():
        return place
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    assert uv is not None, "uv comes with the environment (`make env`)"
    making = place.with_name(f"{place.name}.{os.getpid()}")
    asked = [uv, "pip", "install", "--quiet", "--target", making, "--python", sys.executable,
             f"s3fs=={fsspec.__version__}", SERVER]  # fmt: skip
    made = subprocess.run(asked, check=False, capture_output=True, text=True, timeout=280)
    if made.returncode:
        shutil.rmtree(making, ignore_errors=True)
        pytest.skip(f"an S3 server cannot be installed here: {made.stderr.strip().splitlines()[-1:]}")
    (making / "made").touch()
    if not (place / "made").is_file():  # another test process may have been faster
        shutil.rmtree(place, ignore_errors=True)
        making.rename(place)
    return place


@dataclass(frozen=True)
class ObjectStore:
    """A running server; `key` and `secret` are those of a user that may do all in it."""

    port: int
    key: str
    secret: str

    def url(self, place: str, *, key: str | None = None, secret: str | None = None, port: int | None = None) -> str:
        """The connection of a bucket and folder."""
        return (
            f"s3://{place}?key={key or self.key}&secret={secret or self.secret}"
            f"&endpoint_url={quote(f'http://127.0.0.1:{port or self.port}', safe='')}"
        )

    def files(self) -> Any:
        """The store as a department's program sees it."""
        return fsspec.filesystem(
            "s3", key=self.key, secret=self.secret, endpoint_url=f"http://127.0.0.1:{self.port}",
            skip_instance_cache=True, use_listings_cache=False,
        )  # fmt: skip


@contextmanager
def running(packages: Path) -> Iterator[ObjectStore]:
    """Start the server while the body runs."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    surroundings = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(packages), "INITIAL_NO_AUTH_ACTION_COUNT": str(_STEPS),
        "HOME": os.environ.get("HOME", "/"), "MOTO_CALL_RESET_API": "false",
    }  # fmt: skip
    program = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(program, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait(port, server)
            yield ObjectStore(port, *_user(port))
        finally:
            server.terminate()
            server.wait(_WITHIN)


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _WITHIN
    while time.monotonic() < deadline:
        assert server.poll() is None, "the S3 server ended before it answered"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the S3 server does not answer")


def _user(port: int) -> tuple[str, str]:
    """Make a user with rights and keys; then the server takes nothing any more without keys."""

    def ask(action: str, **more: str) -> str:
        said = requests.post(
            f"http://127.0.0.1:{port}/", data={"Action": action, "Version": "2010-05-08", "UserName": "hub", **more},
            headers={"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request"}, timeout=30,
        )  # fmt: skip
        said.raise_for_status()
        return said.text

    ask("CreateUser")
    ask("PutUserPolicy", PolicyName="all", PolicyDocument=_RIGHTS)
    told = ask("CreateAccessKey")
    return tuple(told.partition(f"<{name}>")[2].partition("<")[0] for name in ("AccessKeyId", "SecretAccessKey"))  # type: ignore[return-value]  # two names, two values
