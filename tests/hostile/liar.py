"""An SFTP server in a thread that lies as it is told: what OpenSSH's would never do."""

from __future__ import annotations

import contextlib
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import paramiko

from connectors.kinds.files.locations.hostkeys import fingerprint_of

CONTENT = b"n\n" + b"1\n" * 200_000
Reads = Callable[["Liar", int, int], Any]


def attributes(name: str, size: int | None = len(CONTENT), mode: int | None = stat.S_IFREG | 0o644) -> Any:
    """What the server says of a name."""
    made: Any = paramiko.SFTPAttributes()
    made.filename, made.longname, made.st_size, made.st_mode = name, f"-rw-r--r-- {name}", size, mode
    made.st_atime = made.st_mtime = 1_700_000_000
    return made


def honest(liar: Liar, offset: int, length: int) -> Any:
    return CONTENT[offset : offset + length] or paramiko.SFTP_EOF


@dataclass
class Liar:
    """What the server tells; tests change it."""

    files: Any = field(default_factory=lambda: [attributes("a.csv")])
    read: Reads = honest
    look: Callable[[str], Any] | None = None
    real: Callable[[str], str] = lambda path: path
    password: str = "pa55word"
    subsystem: bool = True
    slow_login: float = 0
    timeout: float = 1.5
    keys: list[paramiko.PKey] = field(default_factory=lambda: [paramiko.ECDSAKey.generate()])
    passwords: list[str] = field(default_factory=list)
    port: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    lines: list[paramiko.Transport] = field(default_factory=list)

    @property
    def url(self) -> str:
        known = fingerprint_of(self.keys[0].asbytes())
        return f"sftp://me:pa55word@127.0.0.1:{self.port}/drop?host_key={known}&timeout={self.timeout}"

    def cut(self) -> None:
        """Hang up."""
        for line in self.lines:
            line.close()

    def seen(self, path: str) -> Any:
        if path == "/drop":
            return attributes("drop", 0, stat.S_IFDIR | 0o755)
        if self.look is not None:
            return self.look(path)
        return next((one for one in self.files if path == f"/drop/{one.filename}"), paramiko.SFTP_NO_SUCH_FILE)


class _Login(paramiko.ServerInterface):
    def __init__(self, liar: Liar) -> None:
        self.liar = liar

    def check_auth_password(self, username: str, password: str) -> int:
        self.liar.passwords.append(password)
        self.liar.over.wait(self.liar.slow_login)
        return paramiko.AUTH_SUCCESSFUL if password == self.liar.password else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, server: Any, liar: Liar) -> None:
        self.liar = liar
        super().__init__(server)

    def list_folder(self, path: str) -> Any:
        return self.liar.files

    def stat(self, path: str) -> Any:
        return self.liar.seen(path)

    lstat = stat

    def canonicalize(self, path: str) -> str:
        return self.liar.real(path)

    def open(self, path: str, flags: int, attr: Any) -> Any:
        return _Handle(self.liar)


class _Handle(paramiko.SFTPHandle):
    def __init__(self, liar: Liar) -> None:
        super().__init__()
        self.liar = liar

    def read(self, offset: int, length: int) -> Any:
        return self.liar.read(self.liar, offset, length)


@contextlib.contextmanager
def lying(**lies: Any) -> Iterator[Liar]:
    """Run a server that tells what it is told to."""
    liar = Liar(**lies)
    with socket.create_server(("127.0.0.1", 0)) as door:
        liar.port = door.getsockname()[1]
        door.settimeout(0.1)
        done = threading.Event()
        keeper = threading.Thread(target=_keep, args=(liar, door, done))
        keeper.start()
        try:
            yield liar
        finally:
            done.set()
            liar.over.set()
            keeper.join()
            liar.cut()
            for line in liar.lines:
                line.join(5)


def _keep(liar: Liar, door: socket.socket, done: threading.Event) -> None:
    while not done.is_set():
        try:
            caller, _ = door.accept()
        except TimeoutError:
            continue
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits for an acknowledgement
        line = paramiko.Transport(caller)
        line.add_server_key(liar.keys[min(len(liar.lines), len(liar.keys) - 1)])
        if liar.subsystem:
            line.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, liar)
        liar.lines.append(line)
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            line.start_server(server=_Login(liar))
