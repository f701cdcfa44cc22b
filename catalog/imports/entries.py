"""What an import brings, one entry a version of an item: from the hub's own form (JSON), or from a source's stream."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from catalog.errors import Fault, FileRefused
from catalog.life import Status
from hub.identifiers import item_code
from sharedrepo.models.catalog import STATUSES

LARGEST_FILE = 128 * 1024 * 1024
"""Bytes of a file that is read; a province's catalogue has some ten thousand items of a few KiB."""
MOST_ENTRIES = 200_000
FORM = 1
"""The version of the hub's own form, in which `hub catalog export` writes."""

ITEM_TYPES = {
    "01": "行政许可", "02": "行政处罚", "03": "行政强制", "04": "行政征收", "05": "行政给付", "06": "行政检查",
    "07": "行政确认", "08": "行政奖励", "09": "行政裁决", "10": "其他行政权力", "20": "公共服务",
}  # fmt: skip
"""Types of items (GB/T 39554.1-2020), as characters 3 and 4 of a base code bear them."""

_FIELDS = {"code", "organ", "base_code", "region", "numbers", "status", "effective_on", "cancelled_on", "content"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of an item as it was found; `place` says where, `faults` what could not be read of it."""

    place: str
    code: str
    organ: str
    content: Mapping[str, Any]
    status: Status = "in_force"
    effective_on: date | None = None
    cancelled_on: date | None = None
    base_code: str | None = None
    region: str | None = None
    numbers: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


Bases = dict[str, Mapping[str, Any]]
"""What base items fix, by their code."""


def read_file(path: Path) -> tuple[list[Entry], Bases]:
    """Read a file in the hub's own form: `{"catalogue": 1, "items": [...]}`, and `base_items` where it has some.

    Raises:
        FileRefused: it is too large, no JSON, or not of this form.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise FileRefused(path.name, f"it has more than {LARGEST_FILE >> 20} MiB", "Split it.")
    try:
        said = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise FileRefused(path.name, f"it is no JSON: {error}", "Export a catalogue to see the form.") from None
    if not isinstance(said, dict) or said.get("catalogue") != FORM or not isinstance(said.get("items"), list):
        raise FileRefused(path.name, f'it is not of the form {{"catalogue": {FORM}, "items": […]}}', "See the docs.")
    if len(said["items"]) > MOST_ENTRIES:
        raise FileRefused(path.name, f"it holds {len(said['items'])} items", f"At most {MOST_ENTRIES}: split it.")
    entries = [entry(f"{path.name}: item {number}", one) for number, one in enumerate(said["items"], 1)]
    return entries, bases_of(path.name, said.get("base_items", []))


def bases_of(name: str, said: Any) -> Bases:
    """Read base items: each with its code and the object of what it fixes.

    Raises:
        FileRefused: they are not of this form, or one stands twice.
    """
    made: Bases = {}
    for number, one in enumerate(said if isinstance(said, list) else [None], 1):
        fine = isinstance(one, dict) and set(one) == {"base_code", "content"} and isinstance(one["content"], dict)
        if not fine or not isinstance(one["base_code"], str):
            hint = "Write base_code and content, an object."
            raise FileRefused(name, f"base item {number} is not of the form of an export", hint)
        if one["base_code"] in made:
            raise FileRefused(name, f"base item {number} stands twice", "Write each once.")
        made[one["base_code"]] = one["content"]
    return made


def entry(place: str, said: Any, further: Iterable[Fault] = ()) -> Entry:
    """Read one entry of the hub's own form; what cannot be read becomes a fault of it, beside the further ones."""
    if not isinstance(said, dict):
        return Entry(place, "", "", {}, faults=(Fault("", "shape", "no object"),))
    faults = [*further] + [
        Fault(f"/{name}", "unknown_field", f"known: {', '.join(sorted(_FIELDS))}") for name in set(said) - _FIELDS
    ]
    texts = {name: said.get(name) for name in ("code", "organ", "base_code", "region", "status")}
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            faults.append(Fault(f"/{name}", "shape", "no text"))
            texts[name] = None
    days = {name: _day(said.get(name), f"/{name}", faults) for name in ("effective_on", "cancelled_on")}
    numbers, content = said.get("numbers") or {}, said.get("content")
    if not isinstance(numbers, dict) or not all(isinstance(one, str) for one in numbers.values()):
        faults.append(Fault("/numbers", "shape", "no object of texts"))
        numbers = {}
    if not isinstance(content, dict):
        faults.append(Fault("/content", "shape", "no object"))
        content = {}
    status = texts["status"] or "in_force"
    if status not in STATUSES:
        faults.append(Fault("/status", "unknown_code", f"{status[:40]!r}; known: {', '.join(STATUSES)}"))
        status = "in_force"
    return Entry(
        place, texts["code"] or "", texts["organ"] or "", content, status,  # type: ignore[arg-type]  # one of STATUSES
        days["effective_on"], days["cancelled_on"], texts["base_code"], texts["region"], numbers, tuple(faults),
    )  # fmt: skip


def _day(said: Any, pointer: str, faults: list[Fault]) -> date | None:
    if said is None:
        return None
    try:
        return date.fromisoformat(said)
    except (TypeError, ValueError):
        faults.append(Fault(pointer, "unreadable_day", "no day like 2026-01-31"))
        return None


_FROM_STREAMS = """
SELECT v.implementation_code AS code, v.version, v.base_code, v.name, v.organ, v.item_type, v.status,
    v.effective_from, v.cancelled_on, v.legal_value, v.legal_unit, v.promised_value, v.promised_unit, v.item_kind,
    v.prerequisites, s.name AS stream, r.source_key
FROM core.item_version AS v
JOIN ledger.source_record AS r ON r.record_id = v.record_id
JOIN ledger.stream AS s ON s.stream_id = r.stream_id
JOIN core.source_system AS y ON y.source_system_id = s.source_system_id
WHERE y.code = :source
ORDER BY v.implementation_code, v.version, r.source_key
"""


def from_source(connection: sa.Connection, source: str) -> Iterator[Entry]:
    """Read the items that a department's source has sent, as they stand in the repository."""
    for row in connection.execute(sa.text(_FROM_STREAMS), {"source": source}).mappings():
        faults: list[Fault] = []
        content = {
            "name": row["name"],
            "item_type": type_of(row["base_code"], row["item_type"], faults),
            "kind": row["item_kind"],
            "legal_limit": _limit(row["legal_value"], row["legal_unit"]),
            "promised_limit": _limit(row["promised_value"], row["promised_unit"]),
            "requirements": requirements(row["prerequisites"], faults),
        }
        yield Entry(
            place=f"{row['stream']} {row['source_key']}",
            code=row["code"] or "",
            organ=row["organ"] or "",
            content={name: value for name, value in content.items() if value not in (None, [])},
            status=row["status"] or "in_force",
            effective_on=row["effective_from"],
            cancelled_on=row["cancelled_on"],
            base_code=row["base_code"],
            faults=tuple(faults),
        )


def type_of(base_code: str | None, said: str | None, faults: list[Fault]) -> str | None:
    """Return the type of an item in two digits: as its base code bears it, else as the source words it."""
    if base_code is not None and item_code.fault(base_code, expected="base") is None:
        return base_code[2:4]
    if said in ITEM_TYPES:
        return said
    found = next((digits for digits, word in ITEM_TYPES.items() if word == said), None)
    if found is None:
        known = ", ".join(f"{digits} {word}" for digits, word in ITEM_TYPES.items())
        faults.append(Fault("/item_type", "unknown_code", f"{(said or '')[:40]!r}; known: {known}"))
    return found


def _limit(value: int | None, unit: str | None) -> dict[str, Any] | None:
    return None if value is None or unit is None else {"value": value, "unit": unit}


def requirements(said: str | None, faults: list[Fault]) -> list[dict[str, Any]]:
    """Read prerequisites written as groups of item codes: AND between groups, OR inside one."""
    if not said:
        return []
    try:
        groups = json.loads(said)
    except ValueError:
        groups = None
    if not isinstance(groups, list) or not all(isinstance(one, list) and all(map(_text, one)) for one in groups):
        faults.append(Fault("/requirements", "unreadable", "no groups of item codes like [[A], [B, C]]"))
        return []
    return [
        {
            "name": f"前置审批{place}", "holder": "applicant", "valid_on": "acceptance",
            "any_of": [{"item": code} for code in group],
        }
        for place, group in enumerate(groups, 1)
    ]  # fmt: skip


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
