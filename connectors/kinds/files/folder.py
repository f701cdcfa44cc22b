"""The files that a department delivers for one stream: which there are, and which are new, changed or sent again.

A file is known by its name and a keyed fingerprint of its bytes. The same bytes under the same name are not read
again. The same bytes under another name are marked `resent` and *are* read: a department that sends last month's
list once more may mean it, and where nothing differs each record counts as unchanged.

Where the files lie is the business of `connectors.kinds.files.locations`. Where they must be fetched, a file of the
same size and time counts as the same; one that was just written when it was fetched is compared once more.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

from connectors.envelopes.document import ENVELOPE, RECEIPT
from connectors.kinds.files.locations import Place
from connectors.kinds.files.locations.place import Seen, has_signs, parts_of
from connectors.kinds.files.where import Where
from connectors.limits import Limits
from connectors.seam import KeyedHash
from connectors.source import StreamSpec
from connectors.throttle import Throttle, slowed_file
from hub.errors import HostileInput, InternalError, RefuseUnit, RetrySource, StopSource, StreamMissing
from hub.records import Record

Change = Literal["new", "changed", "resent", "refused"]
TAKEN = ".taken"
"""Behind the name of an empty file: the file beside it was taken over."""
DONE = "done"
"""The folder for files that were read where `into` names no other."""
_UNFINISHED = (".tmp", ".part", ".filepart", ".crdownload", ".lock", ".swp", "~")
_CHUNK = 1 << 20
_YOUNG = 3.0
"""A place tells times in whole seconds: so long after its last change a file may change again without a new time."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A file that is to be read: how it differs from what was known, or why it is refused unread."""

    name: str
    seen: Seen
    fingerprint: str
    change: Change
    refusal: RefuseUnit | None = None
    copy: BinaryIO | None = None
    young: bool = False

    @property
    def size(self) -> int:
        """Return the file's size in bytes."""
        return self.seen.size

    @property
    def modified(self) -> str | None:
        """Return when the file was last written, as UTC text; None where its place does not say."""
        if self.seen.modified_ns is None:
            return None
        return datetime.fromtimestamp(self.seen.modified_ns / 1e9, UTC).isoformat(timespec="seconds")

    @property
    def entry(self) -> Record:
        """Return what the state remembers of the file once it is dealt with; an empty time is one not to trust."""
        return {"fingerprint": self.fingerprint, "size": self.size, "mtime": self.known_time, "is": self.change}

    @property
    def known_time(self) -> str:
        """Return the time by which the file may be known again."""
        return "" if self.young else self.modified or ""


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of one stream below a connection's folder."""

    place: Place
    source: str
    stream: StreamSpec
    limits: Limits
    keyed_hash: KeyedHash | None
    away: tuple[str, ...] = ()
    """The folders into which this and other streams put files away."""
    throttle: Throttle = field(default_factory=lambda: Throttle(None))
    """How fast files that lie here are read; what is fetched waits at its place."""

    def where(self, unit: str) -> Where:
        """Return the place that errors about a file name."""
        return Where(self.source, self.stream.name, unit)

    @property
    def pattern(self) -> str:
        """Return the stream's glob.

        Raises:
            HostileInput: it leads out of the connection's folder.
        """
        pattern = str(self.stream.options["path"])
        if pattern.startswith(("/", "~")) or ".." in Path(pattern).parts:
            raise self._hostile(f"the path {pattern!r} leads out of the connection's folder")
        return pattern

    def names(self) -> list[str]:
        """List the stream's files in natural order (`part2` before `part10`), unfinished and put away ones left out.

        Raises:
            StreamMissing: the path names one file, and it is not there.
            HostileInput: there are more files than any honest folder holds.
        """
        pattern = self.pattern
        found: list[str] = []
        for name in self.place.names(pattern):
            if self._left_out(name):
                self.place.forget(name)
                continue
            found.append(name)
            if len(found) > self.limits.files:
                raise self._hostile(f"more than {self.limits.files} files like {pattern!r}", known="limit `files`")
        if not found and not has_signs(pattern) and self.stream.options.get("afterwards", "leave") in {"leave", "mark"}:
            raise StreamMissing(
                source=self.source,
                stream=self.stream.name,
                got=f"there is no file {pattern!r}",
                known=", ".join(self.place.beside(pattern)) or "an empty folder",
            )
        return sorted(found, key=_natural)

    def _left_out(self, name: str) -> bool:
        """Say whether a file is unfinished, or one of ours: a mark, or put away."""
        last, options = name.rpartition("/")[2], self.stream.options
        if last.startswith((".", "~$")) or last.endswith((*_UNFINISHED, TAKEN)):
            return True
        if self.stream.envelope is not None and last.endswith((ENVELOPE, RECEIPT)):
            return True
        if "done" in options and last.endswith(str(options["done"])):
            return True
        return any(name.startswith(f"{away}/") for away in self.away)

    def delivered(self, names: Sequence[str], known: dict[str, Record], *, full: bool) -> Iterator[Delivered]:
        """Yield the files to read; those that are still being written are left for the next pull.

        A file is fingerprinted here only where that decides whether it is read at all: a hostile one of many
        gigabytes should meet its reader's limits first. What is found to be the same is brought up to date in `known`.
        """
        settle = float(self.stream.options.get("settle", 0))
        for name in names:
            before = known.get(name)
            found = self.look(name, before, settle)
            if found is None:
                continue
            if before is not None and not full:
                same = self.same(found, before)
                if same is not None:
                    known[name] = same
                    continue
            if self._complete(name):
                yield found

    def _complete(self, name: str) -> bool:
        """Say whether the signs stand beside a file by which its department says that it is whole."""
        signs = [str(self.stream.options["done"])] if "done" in self.stream.options else []
        if self.stream.envelope is not None and self.stream.envelope.required:
            signs.append(ENVELOPE)
        return all(self.place.exists(f"{name}{sign}") for sign in signs)

    def same(self, found: Delivered, before: Record) -> Record | None:
        """Return what the state remembers of a file that has not changed since; None of one that has."""
        if found.refusal is not None or before.get("is") == "refused":
            return before if before.get("fingerprint") == self._mark(found.name) else None
        if before.get("size") != found.size:
            return None
        if self.place.trusts_times and found.modified and before.get("mtime") == found.modified:
            return before
        with self.held(found) as held:
            if before.get("fingerprint") != self._fingerprint(held):
                return None
            return {**before, "mtime": held.known_time} if self.place.trusts_times else before

    def look(self, name: str, before: Record | None, settle: float = 0) -> Delivered | None:
        """Look at one file without reading it; None where it is still being written."""
        try:
            seen = self.place.look(name, self.where(name))
            if seen.busy or self._unsettled(seen, settle):
                return None
            if seen.size > self.limits.file_bytes:
                raise self.where(name).hostile(
                    f"the file has {seen.size:,} bytes", known=f"at most {self.limits.file_bytes:,}"
                )
        except FileNotFoundError:
            return None
        except RefuseUnit as refusal:
            return self._refusal(name, refusal)
        except PermissionError:
            raise StopSource(
                source=self.source,
                stream=self.stream.name,
                got=f"the file {name!r} may not be read",
                hint="Give the hub's account the right to read the folder.",
            ) from None
        return Delivered(name, seen, "", "changed" if before is not None else "new")

    def _refusal(self, name: str, refusal: RefuseUnit) -> Delivered | None:
        try:
            return Delivered(name, self.place.bare(name), self._mark(name), "refused", refusal)
        except FileNotFoundError:  # gone since it was looked at
            return None

    def _unsettled(self, seen: Seen, settle: float) -> bool:
        return seen.modified_ns is not None and time.time() - seen.modified_ns / 1e9 < settle

    @contextmanager
    def held(self, found: Delivered) -> Iterator[Delivered]:
        """Take a file in hand to read it: where it lies, or as a private copy that is gone afterwards.

        Raises:
            RetrySource: it is being written to.
            RefuseUnit: it is larger than the limit, or not what its place says of it.
        """
        if found.copy is not None:
            yield found
            return
        settle = float(self.stream.options.get("settle", 0))
        with self.place.hold(found.name, found.seen, self.limits.file_bytes, self.where(found.name)) as held:
            if held.copy is None:
                yield found
                return
            if held.seen.modified_ns != found.seen.modified_ns and self._unsettled(held.seen, settle):
                raise RetrySource(
                    source=self.source, stream=self.stream.name, unit=found.name,
                    got="the file was written to since it was listed",
                )  # fmt: skip
            young = held.seen.modified_ns is None or time.time() - held.seen.modified_ns / 1e9 < _YOUNG
            yield replace(found, seen=held.seen, copy=held.copy, young=young)

    def printed(self, found: Delivered, prints: Set[Any] = frozenset()) -> Delivered:
        """Return a file in hand with its fingerprint; a new one whose bytes are among `prints` was sent again."""
        if found.fingerprint:
            return found
        fingerprint = self._fingerprint(found)
        change: Change = "resent" if found.change == "new" and fingerprint in prints else found.change
        return replace(found, fingerprint=fingerprint, change=change)

    def refused(self, name: str) -> Record | None:
        """Return what the state remembers of a refused file: what it looks like, not what lies in it."""
        found = self.look(name, None)
        return None if found is None else {**found.entry, "fingerprint": self._mark(name), "is": "refused"}

    def _mark(self, name: str) -> str:
        own = self.place.bare(name)
        said = f"unread\0{name}\0{own.size}\0{own.modified_ns}\0{own.target}"
        if self.stream.envelope is not None and self.place.exists(f"{name}{ENVELOPE}"):
            beside = self.place.bare(f"{name}{ENVELOPE}")  # a mended envelope has the file read again
            said += f"\0{beside.size}\0{beside.modified_ns}\0{beside.target}"
        return self.hash(said.encode()).hex()

    def open(self, found: Delivered) -> BinaryIO:
        """Open a file in hand for reading; its last step may not be a link, whatever happened since the look."""
        if found.copy is not None:
            found.copy.seek(0)
            return os.fdopen(os.dup(found.copy.fileno()), "rb")
        if found.seen.path is None:
            raise InternalError("a file that does not lie on this machine is read only while it is held")
        descriptor = os.open(found.seen.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        return slowed_file(os.fdopen(descriptor, "rb"), self.throttle)

    def changed(self, found: Delivered) -> bool:
        """Say whether a file was written to since it was looked at."""
        return found.copy is None and self.place.changed(found.name, found.seen)

    def hash(self, data: bytes) -> bytes:
        """Hash bytes under the deployment's key."""
        if self.keyed_hash is None:
            raise InternalError("files are fingerprinted under a key only; open the connector with keyed_hash=…")
        return self.keyed_hash(data)

    def _fingerprint(self, found: Delivered) -> str:
        """Chain keyed hashes over the file's chunks, so that a large file is never held whole."""
        chained = b""
        with self.open(found) as handle:
            while chunk := handle.read(_CHUNK):
                chained = self.hash(chained + chunk)
        return (chained or self.hash(b"")).hex()

    def _hostile(self, got: str, *, known: str = "") -> HostileInput:
        """Return the error of a folder that cannot be read as a whole: no unit that could be set aside."""
        return HostileInput(
            source=self.source, stream=self.stream.name, got=got, known=known,
            hint="Look at the folder by hand; let old files be put away, or raise the limit.",
        )  # fmt: skip


def away_folders(stream: StreamSpec) -> list[str]:
    """Return the folders into which a stream's files are put away, and its receipts written."""
    options = stream.options
    folders = [str(options[name]) for name in ("into", "refused_into") if name in options]
    if options.get("afterwards") == "move" and "into" not in options:
        folders.append(DONE)
    if stream.envelope is not None and stream.envelope.receipts is not None:
        folders.append(stream.envelope.receipts)
    return ["/".join(parts_of(folder)) for folder in folders]


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key by which numbers inside names count as numbers."""
    return [
        (0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part)
        for part in re.split(r"([0-9]+)", name)
    ]
