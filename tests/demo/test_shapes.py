"""Every department's source folder loads and says what its system is; every shape keeps what its protocol promises."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from connectors.registry import KINDS as KINDS_OF_SOURCE
from demo.habits import HABITS
from demo.model import KINDS, Shape
from demo.shapes.contracts import SOURCES
from demo.shapes.registry import SHAPES, connections
from hub.identifiers import credit_code
from tests.demo.shape_rounds import departments, mapping_of, province, records, sources, written

PLATFORM = "county-platform"
ROSTER = list(csv.DictReader((SOURCES.parent / "shapes" / "roster.csv").read_text(encoding="utf-8").splitlines()))


def test_there_are_43_departments_and_each_has_a_source() -> None:
    found = [one for one in sources() if one.folder.name != PLATFORM]
    assert len(found) == 43
    assert {one.code for one in found} == {row["code"] for row in ROSTER}
    by_code = {one.code: one for one in found}
    for row in ROSTER:
        source = by_code[row["code"]]
        assert source.organ == source.owner.organ == row["organ"]
        assert credit_code.fault(row["organ"]) is None
        assert row["name_zh"] in source.title["zh"] or source.folder.name == row["code"]
        assert source.legal_basis
        assert source.schedule


def test_every_kind_of_source_has_a_department_and_twelve_shapes_are_unlike() -> None:
    assert {row["shape"] for row in ROSTER} == set(SHAPES) - {"county_platform"}
    formats = {(one.kind, one.profile or one.mapping.parent.name) for one in sources()}
    assert len(formats) >= 12
    assert {kind for kind, _ in formats} == set(KINDS_OF_SOURCE)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_department_of_every_kind_speaks_on_both_days(seed: int) -> None:
    work = province(300, seed)
    speaking = {one.code for one in work.province.senders if next(iter(work.changes(one.code)), None) is not None}
    assert {one.kind for one in sources() if one.code in speaking} == set(KINDS_OF_SOURCE)


def test_files_come_in_every_format_from_a_folder_and_over_sftp_and_as_change_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = [stream.options for one in sources() if one.kind == "files" for stream in one.streams.values()]
    assert {one["format"] for one in options} == {"csv", "xlsx", "xml", "jsonl", "singer"}
    assert any(one.get("envelope") == "debezium" for one in options)
    monkeypatch.setenv("HUB_DEMO_POSTGRES", "postgresql://nobody@127.0.0.1/none")
    schemes = {url.partition(":")[0] for url in connections(tmp_path).values()}
    assert schemes == {"file", "sftp", "sqlite", "http", "amqp", "postgresql"}


def test_11_cities_and_90_counties_are_one_folder_and_a_line_of_csv_each() -> None:
    folder = SOURCES / PLATFORM
    lines = (folder / "instances.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(lines) == 11 + 90
    declared = {one.code: one for one in sources() if one.folder == folder}
    bureaus = {one.code: one for one in province(100).province.localities}
    assert declared.keys() == bureaus.keys()
    for code, one in declared.items():
        assert (one.organ, one.region, one.connection) == (bureaus[code].organ, bureaus[code].region, code)
    assert not list(folder.glob("*.py"))


def test_a_department_of_a_known_format_needs_no_python_and_at_most_25_lines_of_yaml() -> None:
    small = []
    for folder in {one.folder for one in sources() if one.profile or "extends:" in _declaration(one.folder)}:
        assert not list(folder.glob("*.py")), folder
        lines = [
            line for line in _declaration(folder).splitlines() if line.strip() and not line.lstrip().startswith("#")
        ]
        if len(lines) <= 25:
            small.append(folder.name)
    assert {"singer-tap", "sftp-drop", "shenzhen-mirror", "double-publicity-sheets", "staffing"} <= set(small)


def _declaration(folder: Path) -> str:
    return (folder / "source.yml").read_text(encoding="utf-8")


def test_every_mapping_loads() -> None:
    for source in sources():
        mapping = mapping_of(source.mapping)
        assert set(source.streams) <= set(mapping.streams)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_shape_keeps_its_protocol(name: str) -> None:
    shape: Shape = SHAPES[name]
    assert shape.name == name
    assert shape.carries <= set(KINDS)
    of_shape = {one.code: one.has_review for one in province(100).province.senders if one.shape == name}
    five = [
        stream.process == "five_stages"
        for source in sources()
        if source.code in of_shape
        for stream in mapping_of(source.mapping).streams.values()
    ]
    assert any(five) == any(of_shape.values())


def test_every_kind_of_defect_is_carried_by_some_shape() -> None:
    told = {kind.code for kind in KINDS.values() if kind.level != "set"} | {one.carries for one in HABITS.values()}
    assert set().union(*(shape.carries for shape in SHAPES.values())) == told


@pytest.mark.parametrize("seed", [1, 2])
def test_a_dry_run_foretells_both_days(tmp_path: Path, seed: int) -> None:
    work = province(300, seed)
    for name, department in departments(work).items():
        if name in {"zhejiang_pre", "guangdong_ex", "front_end"}:
            continue  # these need a server; test_shapes_read.py compares them
        foretold = [written(work, department, tmp_path / "dry", day, dry=True) for day in (1, 2)]
        done = [written(work, department, tmp_path / "real", day) for day in (1, 2)]
        assert foretold == done, name


def test_nothing_is_delivered_twice_on_a_day(tmp_path: Path) -> None:
    work = province(200)
    for name, department in departments(work).items():
        for day in (1, 2):
            said = [one for one in records(written(work, department, tmp_path, day, dry=True)) if one.key]
            assert len({(one.stream, one.key) for one in said}) == len(said), name
