"""Kind `push`: what a stream declares, and how bodies are read; whole posts are in tests/web."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from connectors.kinds.push.body import JSON, LINES, form_of, read_body
from connectors.kinds.push.options import PushOptions
from connectors.limits import Limits
from connectors.loading import load_sources
from connectors.registry import open_connector
from hub import jsontext
from hub.errors import ConfigError
from hub.records import BrokenRecord
from hub.refusals import UnsupportedForm
from tests.posters import Poster

OPTIONS = PushOptions(Limits.of({"limits": {"depth": 16}}))


def declared(tmp_path: Path, **over: Any) -> Path:
    folder = Poster(tmp_path / "sources").folder
    file = folder / "source.yml"
    body = {**yaml.safe_load(file.read_text(encoding="utf-8")), **over}
    file.write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return folder


def test_what_a_stream_that_is_posted_cannot_have_is_told_all_at_once(tmp_path: Path) -> None:
    stream = {
        "cursor": {"field": "CREATE_TIME"}, "deletion": "snapshot", "budget": {"records": 1},
        "expect": {"rows": {"min": 1}}, "options": {"xsd": "x.xsd", "path": "*.csv"},
    }  # fmt: skip
    folder = declared(tmp_path, connection="labour", streams={"PRE_APASINFO": stream})
    with pytest.raises(ConfigError) as caught:
        load_sources([folder])
    told = str(caught.value)
    for words in (
        "kind push has no connection", "kind push has no cursor", "deletion 'snapshot' needs whole deliveries",
        "kind push has no budget", "kind push has no expect", "option 'xsd' is for XML", "unknown key 'path'",
    ):  # fmt: skip
        assert words in told, words


def test_only_a_source_that_posts_needs_no_connection(tmp_path: Path) -> None:
    folder = declared(tmp_path)
    (source,) = load_sources([folder])
    assert source.connection == ""
    folder = declared(tmp_path / "other", kind="rest")
    with pytest.raises(ConfigError, match="'connection' is missing"):
        load_sources([folder])


def test_a_pull_of_it_reads_nothing_and_asks_for_no_connection(tmp_path: Path) -> None:
    (source,) = load_sources([declared(tmp_path)])
    connector = open_connector(source, {}.__getitem__)
    report = connector.check()
    assert report.ok
    assert "/v1/records/PRE_NODE" in next(one.message for one in report.items if one.stream == "PRE_NODE")
    (piece,) = connector.read(source.stream("PRE_NODE"), {"kept": 1}, slice_size=10, full=True)
    assert (piece.read, piece.state, piece.last) == (0, {"kept": 1}, True)


def test_a_schema_file_that_is_missing_is_told_by_the_check(tmp_path: Path) -> None:
    streams = {"PRE_NODE": {"options": {"record": "//ROW", "xsd": "none.xsd"}}}
    (source,) = load_sources([declared(tmp_path, streams=streams)])
    report = open_connector(source, {}.__getitem__).check()
    assert not report.ok
    assert "none.xsd" in report.items[0].message


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.lists(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), VALUES, max_size=4), max_size=5)


@given(RECORDS)
def test_records_are_read_as_they_were_sent_in_either_form(records: list[dict[str, Any]]) -> None:
    nul = [b"\\u0000" in jsontext.dumps(one) for one in records]
    for form, body in ((JSON, jsontext.dumps(records)), (LINES, b"\n".join(map(jsontext.dumps, records)))):
        if not body.strip():
            continue
        found = read_body(body, form, OPTIONS, source="s", stream="t")
        assert len(found) == len(records)
        for place, (held, sent, has) in enumerate(zip(found, records, nul, strict=True), 1):
            if isinstance(held, BrokenRecord):
                assert has, "only a NUL keeps a record from being read"
                assert held.row == place
                assert held.raw.encode() == jsontext.dumps(sent), "what is refused is kept whole"
            else:
                assert held == sent


@pytest.mark.parametrize(
    ("said", "form"),
    [("application/json", JSON), ("Application/JSON; charset=UTF-8", JSON), ("application/x-ndjson", LINES),
     ("application/jsonl;charset=utf8", LINES)],
)  # fmt: skip
def test_forms_are_told_by_their_media_type(said: str, form: str) -> None:
    assert form_of(said, None, OPTIONS) == form
    assert form_of(said, "identity", OPTIONS) == form
    with pytest.raises(UnsupportedForm):
        form_of(said, "br", OPTIONS)
