"""The connector of kind `files`: a folder, wherever it is, and a glob for each stream."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from connectors.envelopes import RECEIPT, Expected
from connectors.kinds.files.folder import Delivered, Folder, away_folders
from connectors.kinds.files.locations import Place, open_place
from connectors.kinds.files.locations.place import fits, parts_of
from connectors.kinds.files.putaway import is_wanted, put_away
from connectors.kinds.files.sidecar import waiting
from connectors.kinds.files.units import UnitReader, UnitsPull
from connectors.kinds.files.where import Where
from connectors.limits import Limits
from connectors.seam import (
    CheckItem,
    CheckReport,
    DiscoveredField,
    DiscoveredStream,
    KeyedHash,
    Receipt,
    Window,
    fields_of,
)
from connectors.slices import cut
from connectors.source import Source, StreamSpec
from connectors.throttle import Throttle
from connectors.windows import picked
from hub.errors import RefuseUnit, SourceTrouble, StreamMissing
from hub.records import Record, Slice

Open = Callable[[BinaryIO, Mapping[str, Any], Limits, Where], UnitReader]
_SHOWN = 200
_RAW = 1 << 16


class FolderConnector(ABC):
    """What kinds `files` and `xes` share: streams of delivered units below one folder."""

    def __init__(self, source: Source, url: str, keyed_hash: KeyedHash | None = None) -> None:
        self.source, self.url, self.keyed_hash = source, url, keyed_hash
        self._committed: dict[str, Record] = {}
        self._looking = False

    @abstractmethod
    def reader(self, stream: StreamSpec, folder: Folder, found: Delivered) -> UnitReader:
        """Return the reader of one file of a stream."""

    @contextmanager
    def folder(self, stream: StreamSpec) -> Iterator[Folder]:
        """Enter the folder of a stream's files."""
        with closing(open_place(self.url, self.source.code, stream.name)) as place:
            yield self._folder(stream, place)

    def _folder(self, stream: StreamSpec, place: Place) -> Folder:
        away = tuple(folder for one in self.source.streams.values() for folder in away_folders(one))
        throttle = Throttle.of(stream, "bytes")
        place.throttle = throttle
        return Folder(place, self.source.code, stream, Limits.of(stream.options), self.keyed_hash, away, throttle)

    def read(self, stream: StreamSpec, state: Record, *, slice_size: int, full: bool) -> Iterator[Slice]:
        """Yield what is new since `state`, file by file; see `connectors.seam.Connector.read`."""
        with self.folder(stream) as folder:
            expected = Expected.of(self.source, stream)
            pull = UnitsPull(folder, lambda found: self.reader(stream, folder, found), slice_size, expected)
            yield from pull.slices(state, full=full)

    def read_window(self, stream: StreamSpec, window: Window, *, slice_size: int) -> Iterator[Slice]:
        """Yield what bears a business date in the window, of all files; see `connectors.seam.ReadsWindows`."""
        return picked(self._readable(stream, slice_size), self.source, stream, window)

    def _readable(self, stream: StreamSpec, slice_size: int) -> Iterator[Slice]:
        """Yield every file that can be read; one that cannot is told by the pull that sets it aside."""
        state: Record = {}
        full = True
        while True:
            try:
                for piece in self.read(stream, state, slice_size=slice_size, full=full):
                    state = piece.state
                    yield piece
            except RefuseUnit as refusal:
                if refusal.unit is None:
                    raise
                state, full = self.skip(stream, state, refusal.unit), False
            else:
                return

    def skip(self, stream: StreamSpec, state: Record, unit: str) -> Record:
        """Return the state in which `unit` counts as dealt with until its bytes change."""
        with self.folder(stream) as folder:
            entry = folder.refused(unit)
        files = dict(state.get("files", {}))
        return {"files": files if entry is None else {**files, unit: entry}}

    def raw(self, stream: StreamSpec, unit: str) -> Iterator[bytes]:
        """Yield the bytes of a unit as they lie there; none of one that leads out of the folder or does not end."""
        with self.folder(stream) as folder:
            found = folder.look(unit, None)
            if found is None or found.refusal is not None:
                return
            try:
                with folder.held(found) as held, folder.open(held) as handle:
                    while chunk := handle.read(_RAW):
                        yield chunk
            except RefuseUnit:
                return

    def acknowledge(self, stream: StreamSpec, receipts: Sequence[Receipt]) -> None:
        """Write the receipts of enveloped files into the declared folder; see `connectors.seam.Acknowledges`."""
        into = stream.envelope.receipts if stream.envelope is not None else None
        if into is None or self._looking:
            return
        with closing(open_place(self.url, self.source.code, stream.name)) as place:
            for one in receipts:
                place.write(f"{'/'.join(parts_of(into))}/{one.token}{RECEIPT}", one.document)

    def only_look(self) -> None:
        """From now on write nothing at the source."""
        self._looking = True

    def tidy(self, stream: StreamSpec, state: Record) -> None:
        """Put away the files that `state`, which is committed, says were dealt with; see `connectors.seam.Tidies`."""
        self._committed[stream.name] = state
        for one in self._concerned(stream):
            with self.folder(one) as folder:
                put_away(folder, self._committed[one.name], functools.partial(self._others_are_through, one))

    def _concerned(self, stream: StreamSpec) -> Iterator[StreamSpec]:
        """Yield the streams that may have files to put away now: this one, and those whose files had to wait for it."""
        for one in self.source.streams.values():
            files = self._committed.get(one.name, {}).get("files", {})
            waited = one.name == stream.name or any(fits(str(stream.options["path"]), name) for name in files)
            if files and is_wanted(one) and waited:
                yield one

    def _others_are_through(self, stream: StreamSpec, name: str, entry: Record) -> bool:
        """Say whether every other stream that reads a file has, in this pull, committed the same bytes of it."""
        for other in self.source.streams.values():
            if other.name == stream.name or not fits(str(other.options["path"]), name):
                continue
            theirs = self._committed.get(other.name, {}).get("files", {}).get(name, {})
            if not _is_of_the_same(theirs, entry):
                return False
        return True

    def check(self) -> CheckReport:
        """Look whether the folder is there, and read the first record of each stream's newest file."""
        try:
            with closing(open_place(self.url, self.source.code)) as place:
                found = [CheckItem(None, ok=True, message=place.told)]
        except SourceTrouble as error:
            return CheckReport(self.source.code, (CheckItem(None, ok=False, message=error.got, hint=str(error)),))
        found += [self._check(stream) for stream in self.source.streams.values()]
        return CheckReport(self.source.code, tuple(found))

    def _check(self, stream: StreamSpec) -> CheckItem:
        try:
            with self.folder(stream) as folder:
                names = folder.names()
                if not names:
                    return CheckItem(stream.name, ok=True, message=f"no file like {stream.options['path']} yet")
                fields = self._fields(stream, folder, names[-1])
                alone = sum(1 for _ in waiting(folder, names))
        except SourceTrouble as error:
            return CheckItem(stream.name, ok=False, message=error.got, hint=str(error))
        message = f"{len(names)} files; {names[-1]} has {len(fields)} fields"
        return CheckItem(
            stream.name, ok=True, message=message + (f"; {alone} wait for their envelope" if alone else "")
        )

    def _fields(self, stream: StreamSpec, folder: Folder, name: str) -> tuple[DiscoveredField, ...]:
        """Read the first records of a file and tell their fields, with the JSON types that were seen."""
        found = replace(folder, keyed_hash=_no_print).look(name, None)
        if found is None:
            return ()
        if found.refusal is not None:
            raise found.refusal
        with folder.held(found) as held:
            run = next(cut(self.reader(stream, folder, held).rows(), _SHOWN))
        return fields_of(run.records)

    def discover(self) -> list[DiscoveredStream]:
        """List the declared streams with the fields of their newest file, and the files that no stream reads."""
        taken: set[str] = set()
        listed: list[DiscoveredStream] = []
        with closing(open_place(self.url, self.source.code)) as place:
            for stream in self.source.streams.values():
                folder = self._folder(stream, place)
                try:
                    names = folder.names()
                except StreamMissing:
                    names = []
                taken.update(names)
                fields = self._fields(stream, folder, names[-1]) if names else ()
                listed.append(DiscoveredStream(stream.name, fields, key=stream.key))
            others = (name for name in place.everything() if name not in taken)
            found = sorted(islice(others, _SHOWN * 5 - len(listed)))
        return [*listed, *(DiscoveredStream(name, ()) for name in found)]


