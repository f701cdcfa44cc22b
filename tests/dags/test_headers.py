"""The light reading of source folders: one broken folder hides no other, one DAG needs one folder."""

from __future__ import annotations

from pathlib import Path

from dags.headers import dag_id, read_headers
from tests.dags.conftest import SOURCES


def test_headers_are_sorted_by_code_and_instances_are_sources() -> None:
    found = read_headers([SOURCES])
    assert [one.code for one in found] == ["broken", "county-a", "county-b", "labour", "office", "unreadable"]
    county = found[1]
    assert (county.title, county.organ, county.connection) == ("甲县", "11330100002482285C", "county_a")


def test_only_one_dag_is_read_where_its_folder_has_its_name(tmp_path: Path) -> None:
    for code in ("one", "two"):
        (tmp_path / code).mkdir()
        (tmp_path / code / "source.yml").write_text(f"version: 1\ncode: {code}\n", encoding="utf-8")
    (tmp_path / "two" / "source.yml").chmod(0o000)
    assert [one.code for one in read_headers([tmp_path], only="hub_source_one")] == ["one"]


def test_only_one_instance_of_many_is_given() -> None:
    assert [one.code for one in read_headers([SOURCES], only="hub_source_county-b")] == ["county-b"]


def test_of_another_dag_nothing_is_given() -> None:
    assert read_headers([SOURCES], only="hub_province") == []


def test_a_code_declared_twice_is_a_fault_of_its_dag(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "source.yml").write_text("version: 1\ncode: same\n", encoding="utf-8")
    [header] = read_headers([tmp_path])
    assert header.folder.name == "first"
    assert "second: declares 'same', which" in header.faults[0]


def test_a_dag_id_has_only_letters_that_airflow_allows() -> None:
    assert dag_id("zj-hrss.2") == "hub_source_zj-hrss.2"
    assert dag_id("省 厅") == "hub_source____"


def test_a_missing_folder_gives_no_sources(tmp_path: Path) -> None:
    assert read_headers([tmp_path / "absent"]) == []
