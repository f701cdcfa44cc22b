"""The SFTP server on which departments lay their files down: a host key, an account, and nothing outside of it."""

from __future__ import annotations

import hmac
import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)
from paramiko.sftp import SFTP_FAILURE, SFTP_OK, SFTP_PERMISSION_DENIED

from demo.services.settings import USER, host_key_file, settings_of
from demo.shapes.layout import department_place


class SftpService:
    """Serves the departments' folders; each connection has a thread of its own."""

    def __init__(self, home: Path) -> None:
        known = settings_of(home)
        self.root = department_place(home, ".").resolve()
        self.token = known.token
        self.key = paramiko.ECDSAKey.from_private_key_file(str(host_key_file(home)))
        self._socket = socket.create_server(("127.0.0.1", known.sftp))
        self._over = False

    def serve_forever(self) -> None:
        """Serve until `close` is called."""
        while not self._over:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """End the service."""
        self._over = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self, connection: socket.socket) -> None:
        transport = paramiko.Transport(connection)
        transport.add_server_key(self.key)
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Folders, root=self.root)
        with suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(server=_Door(self.token))
            while transport.is_active() and not self._over:
                transport.join(0.5)
        transport.close()


class _Door(paramiko.ServerInterface):
    """Lets the hub's account in, and nobody else."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_allowed_auths(self, username: str) -> str:
        """Name what opens the door."""
        del username
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        """Compare account and password."""
        right = hmac.compare_digest(password.encode(), self._token.encode()) and username == USER
        return AUTH_SUCCESSFUL if right else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Open sessions only, which the subsystem then takes."""
        del chanid
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


class _Folders(paramiko.SFTPServerInterface):
    """The departments' folders as the hub sees them: `/CODE/out/…`, never what lies above."""

    def __init__(self, server: Any, *, root: Path) -> None:
        super().__init__(server)
        self._root = root

    def _path(self, path: str) -> Path:
        """Return where a path of the client lies; links and `..` lead nowhere outside."""
        found = Path(os.path.normpath(self._root / path.lstrip("/")))
        real = found.parent.resolve() / found.name
        if not real.is_relative_to(self._root):
            raise PermissionError
        return found

    def canonicalize(self, path: str) -> str:
        """Return a path without detours."""
        return os.path.normpath("/" + path.lstrip("/"))

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        """List what lies in a folder."""
        try:
            folder = self._path(path)
            return [
                paramiko.SFTPAttributes.from_stat(one.lstat(), filename=one.name) for one in sorted(folder.iterdir())
            ]
        except OSError as error:
            return _code(error)

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        """Look at a path."""
        try:
            return paramiko.SFTPAttributes.from_stat(self._path(path).stat())
        except OSError as error:
            return _code(error)

    def lstat(self, path: str) -> paramiko.SFTPAttributes | int:
        """Look at a path without following a link."""
        try:
            return paramiko.SFTPAttributes.from_stat(self._path(path).lstat())
        except OSError as error:
            return _code(error)

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle | int:
        """Open a file for reading; the hub writes nothing here."""
        del attr
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return SFTP_PERMISSION_DENIED
        try:
            handle = paramiko.SFTPHandle(flags)
            readfile: Any = self._path(path).open("rb")
            handle.readfile = readfile  # type: ignore[attr-defined]  # read by the library's own `read`
        except OSError as error:
            return _code(error)
        return handle

    def rename(self, oldpath: str, newpath: str) -> int:
        """Give a file another name; one that is taken is never written over."""
        try:
            target = self._path(newpath)
            if target.exists():
                return SFTP_FAILURE
            self._path(oldpath).rename(target)
        except OSError as error:
            return _code(error)
        return SFTP_OK

    def mkdir(self, path: str, attr: paramiko.SFTPAttributes) -> int:
        """Make a folder."""
        del attr
        try:
            self._path(path).mkdir()
        except OSError as error:
            return _code(error)
        return SFTP_OK


def _code(error: OSError) -> int:
    return paramiko.SFTPServer.convert_errno(error.errno or 13)
