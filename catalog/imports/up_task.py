"""The national platform's rows of items (`up_task`, 一体化政务服务平台 政务服务事项) as a file that is imported.

Every field is read, or is left out by name and with a reason; a field that is not known refuses its row. Codes are
those of `connectors/profiles/national-up-pro`; what is not confirmed of them is said there.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from catalog.errors import Fault, FileRefused
from catalog.imports.entries import LARGEST_FILE, MOST_ENTRIES, Entry, entry, requirements, type_of

LIMIT_UNITS = {"0": "calendar_day", "1": "working_day", "2": "month", "3": "year"}
KINDS = {"1": "immediate", "2": "promised"}
STATES = {"1": "in_force", "2": "suspended", "3": "abolished", "4": "devolved"}
FEES = {"0": "no", "1": "yes", "否": "no", "是": "yes"}
RESULTS = {"10": "credential", "20": "document", "99": "document"}
"""10 证照, 20 批文, 99 其他: as deployed systems have it; the national list is not public."""
PROCEDURES = {
    "听证": "hearing", "检验": "testing", "检测": "testing", "检疫": "inspection", "鉴定": "appraisal",
    "专家评审": "expert_review", "招标": "tender", "拍卖": "tender", "延期": "extension", "延长审批": "extension",
}  # fmt: skip
"""Special procedures by the law's words (行政许可法 art. 45)."""

READ = frozenset({
    "task_name", "catalog_code", "task_code", "local_task_code", "task_type", "task_state", "task_version", "by_law",
    "dept_code", "anticipate_day", "anticipate_type", "promise_day", "promise_type", "special_procedure", "is_fee",
    "fee_basis", "project_type", "result_type", "result_name", "online_handle_depth", "link_way",
    "plan_effective_date", "plan_cancel_date", "prerequisites", "cd_operation", "cd_time",
})  # fmt: skip
LEFT_OUT: Mapping[str, str] = {
    "row_guid": "number of one report",
    "local_catalog_code": "shared by many items, so that it is no item's number",
    "power_source": "not a part of the catalogue",
    "use_level": "also the nineteenth character of task_code",
    "dept_name": "the organ register names dept_code",
    "dept_type": "the organ register says it",
    "entrust_name": "not a part of the catalogue",
    "anticipate_explain": "text of the item guide",
    "promise_explain": "text of the item guide",
    "accept_condition": "text of the item guide",
    "handle_flow": "text of the item guide; stages are said with their limits",
    "server_type": "not a part of the catalogue",
    "handle_type": "not a part of the catalogue",
    "limit_scene_num": "not a part of the catalogue",
    "is_online": "online_handle_depth says more",
    "supervise_way": "text of the item guide",
    "cd_batch": "batch of the sender",
    "data_source": "number of the sending platform",
}
"""Fields that are not taken over, each with the reason."""
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]00:00(?::00)?(?:\.0+)?)?")
_SPLIT = re.compile(r"[、,，;；/\s]+")

Cells = dict[str, str]


