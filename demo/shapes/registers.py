"""The province's registers: organs (编办), regions (民政厅) and the item catalogue (政务服务管理办公室).

The two registers are CSV files with the whole list each time, of which a second delivery brings little new; the
catalogue is the table `up_task` in a SQLite file, read by the time of the last change.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

from demo.model import Case, Department, Item, Organ, Placed, Region, UnitMark, Work
from demo.shapes.contracts import PROFILES, by_name, contract
from demo.shapes.databases import SqliteTables
from demo.shapes.layout import department_folder
from demo.shapes.record import Entry, Values
from demo.shapes.system import System

_ORGANS, _REGIONS, _ITEMS = (PROFILES / name for name in ("organ-register", "region-register", "national-up-pro"))
_LEVEL = {"province": "省级", "city": "市级", "county": "县级"}
_STATE = {"in_force": "1", "suspended": "2", "abolished": "3", "devolved": "4"}
_UNIT = {"calendar_day": "0", "working_day": "1", "month": "2"}


class _Register(System):
    """A department that sends a register and no cases."""

    parks = False

    def seen(self, case: Case) -> Case | None:
        """Return nothing: a register knows no cases."""
        del case
        return None

    def write(
        self, department: Department, work: Work, home: Path, day: int, *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Write the register as it stands on this day, and yield each of its lines."""
        rows = self.rows(work, day)
        known = self.rows(work, 1) if day == 2 else {}
        if not dry:
            self.save(department_folder(home, department.code), work, rows, known, day)
        for key, values in rows.items():
            if key not in known:
                yield Placed(department.code, self.stream, key, day, "new")
            elif values != known[key]:
                yield Placed(department.code, self.stream, key, day, "updated")
            elif self.tells_again(values, known):
                yield Placed(department.code, self.stream, key, day, "unchanged")

    @property
    def stream(self) -> str:
        """Return the name of the register's one stream."""
        return next(iter(self.streams))

    def rows(self, work: Work, day: int) -> dict[str, Values]:
        """Return the register's lines by key."""
        raise NotImplementedError

    def save(self, folder: Path, work: Work, rows: Mapping[str, Values], known: Mapping[str, Values], day: int) -> None:
        """Write the register into the department's folder."""
        raise NotImplementedError

    def tells_again(self, values: Values, known: Mapping[str, Values]) -> bool:
        """Say whether a line that did not change is delivered once more."""
        del values, known
        return True


class _CsvRegister(_Register):
    """A register as a CSV file with the whole list."""

    stem = ""

    def save(self, folder: Path, work: Work, rows: Mapping[str, Values], known: Mapping[str, Values], day: int) -> None:
        """Write the whole list under the name of the day."""
        del known
        out = folder / "out"
        out.mkdir(exist_ok=True)
        cut = work.province.cut if day == 1 else work.province.cut2
        fields = self.streams[self.stream].fields
        with (out / f"{self.stem}_{cut:%Y%m%d}.csv").open("w", encoding="utf-8-sig", newline="") as handle:
            lines = csv.DictWriter(handle, fields)
            lines.writeheader()
            lines.writerows(rows.values())


class OrganRegisterShape(_CsvRegister):
    """The register of organs."""

    name = "organ_register"
    stem = "机构名录"
    streams = by_name(contract(_ORGANS, "organs", key=("机构代码", "生效日期")))

    def rows(self, work: Work, day: int) -> dict[str, Values]:
        """Return the organs by code and day."""
        organs: Sequence[Organ] = work.province.organs if day == 1 else work.province.organs_day2
        return {_dated(one.code, one.valid_from): _organ(one) for one in organs}


class RegionRegisterShape(_CsvRegister):
    """The register of regions."""

    name = "region_register"
    stem = "区划代码"
    streams = by_name(contract(_REGIONS, "regions", key=("行政区划代码", "生效日期")))

    def rows(self, work: Work, day: int) -> dict[str, Values]:
        """Return the regions by code and day."""
        regions: Sequence[Region] = work.province.regions if day == 1 else work.province.regions_day2
        return {_dated(one.code, one.valid_from): _region(one) for one in regions}


class ItemCatalogueShape(_Register):
    """The catalogue of items, in the national table `up_task`."""

    name = "item_catalogue"
    streams = by_name(contract(_ITEMS, "up_task", key=("task_code", "task_version"), order="cd_time"))

    def rows(self, work: Work, day: int) -> dict[str, Values]:
        """Return the item versions by code and version."""
        items = work.province.items if day == 1 else work.province.items_day2
        start = work.province.cut - timedelta(days=400)
        return {f"{one.implementation_code}|{one.version}": _item(one, start, place) for place, one in enumerate(items)}

    def save(self, folder: Path, work: Work, rows: Mapping[str, Values], known: Mapping[str, Values], day: int) -> None:
        """Write new and changed rows into the table."""
        with SqliteTables(folder / "catalogue.sqlite", self.streams, fresh=day == 1) as table:
            for key, values in rows.items():
                if key not in known or values != known[key]:
                    at = values["cd_time"] if day == 1 else str(work.province.cut2 - timedelta(hours=8))
                    entry = Entry("up_task", "item", key, None, values, 1, work.province.cut)
                    table.put(entry, {**values, "cd_time": at})

    def tells_again(self, values: Values, known: Mapping[str, Values]) -> bool:
        """Say whether the row is the newest of day 1: all are an hour apart, and the cursor looks back ten minutes."""
        return bool(values["cd_time"] == max(one["cd_time"] for one in known.values()))


def _dated(code: str, day: date) -> str:
    """Write a key as the hub does, which keeps the instant at which the day began in UTC."""
    began = datetime.combine(day, time()) - timedelta(hours=8)
    return f"{code}|{began}.000000"


def _organ(organ: Organ) -> Values:
    return {
        "机构代码": organ.code, "机构名称": organ.name, "机构层级": _LEVEL[organ.level], "行政区划代码": organ.region,
        "上级机构代码": organ.parent, "统一社会信用代码": organ.code, "生效日期": organ.valid_from.isoformat(),
    }  # fmt: skip


def _region(region: Region) -> Values:
    return {
        "行政区划代码": region.code, "名称": region.name, "级别": _LEVEL[region.level],
        "上级行政区划代码": region.parent, "生效日期": region.valid_from.isoformat(),
    }  # fmt: skip


def _item(item: Item, start: datetime, place: int) -> Values:
    return {
        "task_name": item.name, "catalog_code": item.base_code, "task_code": item.implementation_code,
        "task_type": item.item_type, "task_state": _STATE[item.status], "task_version": str(item.version),
        "dept_code": item.organ, "anticipate_day": str(item.legal_value), "anticipate_type": _UNIT[item.legal_unit],
        "promise_day": str(item.promised_value), "promise_type": _UNIT[item.promised_unit],
        "is_fee": "1" if item.fee else "0", "project_type": "1" if item.kind == "immediate" else "2",
        "online_handle_depth": item.online_depth, "plan_effective_date": item.effective_from.isoformat(),
        "plan_cancel_date": item.cancelled_on.isoformat() if item.cancelled_on else None,
        "prerequisites": json.dumps(item.prerequisites) if item.prerequisites else None, "cd_operation": "I",
        "cd_time": str(start + timedelta(hours=place)),
    }  # fmt: skip
