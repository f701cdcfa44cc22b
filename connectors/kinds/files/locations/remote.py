"""Files at any other place that fsspec knows: an object store, a department's cloud, a memory of tests."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import fsspec
from fsspec.registry import known_implementations, registry

from connectors.kinds.files.locations.fetched import FetchingPlace
from connectors.kinds.files.locations.place import real
from connectors.kinds.files.locations.walk import Entry
from hub.errors import RetrySource, SourceTrouble, SourceUnreachable, StopSource

_BLOCK = 1 << 20
_NANO = 1_000_000_000
_TIMES = ("mtime", "LastModified", "last_modified", "modified", "updated")
_REFUSED = frozenset({"ftp", "ssh", "local"})
"""Without a cipher, without a check of the host key, without a check of links: none of them is entered."""
_TRIES = 2
"""So often a client tries, where it has a number for it (`retries`): a pull that broke off comes again by itself."""
_CLIENT: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"retries": {"max_attempts": 1}, "connect_timeout": 10, "read_timeout": 60}}
}
"""What a client is told where the address does not say it: s3fs tries anew around the tries of the client below it."""


class FsspecPlace(FetchingPlace):
    """A folder in a file system of fsspec's."""

    told = "the folder is there"

    def __init__(self, url: str, source: str, stream: str | None = None) -> None:
        super().__init__(source, stream)
        self._files, self._root = self._open(url)
        with self._talk():
            there = self._files.isdir(self._root)
        if not there:
            raise SourceUnreachable(
                source=source, stream=stream, got="the connection's folder is not there",
                hint="An object store shows a folder only while something lies in it: keep an empty `.keep` there.",
            )  # fmt: skip

    def entries(self, folder: str) -> Iterator[Entry]:
        """Yield what lies in a folder; nothing where there is none."""
        return self.checked(self._entries(folder))

    def _entries(self, folder: str) -> Iterator[Entry]:
        base = self._path(folder)
        try:
            with self._talk():
                listed = self._files.ls(base, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return
        for info in listed:
            path = str(info["name"]).rstrip("/")
            if path == base:
                continue  # an object store's mark of the folder itself
            yield self._entry(path.removeprefix(base.rstrip("/") + "/"), info)

    def entry(self, path: str) -> Entry:
        """Look at one path."""
        with self._talk():
            return self._entry(path, self._files.info(self._path(path)))

    def leads_to_folder(self, path: str) -> bool:  # noqa: ARG002  # no file system of fsspec's follows links here
        """Say no: a link is not followed."""
        return False

    def follow(self, path: str) -> tuple[str, Entry] | None:
        """Return what lies at a path; None for a link, of which nobody says where it leads."""
        found = self.entry(path)
        return None if found.kind == "link" else (path, found)

    def blocks(self, path: str, size: int) -> Generator[bytes]:  # noqa: ARG002  # the reader stops by itself
        """Yield a file's bytes."""
        with self._talk(), self._files.open(self._path(path), "rb") as handle:
            while block := handle.read(_BLOCK):
                yield block

    def move(self, name: str, to: str) -> None:
        """Give a file another name below the folder; a name that is taken is never written over."""
        if self.exists(to):
            raise FileExistsError
        with self._talk():
            target = self._path(real(to))
            self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._files.mv(self._path(real(name)), target)

    def delete(self, name: str) -> None:
        """Take a file away."""
        with self._talk():
            self._files.rm_file(self._path(real(name)))

    def touch(self, name: str) -> None:
        """Make an empty file."""
        with self._talk():
            self._files.pipe_file(self._path(real(name)), b"")

    def write(self, name: str, content: bytes) -> None:
        """Write a small file whole: an object store shows an object when it is complete."""
        with self._talk():
            target = self._path(real(name))
            self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(target, content)

    def close(self) -> None:
        """Leave the place; its package keeps and shares connections by itself."""

    def _open(self, url: str) -> tuple[Any, str]:
        address, _, query = url.partition("?")
        scheme = address.partition(":")[0].lower()
        if scheme in _REFUSED or "::" in address or scheme not in _known():
            raise StopSource(
                source=self.source, stream=self.stream, got="the connection names no folder that can be read",
                known="a path, file:///path, sftp://…, or a URL of fsspec such as s3://bucket/folder; not ftp and ssh",
            )  # fmt: skip
        try:
            options = _bounded(scheme, _options(query))
            made = fsspec.core.url_to_fs(address, **options, skip_instance_cache=True, use_listings_cache=False)
        except ImportError:
            package = str(known_implementations.get(scheme, {}).get("class", "")).partition(".")[0]
            raise StopSource(
                source=self.source, stream=self.stream, got=f"{scheme}:// needs the Python package {package!r}",
                hint=f"Install it beside the hub: pip install {package}",
            ) from None  # fmt: skip
        except (TypeError, ValueError) as error:
            raise StopSource(
                source=self.source, stream=self.stream,
                got=f"the connection's options do not fit ({type(error).__name__})",
                hint="Compare its parameters with the documentation of the file system's package.",
            ) from None  # fmt: skip
        if isinstance(getattr(made[0], "retries", None), int):
            made[0].retries = min(made[0].retries, _TRIES)
        return made[0], str(made[1]).rstrip("/") or "/"

    def _path(self, path: str) -> str:
        return self._root.rstrip("/") + "/" + path if path else self._root

    def _entry(self, name: str, info: dict[str, Any]) -> Entry:
        kind = "link" if info.get("islink") or info.get("type") == "link" else info.get("type")
        if kind not in {"file", "link"}:
            return Entry(name, "folder" if kind == "directory" else "other", 0, None)
        size = info.get("size")
        return Entry(name, "file" if kind == "file" else "link", -1 if size is None else int(size), self._time(info))

    def _time(self, info: dict[str, Any]) -> int | None:
        found = next((info[name] for name in _TIMES if info.get(name) is not None), None)
        if found is None:
            try:
                with self._talk():
                    found = self._files.modified(info["name"])
            except NotImplementedError:
                return None
        return _nanoseconds(found)

    @contextmanager
    def _talk(self) -> Iterator[None]:
        """Word what goes wrong; what a package of anybody's making raises is not quoted, it may hold the address."""
        try:
            yield
        except (FileNotFoundError, FileExistsError, NotADirectoryError, NotImplementedError, SourceTrouble):
            raise
        except PermissionError:
            raise StopSource(
                source=self.source, stream=self.stream, got="the place says permission denied",
                hint="Ask the department for the rights, or set `afterwards: leave` where it gives none to write.",
            ) from None  # fmt: skip
        except (OSError, EOFError) as error:
            raise RetrySource(
                source=self.source, stream=self.stream, got=f"the place broke off ({type(error).__name__})"
            ) from None
        except Exception as error:  # noqa: BLE001  # each package has errors of its own; none may pass untyped
            raise RetrySource(
                source=self.source, stream=self.stream, got=f"the place cannot be read ({type(error).__name__})",
                hint="If it stays so, look at the connection: address, parameters and credentials.",
            ) from None  # fmt: skip


def _known() -> set[str]:
    """Return the schemes that fsspec knows by itself, and those that a deployment registered."""
    return {*fsspec.available_protocols(), *registry}


def _options(query: str) -> dict[str, Any]:
    """Return storage options from a URL's query; what is written as a JSON object, array or truth is read as such."""
    found: dict[str, Any] = {}
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        text = unquote(value)
        found[name] = json.loads(text) if text[:1] in {"{", "["} or text in {"true", "false"} else text
    return found


def _bounded(scheme: str, options: dict[str, Any]) -> dict[str, Any]:
    """Lay what a client is told below what the address says, or fsspec's own variables, part by part."""
    for name, parts in _CLIENT.get(scheme, {}).items():
        said = options.get(name, fsspec.config.conf.get(scheme, {}).get(name, {}))
        options[name] = {**deepcopy(parts), **said} if isinstance(said, dict) else said  # the client writes into it
    return options


def _nanoseconds(found: Any) -> int | None:
    if isinstance(found, datetime):
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * _NANO)
    return int(found * _NANO) if isinstance(found, int | float) else None