def _is_of_the_same(entry: Record, other: Record) -> bool:
    """Say whether two streams' entries speak about the same bytes; a refused file is known by size and time only."""
    if entry.get("fingerprint") == other.get("fingerprint"):
        return bool(entry)
    known = (entry.get("size"), entry.get("mtime"))
    return bool(known[1]) and known == (other.get("size"), other.get("mtime"))


def _no_print(_: bytes) -> bytes:
    """Stand for a fingerprint where files are only looked at."""
    return b""


class FilesConnector(FolderConnector):
    """Reads files in the formats csv, xlsx, xml, jsonl, json, yaml and singer."""

    def reader(self, stream: StreamSpec, folder: Folder, found: Delivered) -> UnitReader:
        """Return the reader of the stream's format."""
        options = dict(stream.options)
        if "xsd" in options:
            options["xsd"] = str(self._beside(str(options["xsd"]), stream))
        return _format(str(options["format"]))(folder.open(found), options, folder.limits, folder.where(found.name))

    def _beside(self, name: str, stream: StreamSpec) -> Path:
        """Find a file that a source names: in its own folder, else beside its mapping."""
        places = [self.source.folder / name, self.source.mapping.parent / name]
        for place in places:
            if place.is_file():
                return place
        raise StreamMissing(
            source=self.source.code, stream=stream.name, got=f"there is no schema file {name!r}",
            hint=f"Put it beside {self.source.mapping.name}.",
        )  # fmt: skip


def _format(name: str) -> Open:
    # Each format is imported when it is used: calamine and lxml are heavy.
    if name == "csv":
        from connectors.kinds.files.csvfile import open_csv  # noqa: PLC0415  # only the format that is read

        return open_csv
    if name == "xlsx":
        from connectors.kinds.files.xlsx import open_xlsx  # noqa: PLC0415  # only the format that is read

        return open_xlsx
    if name == "xml":
        from connectors.kinds.files.xml import open_xml  # noqa: PLC0415  # only the format that is read

        return open_xml
    if name == "yaml":
        from connectors.kinds.files.yamlfile import open_yaml  # noqa: PLC0415  # only the format that is read

        return open_yaml
    if name == "singer":
        from connectors.kinds.files.singer import open_singer  # noqa: PLC0415  # only the format that is read

        return open_singer
    from connectors.kinds.files.jsonfile import open_json  # noqa: PLC0415  # only the format that is read

    return open_json