def read(path: Path) -> Iterator[Entry]:
    """Read rows from a file: a JSON array of objects, an object a line (`.jsonl`), or CSV with the names of the fields.

    Raises:
        FileRefused: it is too large, or not of this form.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise FileRefused(path.name, f"it has more than {LARGEST_FILE >> 20} MiB", "Split it.")
    for number, row in enumerate(_rows(path), 1):
        if number > MOST_ENTRIES:
            raise FileRefused(path.name, f"it holds more than {MOST_ENTRIES} rows", "Split it.")
        place = f"{path.name}: row {number}"
        if isinstance(row, dict) and all(isinstance(name, str) for name in row):
            yield _entry(place, row)
        else:
            yield Entry(place, "", "", {}, faults=(Fault("", "shape", "no object, or more cells than names"),))


def _rows(path: Path) -> Iterator[Any]:
    try:
        if path.suffix == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as lines:
                yield from csv.DictReader(lines, strict=True)
        elif path.suffix == ".jsonl":
            with path.open("rb") as lines:
                yield from (orjson.loads(line) for line in lines if line.strip())
        else:
            said = orjson.loads(path.read_bytes())
            if not isinstance(said, list):
                raise FileRefused(path.name, "it is no array of rows", "Write [{…}, {…}], or a row a line in .jsonl.")
            yield from said
    except (orjson.JSONDecodeError, UnicodeDecodeError, csv.Error) as error:
        raise FileRefused(path.name, f"it cannot be read: {error}", "Write JSON, JSON lines or CSV in UTF-8.") from None


def _entry(place: str, row: Mapping[str, Any]) -> Entry:
    faults = [
        Fault(f"/{name}", "unknown_field", "no field of up_task") for name in sorted(set(row) - READ - set(LEFT_OUT))
    ]
    faults += [
        Fault(f"/{name}", "shape", "no text and no number") for name, value in row.items()
        if isinstance(value, bool | list | dict)
    ]  # fmt: skip
    cells = {name: str(value).strip() for name, value in row.items() if value is not None and str(value).strip()}
    if cells.get("cd_operation", "I").upper() == "D":
        faults.append(Fault("/cd_operation", "deleted_row", "the sender took the row back; an end is task_state 3"))
    local = cells.get("local_task_code")
    status = _code(cells, "task_state", STATES, faults) or "in_force"
    effective, cancelled = _day(cells.get("plan_effective_date")), _day(cells.get("plan_cancel_date"))
    if status == "abolished" and effective and cancelled and effective < cancelled:
        status = "in_force"  # it was, until the day on which it is cancelled; an import ends it on that day
    said = {
        "code": cells.get("task_code", ""),
        "organ": cells.get("dept_code", ""),
        "base_code": cells.get("catalog_code"),
        "status": status,
        "effective_on": effective,
        "cancelled_on": cancelled,
        "numbers": {"local_task_code": local} if local and local != cells.get("task_code") else {},
        "content": {name: value for name, value in _content(cells, faults).items() if value not in (None, [])},
    }
    return entry(place, said, further=faults)


def _content(cells: Cells, faults: list[Fault]) -> dict[str, Any]:
    name = cells.get("result_name")
    kind = _code(cells, "result_type", RESULTS, faults) if name else None
    return {
        "name": cells.get("task_name"),
        "item_type": type_of(cells.get("catalog_code"), cells.get("task_type", "").zfill(2), faults),
        "kind": _code(cells, "project_type", KINDS, faults),
        "legal_limit": _limit(cells, "anticipate", faults),
        "promised_limit": _limit(cells, "promise", faults),
        "legal_basis": [cells["by_law"]] if "by_law" in cells else None,
        "fee": _fee(cells, faults),
        "results": [{"kind": kind, "name": name, **({"type": name} if kind == "credential" else {})}] if kind else None,
        "procedures": _procedures(cells, faults),
        "online_depth": cells.get("online_handle_depth"),
        "telephone": cells.get("link_way"),
        "requirements": requirements(cells.get("prerequisites"), faults),
    }


def _code(cells: Cells, name: str, codes: Mapping[str, str], faults: list[Fault]) -> str | None:
    said = cells.get(name)
    if said is not None and said not in codes:
        faults.append(Fault(f"/{name}", "unknown_code", f"{said[:40]!r}; known: {', '.join(codes)}"))
    return codes.get(said) if said is not None else None


def _limit(cells: Cells, name: str, faults: list[Fault]) -> dict[str, Any] | None:
    said = cells.get(f"{name}_day")
    if said is None:
        return None
    digits = said.removesuffix(".0")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 6):  # noqa: PLR2004  # no limit has more digits
        faults.append(Fault(f"/{name}_day", "unreadable", f"{said[:40]!r} is no whole number"))
        return None
    if f"{name}_type" not in cells:
        faults.append(Fault(f"/{name}_type", "unit_missing", "a limit without its unit, and none is guessed"))
        return None
    unit = _code(cells, f"{name}_type", LIMIT_UNITS, faults)
    return None if unit is None else {"value": int(digits), "unit": unit}


def _fee(cells: Cells, faults: list[Fault]) -> dict[str, Any] | None:
    said = _code(cells, "is_fee", FEES, faults)
    if said is None:
        return None
    basis = {"basis": cells["fee_basis"]} if "fee_basis" in cells else {}
    return {"charged": said == "yes", **basis}


def _procedures(cells: Cells, faults: list[Fault]) -> list[str]:
    words = [one for one in _SPLIT.split(cells.get("special_procedure", "")) if one and one != "无"]
    if strange := [one for one in words if one not in PROCEDURES]:
        known = "、".join(PROCEDURES)
        faults.append(Fault("/special_procedure", "unknown_code", f"{'、'.join(strange)[:80]}; known: {known}"))
    return list(dict.fromkeys(PROCEDURES[one] for one in words if one in PROCEDURES))


def _day(said: str | None) -> str | None:
    """Return a day without the midnight that databases put behind it; what is no day stays, and is refused as such."""
    found = _DAY.fullmatch(said) if said else None
    return said if found is None else found[1]
