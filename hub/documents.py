"""The canonical documents: read from the contracts in `schemas/`, one folder a document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"

PERSON_KINDS = frozenset({"person_name", "person_number", "person_phone", "person_address", "person_text"})
"""Kinds of value that are protected before they are written anywhere."""

CHILD_OF_RECORD = frozenset({"credential_number", "credential_status", "item", "item_version", "organ", "region"})
"""Documents that hang on no case."""

CASE_OPTIONAL = frozenset({"decision", "credential"})
"""Documents that may name a case but stand without one."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a canonical document.

    `kind` says how a value is read (text, code, instant, date, integer, decimal, boolean, organ, region, item_code,
    credit_code, certificate_id, person_…), `privacy` is its class (public, internal, personal, sensitive), `deciding`
    says that an unknown code here changes what the record means, so that the record is refused.
    """

    name: str
    kind: str
    privacy: str
    required: bool
    deciding: bool
    codes: tuple[str, ...] | None
    label_zh: str

    @property
    def personal(self) -> bool:
        """Say whether the value is protected before it is written."""
        return self.kind in PERSON_KINDS


@dataclass(frozen=True, slots=True)
class Document:
    """One canonical document: its columns in order."""

    name: str
    title: str
    title_zh: str
    description: str
    columns: Mapping[str, Column]

    @property
    def of_case(self) -> bool:
        """Say whether each row must name a case."""
        return "case_number" in self.columns and self.name not in CASE_OPTIONAL


class Documents(Mapping[str, Document]):
    """All canonical documents by name."""

    def __init__(self, documents: Mapping[str, Document]) -> None:
        self._documents = dict(documents)

    def __getitem__(self, name: str) -> Document:
        return self._documents[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)

    @staticmethod
    @cache
    def load(folder: Path = SCHEMAS) -> Documents:
        """Read every `<document>/v1/schema.json` below `folder`, in name order."""
        files = sorted(folder.glob("*/v1/schema.json"))
        return Documents({file.parent.parent.name: _document(file) for file in files})


def _document(file: Path) -> Document:
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    required = set(schema["required"])
    columns = {
        name: Column(
            name=name,
            kind=spec["x-kind"],
            privacy=spec["x-class"],
            required=name in required,
            deciding=bool(spec.get("x-deciding", False)),
            codes=tuple(spec["enum"]) if "enum" in spec else None,
            label_zh=spec["label_zh"],
        )
        for name, spec in schema["properties"].items()
    }
    return Document(file.parent.parent.name, schema["title"], schema["title_zh"], schema["description"], columns)
