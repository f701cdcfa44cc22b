"""Format singer of kind files: what Singer publishes for tests of targets ends as its name says, and so do our own."""

from __future__ import annotations

import importlib.resources
import json
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import pytest

from connectors.source import StreamSpec
from hub.errors import HostileInput, RefuseUnit, TruncatedUnit
from hub.records import Slice
from tests.connectors.parts import pull, records, stream


def published() -> Traversable:
    pytest.importorskip("singer_sdk", reason="Singer's test data is in the package singer-sdk, which is not installed")
    return importlib.resources.files("singer_sdk.testing") / "target_test_streams"


# file, stream → ids of the records handed over; words of each broken record; or the words of the refusal
PUBLISHED: dict[tuple[str, str], tuple[list[Any], list[str]] | str] = {
    ("array_data", "test_array_data"): ([1, 2, 3, 4], []),
    ("camelcase", "TestCamelcase"): (["1", "2"], []),
    ("camelcase_complex_schema", "ForecastingTypeToCategory"): ([], []),
    ("duplicate_records", "test_duplicate_records"): ([1, 2, 1, 2, 1], []),
    ("encoded_string_data", "test_strings"): ([*range(1, 11)], ["holds a NUL character"]),
    ("encoded_string_data", "test_strings_in_objects"): ([*range(1, 11)], ["holds a NUL character"]),
    ("encoded_string_data", "test_strings_in_arrays"): ([*range(1, 6)], ["holds a NUL character"]),
    ("invalid_schema", "test_invalid_schema"): "the SCHEMA is invalid: it has no `properties`",
    ("multiple_state_messages", "test_multiple_state_messages_a"): ([1, 2, 3, 4, 5, 6], []),
    ("multiple_state_messages", "test_multiple_state_messages_b"): ([1, 2, 3, 4, 5, 6], []),
    ("no_primary_keys", "test_no_pk"): ([1, 2, 3], []),
    ("no_primary_keys_append", "test_no_pk"): ([1, 2, 3, 4, 5], []),
    ("optional_attributes", "test_optional_attributes"): ([1, 2, 3, 4], []),
    ("pk_updates", "example_stream"): ([1, 2], []),
    ("record_before_schema", "test_record_before_schema"): "a RECORD comes before the SCHEMA",
    ("record_missing_fields", "record_missing_fields"): ([1, 2], []),
    ("record_missing_key_property", "test_record_missing_key_property"): ([], ["no 'id' of key_properties"]),
    ("record_missing_required_property", "test_record_missing_required_property"): ([], ["the record has no 'id'"]),
    ("schema_no_properties", "test_object_schema_with_properties"): ([None, None], []),
    ("schema_no_properties", "test_object_schema_no_properties"): ([None, None], []),
    ("schema_updates", "test_schema_updates"): ([1, 2, 3, 4, 5, 6], []),
    ("special_chars_in_attributes", "test:SpecialChars!in?attributes"): (["a2e98886"], []),
    ("user_location_data", "test_users"): ([1, 2, 3, 4, 5], []),
    ("user_location_data", "test_locations"): ([1, 2, 3], []),
    ("user_location_data", "test_user_in_location"): ([1, 2, 3], []),
    ("user_location_upsert_data", "test_users"): ([1, 2, 5, 8, 12, 13], []),
    ("user_location_upsert_data", "test_locations"): ([1, 3, 6, 8], []),
    ("user_location_upsert_data", "test_user_in_location"): ([1, 2, 6, 14], []),
}


def singer(**options: Any) -> StreamSpec:
    return stream("s", path="*.singer", format="singer", **options)


def take(folder: Path, text: str, **options: Any) -> list[Slice]:
    (folder / "a.singer").write_text(text, encoding="utf-8")
    return pull("files", str(folder), singer(**options))


def lines(*messages: dict[str, Any]) -> str:
    return "".join(json.dumps(one) + "\n" for one in messages)


def schema(name: str = "s", keys: tuple[str, ...] = ("id",), **more: Any) -> dict[str, Any]:
    body = {"type": "object", "properties": {"id": {"type": "integer"}, "n": {"type": "string"}}, **more}
    return {"type": "SCHEMA", "stream": name, "key_properties": list(keys), "schema": body}


def record(name: str = "s", **values: Any) -> dict[str, Any]:
    return {"type": "RECORD", "stream": name, "record": values}


def test_every_published_file_and_stream_is_in_the_table() -> None:
    found = set()
    for file in published().iterdir():
        if file.name.endswith(".singer"):
            messages = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
            found |= {(file.name.removesuffix(".singer"), one["stream"]) for one in messages if "stream" in one}
    assert found == set(PUBLISHED)


