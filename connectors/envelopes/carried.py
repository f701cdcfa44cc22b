"""Takes carried media in and gives receipts out, where no line leads from a department's network to ours.

A package holds `SOURCE/FILE` and `SOURCE/FILE.envelope.json`. All of it is proven before any of it is put into the
source's folder, where the next pull finds it like any other delivery.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from connectors.envelopes.document import ENVELOPE, MOST_BYTES, RECEIPT, digest_of
from connectors.envelopes.judge import EnvelopeRefused, Expected, Proof
from connectors.envelopes.package import Bounds, Entry, PackageRefused, copy, entries_of
from connectors.kinds.files.locations.local import folder_of
from connectors.kinds.files.locations.place import fits
from connectors.limits import Limits
from connectors.seam import Connections
from connectors.source import Source, StreamSpec
from hub.errors import StopSource

CARRIED = "carried"
"""The folder below that of receipts for those that were carried out."""
_STAGE = ".carry-"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What a package brought to one source: files put into its folder, and those that lay there already."""

    source: str
    files: tuple[str, ...]
    known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Item:
    """One delivery of a package: payload and envelope, and the stream that reads it."""

    stream: StreamSpec
    name: str
    payload: Entry
    envelope: Entry


def take_in(
    package: Path, sources: Mapping[str, Source], connections: Connections, bounds: Bounds | None = None
) -> list[TakenIn]:  # fmt: skip
    """Put the deliveries of a package into their sources' folders: all of them, or none.

    Raises:
        PackageRefused: anything is wrong with the package or one of its deliveries; all of it is told.
        StopSource: a source's connection is no folder on this machine.
    """
    with entries_of(package, bounds or Bounds()) as entries:
        by_source, faults = _sorted(entries, sources)
        if not entries:
            faults.append("it holds no file")
        if faults:
            raise PackageRefused(package.name, faults)
        staged: list[tuple[Source, Path, Path, list[_Item]]] = []
        try:
            for code, items in by_source.items():
                inbox = folder_of(connections(sources[code].connection), code)
                stage = Path(tempfile.mkdtemp(prefix=_STAGE, dir=inbox))
                staged.append((sources[code], inbox, stage, items))
                faults += _staged(sources[code], inbox, stage, items)
            if faults:
                raise PackageRefused(package.name, faults)
            return [_placed(*one) for one in staged]
        finally:
            for _, _, stage, _ in staged:
                shutil.rmtree(stage, ignore_errors=True)


def _sorted(entries: list[Entry], sources: Mapping[str, Source]) -> tuple[dict[str, list[_Item]], list[str]]:
    """Find source and stream of each delivery."""
    names = {entry.name: entry for entry in entries}
    found: dict[str, list[_Item]] = {}
    faults = [
        f"{name} has no file beside it"
        for name in names
        if name.endswith(ENVELOPE) and name.removesuffix(ENVELOPE) not in names
    ]
    for name, entry in names.items():
        if name.endswith(ENVELOPE):
            continue
        code, _, within = name.partition("/")
        source = sources.get(code)
        stream = _stream_of(source, within) if source is not None else None
        if source is None or not within:
            faults.append(
                f"{name} lies in no folder that is named after a source (known: {', '.join(sources) or 'none'})"
            )
        elif stream is None:
            faults.append(f"{name} fits the path of no stream of {code} that declares envelopes")
        elif f"{name}{ENVELOPE}" not in names:
            faults.append(f"{name} has no envelope beside it")
        elif names[f"{name}{ENVELOPE}"].size > MOST_BYTES:
            faults.append(f"{name}{ENVELOPE} has more than {MOST_BYTES:,} bytes")
        elif entry.size > Limits.of(stream.options).file_bytes:
            faults.append(f"{name} has more bytes than the stream's limit `file_bytes`")
        else:
            found.setdefault(code, []).append(_Item(stream, within, entry, names[f"{name}{ENVELOPE}"]))
    return found, faults


def _stream_of(source: Source, name: str) -> StreamSpec | None:
    if source.kind not in {"files", "xes"}:
        return None
    fit = (one for one in source.streams.values() if one.envelope is not None and fits(str(one.options["path"]), name))
    return next(fit, None)


