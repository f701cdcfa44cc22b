"""Files on an SFTP server: listed in bounded steps, fetched in pipelined blocks, put away by renaming."""

from __future__ import annotations

import contextlib
import stat
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import paramiko
from paramiko.sftp import CMD_CLOSE, CMD_HANDLE, CMD_NAME, CMD_OPENDIR, CMD_READDIR, CMD_REALPATH, SFTPError

from connectors.kinds.files.locations.address import address_of
from connectors.kinds.files.locations.fetched import FetchingPlace
from connectors.kinds.files.locations.place import real
from connectors.kinds.files.locations.session import connect
from connectors.kinds.files.locations.walk import Entry, Kind
from hub.errors import RetrySource, SourceUnreachable, StopSource

_BLOCK = 1 << 15
_AHEAD = 32
"""So many blocks are asked for at once: 1 MiB is on its way, and no more of a file is ever in memory."""
_SLOWEST, _GRACE = 1 << 14, 60.0
"""Bytes a second below which a fetch is given up, and the seconds that any may take besides."""
_NANO = 1_000_000_000


class _Client(paramiko.SFTPClient):
    """paramiko's client, with names as bytes: a name need not be UTF-8, and no listing is gathered whole."""

    def _ask(self, command: int, argument: bytes) -> tuple[int, paramiko.Message]:
        inner: Any = self  # the stubs do not know how the client asks
        kind, message = inner._request(command, argument)  # noqa: SLF001  # its own
        return kind, message

    def opendir(self, path: bytes) -> bytes:
        """Open a folder for listing."""
        kind, message = self._ask(CMD_OPENDIR, path)
        if kind != CMD_HANDLE:
            raise SFTPError("no handle")
        return message.get_binary()

    def readdir(self, handle: bytes) -> list[tuple[bytes, paramiko.SFTPAttributes]] | None:
        """Return the next names of a folder, None at its end."""
        try:
            kind, message = self._ask(CMD_READDIR, handle)
        except EOFError:
            return None
        if kind != CMD_NAME:
            raise SFTPError("no names")
        found = []
        for _ in range(message.get_int()):
            name, line = message.get_string(), message.get_string()
            if not name:
                raise SFTPError("a name is empty")
            attributes: Any = paramiko.SFTPAttributes()
            attributes._unpack(message)  # noqa: SLF001  # as paramiko's own listing does
            attributes.longname = line  # of which only the first byte is looked at
            found.append((name, attributes))
        return found

    def closedir(self, handle: bytes) -> None:
        """Close a folder."""
        self._ask(CMD_CLOSE, handle)

    def realpath(self, path: bytes) -> bytes:
        """Return where a path really leads, as the server says."""
        kind, message = self._ask(CMD_REALPATH, path)
        if kind != CMD_NAME or message.get_int() != 1:
            raise SFTPError("no path")
        return message.get_string()


