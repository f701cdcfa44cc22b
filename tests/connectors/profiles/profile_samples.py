"""The profiles and their samples, and one judge over a single record, in the pipeline's order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from hub.documents import Documents
from hub.findings import Finding
from normalization.apply import Context, Identity, Occurrences, TableRows, Translation, identify, translate
from normalization.mapping import Mapping, StreamMapping, load_mapping
from validation.rules import judge_meaning
from validation.structure import StructureJudge

ROOT = Path(__file__).resolve().parents[3]
PROFILES = ROOT / "connectors" / "profiles"
NAMES = sorted(path.parent.name for path in PROFILES.glob("*/mapping.yml"))

CONTEXT = Context(
    source="sample",
    organ="11330000002482285J",
    region="330000",
    time_zone="Asia/Shanghai",
    read_at=datetime(2026, 11, 1, tzinfo=UTC),
    keyed_hash=lambda data: data[:16],
)


@dataclass(frozen=True)
class Sample:
    profile: str
    place: str
    stream: str
    record: dict[str, Any]
    raises: tuple[str, ...]
    excluded: bool

    def __str__(self) -> str:
        return f"{self.profile}-{self.place}"


@dataclass(frozen=True)
class Judged:
    identity: Identity
    translation: Translation | None
    findings: list[Finding]

    @property
    def rules(self) -> list[str]:
        return sorted({found.rule for found in self.findings})


@cache
def mapping(profile: str) -> Mapping:
    return load_mapping(PROFILES / profile / "mapping.yml", Documents.load())


def streams() -> list[tuple[str, str]]:
    return [(profile, stream) for profile in NAMES for stream in mapping(profile).streams]


@cache
def samples(kind: str) -> tuple[Sample, ...]:
    return tuple(_samples(kind))


def _samples(kind: str) -> Iterator[Sample]:
    for profile in NAMES:
        for file in sorted((PROFILES / profile / "samples" / kind).glob("*.jsonl")):
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                said = json.loads(line)
                place = f"{file.stem}-{number}"
                raises = tuple(said.get("raises", ()))
                yield Sample(profile, place, said["stream"], said["record"], raises, said.get("excluded", False))


def judge(stream: StreamMapping, records: list[dict[str, Any]]) -> Judged:
    """Judge records as the pipeline does: shape and identity first, meaning only of what those leave."""
    identity = identify(stream, records, CONTEXT, Occurrences())
    findings = StructureJudge(stream.schema).judge(records) + identity.findings
    if any(found.refuses for found in findings):
        return Judged(identity, None, findings)
    done = translate(stream, records, CONTEXT, identity)
    findings += done.findings
    for table, rows in done.tables.items():
        findings += meaning(table, rows)
    return Judged(identity, done, findings)


def meaning(table: str, rows: TableRows) -> list[Finding]:
    documents = Documents.load()
    return judge_meaning(table, rows.frame, rows.record, documents=documents, read_at=CONTEXT.read_at, context=CONTEXT)
