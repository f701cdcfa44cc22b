"""A small mapping folder to write and load, and a context to translate in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping as ReadOnly
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hub.documents import Documents
from normalization.apply import Context
from normalization.mapping import Mapping, load_mapping

CODES = {"phase": "code,value,label_zh\nACCEPT,accept,受理\nAPPROVE,approve,批准\n"}


def schema_of(*fields: str, **specs: Any) -> dict[str, Any]:
    plain = {name: {"type": ["string", "integer", "null"]} for name in fields}
    return {"type": "object", "properties": plain | specs}


def folder_of(folder: Path, mapping: str, schemas: ReadOnly[str, Any], codes: ReadOnly[str, str] | None = None) -> Path:
    for name, schema in schemas.items():
        content = schema if isinstance(schema, str) else json.dumps(schema)
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "codes").mkdir(exist_ok=True)
    for name, content in (CODES if codes is None else codes).items():
        (folder / "codes" / f"{name}.csv").write_text(content, encoding="utf-8")
    (folder / "mapping.yml").write_text(mapping, encoding="utf-8")
    return folder / "mapping.yml"


def load(folder: Path, mapping: str, schema: Any, codes: ReadOnly[str, str] | None = None) -> Mapping:
    return load_mapping(folder_of(folder, mapping, {"s.json": schema}, codes), Documents.load())


def context(zone: str = "Asia/Shanghai", organ: str | None = "11330000002482285C") -> Context:
    return Context(
        source="zj-hrss",
        organ=organ,
        region="330000",
        time_zone=zone,
        read_at=datetime(2026, 1, 5, tzinfo=UTC),
        keyed_hash=lambda data: hashlib.blake2b(data, key=b"test", digest_size=16).digest(),
    )
