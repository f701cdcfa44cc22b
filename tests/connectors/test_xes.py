"""Event logs: every event once and in order; the totals that a log declares; shapes against IEEE 1849 refused."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from connectors.source import StreamSpec
from connectors.totals import count_totals
from hub.errors import HostileInput, RefuseUnit, TruncatedUnit
from hub.records import Slice
from tests.connectors.parts import pull, records, source, stream

LOGS = Path(__file__).resolve().parents[3] / "shared" / "data" / "event_logs"
needs_logs = pytest.mark.skipif(not LOGS.is_dir(), reason="the real event logs are not here (../shared/data)")

LOG = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0"{space}>
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <global scope="event"><string key="concept:name" value="UNKNOWN"/></global>
  <int key="meta_concept:named_events_total" value="3"><int key="a" value="2"/><int key="b" value="1"/></int>
  <trace>
    <string key="concept:name" value="C1"/><float key="fee" value="12.5"/><boolean key="live" value="true"/>
    <event><string key="concept:name" value="a"/><date key="time:timestamp" value="2026-01-05T08:00:00+08:00"/></event>
    <event><string key="concept:name" value="a"/><date key="time:timestamp" value="2026-01-05T08:00:00+08:00"/></event>
  </trace>
  <trace>
    <string key="concept:name" value="C2"><string key="origin" value="east"/></string>
    <event><string key="concept:name" value="b"/><int key="n" value="7"/><string key="empty" value=""/>
      <list key="l"><values><string key="x" value="1"/></values></list><float key="f" value="NaN"/></event>
  </trace>
</log>
"""


def xes(path: str = "*", **options: Any) -> StreamSpec:
    return stream("events", path=path, **options)


def take(folder: Path, text: str | bytes, one: StreamSpec | None = None, **more: Any) -> list[Slice]:
    (folder / "log.xes").write_bytes(text if isinstance(text, bytes) else text.encode())
    return pull("xes", str(folder), one or xes(), **more)


@pytest.mark.parametrize("space", ["", ' xmlns="http://www.xes-standard.org/"'])
@pytest.mark.parametrize("form", ["plain", "bom", "gzip"])
def test_events_come_with_their_trace_in_order(tmp_path: Path, space: str, form: str) -> None:
    data = LOG.replace("{space}", space).encode()
    data = {"plain": data, "bom": b"\xef\xbb\xbf" + data, "gzip": gzip.compress(data)}[form]
    slices = take(tmp_path, data, size=2)
    first, again, last = records(slices)
    assert first == again == {
        "case:concept:name": "C1", "case:fee": 12.5, "case:live": True,
        "concept:name": "a", "time:timestamp": "2026-01-05T08:00:00+08:00",
    }  # fmt: skip
    assert last == {
        "case:concept:name": "C2", "case:concept:name/origin": "east", "concept:name": "b", "n": 7, "empty": None,
        "l": ["1"], "f": "NaN",
    }  # fmt: skip
    assert [row for piece in slices for row in piece.rows] == [1, 2, 3]
    unit = slices[0].unit
    assert unit is not None
    assert (unit.rows, dict(unit.declared)) == (3, {"events": 3, "a": 2, "b": 1})
    one = xes()
    counted = sum((count_totals(source("xes", one), one, piece) for piece in slices), Counter())
    assert {name: counted[name] for name in unit.declared} == dict(unit.declared)


def test_traces_can_be_records(tmp_path: Path) -> None:
    (piece,) = take(tmp_path, LOG.replace("{space}", ""), xes(level="trace"))
    assert [record["case:concept:name"] for record in piece.records] == ["C1", "C2"]
    assert piece.unit is not None
    assert dict(piece.unit.declared) == {}, "the declared totals speak of events"


def test_a_trace_without_events_is_a_trace(tmp_path: Path) -> None:
    text = '<log><trace><string key="concept:name" value="C"/></trace></log>'
    assert records(take(tmp_path, text, xes(level="trace"))) == [{"case:concept:name": "C"}]
    assert records(take(tmp_path, text)) == []


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("<html/>", RefuseUnit, "no event log"),
        ("<log><event/></log>", RefuseUnit, "outside of a trace"),
        ('<log><trace><event/><string key="k" value="v"/></trace></log>', RefuseUnit, "behind its events"),
        ('<log><trace><event/><string key="k" value="v"/><event/></trace></log>', RefuseUnit, "behind its events"),
        ("<log><trace><event/></trace>", TruncatedUnit, "ends before"),
        ("", TruncatedUnit, "ends before"),
        (gzip.compress(LOG.encode())[:-40], TruncatedUnit, "gzip file is cut off"),
        ('<!DOCTYPE log [<!ENTITY x "y">]><log/>', HostileInput, "document type"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path: Path, text: str | bytes, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        take(tmp_path, text)


def test_a_key_that_stands_twice_breaks_the_event(tmp_path: Path) -> None:
    event = '<event><string key="k" value="1"/><string key="k" value="2"/></event>'
    (piece,) = take(tmp_path, f"<log><trace>{event}</trace></log>")
    assert [(one.row, one.rule) for one in piece.broken] == [(1, "unreadable_record")]


@needs_logs
def test_receipt_has_all_its_events_and_cases() -> None:
    events = pull("xes", str(LOGS), xes("receipt.xes.gz"), size=20_000)
    assert len(records(events)) == 8_577
    assert len({record["case:concept:name"] for record in records(events)}) == 1_434
    assert len(records(pull("xes", str(LOGS), xes("receipt.xes.gz", level="trace"), size=20_000))) == 1_434


@needs_logs
@pytest.mark.parametrize(("name", "events", "cases"), [("BPIC15_1", 52_217, 1_199), ("BPIC15_2", 44_354, 832)])
def test_bpic15_agrees_with_its_header_code_by_code(name: str, events: int, cases: int) -> None:
    slices = pull("xes", str(LOGS), xes(f"{name}.xes.gz"), size=20_000)
    found = records(slices)
    unit = slices[0].unit
    assert unit is not None
    assert len(found) == unit.rows == unit.declared["events"] == events
    assert len({record["case:concept:name"] for record in found}) == cases
    codes = Counter(record["concept:name"] for record in found)
    assert codes == {code: count for code, count in unit.declared.items() if code != "events"}
