"""Kind exchange_table: what a declaration may say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.kinds.exchange_table.options import option_faults
from connectors.loading import load_sources
from hub.errors import ConfigError, SchemaMismatch
from tests.connectors.conftest import Department
from tests.connectors.exchange_table.parts import (
    AGREED,
    DECLARED,
    FLAG,
    hub,
    made,
    pull,
)


@pytest.mark.parametrize(
    ("options", "where", "said"),
    [
        ({}, (), "option 'flag' is missing"),
        ({"flag": {**FLAG, "done": "9"}}, ("flag", "done"), "value '9' means 'claimed' already"),
        ({"flag": {**FLAG, "failed": 0}}, ("flag", "failed"), "value 0 means 'waiting' already"),
        ({"flag": {**FLAG, "done": ""}}, ("flag", "done"), "must be a value"),
        ({"flag": FLAG, "claim": {"id": "rec_flag"}}, ("claim", "id"), "is that of flag.column already"),
        ({"flag": FLAG, "key": ["A", "REC_FLAG"]}, ("key",), "is written by the hub"),
        ({"flag": FLAG, "receipt": {"time": "T"}, "version": "T"}, ("version",), "is written by the hub"),
        ({"flag": FLAG, "page_rows": 5}, ("page_rows",), "pages are for write: false"),
        ({"write": False, "batches": DECLARED}, ("batches",), "with write false they are not"),
    ],
)
def test_a_declaration_that_cannot_hold_is_told(options: dict[str, Any], where: tuple[str, ...], said: str) -> None:
    found = list(option_faults(options))
    assert [place for place, _ in found] == [where]
    assert said in found[0][1]


def test_a_good_declaration_has_no_faults() -> None:
    assert list(option_faults(AGREED)) == []
    assert list(option_faults({"write": False})) == []


def test_faults_of_a_declaration_are_told_with_their_line(tmp_path: Path) -> None:
    folder = tmp_path / "front"
    folder.mkdir()
    (folder / "source.yml").write_text(
        """version: 1
code: front
title: {zh: 前置机}
owner: {organ: 11330000002482285J, name: 局, contact: 信息科}
legal_basis: a test
organ: 11330000002482285J
kind: exchange_table
profile: zhejiang-pre
connection: front
streams:
  PRE_NODE:
    cursor: {field: CREATE_TIME}
    options:
      flag: {column: F, waiting: [null], claimed: "9", done: "9", failed: "2"}
      clam: {id: C}
  PRE_ACCEPT: {options: {write: false}, cursor: {field: CREATE_TIME}}
""",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        load_sources([tmp_path])
    told = {fault.line: fault.message for fault in caught.value.faults}
    assert told[12] == "rows are claimed by their flag; a cursor is for `write: false`"
    assert told[14] == "value '9' means 'claimed' already"
    assert told[15].startswith("unknown key 'clam'; did you mean 'claim'?")
    assert 16 not in told


def test_a_primary_key_that_the_hub_writes_is_told(department: Department) -> None:
    department.run("CREATE TABLE odd (no varchar(9) NOT NULL, state varchar(2) NOT NULL, PRIMARY KEY (no, state))")
    one = made("odd", {**department.options, "flag": {**FLAG, "column": "state"}})
    with pytest.raises(SchemaMismatch, match="the key holds state, which the hub writes"):
        pull(hub(department, one), one)