class SftpPlace(FetchingPlace):
    """A folder on an SFTP server."""

    def __init__(self, url: str, source: str, stream: str | None = None) -> None:
        super().__init__(source, stream)
        address = address_of(url, source)
        self._timeout = address.timeout
        self._late = False
        self._transport, key = connect(address, source)
        try:
            self._client = self._session()
            self._root = self._enter(address.folder)
        except BaseException:
            self._transport.close()
            raise
        self.told = f"the folder is there; {key}"

    def close(self) -> None:
        """Leave the server."""
        self._transport.close()

    # --- looking

    def entries(self, folder: str) -> Iterator[Entry]:
        """Yield what lies in a folder; nothing where there is none."""
        return self.checked(self._entries(folder))

    def _entries(self, folder: str) -> Iterator[Entry]:
        try:
            with self._talk("a folder may not be listed"):
                handle = self._client.opendir(self._path(folder))
        except FileNotFoundError:
            return
        while True:
            with self._talk("a folder may not be listed"):
                found = self._client.readdir(handle)
            if found is None:
                break
            for name, attributes in found:
                if name not in {b".", b".."}:
                    yield _entry(name.decode("utf-8", "surrogateescape"), attributes)
        with self._talk("a folder may not be listed"):
            self._client.closedir(handle)

    def entry(self, path: str) -> Entry:
        """Look at one path, not following a link."""
        with self._talk("a file may not be looked at"):
            return _entry(path, self._client.lstat(self._path(path)))

    def leads_to_folder(self, path: str) -> bool:
        """Say whether a link leads to a folder."""
        try:
            with self._talk("a file may not be looked at"):
                return _entry(path, self._client.stat(self._path(path))).kind == "folder"
        except FileNotFoundError:
            return False

    def follow(self, path: str) -> tuple[str, Entry] | None:
        """Return where a path really is, as the server resolves it; None where that is outside of the folder."""
        with self._talk("a file may not be looked at"):
            where = self._client.realpath(self._path(path))
            if not where.startswith(self._root.rstrip(b"/") + b"/"):
                return None
            return path, _entry(path, self._client.stat(where))

    # --- fetching

    def blocks(self, path: str, size: int) -> Generator[bytes]:
        """Yield a file's bytes, and what comes behind its size if anything does."""
        with self._talk("a file may not be read", _GRACE + max(size, 0) / _SLOWEST):
            handle = self._client.open(self._path(path), "rb")
            self._ask_ahead_quietly(handle)
            with handle:
                at, most = 0, _BLOCK * _AHEAD
                while at < size:
                    wanted = [
                        (at + step, min(_BLOCK, size - at - step)) for step in range(0, min(most, size - at), _BLOCK)
                    ]
                    for (_, length), block in zip(wanted, handle.readv(wanted), strict=True):
                        yield block
                        if len(block) < length:
                            return
                    at += sum(length for _, length in wanted)
                handle.seek(at)
                while block := handle.read(_BLOCK):
                    yield block

    @staticmethod
    def _ask_ahead_quietly(handle: Any) -> None:
        """Let the thread that asks ahead end with the connection: who reads finds that out too, and tells it."""
        ask = handle._prefetch_thread  # noqa: SLF001  # paramiko lets it die of what nobody can catch

        def quietly(*chunks: Any) -> None:
            with contextlib.suppress(EOFError, OSError, paramiko.SSHException):
                ask(*chunks)

        handle._prefetch_thread = quietly  # noqa: SLF001  # as above

    # --- putting away

    def move(self, name: str, to: str) -> None:
        """Give a file another name below the folder; a name that is taken is never written over."""
        target = real(to)
        self._make(target.rpartition("/")[0])
        if self.exists(to):
            raise FileExistsError
        with self._talk("files may not be put away"):
            self._client.rename(self._path(real(name)), self._path(target))

    def _make(self, folder: str) -> None:
        """Make a folder below the connection's; none through a link that leads out of it."""
        steps = folder.split("/") if folder else []
        for count in range(1, len(steps) + 1):
            path = "/".join(steps[:count])
            try:
                self.entry(path)
            except FileNotFoundError:
                with self._talk("a folder may not be made"):
                    self._client.mkdir(self._path(path))
        with self._talk("files may not be put away"):
            if not (self._client.realpath(self._path(folder)) + b"/").startswith(self._root.rstrip(b"/") + b"/"):
                raise StopSource(
                    source=self.source, stream=self.stream, hint="Let it be a plain folder.",
                    got="the folder for files that were read or for receipts leads out of the connection's folder "
                    "through a link",
                )  # fmt: skip

    def delete(self, name: str) -> None:
        """Take a file away."""
        with self._talk("files may not be put away"):
            self._client.remove(self._path(real(name)))

    def touch(self, name: str) -> None:
        """Make an empty file."""
        with self._talk("files may not be put away"):
            self._client.open(self._path(real(name)), "wb").close()

    def write(self, name: str, content: bytes) -> None:
        """Write a small file whole, under a passing name first; only OpenSSH renames over a name."""
        target = real(name)
        folder, _, last = target.rpartition("/")
        self._make(folder)
        passing = f"{folder}/.{last}.part" if folder else f".{last}.part"
        with self._talk("receipts may not be written"):
            with self._client.open(self._path(passing), "wb") as handle:
                handle.write(content)
            try:
                self._client.posix_rename(self._path(passing), self._path(target))
            except OSError:
                with contextlib.suppress(FileNotFoundError):
                    self._client.remove(self._path(target))
                self._client.rename(self._path(passing), self._path(target))

    # --- talking

    def _session(self) -> _Client:
        with self._talk("the server gives no SFTP session"):
            try:
                client = _Client.from_transport(self._transport)
            except paramiko.SSHException:
                if not self._transport.is_active():
                    raise
                client = None
        if client is None:
            raise StopSource(
                source=self.source, stream=self.stream, got="the server lets us in but offers no SFTP",
                hint="Ask the department to switch its SFTP subsystem on.",
            )  # fmt: skip
        client.sock.settimeout(self._timeout)
        return client

    def _enter(self, folder: str) -> bytes:
        """Return the folder's real path, so that all names can be held against it."""
        try:
            with self._talk("the folder may not be entered"):
                root = self._client.realpath(folder.encode("utf-8", "surrogateescape"))
                found = _entry("", self._client.stat(root))
        except FileNotFoundError:
            found = None
        if found is None or found.kind != "folder":
            raise SourceUnreachable(
                source=self.source, stream=self.stream, got="the connection's folder is not there",
                hint="Check the path of the connection; `/~/x` is x below the user's home.",
            )  # fmt: skip
        return root

    def _path(self, path: str) -> bytes:
        return self._root.rstrip(b"/") + b"/" + path.encode("utf-8", "surrogateescape")

    @contextmanager
    def _talk(self, refused: str, seconds: float = 0) -> Iterator[None]:
        """Word what goes wrong; what takes longer than it may is cut off, however slowly it drips."""
        self._late = False
        watch = threading.Timer(seconds or 2 * self._timeout, self._cut_off)
        watch.daemon = True
        watch.start()
        try:
            yield
        except (FileNotFoundError, FileExistsError):
            raise
        except PermissionError:
            raise StopSource(
                source=self.source, stream=self.stream, got=refused + ": the server says permission denied",
                hint="Ask the department for the rights, or set `afterwards: leave` where it gives none to write.",
            ) from None  # fmt: skip
        except TimeoutError:
            raise self._broken(f"no answer within {self._timeout:g} seconds") from None
        except (OSError, EOFError, SFTPError, paramiko.SSHException) as error:
            reason = "too slow" if self._late else type(error).__name__
            raise self._broken(reason) from None
        finally:
            watch.cancel()

    def _cut_off(self) -> None:
        self._late = True
        self._transport.close()

    def _broken(self, reason: str) -> RetrySource:
        return RetrySource(source=self.source, stream=self.stream, got=f"the SFTP server broke off ({reason})")


def _entry(name: str, found: paramiko.SFTPAttributes) -> Entry:
    modified = None if found.st_mtime is None else found.st_mtime * _NANO
    return Entry(name, _kind(found), -1 if found.st_size is None else found.st_size, modified)


def _kind(found: paramiko.SFTPAttributes) -> Kind:
    if found.st_mode is None:  # the server keeps it to itself: its own line tells folders and links
        first: bytes | str = getattr(found, "longname", b"")[:1]
        return "folder" if first in {b"d", "d"} else "link" if first in {b"l", "l"} else "file"
    if stat.S_ISDIR(found.st_mode):
        return "folder"
    if stat.S_ISLNK(found.st_mode):
        return "link"
    return "file" if stat.S_ISREG(found.st_mode) else "other"
