"""Lists what a system has, shows masked samples, and proposes columns for the fields that no mapping knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.loading import load_sources
from connectors.seam import Connector, DiscoveredStream
from connectors.source import PROFILES
from hub.documents import Documents
from hub.errors import ConfigError, RefuseUnit, SourceTrouble
from kit.compare import match, record_fields
from kit.look import first
from kit.masking import mask_of, shape
from kit.propose import Dictionary, Proposal, as_yaml, nearest
from kit.subject import Subject
from kit.wire import engine_of
from normalization.mapping import Mapping as FieldMapping
from normalization.mapping import load_mapping

SAMPLE = 3
_SAMPLED = 40
"""So many undeclared tables are looked into; a database of hundreds is listed all the same."""


@dataclass(frozen=True, slots=True)
class Found:
    """One table, file pattern or endpoint: its fields, a masked sample, and what its unknown fields may mean."""

    name: str
    stream: str | None
    key: tuple[str, ...]
    rows: int | None
    fields: list[dict[str, Any]]
    sample: list[dict[str, Any]] = field(default_factory=list)
    unknown: tuple[str, ...] = ()
    proposals: dict[str, list[Proposal]] = field(default_factory=dict)
    proposed_mapping: str = ""
    trouble: str = ""


def discover(
    subject: Subject, connector: Connector, *, sources: Sequence[Path], only: str | None = None
) -> list[Found]:
    """List what the source has; `only` keeps one stream or name.

    Raises:
        SourceTrouble: the source cannot be reached.
    """
    listed = connector.discover()
    of = {id(one): name for name, spec in subject.source.streams.items() if (one := match(spec, listed)) is not None}
    dictionary = Dictionary.of(subject.documents, known_mappings(subject.documents, sources))
    out: list[Found] = []
    for one in listed:
        stream = of.get(id(one))
        if only is None or only in {one.name, stream}:
            out.append(_found(subject, connector, one, stream, dictionary, sampled=len(out) < _SAMPLED))
    return out


def known_mappings(documents: Documents, sources: Sequence[Path]) -> Iterable[tuple[str, FieldMapping]]:
    """Yield the mappings whose field names are known words: all profiles, and the own ones of this deployment."""
    for file in sorted(PROFILES.glob("*/mapping.yml")):
        yield file.parent.name, load_mapping(file, documents)
    try:
        declared = load_sources([path for path in sources if path.is_dir()])
    except ConfigError:
        return  # a fault of another folder is told by its own commands; here it only makes the dictionary shorter
    for file in sorted({one.mapping for one in declared if PROFILES not in one.mapping.parents}):
        try:
            yield file.parent.name, load_mapping(file, documents)
        except ConfigError:
            continue  # see above


def _found(
    subject: Subject,
    connector: Connector,
    one: DiscoveredStream,
    stream: str | None,
    dictionary: Dictionary,
    *,
    sampled: bool,
) -> Found:
    mapped = subject.mapping.streams.get(stream) if stream else None
    sample: list[dict[str, Any]] = []
    trouble = ""
    try:
        if stream is not None:
            mask = mask_of(mapped)
            sample = [mask(record) for record in first(connector, subject.source.streams[stream], SAMPLE)]
        elif sampled:
            sample = _undeclared(connector, one)
    except (SourceTrouble, RefuseUnit) as error:
        trouble = str(error)
    declared = set(mapped.schema["properties"]) if mapped else set()
    spec = subject.source.streams[stream] if stream else None
    told = record_fields(subject.source, spec, one.fields) if spec else [(each, each.name) for each in one.fields]
    unknown = tuple(dict.fromkeys(name for _, name in told if name is not None and name not in declared))
    soap = subject.source.kind == "soap"
    fields = [
        {"name": each.name if soap else name, "type": each.type, "declared": name is None or name in declared}
        for each, name in told
    ]
    proposal = as_yaml(stream or one.name, unknown, dictionary, declared=mapped is not None) if unknown else ""
    return Found(
        one.name,
        stream,
        one.key,
        one.rows,
        fields,
        sample,
        unknown,
        dict(nearest(unknown, dictionary)),
        proposal,
        trouble,
    )


def _undeclared(connector: Connector, one: DiscoveredStream) -> list[dict[str, Any]]:
    """Look into a table that no stream reads; every value of it is masked."""
    engine = engine_of(connector)
    if engine is None:
        return []
    schema, _, name = one.name.rpartition(".")
    table = sa.table(name, *(sa.column(each.name) for each in one.fields), schema=schema or None)
    try:
        with engine.connect() as connection:
            rows = connection.execute(sa.select(table).limit(SAMPLE)).mappings().all()
    except sa.exc.SQLAlchemyError:
        return []  # the account sees the table and may not read it: a listing is no place to fail for that
    return [
        {str(key): "‹bytes›" if isinstance(value, bytes) else shape(value) for key, value in row.items()}
        for row in rows
    ]
