"""What each shape writes is read by the real connectors: the same number of records under the same keys, both days."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.casework import Casework
from demo.model import Department, Placed
from demo.services.run import serving
from demo.shapes.registry import SHAPES
from normalization.mapping import StreamMapping
from sharedrepo.embedded import EmbeddedServer
from tests.demo.shape_rounds import (
    Hub,
    Read,
    departments,
    hub_of,
    judged,
    keys,
    province,
    records,
    streams_of,
    written,
)

CASES = 600


@pytest.fixture(scope="module")
def work() -> Casework:
    return province(CASES)


@pytest.fixture
def home(tmp_path: Path, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("HUB_DEMO_POSTGRES", server.url("postgres"))
    with serving(tmp_path):
        yield tmp_path


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_what_is_written_is_read(shape: str, work: Casework, home: Path) -> None:
    department = departments(work)[shape]
    hub: Hub | None = None
    for day in (1, 2):
        said = written(work, department, home, day)
        assert said == written(work, department, home, day, dry=True) or day == 1
        hub = hub or hub_of(department, home)
        read = hub.pull()
        for name, mapping in streams_of(hub.source):
            if name in hub.source.streams:
                placed = [one for one in records(said) if one.stream == name]
                _alike(mapping, read[name], placed, hub, day)


def _alike(mapping: StreamMapping, read: Read, placed: list[Placed], hub: Hub, day: int) -> None:
    broken = [one for one in placed if one.key is None and {"unreadable_record", "schema_violation"} & {*one.rules}]
    assert read.broken == len(broken), mapping.name
    assert len(read.records) == len(placed) - len(broken), f"{mapping.name} on day {day}"
    found = keys(mapping, read, hub.source)
    if not mapping.key.fingerprint:
        assert found == Counter(one.key for one in placed if one not in broken), mapping.name
    clean = {"schema_violation"} & {rule for one in placed for rule in one.rules}
    rules = judged(mapping, read)
    assert clean or "schema_violation" not in rules


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_personal_values_only_stand_in_fields_of_persons(shape: str, work: Casework, home: Path) -> None:
    department = departments(work)[shape]
    if not department.cases:
        return
    written(work, department, home, 1)
    hub = hub_of(department, home)
    pattern = re.compile("|".join(map(re.escape, sorted(_personal(work, department), key=len, reverse=True))))
    read = hub.pull()
    for name, mapping in streams_of(hub.source):
        if name not in hub.source.streams:
            continue
        private = {"/".join(one.path) for one in mapping.personal}
        ignored = {field.lstrip("/") for field in mapping.ignore}
        for record in read[name].records:
            for field, value in _leaves(record):
                if isinstance(value, str) and field not in private and pattern.search(value):
                    assert field in ignored, f"{shape}: {name}.{field} holds a personal value"
                    assert field.startswith("case:"), f"{shape}: {name}.{field} is ignored and holds a personal value"


def _personal(work: Casework, department: Department) -> set[str]:
    """Return what was put in about natural persons: numbers, phones, addresses, and names of three characters."""
    values = {official.name for official in department.staff}
    for case in work.cases(department.code):
        for party in case.parties:
            values |= {party.phone, party.address} | ({party.number, party.name} if party.kind == "natural" else set())
    return {value for value in values if len(value) > 2}


def _leaves(record: dict, above: str = "") -> Iterator[tuple[str, object]]:  # type: ignore[type-arg]  # JSON
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}/")
        else:
            yield above + name, value


def test_the_vertical_system_names_eleven_cities(work: Casework, home: Path) -> None:
    department = departments(work)["vertical"]
    written(work, department, home, 1)
    read = hub_of(department, home).pull()
    named = {record["org"] for record in read["cases"].records}
    assert len(department.serves) == 11
    assert len(named) >= 8
    assert named <= {organ.code for organ in department.serves}
    assert {record["area"][:2] for record in read["cases"].records} == {"33"}


def test_the_old_program_writes_two_styles_of_dates(work: Casework, home: Path) -> None:
    department = departments(work)["gbk_csv"]
    written(work, department, home, 1)
    rows = hub_of(department, home).pull()["办件登记表"].records
    assert all(re.fullmatch(r"\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}", row["申请时间"]) for row in rows)
    assert all(re.fullmatch(r"\d{8}", row["承诺办结日期"]) for row in rows if row["承诺办结日期"])
    raw = next(iter((home / "demo" / "departments" / department.code / "out").glob("办件登记表_*.csv"))).read_bytes()
    assert "办件登记表" in raw.decode("gb18030").splitlines()[0]
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")


def test_hand_kept_sheets_mix_dates_and_widths(work: Casework, home: Path) -> None:
    department = departments(work)["excel"]
    written(work, department, home, 1)
    rows = hub_of(department, home).pull()["办件台账"].records
    text = json.dumps(rows, ensure_ascii=False)
    assert re.search(r'"\d{4}年\d{1,2}月\d{1,2}日"', text)
    assert re.search(r'"\d{4}\.\d{1,2}\.\d{1,2}"', text)
    assert re.search(r'"[０-９]{11}"', text)