def _staged(source: Source, inbox: Path, stage: Path, items: list[_Item]) -> Iterator[str]:
    """Unpack the deliveries of a source beside its folder's files, prove each, and yield what is wrong."""
    for count, item in enumerate(items):
        payload, envelope = _names(stage, count)
        wrong = copy(item.payload, payload) or copy(item.envelope, envelope)
        if wrong:
            yield wrong
            continue
        yield from _proven(source, item, payload, envelope.read_bytes())
        for staged, target in ((payload, inbox / item.name), (envelope, inbox / f"{item.name}{ENVELOPE}")):
            if not _inside(inbox, target):
                yield f"{item.name} would lie outside of the source's folder, through a link"
            elif target.exists() and not _same(staged, target):
                yield f"{item.name} lies in the source's folder already, with other content"


def _names(stage: Path, count: int) -> tuple[Path, Path]:
    """Name a staged payload and envelope so that no pull takes them for deliveries, should this process be killed."""
    return stage / f"{count}.part", stage / f"{count}.envelope.part"


def _proven(source: Source, item: _Item, payload: Path, envelope: bytes) -> Iterator[str]:
    expected = Expected.of(source, item.stream)
    if expected is None:
        return
    with payload.open("rb") as handle:
        digest = digest_of(iter(lambda: handle.read(_BLOCK), b""))
    try:
        Proof.of(expected, envelope, digest, item.name)
    except EnvelopeRefused as error:
        for one in error.findings:
            yield f"{source.code}/{item.name}: {one.rule}: {one.detail['got']}"


def _inside(inbox: Path, target: Path) -> bool:
    return not target.is_symlink() and target.parent.resolve().is_relative_to(inbox)


def _same(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        return all(a == b for a, b in zip(_blocks(first), _blocks(second), strict=True))


def _blocks(handle: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: handle.read(_BLOCK), b"")


def _placed(source: Source, inbox: Path, stage: Path, items: list[_Item]) -> TakenIn:
    """Give the staged deliveries their names, each envelope after its file."""
    new, known = [], []
    for count, item in enumerate(items):
        payload, envelope = inbox / item.name, inbox / f"{item.name}{ENVELOPE}"
        if payload.exists() and envelope.exists():
            known.append(item.name)
            continue
        new.append(item.name)
        payload.parent.mkdir(parents=True, exist_ok=True)
        for staged, target in zip(_names(stage, count), (payload, envelope), strict=True):
            staged.replace(target)
    return TakenIn(source.code, tuple(new), tuple(known))


def give_out(
    source: Source, connections: Connections, into: Path, *, again: bool = False
) -> tuple[Path | None, list[str]]:  # fmt: skip
    """Pack the receipts that were not carried out yet into a zip archive below `into`; return it and their names.

    What was packed is put aside into `carried/` when the archive is written and synced; `again` packs that as well.

    Raises:
        StopSource: the source writes no receipts into a folder on this machine.
    """
    inbox = folder_of(connections(source.connection), source.code)
    places = sorted(
        {one.envelope.receipts for one in source.streams.values() if one.envelope and one.envelope.receipts}
    )
    if not places:
        raise StopSource(
            source=source.code, got="no stream declares a folder for receipts",
            hint="Add `receipts` to its `envelope` block in source.yml.",
        )  # fmt: skip
    chosen = [
        (base, file) for base in (inbox / place for place in places) for file in sorted(base.rglob(f"*{RECEIPT}"))
        if file.is_file() and not file.is_symlink() and (again or (base / CARRIED) not in file.parents)
    ]  # fmt: skip
    if not chosen:
        return None, []
    archive = into / f"receipts-{source.code}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.zip"
    names: dict[str, Path] = {}
    for base, file in chosen:
        within = file.relative_to(base / CARRIED if (base / CARRIED) in file.parents else base)
        names[f"{source.code}/{within.as_posix()}"] = file
    _pack(archive, names)
    for base, file in chosen:
        if (base / CARRIED) not in file.parents:
            target = base / CARRIED / file.relative_to(base)
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)
    return archive, sorted(names)


def _pack(archive: Path, names: Mapping[str, Path]) -> None:
    passing = archive.with_name(f".{archive.name}.part")
    try:
        with passing.open("wb") as handle:
            with zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED) as out:
                for name, file in sorted(names.items()):
                    out.write(file, name)
            handle.flush()
            os.fsync(handle.fileno())
        passing.replace(archive)
    finally:
        passing.unlink(missing_ok=True)
