"""The connector of kind `files`: a folder, and a glob for each stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from connectors.kinds.files.folder import Delivered, Folder, folder_of
from connectors.kinds.files.units import UnitReader, UnitsPull
from connectors.kinds.files.where import Where
from connectors.limits import Limits
from connectors.seam import CheckItem, CheckReport, DiscoveredField, DiscoveredStream, KeyedHash, fields_of
from connectors.slices import cut
from connectors.source import Source, StreamSpec
from hub.errors import SourceTrouble, StreamMissing
from hub.records import Record, Slice

Open = Callable[[BinaryIO, Mapping[str, Any], Limits, Where], UnitReader]
_SHOWN = 200
_RAW = 1 << 16


class FolderConnector:
    """What kinds `files` and `xes` share: streams of delivered units below one folder."""

    def __init__(self, source: Source, url: str, keyed_hash: KeyedHash | None = None) -> None:
        self.source, self.url, self.keyed_hash = source, url, keyed_hash

    def reader(self, stream: StreamSpec, folder: Folder, found: Delivered) -> UnitReader:
        """Return the reader of one file of a stream."""
        raise NotImplementedError

    def folder(self, stream: StreamSpec) -> Folder:
        """Return the folder of a stream's files."""
        root = folder_of(self.url, self.source.code)
        return Folder(root, self.source.code, stream, Limits.of(stream.options), self.keyed_hash)

    def read(self, stream: StreamSpec, state: Record, *, slice_size: int, full: bool) -> Iterator[Slice]:
        """Yield what is new since `state`, file by file; see `connectors.seam.Connector.read`."""
        folder = self.folder(stream)
        pull = UnitsPull(folder, lambda found: self.reader(stream, folder, found), slice_size)
        yield from pull.slices(state, full=full)

    def skip(self, stream: StreamSpec, state: Record, unit: str) -> Record:
        """Return the state in which `unit` counts as dealt with until its bytes change."""
        entry = self.folder(stream).refused(unit)
        files = dict(state.get("files", {}))
        return {"files": files if entry is None else {**files, unit: entry}}

    def raw(self, stream: StreamSpec, unit: str) -> Iterator[bytes]:
        """Yield the bytes of a unit as they lie there; none of one that leads out of the folder."""
        folder = self.folder(stream)
        found = folder.look(unit, None)
        if found is None or found.refusal is not None:
            return
        with folder.open(found) as handle:
            while chunk := handle.read(_RAW):
                yield chunk

    def check(self) -> CheckReport:
        """Look whether the folder is there, and read the first record of each stream's newest file."""
        try:
            folder_of(self.url, self.source.code)
        except SourceTrouble as error:
            return CheckReport(self.source.code, (CheckItem(None, ok=False, message=error.got, hint=str(error)),))
        found = [CheckItem(None, ok=True, message="the folder is there")]
        found += [self._check(stream) for stream in self.source.streams.values()]
        return CheckReport(self.source.code, tuple(found))

    def _check(self, stream: StreamSpec) -> CheckItem:
        try:
            folder = self.folder(stream)
            names = folder.names()
            if not names:
                return CheckItem(stream.name, ok=True, message=f"no file like {stream.options['path']} yet")
            fields = self._fields(stream, folder, names[-1])
        except SourceTrouble as error:
            return CheckItem(stream.name, ok=False, message=error.got, hint=str(error))
        return CheckItem(stream.name, ok=True, message=f"{len(names)} files; {names[-1]} has {len(fields)} fields")

    def _fields(self, stream: StreamSpec, folder: Folder, name: str) -> tuple[DiscoveredField, ...]:
        """Read the first records of a file and tell their fields, with the JSON types that were seen."""
        found = Folder(folder.root, folder.source, folder.stream, folder.limits, _no_print).look(name, None)
        if found is None:
            return ()
        if found.refusal is not None:
            raise found.refusal
        run = next(cut(self.reader(stream, folder, found).rows(), _SHOWN))
        return fields_of(run.records)

    def discover(self) -> list[DiscoveredStream]:
        """List the declared streams with the fields of their newest file, and the files that no stream reads."""
        root = folder_of(self.url, self.source.code)
        taken: set[str] = set()
        listed: list[DiscoveredStream] = []
        for stream in self.source.streams.values():
            folder = self.folder(stream)
            try:
                names = folder.names()
            except StreamMissing:
                names = []
            taken.update(names)
            fields = self._fields(stream, folder, names[-1]) if names else ()
            listed.append(DiscoveredStream(stream.name, fields, key=stream.key))
        others = sorted(path.relative_to(root).as_posix() for path in _files(root)) if root.is_dir() else []
        return [*listed, *(DiscoveredStream(name, ()) for name in others if name not in taken)][: _SHOWN * 5]


def _no_print(_: bytes) -> bytes:
    """Stand for a fingerprint where files are only looked at."""
    return b""


def _files(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())


class FilesConnector(FolderConnector):
    """Reads files in the formats csv, xlsx, xml, jsonl and json."""

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
        from connectors.kinds.files.csvfile import open_csv  # noqa: PLC0415  # see above

        return open_csv
    if name == "xlsx":
        from connectors.kinds.files.xlsx import open_xlsx  # noqa: PLC0415  # see above

        return open_xlsx
    if name == "xml":
        from connectors.kinds.files.xml import open_xml  # noqa: PLC0415  # see above

        return open_xml
    from connectors.kinds.files.jsonfile import open_json  # noqa: PLC0415  # see above

    return open_json