@pytest.mark.parametrize(("file", "name"), PUBLISHED)
def test_published_files_end_as_their_names_say(tmp_path: Path, file: str, name: str) -> None:
    text = (published() / f"{file}.singer").read_text(encoding="utf-8")
    expected = PUBLISHED[file, name]
    if isinstance(expected, str):
        with pytest.raises(RefuseUnit, match=expected):
            take(tmp_path, text, stream_name=name)
        return
    found = take(tmp_path, text, stream_name=name)
    ids = [one.get("id", one.get("Id", one.get("_id"))) for one in records(found)]
    broken = [one for piece in found for one in piece.broken]
    assert ids == expected[0]
    assert len(broken) == len(expected[1])
    assert all(words in one.message for words, one in zip(expected[1], broken, strict=True))


def test_strings_come_as_they_were_written(tmp_path: Path) -> None:
    text = (published() / "encoded_string_data.singer").read_text(encoding="utf-8")
    found = {one["id"]: one["info"] for one in records(take(tmp_path, text, stream_name="test_strings"))}
    assert found[3] == "简单的字串"
    assert found[6] == 'various " \\ / \n escape sequences'
    assert found[10] == "Double quoting: \\u0000 \\u0041 \\u0001", "a backslash is no NUL"


def test_the_row_is_the_line_and_the_stream_is_ours_by_default(tmp_path: Path) -> None:
    text = lines(schema(), record(id=1), {"type": "STATE", "value": {}}, record("t", id=9), record(id=2))
    (piece,) = take(tmp_path, text)
    assert (piece.records, list(piece.rows)) == ([{"id": 1}, {"id": 2}], [2, 5])


def test_a_later_schema_holds_from_its_place_on(tmp_path: Path) -> None:
    text = lines(
        schema(), record(id=1), schema(required=["n"]), record(id=2), record(id=3, n="x"), schema(), record(id=4)
    )
    (piece,) = take(tmp_path, text)
    assert [one["id"] for one in piece.records] == [1, 3, 4]
    assert [(one.row, one.rule) for one in piece.broken] == [(4, "schema_violation")]
    assert piece.broken[0].message == "line 4: the record has no 'n'"


def test_a_message_never_quotes_a_record(tmp_path: Path) -> None:
    text = lines(schema(), record(n="330185199003071223"))
    (piece,) = take(tmp_path, text + "王晓岚 330185199003071223\n")
    assert len(piece.broken) == 2
    assert not any("3301" in one.message or "王" in one.message for one in piece.broken)
    assert all("330185199003071223" in one.raw for one in piece.broken), "but it is quarantined whole"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"type": "BATCH", "stream": "s", "manifest": ["file:///etc/passwd"]}, "points to files elsewhere"),
        ({"type": "ACTIVATE_VERSION", "stream": "s", "version": 1}, "activate_version: ignore"),
        ({"type": "record", "stream": "s", "record": {}}, "no message of Singer's .*known: SCHEMA, RECORD"),
        ({"stream": "s"}, "no message of Singer's"),
        ([1], "no message of Singer's"),
        ({"type": "RECORD", "record": {}}, "names no stream"),
        ({"type": "SCHEMA", "stream": "s"}, "SCHEMA is invalid"),
        (schema(keys=("gone",)), "key property 'gone' is none of its properties"),
        (schema(type="array"), "describes no object"),
        (schema(required="id"), "no lists of names"),
    ],
)
def test_what_is_not_carried_out_refuses_the_file(tmp_path: Path, message: Any, words: str) -> None:
    with pytest.raises(RefuseUnit, match=words):
        take(tmp_path, lines(schema(), record(id=1), message))


def test_messages_of_other_streams_refuse_nothing(tmp_path: Path) -> None:
    others = [{**one, "stream": "t"} for one in ({"type": "BATCH"}, {"type": "ACTIVATE_VERSION"}, {"type": "SCHEMA"})]
    assert records(take(tmp_path, lines(*others, schema(), record(id=1)))) == [{"id": 1}]


def test_a_person_may_say_that_versions_mean_nothing(tmp_path: Path) -> None:
    text = lines(schema(), {"type": "ACTIVATE_VERSION", "stream": "s", "version": 1}, record(id=1))
    assert records(take(tmp_path, text, activate_version="ignore")) == [{"id": 1}]


def test_a_stream_that_does_not_occur_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(RefuseUnit, match=r"no SCHEMA of stream 'users' \(known: s, t\)"):
        take(tmp_path, lines(schema(), schema("t")), stream_name="users")
    with pytest.raises(RefuseUnit, match="no stream at all"):
        take(tmp_path, "")


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    whole = lines(schema(), record(id=1))
    with pytest.raises(TruncatedUnit, match="ends within line 2"):
        take(tmp_path, whole[:-6])


def test_a_bomb_of_depth_is_hostile(tmp_path: Path) -> None:
    with pytest.raises(HostileInput, match="deeper than 64"):
        take(tmp_path, '{"type": "RECORD", "record": ' + '{"a": ' * 500 + "1" + "}" * 501)


def test_a_state_with_a_nul_is_left_alone_too(tmp_path: Path) -> None:
    text = lines(schema(), record(id=1)) + '{"type": "STATE", "value": "\\u0000"}\n'
    (piece,) = take(tmp_path, text)
    assert (len(piece.records), piece.broken) == (1, [])
