"""Records told apart and translated: nothing is dropped in silence, and each record stands for itself."""

from __future__ import annotations

import random
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.documents import Documents
from hub.errors import InternalError
from hub.findings import RULES, Finding
from normalization.apply import Identity, Occurrences, Translation, identify, translate
from normalization.mapping import StreamMapping, load_mapping
from tests.normalization.build import context, load, schema_of

ZHEJIANG = Path("connectors/profiles/zhejiang-pre/mapping.yml")

NODES = """\
version: 1
streams:
  NODE:
    schema: s.json
    key: [ID]
    case: CASE
    order: VERSION
    operation: {field: OP, delete: [D], keep: [I, U]}
    reported_at: SENT
    organ_from: ORGAN
    exclude: {field: KIND, in: [start]}
    yields:
      - table: stage_event
        when: {field: KIND, in: ["1"]}
        columns:
          stage: {from: PHASE, codes: phase}
          local_node: {from: [NODE, ROOM], join: "/"}
          handler: WHO
          started_at: T
          finished_at: {from: [T2, T], first: true}
          outcome: {from: OUT, map: {通过: passed, 退回: returned}}
          opinion: TEXT
      - table: suspension
        when: [{field: KIND, in: ["2"]}, {present: T}]
        columns:
          suspension_kind: {from: OUT, map: {听证: hearing}, unlisted: other}
          approver: WHO
          started_at: {from: T, precision: d}
          allowed_value: DAYS
      - table: case_party
        when: {present: APPLICANT}
        columns:
          role: {const: applicant}
          name: APPLICANT
          number: {from: NUMBER, slice: [0, 18]}
      - table: case_party
        when: {present: AGENT}
        columns:
          role: {const: agent}
          name: AGENT
"""
SCHEMA = schema_of(
    "ID", "CASE", "VERSION", "OP", "SENT", "ORGAN", "KIND", "PHASE", "NODE", "ROOM", "WHO", "T", "T2", "OUT", "TEXT",
    "DAYS", "APPLICANT", "NUMBER", "AGENT",
)  # fmt: skip

RECORD: dict[str, Any] = {
    "ID": "n1", "CASE": "Ｃ１", "VERSION": 1, "OP": "I", "SENT": "2026-01-05 09:00:00", "ORGAN": "１1330000002482285C",
    "KIND": "1", "PHASE": "ACCEPT", "NODE": "受理", "ROOM": " ", "WHO": "王五", "T": "2026/1/5 8:30", "OUT": "通过",
    "TEXT": "同意，材料齐全",
}  # fmt: skip


@pytest.fixture
def nodes(tmp_path: Path) -> StreamMapping:
    return load(tmp_path, NODES, SCHEMA).streams["NODE"]


def told(findings: list[Finding]) -> list[tuple[int, str, str | None, bool]]:
    return [(finding.record, finding.rule, finding.pointer, finding.refuses) for finding in findings]


def identified(stream: StreamMapping, *records: dict[str, Any]) -> Identity:
    return identify(stream, records, context(), Occurrences())


def translated(stream: StreamMapping, *records: dict[str, Any]) -> Translation:
    return translate(stream, records, context())


def test_a_record_is_told_apart(nodes: StreamMapping) -> None:
    found = identified(nodes, RECORD, RECORD | {"ID": 2, "VERSION": "３", "OP": "D", "SENT": None})
    assert (found.keys, found.orders, found.cases) == (["n1", "2"], [1, 3], ["C1", "C1"])
    assert found.deleted.tolist() == [False, True]
    assert found.organs == ["11330000002482285C"] * 2
    assert found.reported_at.dtype == "datetime64[us, UTC]"
    assert found.reported_at[0] == pd.Timestamp("2026-01-05T01:00:00Z")
    assert found.reported_at.isna().tolist() == [False, True]
    assert found.findings == []


