"""A source made ready to be looked at: its mapping, contracts and a protector that no repository needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectors.cli import find_source as of_code
from connectors.loading import load_sources
from connectors.registry import open_connector
from connectors.seam import Acknowledges, Connections, Connector
from connectors.source import Source
from hub.documents import Documents
from hub.protect import Protector
from hub.protect.keys import new_ring
from normalization.apply import Context, Occurrences
from normalization.entry import entered
from normalization.mapping import Mapping, StreamMapping, load_mapping
from pipeline.preparing.desk import Desk
from pipeline.pulls.mapped import corrected
from validation.structure import StructureJudge


@dataclass(frozen=True, slots=True)
class Subject:
    """One source with its mapping; keys and hashes made here are of a passing key and meet no repository's."""

    source: Source
    mapping: Mapping
    documents: Documents
    protector: Protector

    @classmethod
    def of(cls, source: Source) -> Subject:
        """Read a source's mapping.

        Raises:
            ConfigError: the mapping is wrong; every fault is listed.
        """
        documents = Documents.load()
        return cls(source, corrected(load_mapping(source.mapping, documents), source), documents, Protector(new_ring()))

    def connect(self, resolve: Connections) -> Connector:
        """Open the connector so that it changes nothing at its source: it claims no row and writes no receipt."""
        connector = open_connector(self.source, resolve, keyed_hash=self.protector.content_hash)
        if isinstance(connector, Acknowledges):
            connector.only_look()
        return connector

    def desk(self, stream: str) -> Desk:
        """Make what the pipeline prepares a stream's slices with."""
        source = self.source
        mapped = entered(self.mapping.streams[stream], self.documents, source.entry_mode)
        spec = source.streams.get(stream)
        shown = open_fields(mapped)
        judge = StructureJudge(dict(mapped.schema), spec.contract if spec else None, shown=shown)
        return Desk(mapped, judge, self.documents, self.protector, self.context(), Occurrences(), _unlocked, shown)

    def context(self) -> Context:
        """Say what is known about records besides themselves."""
        source = self.source
        return Context(
            source=source.code,
            organ=source.organ,
            region=source.region,
            time_zone=source.time_zone,
            read_at=datetime.now(UTC),
            keyed_hash=self.protector.content_hash,
        )


def _unlocked(payload: bytes) -> bytes:
    """Leave a payload as it is: what the kit prepares is looked at and never written."""
    return payload


def open_fields(stream: StreamMapping) -> frozenset[str]:
    """Return the top-level fields that go to columns of no person: findings may show their values."""
    used = {one.path[0] for made in stream.yields for column in made.columns for one in column.fields}
    return frozenset(used - {one.path[0] for one in stream.personal})


def folder_of(code: str, paths: tuple[Path, ...]) -> Path | None:
    """Find the source folder of this name: a folder of sources named by HUB_SOURCES, or one in them."""
    places = [path if path.name == code else path / code for path in paths]
    return next((place for place in places if (place / "source.yml").is_file()), None)


def find(code: str, paths: tuple[Path, ...]) -> Source:
    """Return the source of a code; the name of a folder with instances stands for the first of them.

    Other folders' faults do not matter where the code is a folder's name.

    Raises:
        UnknownSource: there is none.
        ConfigError: its folder is wrong.
    """
    folder = folder_of(code, paths)
    if folder is not None and (found := load_sources([folder])):
        return next((one for one in found if one.code == code), found[0])
    return of_code(load_sources(paths), code)
