"""Snapshots of mappings: each version that judged a batch lies in the archive, so that a rebuild judges alike."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from hub.mends import Replacement
from normalization.mapping import Mapping, load_mapping
from pipeline.pulls.mapped import as_lines, with_corrections
from pipeline.runtime import Runtime
from sharedrepo.archive import ArchiveMissing

SHELF = "_mappings"
CORRECTIONS = "//corrections"
"""Stands in the place of a file's name: the corrections that the source's declaration added to its mapping."""


def keep(runtime: Runtime, mapping: Mapping, file: Path) -> None:
    """Put the mapping with its code lists and schemas into the archive, once a version."""
    key = f"{SHELF}/{mapping.version}"
    try:
        runtime.archive.head(key)
    except ArchiveMissing:
        parts = [path for path in sorted(file.parent.rglob("*")) if path.suffix in (".yml", ".csv", ".json")]
        lines = [
            orjson.dumps([path.relative_to(file.parent).as_posix(), path.read_text(encoding="utf-8")]) for path in parts
        ]
        if said := as_lines(mapping):
            lines.append(orjson.dumps([CORRECTIONS, said]))
        runtime.archive.put(key, {"source": SHELF, "mapping": mapping.version, "file": file.name}, lines)


@contextmanager
def opened(runtime: Runtime, version: str) -> Iterator[Mapping]:
    """Give the mapping of this version as it was when it judged."""
    header, lines = runtime.archive.open(f"{SHELF}/{version}")
    with tempfile.TemporaryDirectory(prefix="hub-mapping-") as folder:
        declared: dict[str, tuple[Replacement, ...]] = {}
        for line in lines:
            name, text = orjson.loads(line)
            if name == CORRECTIONS:
                declared = {stream: tuple(map(Replacement.of, said)) for stream, said in text.items()}
                continue
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        yield with_corrections(load_mapping(Path(folder, str(header["file"])), runtime.documents), declared)