def test_what_cannot_be_told_apart_is_refused(nodes: StreamMapping) -> None:
    found = identified(
        nodes,
        RECORD | {"ID": "　"},
        RECORD | {"CASE": None},
        RECORD | {"VERSION": "v2"},
        RECORD | {"VERSION": ""},
        RECORD | {"OP": "X"},
        RECORD | {"SENT": "soon"},
        RECORD | {"ID": "k" * 501},
        RECORD | {"CASE": "C\x001"},
    )
    assert told(found.findings) == [
        (0, "missing_key", "/ID", True),
        (1, "missing_key", "/CASE", True),
        (2, "unreadable_version", "/VERSION", True),
        (3, "unreadable_version", "/VERSION", True),
        (4, "unknown_code", "/OP", True),
        (5, "unreadable_value", "/SENT", False),
        (6, "missing_key", "/ID", True),
        (7, "unreadable_value", "/CASE", True),
    ]
    assert (found.keys[0], found.keys[6], found.cases[1], found.orders[2:4]) == (None, None, None, [None, None])
    assert [finding.value for finding in found.findings][2:6] == ["v2", None, "X", "soon"]
    assert found.findings[4].detail["known"] == "I, U, D"


def test_keys_of_several_fields_never_meet(tmp_path: Path) -> None:
    text = """\
version: 1
streams:
  S:
    schema: s.json
    key: [A, B, {time: T}]
    yields:
      - table: organ
        columns: {code: A, name: B, valid_from: T}
"""
    stream = load(tmp_path, text, schema_of("A", "B", "T")).streams["S"]
    found = identified(
        stream, {"A": "x|", "B": "y", "T": "20260105"}, {"A": "x", "B": "|y", "T": "2026/1/5"}, {"A": "x", "T": "soon"}
    )
    assert found.keys == ["x\\||y|2026-01-04 16:00:00.000000", "x|\\|y|2026-01-04 16:00:00.000000", None]
    assert told(found.findings) == [(2, "missing_key", "/B", True), (2, "unreadable_value", "/T", True)]


FINGERPRINTED = """\
version: 1
streams:
  S:
    schema: s.json
    key: {fingerprint: [CASE, NODE, {time: T}]}
    case: CASE
    yields:
      - table: stage_event
        columns: {stage: {const: other}, local_node: NODE, started_at: T, local_code: {value: record_key}}
"""


def test_fingerprints_number_what_is_alike(tmp_path: Path) -> None:
    stream = load(tmp_path, FINGERPRINTED, schema_of("CASE", "NODE", "T")).streams["S"]
    seen = Occurrences()
    one = {"CASE": "C1", "NODE": "a", "T": "2026-01-05 08:30:00"}
    same = {"CASE": "Ｃ１", "NODE": " a", "T": "2026-01-05T08:30:00+08:00"}
    first = identify(stream, [one, {"CASE": "C1", "NODE": "b"}, same], context(), seen)
    second = identify(stream, [same, {"CASE": "C1a", "NODE": None}, {"CASE": "C1", "NODE": "a"}], context(), seen)
    keys = [*first.keys, *second.keys]
    base = str(keys[0]).removesuffix("#1")
    assert base.startswith("fp:")
    assert len(base) == 3 + 32
    assert [keys[0], keys[2], keys[3]] == [f"{base}#1", f"{base}#2", f"{base}#3"]
    assert len({str(key).split("#", maxsplit=1)[0] for key in keys}) == 4
    assert translate(stream, [one], context(), first.keys[:1]).tables["stage_event"].frame["local_code"].tolist() == [
        keys[0]
    ]
    with pytest.raises(InternalError, match="keys"):
        translate(stream, [one], context())


def test_a_fingerprint_of_nothing_is_no_key(tmp_path: Path) -> None:
    stream = load(tmp_path, FINGERPRINTED, schema_of("CASE", "NODE", "T")).streams["S"]
    found = identified(stream, {"CASE": None, "NODE": "", "T": None}, {"CASE": "C", "NODE": "n" * 900, "T": None})
    assert found.keys[0] is None
    assert found.keys[1] is not None
    assert told(found.findings) == [(0, "missing_key", "/CASE", True)]


@given(st.lists(st.lists(st.integers(0, 6), max_size=8), max_size=8))
def test_occurrences_count_over_slices(slices: list[list[int]]) -> None:
    seen, counts = Occurrences(), dict[int, int]()
    for numbers in slices:
        expected = []
        for number in numbers:
            counts[number] = counts.get(number, 0) + 1
            expected.append(counts[number])
        assert seen.number([number.to_bytes(16, "big")[::-1] for number in numbers]) == expected


def test_occurrences_go_on_where_they_were_cut_off() -> None:
    seen, hashes = Occurrences(), [bytes([number] * 16) for number in (1, 2, 1)]
    keys = [f"fp:{found.hex()}#{number}" for found, number in zip(hashes, seen.number(hashes), strict=True)]
    again = Occurrences()
    again.absorb(keys)
    assert again.number(hashes) == seen.number(hashes) == [3, 2, 4]


