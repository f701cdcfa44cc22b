"""Logs of cases: valid by their standards, read by a real tool, streamed, and without a person in them."""

from __future__ import annotations

import gzip
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa
from lxml import etree

from pipeline.runtime import Runtime
from supervision.logs import ocel, xes
from supervision.logs.files import CannotWrite
from supervision.logs.scope import BadScope, Scope
from tests.supervision.logs import mining
from tests.supervision.logs.conftest import ALL, ITEM, OTHER
from tests.supervision.logs.ocel20 import SCHEMA
from tests.supervision.world import World

XSD = etree.XMLSchema(etree.parse(Path(__file__).with_name("xes.xsd")))
NS = {"x": "http://www.xes-standard.org/"}
NAMES = ("陈一", "王小明", "李红", "赵敏")


def written(runtime: Runtime, to: Path, scope: Scope = ALL, **how: Any) -> Any:
    writer = xes if ".xes" in to.name else ocel
    return writer.write(runtime.engine, runtime.protector, scope, to, **how)


def test_xes_is_valid_by_its_schema_and_has_a_trace_a_case(province: World, runtime: Runtime, to: Path) -> None:
    done = written(runtime, to / "log.xes")
    tree = etree.parse(to / "log.xes")
    XSD.assertValid(tree)
    traces = tree.findall("x:trace", NS)
    assert len(traces) == done.cases == 7
    assert len(tree.findall(".//x:event", NS)) == done.events
    first = traces[0]
    assert first.find("x:string[@key='concept:name']", NS).get("value") == "clock:S1"
    names = [one.get("value") for one in first.findall("x:event/x:string[@key='concept:name']", NS)]
    assert names == ["申请", "受理", "受理决定", "承办", "审核", "批准", "办结", "作出决定", "送达"]
    times = [one.get("value") for one in first.findall("x:event/x:date[@key='time:timestamp']", NS)]
    assert times == sorted(times)
    assert times[0] == "2026-03-02T09:00:00.000+08:00"


def test_a_stage_under_way_has_begun_and_is_not_complete(province: World, runtime: Runtime, to: Path) -> None:
    written(runtime, to / "log.xes", language="en")
    tree = etree.parse(to / "log.xes")
    (trace,) = (
        one for one in tree.findall("x:trace", NS)
        if one.find("x:string[@key='concept:name']", NS).get("value") == "clock:U1"
    )  # fmt: skip
    last = trace.findall("x:event", NS)[-1]
    said = {one.get("key"): one.get("value") for one in last}
    assert (said["concept:name"], said["lifecycle:transition"]) == ("undertake", "start")
    assert "start_timestamp" not in said


def test_a_packed_log_is_the_same_and_its_file_is_the_same_again(province: World, runtime: Runtime, to: Path) -> None:
    for name in ("a.xes", "b.xes.gz", "c.xes.gz"):
        written(runtime, to / name)
    assert gzip.decompress((to / "b.xes.gz").read_bytes()) == (to / "a.xes").read_bytes()
    assert (to / "b.xes.gz").read_bytes() == (to / "c.xes.gz").read_bytes()
    assert (to / "a.xes").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("scope", "cases"),
    [
        (Scope(item=ITEM), 6), (Scope(item=ITEM[-12:]), 7), (Scope(organ=OTHER), 1),
        (Scope(since=date(2026, 4, 1)), 1), (Scope(until=date(2026, 3, 2)), 5),
        (Scope(since=date(2026, 3, 3), until=date(2026, 3, 31)), 1),
    ],
)  # fmt: skip
def test_a_log_is_of_an_item_a_department_or_a_period(
    province: World, runtime: Runtime, to: Path, scope: Scope, cases: int
) -> None:
    assert written(runtime, to / "log.xes.gz", scope).cases == cases
    assert written(runtime, to / "log.json", scope).cases == cases


