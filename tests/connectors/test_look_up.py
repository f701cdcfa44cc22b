"""One record asked for by its number: equality and nothing else, in bounded time, by consent of the department."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.loading import load_sources
from connectors.seam import LooksUp, Sought
from connectors.source import StreamSpec
from hub.errors import ConfigError, SchemaMismatch, StopSource
from tests.connectors.conftest import Department
from tests.connectors.parts import opened, stream

HOSTILE = (
    "' OR 1=1 --", "\\' OR 1=1 -- ", '" OR ""="', "%", "_", "JY-001\0", "x" * 100_000, "A'; DROP TABLE licence; --",
    "?", "%(param_1)s", ":id", "\\", "NULL",
)  # fmt: skip


def filled(department: Department, *, number: str = "varchar(100)") -> StreamSpec:
    department.run(
        f"CREATE TABLE licence (id varchar(20) NOT NULL PRIMARY KEY, no {number}, amount decimal(12,2))",
        "INSERT INTO licence VALUES ('A', '1', 1.50), ('B', '2', 2.50), ('C', '2', NULL), ('D', NULL, 0)",
    )
    return stream("licence", **department.options)


def ask(department: Department, one: StreamSpec, *values: str, field: str = "no", most: int = 100) -> list[str]:
    connector = opened("database", department.url, one)
    assert isinstance(connector, LooksUp)
    piece = connector.look_up(one, Sought(field, values, seconds=10, most=most))
    assert (piece.unit_ends, piece.state, piece.complete_through) == (False, {}, None)
    return sorted(record["id"] for record in piece.records)


def test_what_bears_the_number_comes_and_nothing_else(department: Department) -> None:
    one = filled(department)
    assert ask(department, one, "2") == ["B", "C"]
    assert ask(department, one, "1", "2", "3") == ["A", "B", "C"]
    assert ask(department, one, "3") == []


def test_records_are_those_of_a_pull(department: Department) -> None:
    one = filled(department)
    connector = opened("database", department.url, one)
    assert isinstance(connector, LooksUp)
    (whole,) = connector.read(one, {}, slice_size=10, full=False)
    found = connector.look_up(one, Sought("no", ("1", "2"), seconds=10))
    assert sorted(map(str, found.records)) == sorted(map(str, whole.records))[:3]


def test_hostile_numbers_find_nothing_and_change_nothing(department: Department) -> None:
    one = filled(department)
    for number in HOSTILE:
        assert ask(department, one, number) == [], number
    assert ask(department, one, "1", *HOSTILE) == ["A"]


def test_a_column_of_numbers_is_asked_with_numbers_only(department: Department) -> None:
    one = filled(department, number="bigint")
    department.run("INSERT INTO licence VALUES ('Z', 0, 0)")
    assert ask(department, one, "2") == ["B", "C"]
    for number in ("x", "2x", "２", "-2", "9" * 30, *HOSTILE):
        assert ask(department, one, number) == [], "a text is not the number 0"


def test_a_field_that_is_no_number_is_refused(postgres: Department) -> None:
    postgres.run("CREATE TABLE licence (id varchar(20) PRIMARY KEY, day date)")
    with pytest.raises(SchemaMismatch, match="neither texts nor whole numbers"):
        ask(postgres, stream("licence", **postgres.options), "1", field="day")


def test_a_field_that_is_not_there_is_refused(department: Department) -> None:
    one = filled(department)
    with pytest.raises(SchemaMismatch, match="no column 'CERT', which is asked for live"):
        ask(department, one, "1", field="CERT")


def test_more_than_may_come_is_no_answer(department: Department) -> None:
    one = filled(department)
    assert ask(department, one, "1", "2", most=3) == ["A", "B", "C"]
    with pytest.raises(StopSource, match="more than 2 records bear in 'no'") as refused:
        ask(department, one, "1", "2", most=2)
    assert "'2'" not in str(refused.value)


def test_texts_in_another_encoding_than_their_column_claims_are_found(mariadb: Department) -> None:
    mariadb.run(
        "CREATE TABLE licence (id varchar(20) PRIMARY KEY, no varchar(100)) CHARACTER SET latin1",
        f"INSERT INTO licence VALUES ('A', 0x{'浙食1'.encode('gbk').hex()}), ('Q', '??1')",
    )
    one = stream("licence", stored_encoding="gbk")
    assert ask(mariadb, one, "浙食1") == ["A"]
    assert ask(mariadb, one, "\u0e01\u0e021") == [], "what the encoding has no sign for is not looked for"


def test_the_check_tries_it_and_says_whether_an_index_leads_there(department: Department) -> None:
    one = filled(department)
    asked = StreamSpec(one.name, one.options, look_up={"credential": "no", "holder": "id"})
    (_, said) = opened("database", department.url, asked).check().items
    assert (said.ok, "without an index each one reads the whole table" in said.message) == (True, True), said
    department.run("CREATE INDEX licence_no ON licence (no)")
    (_, said) = opened("database", department.url, asked).check().items
    assert "can be asked live for a credential by no" in said.message
    assert "can be asked live for a holder by id" in said.message
    assert "without an index" not in said.message
    wrong = StreamSpec(one.name, one.options, look_up={"credential": "CERT"})
    (_, said) = opened("database", department.url, wrong).check().items
    assert (said.ok, "no column 'CERT'" in said.message) == (False, True)


def test_an_exchange_table_is_not_asked(sqlite: Department) -> None:
    one = stream("licence", flag={"column": "f", "waiting": ["0"], "claimed": "1", "done": "2", "failed": "3"})
    connector = opened("exchange_table", sqlite.url, one)
    assert isinstance(connector, LooksUp)
    with pytest.raises(StopSource, match="not asked for one record"):
        connector.look_up(one, Sought("no", ("1",), seconds=1))


_YIELD = {"table": "credential", "columns": {"number": "NO", "credential_type": "KIND"}}


@pytest.mark.parametrize(
    ("source", "mapped", "fault"),
    [
        ({}, {}, None),
        ({"look_up": {"credential": "CERT"}}, {}, "stream has no field 'CERT' (known: ID, NO, KIND)"),
        ({"look_up": {"number": "NO"}}, {}, "unknown key 'number'"),
        ({"look_up": {}}, {}, "should be non-empty"),
        ({"look_up": {"holder": "WHO"}}, {}, "stream has no field 'WHO' (known: ID, NO, KIND)"),
        ({}, {"key": {"fingerprint": ["ID"]}}, "told apart by fingerprints"),
        ({}, {"yields": [{"table": "approval_case", "columns": {}}]}, "makes no credential of this stream"),
        ({"kind": "files", "options": {"format": "csv", "path": "*.csv"}}, {}, "kind files cannot be asked"),
        ({"kind": "exchange_table"}, {}, "kind exchange_table cannot be asked"),
    ],
)  # fmt: skip
def test_what_the_declaration_says_wrong_is_told_at_its_line(
    tmp_path: Path, source: dict[str, Any], mapped: dict[str, Any], fault: str | None
) -> None:
    folder = tmp_path / "probe"
    folder.mkdir()
    stream_of = {"schema": "s.schema.json", "key": ["ID"], "yields": [_YIELD], **mapped}
    (folder / "s.schema.json").write_text(
        '{"type": "object", "properties": {"ID": {"type": "string"}, "NO": {}, "KIND": {}}}', encoding="utf-8"
    )
    (folder / "mapping.yml").write_text(yaml.safe_dump({"version": 1, "streams": {"S": stream_of}}), encoding="utf-8")
    kind = source.pop("kind", "database")
    said = {
        "version": 1, "code": "probe", "title": {"zh": "试"}, "legal_basis": "l", "organ": "11330000002482285J",
        "owner": {"organ": "11330000002482285J", "name": "o", "contact": "c"}, "kind": kind, "mapping": "mapping.yml",
        "connection": "probe", "streams": {"S": {"look_up": {"credential": "NO"}, **source}},
    }  # fmt: skip
    (folder / "source.yml").write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
    if fault is None:
        (found,) = load_sources([folder])
        assert found.streams["S"].look_up == {"credential": "NO"}
        return
    with pytest.raises(ConfigError) as refused:
        load_sources([folder])
    assert any(fault in one.message and one.line > 1 for one in refused.value.faults), refused.value