def test_a_record_is_translated(nodes: StreamMapping) -> None:
    found = translated(nodes, RECORD, RECORD | {"KIND": 2, "OUT": "招标", "T": "2026-01-05 00:00:00", "DAYS": "２０"})
    assert found.findings == []
    stage = found.tables["stage_event"]
    assert (stage.record.tolist(), stage.part.tolist()) == ([0], [0])
    assert stage.part.dtype == np.int16
    row = stage.frame.iloc[0]
    assert row["case_number"] == "C1"
    assert (row["stage"], row["local_node"], row["handler"], row["outcome"]) == ("accept", "受理", "王五", "passed")
    assert row["started_at"] == row["finished_at"] == pd.Timestamp("2026-01-05T00:30:00Z")
    assert (row["started_at_precision"], row["opinion"]) == ("m", "同意，材料齐全")
    pause = found.tables["suspension"].frame.iloc[0]
    assert (pause["suspension_kind"], pause["started_at_precision"], pause["allowed_value"]) == ("other", "d", 20)
    assert {name: str(kind) for name, kind in found.tables["suspension"].frame.dtypes.items()} == {
        "case_number": "str", "suspension_kind": "str", "approver": "str", "started_at": "datetime64[us, UTC]",
        "started_at_precision": "str", "allowed_value": "Int64",
    }  # fmt: skip


def test_rows_of_one_table_stand_in_order_of_record_and_yield(nodes: StreamMapping) -> None:
    both = RECORD | {"APPLICANT": "甲公司", "NUMBER": "330106199001011232（补）", "AGENT": "乙"}
    parties = translated(nodes, both, RECORD | {"AGENT": "丙"}, both).tables["case_party"]
    assert parties.record.tolist() == [0, 0, 1, 2, 2]
    assert parties.part.tolist() == [2, 3, 3, 2, 3]
    assert parties.frame["role"].tolist() == ["applicant", "agent", "agent", "applicant", "agent"]
    assert parties.frame["number"].isna().tolist() == [False, True, True, False, True]
    assert parties.frame["number"].iloc[0] == "330106199001011232"


def test_what_cannot_be_read_is_null_and_told(nodes: StreamMapping) -> None:
    found = translated(
        nodes,
        RECORD | {"T": "soon", "T2": "2026-01-05"},
        RECORD | {"OUT": "half"},
        RECORD | {"PHASE": "X9"},
        RECORD | {"PHASE": None},
        RECORD | {"TEXT": "a\x00b"},
        RECORD | {"KIND": "2", "DAYS": "20工作日", "APPLICANT": "甲"},
        RECORD | {"T": "soon"},
    )
    assert told(found.findings) == [
        (0, "unreadable_value", "/T", False),
        (1, "unknown_code", "/OUT", False),
        (2, "unknown_code", "/PHASE", True),
        (3, "schema_violation", "/PHASE", True),
        (4, "unreadable_value", "/TEXT", False),
        (5, "unreadable_value", "/DAYS", False),
        (6, "unreadable_value", "/T", False),
    ]
    stage = found.tables["stage_event"].frame
    assert stage["started_at"].isna().tolist() == [True, False, False, False, False, True]
    assert stage["opinion"].tolist()[4] == "ab"
    assert stage["outcome"].isna().tolist()[1]
    assert found.findings[2].detail == {
        "reason": "this code is not in the code list",
        "known": "ACCEPT, APPROVE",
        "list": "phase",
    }
    assert (found.findings[0].table, found.findings[0].field, found.findings[0].value) == (
        "stage_event",
        "started_at",
        "soon",
    )


def test_personal_values_are_marked(tmp_path: Path) -> None:
    text = """\
version: 1
streams:
  S:
    schema: s.json
    key: [ID]
    case: ID
    yields:
      - table: case_party
        columns: {role: {const: applicant}, name: NAME, party_kind: {from: NAME, map: {甲: natural}}}
      - table: fee
        columns: {amount: SUM, basis: NAME}
"""
    stream = load(tmp_path, text, schema_of("ID", "NAME", "SUM")).streams["S"]
    found = translate(stream, [{"ID": "1", "NAME": "乙", "SUM": "x"}], context())
    assert [(finding.rule, finding.personal) for finding in found.findings] == [
        ("unknown_code", True),
        ("unreadable_value", False),
    ]


