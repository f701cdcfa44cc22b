"""A real OpenSSH server on a free port of this machine, for the user who runs the test."""

from __future__ import annotations

import base64
import getpass
import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {home}/host_key
AuthorizedKeysFile {home}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
UseDNS no
LogLevel ERROR
Subsystem sftp internal-sftp
"""


@dataclass
class Sshd:
    """A running server; `drop` is the folder that departments put files into."""

    home: Path
    port: int

    @property
    def drop(self) -> Path:
        return self.home / "drop"

    @property
    def public(self) -> str:
        """The host key as the connection names it."""
        kind, key = (self.home / "host_key.pub").read_text().split()[:2]
        return f"{kind}:{key}"

    @property
    def fingerprint(self) -> str:
        key = base64.b64decode(self.public.partition(":")[2])
        return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")

    def url(self, folder: str | None = None, **parameters: str) -> str:
        """The connection's URL; what is said replaces the good parameters, an empty one takes it away."""
        named = {"key_file": str(self.home / "user_key"), "host_key": self.fingerprint, "timeout": "5", **parameters}
        query = "&".join(f"{name}={quote(value, safe=':/+=')}" for name, value in named.items() if value)
        path = quote(folder if folder is not None else str(self.drop))
        return f"sftp://{quote(getpass.getuser())}@127.0.0.1:{self.port}{path}?{query}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def keygen(file: Path, *, passphrase: str = "", kind: str = "ed25519") -> None:
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", str(file)]
    subprocess.run(command, check=True, timeout=30)


@contextmanager
def running(home: Path) -> Iterator[Sshd]:
    """Start a server of its own keys, and stop it."""
    program = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if program is None or shutil.which("ssh-keygen") is None:
        pytest.skip("no OpenSSH server on this machine (Debian package openssh-server)")
    if os.geteuid() == 0:  # sshd wants this folder of its own when root starts it
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    server = Sshd(home, free_port())
    server.drop.mkdir()
    for name in ("host_key", "user_key"):
        keygen(home / name)
    (home / "sshd_config").write_text(_CONFIG.format(home=home, port=server.port))
    with (home / "sshd.log").open("wb") as log:
        process = subprocess.Popen([program, "-D", "-e", "-f", str(home / "sshd_config")], stderr=log, stdout=log)
    try:
        _wait(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(10)


def _wait(server: Sshd, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", server.port), 1):
                return
        except OSError:
            time.sleep(0.05)
    pytest.skip("sshd does not start here: " + (server.home / "sshd.log").read_text()[-300:])
