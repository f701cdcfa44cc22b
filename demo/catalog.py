"""The province's registers: regions, organs, departments with their staff, and the catalogue of about 300 items.

Who the 43 departments are, and the shape of each one's system, is read from `demo/shapes/roster.csv`.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from random import Random

from demo.model import Department, Item, Organ, Province, Region
from demo.people import dice, staff
from demo.worktime import last_working_day_before
from hub.identifiers import credit_code, item_code

REGISTER_SHAPES = frozenset({"organ_register", "region_register", "item_catalogue"})
"""Shapes of departments that send a register and no cases."""
VERTICAL = "vertical"
PLATFORM = "county_platform"
"""The shape of the system that cities and counties share."""

PROVINCE = "澜江省"
_CITIES = ("澜州", "望澜", "云溪", "青岚", "松湾", "锦屿", "鹭汀", "星渚", "镜岭", "丹渚", "岱屏")
_COUNTIES = ("东渡", "西栅", "南樾", "北泾", "中沙", "新埠", "溪口", "山前", "湖滨")
_COUNTIES_OF_A_CITY, _LARGER_CITIES = 8, 2
"""The larger cities have one county more: 90 together."""
_HERE = Path(__file__).parent
_SINCE = date(2012, 1, 1)
_CATALOG, _WEIGHTS = 4, 5
_TYPES = {"许可": "01", "确认": "07", "其他": "10", "服务": "20"}
_MATERIALS = ("申请表", "营业执照或身份证明", "场所使用证明", "管理制度文本", "专业人员名册", "设施设备清单", "承诺书")


def provinces_past(day: date) -> tuple[date, date]:
    """Return the two working days that are delivered: day 1's last day, and day 2, both before `day`."""
    second = last_working_day_before(day)
    return last_working_day_before(second), second


def build_province(seed: int, cases: int, day: date) -> Province:
    """Build the registers of the province that has `cases` cases in the year before `day`."""
    rows = _roster()
    code = rows[0]["organ"][2:8]
    regions = _regions(code)
    departments = _departments(rows, seed, cases, regions)
    localities = _localities(seed, cases, regions)
    listed = (organ for department in (*departments, *localities) for organ in _listed(department))
    organs = tuple({organ.code: organ for organ in listed}.values())
    items = tuple(item for department in departments if department.cases for item in _items(department, seed))
    items = _with_prerequisites(items, dice(seed, _CATALOG))
    first, second = provinces_past(day)
    return Province(
        name=PROVINCE,
        code=code,
        seed=seed,
        cases=cases,
        date=day,
        cut=datetime.combine(first, time(23, 59, 59)),
        cut2=datetime.combine(second, time(23, 59, 59)),
        departments=departments,
        localities=localities,
        regions=regions,
        organs=organs,
        items=items,
        regions_day2=(*regions, Region(f"{code[:2]}0141", "临港区", "county", f"{code[:2]}0100", second)),
        organs_day2=_renamed(organs),
        items_day2=_shortened(items, second),
    )