def test_only_the_mapping_excludes(nodes: StreamMapping) -> None:
    """`start` is excluded by name, a pause without start by its condition; an unknown kind must not vanish."""
    found = translated(
        nodes,
        RECORD | {"KIND": "start"},
        RECORD | {"KIND": "2", "T": ""},
        RECORD | {"KIND": "7"},
        RECORD | {"KIND": None},
    )
    assert found.excluded.tolist() == [True, True, False, True]
    assert told(found.findings) == [(2, "unknown_code", "/KIND", True)]
    assert found.findings[0].detail["known"] == "1, 2"
    assert found.tables == {}


def test_an_empty_slice(nodes: StreamMapping) -> None:
    assert translated(nodes).tables == {}
    assert identified(nodes).keys == []


def test_a_const_and_the_source(tmp_path: Path) -> None:
    text = """\
version: 1
streams:
  S:
    schema: s.json
    key: [ID]
    yields:
      - table: credential
        columns:
          issuer: {source: organ}
          credential_type: {const: 许可证}
          number: ID
          valid_from: {from: F, formats: ["%d/%m/%Y"]}
          valid_to: TO
          issued_at: {const: 2026-01-05}
          status: {const: valid}
      - table: item_version
        columns: {implementation_code: ID, version: {const: 1}, fee: {const: true}}
"""
    stream = load(tmp_path, text, schema_of("ID", "F", "TO")).streams["S"]
    rows = [{"ID": "a", "F": "1/2/2026", "TO": "长期"}, {"ID": "b", "F": "31/12/2025", "TO": "20261231"}]
    found = translate(stream, rows, context())
    frame = found.tables["credential"].frame
    assert frame["issuer"].tolist() == ["11330000002482285C"] * 2
    assert frame["valid_from"].tolist() == ["2026-02-01", "2025-12-31"]
    assert frame["valid_to"].isna().tolist() == [True, False]
    assert frame["issued_at_precision"].tolist() == ["d", "d"]
    versions = found.tables["item_version"].frame
    assert (versions["version"].tolist(), versions["fee"].tolist()) == ([1, 1], [True, True])
    assert (str(versions["version"].dtype), str(versions["fee"].dtype)) == ("Int64", "boolean")
    without = translate(stream, rows, context(organ=None))
    assert without.tables["credential"].frame["issuer"].isna().all()
    assert found.findings == without.findings == []


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "UNID": st.integers(0, 5).map(str) | st.none(),
    "PROJID": st.sampled_from(["33010620260105001", "３３", "", None, 7]),
    "ACTION": st.sampled_from(["1", "2", "T01", "B1", "Z9", None, 3]),
    "NODE_NAME": st.text(max_size=5),
    "NAME": st.sampled_from(["王五", "张　三", None]),
    "OPINION": st.text(max_size=8) | st.none(),
    "START_TIME": st.sampled_from(["20260105", "2026/1/5 8:30", "soon", None, 1767573000000, "2026-01-05T08:30:00Z"]),
    "END_TIME": st.sampled_from(["2026-01-06 10:00:00", "", "9999-12-31"]),
    "PHASE_CODE": st.sampled_from(["ACCEPT", "REVIEW", "x", None]),
    "CREATE_TIME": st.sampled_from(["2026-01-06 10:00:00", "x"]),
    "SYNC_STATUS": st.sampled_from(["I", "D", "Q", None]),
    "DATAVERSION": st.sampled_from([1, "2", 3.0, "v", None]),
    "HANDER_DEPTID": st.sampled_from(["11330000002482285C", None]),
}
RECORDS = st.lists(st.fixed_dictionaries({}, optional=VALUES), min_size=1, max_size=8)


@cache
def node_stream() -> StreamMapping:
    return load_mapping(ZHEJIANG, Documents.load()).streams["PRE_NODE"]


def rows_of(found: Translation, record: int) -> Any:
    """Gather all that was made of one record, in a form that can be compared."""
    tables = {}
    for table, rows in found.tables.items():
        chosen = rows.record == record
        if chosen.any():
            frame = rows.frame[chosen].astype(object).where(lambda made: made.notna(), None)
            tables[table] = (rows.part[chosen].tolist(), frame.to_dict("records"))
    told_of = [finding for finding in found.findings if finding.record == record]
    return (
        tables,
        bool(found.excluded[record]),
        [(f.rule, f.table, f.field, f.value, dict(f.detail), f.refuses) for f in told_of],
    )


