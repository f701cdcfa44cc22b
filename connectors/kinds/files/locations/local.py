"""A folder on this machine, or mounted on it: files are read where they lie, and links may not lead out."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from connectors.kinds.files.locations.place import Held, Seen, real, shown
from connectors.kinds.files.where import Where
from connectors.throttle import Throttle
from hub.errors import SourceUnreachable, StopSource

_BESIDE = 20


def folder_of(url: str, source: str) -> Path:
    """Return the folder that a connection names: a path, or a file:// URL.

    Raises:
        StopSource: the connection names something else.
        SourceUnreachable: there is no such folder.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"", "file"} or parts.netloc not in {"", "localhost"}:
        raise StopSource(source=source, got="the connection names no folder", known="a path, or file:///path")
    folder = Path(unquote(parts.path) if parts.scheme else url)
    if not folder.is_dir():
        raise SourceUnreachable(
            source=source, got="the connection's folder is not there", hint="Check that it exists and is mounted."
        )
    return folder.resolve()


class LocalPlace:
    """A folder that this machine sees."""

    trusts_times = False
    told = "the folder is there"

    def __init__(self, root: Path, source: str, stream: str | None = None) -> None:
        self.root, self.source, self.stream = root, source, stream
        self.throttle = Throttle(None)

    def names(self, pattern: str) -> Iterator[str]:
        """Yield the names of all files that a glob fits."""
        for path in self.root.glob(pattern):
            if not path.is_dir():
                yield self._name(path)

    def everything(self) -> Iterator[str]:
        """Yield the names of all plain files."""
        return (self._name(path) for path in self.root.rglob("*") if path.is_file() and not path.is_symlink())

    def beside(self, pattern: str) -> list[str]:
        """List what lies in the folder in which a name without signs should be."""
        return sorted(shown(path.name) for path in (self.root / pattern).parent.glob("*"))[:_BESIDE]

    def look(self, name: str, where: Where) -> Seen:
        """Look at one file, refusing all that leads out of the folder or is no plain file."""
        inside = self._path(name).resolve(strict=True)
        if not inside.is_relative_to(self.root):
            raise where.hostile("the name leads out of the folder through a link")
        found = inside.stat()
        if not stat.S_ISREG(found.st_mode):
            raise where.hostile("this is no plain file")
        return Seen(found.st_size, found.st_mtime_ns, busy=_locked(inside), path=inside)

    def bare(self, name: str) -> Seen:
        """Look at what bears the name itself."""
        path = self._path(name)
        own = path.lstat()
        target = str(path.readlink()) if path.is_symlink() else ""
        return Seen(own.st_size, own.st_mtime_ns, target=shown(target), path=path)

    def exists(self, name: str) -> bool:
        """Say whether something bears this name."""
        return os.path.lexists(self._path(name))

    def forget(self, name: str) -> None:
        """Keep nothing: each look is a fresh one."""

    @contextmanager
    def hold(self, name: str, seen: Seen, most: int, where: Where) -> Iterator[Held]:  # noqa: ARG002  # a copy's bounds
        """Take a file in hand as it lies there."""
        yield Held(seen)

    def changed(self, name: str, seen: Seen) -> bool:  # noqa: ARG002  # its path is known
        """Say whether a file was written to since it was looked at."""
        try:
            now = (seen.path or Path()).stat()
        except FileNotFoundError:
            return True
        return (now.st_size, now.st_mtime_ns) != (seen.size, seen.modified_ns)

    def move(self, name: str, to: str) -> None:
        """Give a file another name below the folder; a name that is taken is never written over."""
        target = self._path(to)
        with self._allowed():
            self._make_folder(target.parent)
            if os.path.lexists(target):
                raise FileExistsError
            self._path(name).rename(target)

    def delete(self, name: str) -> None:
        """Take a file away."""
        with self._allowed():
            self._path(name).unlink()

    def touch(self, name: str) -> None:
        """Make an empty file."""
        with self._allowed():
            self._path(name).touch(exist_ok=True)

    def write(self, name: str, content: bytes) -> None:
        """Write a small file whole, under a passing name first."""
        target = self._path(name)
        with self._allowed():
            self._make_folder(target.parent)
            handle, passing = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
            try:
                with os.fdopen(handle, "wb") as out:
                    out.write(content)
                    out.flush()
                    os.fsync(out.fileno())
                Path(passing).chmod(0o644)  # the department is another user
                Path(passing).replace(target)
            finally:
                Path(passing).unlink(missing_ok=True)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder below the connection's; none through a link that leads out of it."""
        folder.mkdir(parents=True, exist_ok=True)
        if not folder.resolve().is_relative_to(self.root):
            raise StopSource(
                source=self.source, stream=self.stream, got="the folder for files that were read or for receipts leads "
                "out of the connection's folder through a link", hint="Let it be a plain folder.",
            )  # fmt: skip

    def close(self) -> None:
        """Leave nothing behind: nothing is open."""

    def _path(self, name: str) -> Path:
        return self.root / real(name)

    def _name(self, path: Path) -> str:
        return shown(path.relative_to(self.root).as_posix())

    @contextmanager
    def _allowed(self) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, FileExistsError):
            raise
        except OSError as error:
            raise StopSource(
                source=self.source, stream=self.stream,
                got=f"files may not be put away ({os.strerror(error.errno) if error.errno else 'no reason given'})",
                hint="Give the hub's account the right to write to the folder, or set `afterwards: leave`.",
            ) from None  # fmt: skip


def _locked(path: Path) -> bool:
    """Say whether a writer on this machine holds a lock on the file."""
    with path.open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False  # a file system without locks
    return False
