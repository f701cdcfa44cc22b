"""Debezium's change events: each change of a row is one record, and what is no row is told, never passed over."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.debezium import PLACEHOLDER, Events, order_of
from hub.records import BrokenRecord, Record
from tests.connectors.parts import opened, pull, records, stream

SOURCE = {"connector": "postgresql", "db": "d", "schema": "public", "table": "cases", "txId": 7, "lsn": 100, "ts_ms": 5}


def event(op: str, before: Any = None, after: Any = None, **source: Any) -> dict[str, Any]:
    return {"before": before, "after": after, "source": {**SOURCE, **source}, "op": op, "ts_ms": 9, "transaction": None}


def wrapped(payload: Any) -> dict[str, Any]:
    return {"schema": {"type": "struct", "name": "s.public.cases.Envelope"}, "payload": payload}


def read(*events: Any) -> list[Record | BrokenRecord | None]:
    reader = Events()
    return [reader.read(one, row, f"raw {row}") for row, one in enumerate(events, 1)]


def fault(*events: Any) -> str:
    """What is said of the last event, which cannot be read."""
    found = read(*events)[-1]
    assert isinstance(found, BrokenRecord)
    assert (found.row, found.rule, found.raw) == (len(events), "unreadable_record", f"raw {len(events)}")
    return found.message


@pytest.mark.parametrize("wrap", [wrapped, lambda payload: payload], ids=["with schema", "payload alone"])
@pytest.mark.parametrize("op", ["c", "u", "r"])
def test_a_change_gives_the_row_after_it_with_operation_time_and_order(op: str, wrap: Any) -> None:
    before = {"id": 1, "state": "old"} if op == "u" else None
    assert read(wrap(event(op, before, {"id": 1, "state": "new"}))) == [
        {"id": 1, "state": "new", "__op": op, "__ts_ms": 5, "__order": 100}
    ]


def test_a_deletion_gives_the_row_before_it() -> None:
    assert read(event("d", {"id": 1, "state": None}, lsn=101)) == [
        {"id": 1, "state": None, "__op": "d", "__ts_ms": 5, "__order": 101}
    ]


def test_a_row_named_payload_is_no_wrapper() -> None:
    assert read({**event("c", None, {"payload": 1}), "payload": "x"})[0] == {
        "payload": 1, "__op": "c", "__ts_ms": 5, "__order": 100,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "order"),
    [
        ({"lsn": 24023128}, 24023128),
        ({"scn": "1234567"}, 1234567),
        ({"scn": 8}, 8),
        ({"file": "mysql-bin.000003", "pos": 154, "row": 2}, ((3 << 32) + 154 << 11) + 2),
        ({"file": "mariadb-bin.000003", "pos": 154}, (3 << 32) + 154 << 11),
        ({"change_lsn": "00000027:00000758:0005"}, None),
        ({"lsn": True}, None),
        ({"lsn": -1}, None),
        ({"lsn": "9" * 30}, None),
        ({"scn": "9" * 30}, None),
        ({"file": "mysql-bin", "pos": 154}, None),
        ({"file": "mysql-bin.9999999", "pos": 154}, None),
        ({"file": "mysql-bin.000003", "pos": 1 << 40}, None),
        ({}, None),
    ],
)
def test_the_order_is_the_place_in_the_databases_log(source: dict[str, Any], order: int | None) -> None:
    assert order_of(source) == order


def test_places_in_mysqls_log_grow_with_file_position_and_row() -> None:
    places = [
        order_of({"file": f"b.{file:06}", "pos": pos, "row": row})
        for file in (1, 2, 999_999)
        for pos in (4, 5, (1 << 32) - 1)
        for row in (0, 1, 2_047)
    ]
    assert None not in places
    assert places == sorted(set(places), key=lambda place: place or 0)
    assert max(place or 0 for place in places) < 1 << 63, "the ledger keeps it as bigint"


def test_the_time_of_the_event_stands_in_where_the_change_has_none() -> None:
    assert read({"op": "c", "after": {"id": 1}, "ts_ms": 9}) == [{"id": 1, "__op": "c", "__ts_ms": 9, "__order": None}]


# --- what is no row ---


@pytest.mark.parametrize(
    "value",
    [
        PLACEHOLDER,
        "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==",
        PLACEHOLDER.encode().hex(),
        [PLACEHOLDER],
        list(PLACEHOLDER.encode()),
        ["b68a35a7-17ad-35b3-af2a-ae46edb4545a"],
        {PLACEHOLDER: PLACEHOLDER},
    ],
    ids=["text", "base64", "hex", "texts", "numbers", "uuids", "hstore"],
)
def test_a_column_that_debezium_did_not_have_never_overwrites(value: Any) -> None:
    said = fault(event("u", None, {"id": 1, "OPINION": value, "NAME": "王晓岚"}))
    assert "OPINION" in said
    assert "REPLICA IDENTITY FULL" in said
    assert "王晓岚" not in said


def test_a_deletion_with_such_a_column_is_still_one() -> None:
    assert read(event("d", {"id": 1, "OPINION": PLACEHOLDER}))[0] == {
        "id": 1, "OPINION": None, "__op": "d", "__ts_ms": 5, "__order": 100,
    }  # fmt: skip


def test_a_text_that_only_speaks_of_the_placeholder_is_a_value() -> None:
    assert isinstance(read(event("u", None, {"id": 1, "note": f"what is {PLACEHOLDER}?"}))[0], dict)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (event("t"), "truncated"),
        (event("m"), "none of c, u, r, d"),
        (event("c"), "without its row `after`"),
        (event("d"), "REPLICA IDENTITY FULL"),
        (event("u", {"id": 1}, "text"), "without its row `after`"),
        (event("c", None, {"id": 1, "__order": 1}), "named __order"),
        ({"id": 1, "state": "flat"}, "no `op`"),
        ({"op": 1}, "no `op`"),
        ([1], "no `op`"),
        ("default", "no `op`"),
    ],
)
def test_what_speaks_of_no_row_is_told(broken: Any, words: str) -> None:
    assert words in fault(broken)
    assert words in fault(wrapped(broken))


def test_a_tombstone_repeats_its_deletion_and_is_only_counted() -> None:
    reader = Events()
    found = [reader.read(one, 1, "") for one in (event("d", {"id": 1}), None, event("d", {"id": 2}), wrapped(None))]
    assert [one is None for one in found] == [False, True, False, True]
    assert (reader.deletions, reader.tombstones) == (0, 2)


def test_a_tombstone_without_its_deletion_is_told() -> None:
    assert "tombstone" in fault(event("c", None, {"id": 1}), None)
    assert "tombstone" in fault(event("d", {"id": 1}), None, None), "each deletion stands for one tombstone"


def test_a_changed_key_is_a_deletion_a_tombstone_and_a_creation() -> None:
    found = read(event("d", {"id": 1}, lsn=8), None, event("c", None, {"id": 2}, lsn=8))
    assert [one and (one["id"], one["__op"]) for one in found if not isinstance(one, BrokenRecord)] == [
        (1, "d"), None, (2, "c"),
    ]  # fmt: skip


# --- the law: what is said in order is the table ---


@dataclass
class Table:
    """A table, and what Debezium says of each change to it."""

    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    said: list[Any] = field(default_factory=list)
    lsn: int = 0

    def say(self, op: str, before: Any, after: Any) -> None:
        self.lsn += 1
        self.said.append(event(op, before, after, lsn=self.lsn))
        if op == "d":
            self.said.append(None)

    def put(self, key: int, value: str | None) -> None:
        row = {"id": key, "value": value}
        self.say("u" if key in self.rows else "c", self.rows.get(key), row)
        self.rows[key] = row

    def drop(self, key: int) -> None:
        if key in self.rows:
            self.say("d", self.rows.pop(key), None)

    def move(self, key: int, other: int) -> None:
        if key in self.rows and other not in self.rows:
            row = {**self.rows[key], "id": other}
            self.drop(key)
            self.say("c", None, row)
            self.rows[other] = row

    def snapshot(self) -> None:
        for row in list(self.rows.values()):
            self.say("r", None, row)


KEYS = st.integers(1, 4)
STEPS = st.one_of(
    st.tuples(st.just("put"), KEYS, st.one_of(st.none(), st.text(max_size=3))),
    st.tuples(st.just("drop"), KEYS),
    st.tuples(st.just("move"), KEYS, KEYS),
    st.tuples(st.just("snapshot")),
)


def table_of(steps: list[tuple[Any, ...]]) -> Table:
    table = Table()
    for name, *arguments in steps:
        getattr(table, name)(*arguments)
    return table


def without_facts(record: Record) -> Record:
    return {name: value for name, value in record.items() if not name.startswith("__")}


@given(steps=st.lists(STEPS, max_size=30), wrap=st.booleans())
def test_changes_read_in_order_give_the_tables_last_state(steps: list[tuple[Any, ...]], wrap: bool) -> None:
    table = table_of(steps)
    state: dict[int, Record] = {}
    for record in read(*(wrapped(one) if wrap else one for one in table.said)):
        assert not isinstance(record, BrokenRecord)
        if record is not None:
            state.pop(record["id"], None)
            if record["__op"] != "d":
                state[record["id"]] = without_facts(record)
    assert state == table.rows


@given(steps=st.lists(STEPS, max_size=30), data=st.data())
def test_changes_that_come_twice_and_late_give_it_too_by_their_order(
    steps: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    table = table_of(steps)
    said = [one for one in table.said if one is not None]
    again = data.draw(st.lists(st.sampled_from(said), max_size=5)) if said else []
    newest: dict[int, Record] = {}
    for record in read(*data.draw(st.permutations([*said, *again]))):
        assert isinstance(record, dict)
        if record["id"] not in newest or record["__order"] > newest[record["id"]]["__order"]:
            newest[record["id"]] = record
    living = {key: without_facts(one) for key, one in newest.items() if one["__op"] != "d"}
    assert living == table.rows


# --- from files ---

LINES = [
    event("r", None, {"id": 1, "state": "a"}, lsn=1),
    event("c", None, {"id": 2, "state": "b"}, lsn=2),
    event("d", {"id": 1, "state": None}, lsn=3),
    None,
    event("u", None, {"id": 2, "state": PLACEHOLDER}, lsn=4),
    event("c", None, {"id": 3, "state": "c"}, lsn=5),
]


def put(folder: Path, form: str) -> None:
    lines = "\n".join(json.dumps(one) for one in LINES) + "\n"
    (folder / f"a.{form}").write_text(lines if form == "jsonl" else json.dumps(LINES), encoding="utf-8")


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_files_of_events_are_unwrapped(tmp_path: Path, form: str) -> None:
    put(tmp_path, form)
    slices = pull("files", str(tmp_path), stream(path="*", format=form, envelope="debezium"))
    assert [(one["id"], one["__op"], one["__order"]) for one in records(slices)] == [
        (1, "r", 1), (2, "c", 2), (1, "d", 3), (3, "c", 5),
    ]  # fmt: skip
    assert slices[0].rows == [1, 2, 3, 6], "the tombstone's row is counted, as a blank line's is"
    assert [one.row for one in slices[0].broken] == [5]
    assert json.loads(slices[0].broken[0].raw)["source"]["lsn"] == 4 if form == "jsonl" else True


def test_a_pull_that_broke_off_goes_on_behind_what_was_read(tmp_path: Path) -> None:
    put(tmp_path, "jsonl")
    one = stream(path="*", format="jsonl", envelope="debezium")
    whole = [(record["id"], record["__op"]) for record in records(pull("files", str(tmp_path), one))]
    first = next(iter(opened("files", str(tmp_path), one).read(one, {}, slice_size=3, full=False)))
    rest = pull("files", str(tmp_path), one, first.state, size=3)
    assert [(record["id"], record["__op"]) for record in [*first.records, *records(rest)]] == whole


def test_files_without_the_option_are_read_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(LINES[0]) + "\n", encoding="utf-8")
    assert records(pull("files", str(tmp_path), stream(path="*", format="jsonl"))) == [LINES[0]]