def test_what_fits_nothing_or_is_there_already_is_told_and_leaves_no_file(
    province: World, runtime: Runtime, to: Path
) -> None:
    with pytest.raises(BadScope, match="no case fits"):
        written(runtime, to / "log.xes", Scope(organ="nobody"))
    with pytest.raises(BadScope, match="before it begins"):
        Scope(since=date(2026, 2, 1), until=date(2026, 1, 1))
    (to / "there.json").write_text("mine")
    (to / "there.sqlite").write_text("mine")
    for name in ("there.json", "there.sqlite", "no-folder/log.json", "no-folder/log.sqlite"):
        with pytest.raises(CannotWrite):
            written(runtime, to / name)
    assert sorted(one.name for one in to.iterdir()) == ["there.json", "there.sqlite"]


def test_ocel_is_valid_by_the_published_schema_and_every_reference_leads_somewhere(
    province: World, runtime: Runtime, to: Path
) -> None:
    done = written(runtime, to / "log.json")
    said = json.loads((to / "log.json").read_bytes())
    jsonschema.Draft7Validator(SCHEMA).validate(said)
    assert (len(said["events"]), len(said["objects"])) == (done.events, done.objects)
    known = {one["id"]: one["type"] for one in said["objects"]}
    assert len(known) == len(said["objects"])
    assert len({one["id"] for one in said["events"]}) == len(said["events"])
    for one in (*said["events"], *said["objects"]):
        assert {link["objectId"] for link in one["relationships"]} <= known.keys(), one["id"]
    assert {one["type"] for one in said["events"]} <= {one["name"] for one in said["eventTypes"]}
    declared = {one["name"]: {two["name"] for two in one["attributes"]} for one in said["objectTypes"]}
    assert all({two["name"] for two in one["attributes"]} <= declared[one["type"]] for one in said["objects"])
    kinds = sorted(known.values())
    assert (kinds.count("case"), kinds.count("organ"), kinds.count("item"), kinds.count("handler")) == (7, 2, 2, 4)


def test_no_person_stands_in_a_log_but_masked_and_by_a_pseudonym(province: World, runtime: Runtime, to: Path) -> None:
    for name in ("log.xes", "log.json", "log.sqlite"):
        written(runtime, to / name)
        text = (to / name).read_bytes().decode("utf-8", "replace")
        assert [one for one in NAMES if one in text] == [], name
        assert "王**" in text
        with runtime.engine.connect() as connection:
            hashes = connection.execute(sa.text("SELECT DISTINCT handler_hash FROM core.stage_event")).scalars()
            assert [one for one in hashes if bytes(one[3:]).hex() in text] == [], "what finds a person stays in the hub"


def test_events_without_a_time_are_counted_and_stand_nowhere(province: World, runtime: Runtime, to: Path) -> None:
    province.case("T1", stages=[("accept", None, None), ("review", None, None)])
    done = written(runtime, to / "log.xes")
    assert done.without_time == {"accept": 1, "review": 1}


@pytest.mark.parametrize("kind", ["json", "sqlite"])
def test_a_process_mining_tool_reads_the_objects(province: World, runtime: Runtime, to: Path, kind: str) -> None:
    done = written(runtime, to / f"log.{kind}")
    said = mining.read(kind, to / f"log.{kind}")
    assert said["events"] == done.events
    assert said["objects"] == {"case": 7, "item": 2, "organ": 2, "handler": 4}, "none is without an event"
    assert said["flat_cases"] == 7
    assert said["o2o"] == 14
    assert "case" in said["graph"]


def test_a_process_mining_tool_reads_the_traces_and_draws_them(province: World, runtime: Runtime, to: Path) -> None:
    done = written(runtime, to / "log.xes.gz")
    said = mining.read("xes", to / "log.xes.gz")
    assert (said["cases"], said["events"]) == (7, done.events)
    assert said["activities"]["承办"] == 6
    assert said["graph"]["审核 > 批准"] == 3
    assert said["starts"] == {"申请": 7}
    assert len(said["resources"]) == 4
    assert said["places"] > 2