@cache
def made_stream() -> StreamMapping:
    with tempfile.TemporaryDirectory() as folder:
        return load(Path(folder), NODES, SCHEMA).streams["NODE"]


MADE_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "ID": st.sampled_from(["a", "b", " ", None]),
    "CASE": st.sampled_from(["C1", "Ｃ１", None]),
    "VERSION": st.sampled_from([1, "２", "v"]),
    "OP": st.sampled_from(["I", "D", "Z"]),
    "KIND": st.sampled_from(["1", "2", "start", "7", None]),
    "PHASE": st.sampled_from(["ACCEPT", "Ａ", None]),
    "NODE": st.sampled_from(["受理", " ", None]),
    "ROOM": st.sampled_from(["一楼", "", None]),
    "T": st.sampled_from(["2026-01-05 00:00:00", "2026/1/5", "soon", None]),
    "T2": st.sampled_from(["2026-01-06", " ", "x", None]),
    "OUT": st.sampled_from(["通过", "听证", "x", None]),
    "DAYS": st.sampled_from([20, "20", "二十", None]),
    "APPLICANT": st.sampled_from(["甲", "\x00", None]),
    "NUMBER": st.sampled_from(["33010619900101123x（补）", "3", None]),
    "AGENT": st.sampled_from(["乙", None]),
    "TEXT": st.text(max_size=4),
}
MADE_RECORDS = st.lists(st.fixed_dictionaries({}, optional=MADE_VALUES), min_size=1, max_size=8)


@given(RECORDS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_each_record_stands_for_itself(records: list[dict[str, Any]], order: random.Random) -> None:
    """What is made of a record depends neither on its place nor on the other records of its slice."""
    stands_for_itself(node_stream(), records, order)


@given(MADE_RECORDS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_each_record_stands_for_itself_in_every_form(records: list[dict[str, Any]], order: random.Random) -> None:
    """The same for a mapping that joins, cuts, chooses, excludes and lists."""
    stands_for_itself(made_stream(), records, order)


def stands_for_itself(stream: StreamMapping, records: list[dict[str, Any]], order: random.Random) -> None:
    together = translate(stream, records, context())
    places = list(range(len(records)))
    order.shuffle(places)
    shuffled = translate(stream, [records[place] for place in places], context())
    whole = identify(stream, records, context(), Occurrences())
    for at, place in enumerate(places):
        alone = translate(stream, [records[place]], context())
        assert rows_of(together, place) == rows_of(shuffled, at) == rows_of(alone, 0)
        one = identify(stream, [records[place]], context(), Occurrences())
        assert (one.keys[0], one.orders[0], one.cases[0], one.organs[0]) == (
            whole.keys[place],
            whole.orders[place],
            whole.cases[place],
            whole.organs[place],
        )
        assert one.deleted[0] == whole.deleted[place]
        assert [f.rule for f in one.findings] == [f.rule for f in whole.findings if f.record == place]
    assert all(finding.rule in RULES for finding in [*together.findings, *whole.findings])


def test_nothing_is_lost(nodes: StreamMapping) -> None:
    """Each record gives a row, is excluded by the mapping, or is refused with a finding."""
    made = random.Random(7)
    kinds = ["1", "2", "start", "9", None]
    records = [
        RECORD | {"ID": str(number), "KIND": made.choice(kinds), "PHASE": made.choice(["ACCEPT", "x", None])}
        for number in range(500)
    ]
    found = translated(nodes, *records)
    rows = {int(record) for table in found.tables.values() for record in table.record}
    refused = {finding.record for finding in found.findings if finding.refuses}
    excluded = set(np.flatnonzero(found.excluded).tolist())
    assert rows | refused | excluded == set(range(500))
    assert not rows & excluded
    assert not refused & excluded


def test_time_zone_of_the_source(nodes: StreamMapping) -> None:
    row = translate(nodes, [RECORD | {"T": "2015-03-29 02:30:00"}], context("Europe/Amsterdam")).tables["stage_event"]
    assert row.frame["started_at"].iloc[0] == datetime(2015, 3, 29, 1, 30, tzinfo=UTC)
