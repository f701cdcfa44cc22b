"""What places behind a wire share: listings remembered until used, and files fetched whole before they are read.

A fetched file lies in a temporary file that has no name (and so is gone with the process, however that ends). Its size
and time are looked at before and after, so that nothing half-written is ever read.
"""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import BinaryIO

from connectors.kinds.files.locations.place import Held, Seen, parts_of, real, shown
from connectors.kinds.files.locations.walk import Entry, walk
from connectors.kinds.files.where import Where
from connectors.throttle import Throttle
from hub.errors import HostileInput, RetrySource

_BESIDE = 20
_LISTED = 1_000_000
"""More entries than any honest folder has: a listing that goes on beyond them is given up."""
_LONGEST = 1_024


class FetchingPlace(ABC):
    """A place whose files are fetched; what a wire is like is said by its sub-classes."""

    trusts_times = True

    def __init__(self, source: str, stream: str | None) -> None:
        self.source, self.stream = source, stream
        self.throttle = Throttle(None)
        self._listed: dict[str, Entry] = {}

    # --- what a sub-class says

    @abstractmethod
    def entries(self, folder: str) -> Iterator[Entry]:
        """Yield what lies in a folder; nothing where there is none."""

    @abstractmethod
    def entry(self, path: str) -> Entry:
        """Look at one path, not following a link."""

    @abstractmethod
    def leads_to_folder(self, path: str) -> bool:
        """Say whether a link leads to a folder."""

    @abstractmethod
    def follow(self, path: str) -> tuple[str, Entry] | None:
        """Return where a path really is and what lies there; None where that is outside of the folder."""

    @abstractmethod
    def blocks(self, path: str, size: int) -> Generator[bytes]:
        """Yield a file's bytes; where its size is known, one more block at most if there is more."""

    @abstractmethod
    def close(self) -> None:
        """Leave the place."""

    # --- what all of them do

    def names(self, pattern: str) -> Iterator[str]:
        """Yield the names of all files that a glob fits."""
        self._listed = {}
        for path, entry in walk(self, pattern):
            if (name := shown(path)) not in self._listed:
                self._listed[name] = entry
                yield name

    def everything(self) -> Iterator[str]:
        """Yield the names of all plain files."""
        return (shown(path) for path, entry in walk(self, "**/*") if entry.kind == "file")

    def beside(self, pattern: str) -> list[str]:
        """List what lies in the folder in which a name without signs should be."""
        folder = "/".join(parts_of(pattern)[:-1])
        found: list[str] = []
        for entry in self.entries(folder):
            found.append(shown(entry.name))
            if len(found) > _BESIDE:
                break
        return sorted(found)[:_BESIDE]

    def look(self, name: str, where: Where) -> Seen:
        """Look at one file; what the last listing said of it is used once."""
        listed = self._listed.pop(name, None)
        entry = listed if listed is not None else self.entry(real(name))
        return self._seen(real(name), entry, where)

    def bare(self, name: str) -> Seen:
        """Look at what bears the name itself."""
        entry = self.entry(real(name))
        return Seen(entry.size, entry.modified_ns, target=entry.kind)

    def exists(self, name: str) -> bool:
        """Say whether something bears this name."""
        try:
            self.entry(real(name))
        except FileNotFoundError:
            return False
        return True

    def forget(self, name: str) -> None:
        """Drop what the listing said of a file."""
        self._listed.pop(name, None)

    @contextmanager
    def hold(self, name: str, seen: Seen, most: int, where: Where) -> Iterator[Held]:  # noqa: ARG002  # looked at anew
        """Fetch a file into a nameless temporary file; it must be the same before and after."""
        path = real(name)
        with tempfile.TemporaryFile(prefix="hub-") as copy:
            try:
                path, entry = self._followed(path, where)
                count = self._copy(path, entry.size, most, copy, where)
                _, after = self._followed(path, where)
            except FileNotFoundError:
                raise self._moving(name, "the file vanished while it was fetched") from None
            if (after.size, after.modified_ns) != (entry.size, entry.modified_ns):
                raise self._moving(name, "the file was written to while it was fetched")
            if entry.size >= 0:
                _as_said(entry.size, count, where)
            copy.seek(0)
            yield Held(Seen(count, entry.modified_ns), copy)

    def _copy(self, path: str, size: int, most: int, copy: BinaryIO, where: Where) -> int:
        """Copy a file's bytes, no further than the limit and the size that was said, and count them."""
        count = 0
        with closing(self.blocks(path, size)) as blocks:
            for block in blocks:
                self.throttle.take(len(block))
                count += len(block)
                if count > most:
                    raise where.hostile("the file does not end within the limit", known=f"at most {most:,} bytes")
                copy.write(block)
                if 0 <= size < count:
                    break
        return count

    def changed(self, name: str, seen: Seen) -> bool:  # noqa: ARG002  # the copy stays as it is
        """Say no: what is read is the copy."""
        return False

    def checked(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        """Pass on the entries of one folder, refusing names that are paths, and listings without an end."""
        for number, entry in enumerate(entries):
            if number > _LISTED:
                raise self.lie(f"a folder's listing goes on beyond {_LISTED:,} names")
            if entry.name in {"", ".", ".."} or "/" in entry.name or "\0" in entry.name:
                raise self.lie("a folder's listing holds a name that is a path")
            if len(entry.name) > _LONGEST:
                raise self.lie(f"a folder's listing holds a name of more than {_LONGEST:,} signs")
            yield entry

    def _seen(self, path: str, entry: Entry, where: Where) -> Seen:
        if entry.kind == "link":
            _, entry = self._followed(path, where)
        if entry.kind != "file":
            raise where.hostile("this is no plain file")
        return Seen(entry.size, entry.modified_ns)

    def _followed(self, path: str, where: Where) -> tuple[str, Entry]:
        found = self.follow(path)
        if found is None:
            raise where.hostile("the name leads out of the folder through a link")
        if found[1].kind != "file":
            raise where.hostile("this is no plain file")
        return found

    def _moving(self, name: str, got: str) -> RetrySource:
        return RetrySource(source=self.source, stream=self.stream, unit=name, got=got)

    def lie(self, got: str) -> HostileInput:
        """Return the error of a place that tells what no honest one does."""
        return HostileInput(
            source=self.source, stream=self.stream, got=got, hint="Look at the server: no honest one answers so."
        )


def _as_said(size: int, count: int, where: Where) -> None:
    """Refuse a file of which the place hands over more or less than it says."""
    if count > size:
        raise where.hostile("the place hands over more bytes than it says that the file has", known=f"{size:,}")
    if count < size:
        raise where.truncated(f"the place hands over {count:,} of the {size:,} bytes that it says")