def test_the_relational_form_has_the_tables_of_the_specification(province: World, runtime: Runtime, to: Path) -> None:
    done = written(runtime, to / "log.sqlite")
    with closing(sqlite3.connect(to / "log.sqlite")) as store:
        tables = {row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert {"event", "object", "event_object", "object_object", "event_map_type", "object_map_type"} <= tables
        mapped = [row[0] for row in store.execute("SELECT ocel_type_map FROM event_map_type")]
        assert {f"event_{one}" for one in mapped} <= tables
        (events,) = store.execute("SELECT count(*) FROM event").fetchone()
        assert (
            events
            == done.events
            == sum(store.execute(f"SELECT count(*) FROM event_{one}").fetchone()[0] for one in mapped)
        )


def test_cards_that_were_sent_are_events_of_their_case(province: World, runtime: Runtime, to: Path) -> None:
    with runtime.engine.begin() as connection:
        case = connection.scalar(sa.text("SELECT min(record_id) FROM core.approval_case"))
        for level, sent in (("warning", "2026-03-04 09:00+08"), ("yellow", None)):
            connection.execute(
                sa.text("""INSERT INTO supervision.card (number, subject, clock, level, kind, rule, rule_version,
                           case_id, state, raised_at, sent_at, evidence) VALUES (:level, :level, 'case', :level, 'time',
                           'r', 1, :case, :state, now(), :sent, '{}')"""),
                {"level": level, "case": case, "sent": sent, "state": "sent" if sent else "held"},
            )
    written(runtime, to / "log.json", language="en")
    said = json.loads((to / "log.json").read_bytes())
    (card,) = (one for one in said["events"] if one["type"] == "card sent")
    assert card["time"] == "2026-03-04T01:00:00.000Z"
    assert {"name": "detail", "value": "warning"} in card["attributes"]
    assert {"objectId": f"case:{case}", "qualifier": "case"} in card["relationships"]


def test_what_xml_cannot_hold_is_replaced_and_the_log_stays_valid(province: World, runtime: Runtime, to: Path) -> None:
    with runtime.engine.begin() as connection:
        connection.execute(sa.text("UPDATE core.stage_event SET local_node = E'a\\x01<b>&\\uFFFE \"q\"'"))
    written(runtime, to / "log.xes")
    tree = etree.parse(to / "log.xes")
    XSD.assertValid(tree)
    assert {one.get("value") for one in tree.findall(".//x:string[@key='hub:node']", NS)} == {'a�<b>&� "q"'}


def test_a_log_of_fifty_thousand_events_is_written_in_bounded_memory(runtime: Runtime, world: World, to: Path) -> None:
    """A process of its own, that may not grow by more than what some thousand rows take."""
    case = world.case("BIG", stages=[("accept", "2026-03-02 09:00", "2026-03-02 10:00")])
    with runtime.engine.begin() as connection:
        connection.execute(
            sa.text("""INSERT INTO core.stage_event (record_id, part, case_id, stage, started_at, finished_at, batch_id,
                       content_hash, local_node) SELECT 1000000 + n, 0, :case, 'undertake', now(), now(), 1, '\\x00',
                       repeat('节', 200) FROM generate_series(1, 50000) AS n"""),
            {"case": case},
        )
    program = (
        "import resource, sys; from pathlib import Path; from supervision.opening import open_hub\n"
        "from supervision.logs import xes, ocel; from supervision.logs.scope import Scope\n"
        "engine, protector = open_hub(); to = Path(sys.argv[1])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "a = xes.write(engine, protector, Scope(), to / 'big.xes.gz')\n"
        "b = ocel.write(engine, protector, Scope(), to / 'b.json')\n"
        "print(a.events, b.events, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    from tests.web.processes import environment  # noqa: PLC0415  # only here

    done = subprocess.run(
        [sys.executable, "-c", program, str(to)], env=environment(runtime.settings), capture_output=True, text=True,
        check=True, timeout=300,
    )  # fmt: skip
    first, second, grown = map(int, done.stdout.split())
    assert first == second == 50_003
    assert grown < 60, "a log in memory would take hundreds of MiB"
    assert (to / "b.json").stat().st_size > 30 << 20