def _roster() -> list[dict[str, str]]:
    with (_HERE / "shapes" / "roster.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _regions(code: str) -> tuple[Region, ...]:
    found = [Region(code, PROVINCE, "province", None, _SINCE)]
    for place, city in enumerate(_CITIES, start=1):
        parent = f"{code[:2]}{place:02d}00"
        found.append(Region(parent, f"{city}市", "city", code, _SINCE))
        counties = _COUNTIES_OF_A_CITY + (place <= _LARGER_CITIES)
        for number, county in enumerate(_COUNTIES[:counties], start=21):
            ending = "区" if number < 23 else "县"
            found.append(Region(f"{parent[:4]}{number}", f"{city[0]}{county}{ending}", "county", parent, _SINCE))
    return tuple(found)


def _departments(
    rows: Sequence[dict[str, str]], seed: int, cases: int, regions: Sequence[Region]
) -> tuple[Department, ...]:
    sizes = _sizes(rows, seed, cases)
    return tuple(_department(row, place, sizes[row["code"]], seed, regions) for place, row in enumerate(rows, start=1))


def _department(row: dict[str, str], place: int, cases: int, seed: int, regions: Sequence[Region]) -> Department:
    province = regions[0]
    own = Organ(row["organ"], f"{PROVINCE}{row['name_zh']}", "province", province.code, None, _SINCE)
    cities = [region for region in regions if region.level == "city"]
    bureaus = tuple(
        Organ(
            code=credit_code.make(f"{70_000_000 + place * 1000 + number:08d}", department="1", region=city.code),
            name=f"{city.name}{row['name_zh']}",
            level="city",
            region=city.code,
            parent=own.code,
            valid_from=_SINCE,
        )
        for number, city in enumerate(cities)
    )
    return Department(
        code=row["code"],
        organ=own.code,
        name=own.name,
        name_en=row["name_en"],
        short=row["short_zh"],
        region=province.code,
        shape=row["shape"],
        has_review=row["has_review"] == "yes",
        serves=bureaus if row["shape"] == VERTICAL else (own,),
        staff=staff(seed, place, cases),
        cases=cases,
        index=place,
    )


def _localities(seed: int, cases: int, regions: Sequence[Region]) -> tuple[Department, ...]:
    """Make the approval bureaus of all cities and counties, which share one platform: a few cases each."""
    places = [region for region in regions if region.level != "province"]
    return tuple(
        _locality(region, place, max(2, cases // 1_000), seed) for place, region in enumerate(places, start=101)
    )


def _locality(region: Region, place: int, cases: int, seed: int) -> Department:
    organ = Organ(
        code=credit_code.make(f"{80_000_000 + place * 1000:08d}", department="1", region=region.code),
        name=f"{region.name}行政审批局",
        level="city" if region.level == "city" else "county",
        region=region.code,
        parent=None,
        valid_from=_SINCE,
    )
    return Department(
        code=f"local-{region.code}",
        organ=organ.code,
        name=organ.name,
        name_en=f"Approval bureau of {region.code}",
        short=f"{region.name[:3]}审",
        region=region.code,
        shape=PLATFORM,
        has_review=True,
        serves=(organ,),
        staff=staff(seed, place, cases),
        cases=cases,
        index=place,
    )


def _sizes(rows: Sequence[dict[str, str]], seed: int, cases: int) -> dict[str, int]:
    """Share the cases out: some departments have ten times as many as others, none of those with cases has none."""
    random = dice(seed, _WEIGHTS)
    codes = [row["code"] for row in rows if row["shape"] not in REGISTER_SHAPES]
    weights = {code: 1 + 9 * random.random() ** 3 for code in codes}
    least = min(10, cases // len(codes))
    total, rest = sum(weights.values()), cases - least * len(codes)
    sizes = {code: least + int(rest * weights[code] / total) for code in codes}
    for code in sorted(codes, key=lambda code: (-weights[code], code))[: cases - sum(sizes.values())]:
        sizes[code] += 1
    return {row["code"]: sizes.get(row["code"], 0) for row in rows}


def _listed(department: Department) -> tuple[Organ, ...]:
    if department.shape == PLATFORM:
        return department.serves
    own = Organ(department.organ, department.name, "province", department.region, None, _SINCE)
    return (own, *department.serves)


def _items(department: Department, seed: int) -> list[Item]:
    """Make the department's seven or eight items: a grant and a light sequel for each of its four subjects."""
    random = dice(seed, _CATALOG, department.index)
    row = _subjects()[department.code]
    found: list[Item] = []
    for place in range(4):
        ending = "" if place == 0 else str(place + 1)
        subject, certificate = row[f"subject{ending}"], row[f"certificate{ending}"] or None
        found.append(_item(department, random, place + 1, subject, "许可", certificate))
        found.append(_item(department, random, place + 1, subject, ("变更", "延续", "备案", "注销")[place], None))
    return found[: 7 + department.index % 2]


def _subjects() -> dict[str, dict[str, str]]:
    with (_HERE / "subjects.csv").open(encoding="utf-8", newline="") as lines:
        return {row["code"]: row for row in csv.DictReader(lines)}


def _item(
    department: Department, random: Random, main: int, subject: str, action: str, certificate: str | None
) -> Item:
    light = action != "许可"
    item_type = _TYPES[{"许可": "许可", "变更": "其他", "延续": "许可", "备案": "服务", "注销": "确认"}[action]]
    base = f"{department.region[:2]}{item_type}{department.index:02d}{main:03d}{1 if light else 0:03d}"
    legal = random.choice((10, 20)) if light else random.choice((20, 20, 30, 45))
    promised = 1 if light else random.choice((3, 5, 7, 10)) if legal <= 20 else random.choice((8, 10, 15))
    return Item(
        base_code=base,
        implementation_code=item_code.make(base, body=department.organ),
        version=1,
        name=f"{subject}{action}" if light else f"{subject}审批",
        organ=department.organ,
        department=department.code,
        item_type=item_type,
        status="in_force",
        kind="immediate" if light else "promised",
        legal_value=legal,
        legal_unit="working_day",
        promised_value=promised,
        promised_unit="working_day" if light or random.random() < 0.9 else "calendar_day",
        effective_from=_SINCE,
        online_depth=random.choice(("三级", "四级", "四级")),
        fee=not light and random.random() < 0.25,
        prerequisites=(),
        materials=tuple(random.sample(_MATERIALS, random.randrange(2, 5))),
        certificate=certificate,
    )


def _with_prerequisites(items: tuple[Item, ...], random: Random) -> tuple[Item, ...]:
    """Let the first grant of each department, and two in five of the others, ask for grants of other departments.

    They are groups, of each of which one code must be held; the first grant asks for one alone.
    """
    found: list[Item] = []
    grants: list[Item] = []
    for item in items:
        others = [grant.base_code for grant in grants if grant.department != item.department]
        groups: tuple[tuple[str, ...], ...] = ()
        first = not any(grant.department == item.department for grant in grants)
        if item.kind == "promised" and others and (first or random.random() < 0.4):
            picks = random.sample(others, 1 if first else min(len(others), random.randrange(1, 4)))
            groups = ((picks[0],), tuple(picks[1:])) if len(picks) > 1 else ((picks[0],),)
        found.append(replace(item, prerequisites=groups))
        if item.kind == "promised":
            grants.append(item)
    return tuple(found)


def _renamed(organs: tuple[Organ, ...]) -> tuple[Organ, ...]:
    last = organs[-1]
    return (*organs[:-1], replace(last, name=f"{last.name}(综合执法局)"))


def _shortened(items: tuple[Item, ...], day: date) -> tuple[Item, ...]:
    """Shorten three promises: on day 2 a second version of these items is in force beside the first."""
    slow = [item for item in items if item.promised_value >= 8][:3]
    return (*items, *(replace(item, version=2, promised_value=5, effective_from=day) for item in slow))
