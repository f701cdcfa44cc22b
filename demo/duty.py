"""Who is on duty in the province: the register that supervision reads to know whom a card is sent to.

One organ of the province, drawn by the seed, has nobody in charge: a card that must reach its leader reaches nobody,
and the hub has to say so.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from demo.model import Department, Province, Staff
from demo.people import dice, phone

_DUTY = 17
_COLUMNS = ("organ", "unit", "role", "staff", "name", "phone", "from", "to", "deputy_of")
_ROLES = {"科员": "handler", "科长": "division_head", "处长": "discipline_officer", "厅领导": "leader_in_charge"}
"""The posts of an organ and the duty of each; there is one head, one discipline officer and one leader in an organ."""
_YEARS = timedelta(days=730)


def duty_file(home: Path) -> Path:
    """Return where the register lies."""
    return home / "demo" / "duty.csv"


def write_duty(province: Province, home: Path, personal: Callable[[str, str], None]) -> Path:
    """Write the register, readable by its owner only, and return its path; `personal` hears of each name and phone."""
    file = duty_file(home)
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, _COLUMNS)
        writer.writeheader()
        for row in _rows(province):
            personal("name", row["name"])
            personal("phone", row["phone"])
            writer.writerow(row)
    return file


def without_leader(province: Province) -> str:
    """Return the code of the department that has nobody in charge."""
    return dice(province.seed, _DUTY).choice([one.code for one in province.departments if one.cases])


def _rows(province: Province) -> Iterator[dict[str, str]]:
    lacking = without_leader(province)
    since = (province.date - _YEARS).isoformat()
    for department in province.senders:
        random = dice(province.seed, _DUTY, department.index)
        for organ in department.serves:
            for place, official in enumerate(_on_duty(department)):
                role = _ROLES[official.post]
                if department.code == lacking and role == "leader_in_charge":
                    continue
                yield {
                    "organ": organ.code,
                    "unit": official.unit,
                    "role": role,
                    "staff": f"{official.number}-{place}",
                    "name": official.name,
                    "phone": phone(random),
                    "from": since,
                    "to": "",
                    "deputy_of": "",
                }


def _on_duty(department: Department) -> Iterator[Staff]:
    """Yield all handlers of a department and the first of each other post."""
    seen: set[str] = set()
    for official in department.staff:
        if official.post == "科员" or official.post not in seen:
            seen.add(official.post)
            yield official
