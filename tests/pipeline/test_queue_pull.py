"""A department that publishes to queues, pulled whole: acknowledged after the commit, answered, killed, in a hurry."""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.debezium import PLACEHOLDER
from hub.errors import SourceTrouble
from pipeline.pulls.exchange import exchange
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.telling.ledger import check
from tests.crash.campaign import KILLED, Driver, Site, difference
from tests.crash.test_kill_the_pull import spread
from tests.departments import GOOD, ORGAN, STREAMS, Department
from tests.journeys.conftest import Hub
from tests.rabbit import Broker, broker_or_skip, within


class Publisher(Department):
    """A department whose system publishes each row to the queue of its kind."""

    def __init__(self, sources: Path, broker: Broker, **options: Any) -> None:
        self.broker = broker
        self.queues = {name: broker.queue(durable=True) for name in STREAMS}
        self.options = options
        super().__init__(sources)

    @property
    def url(self) -> str:
        return self.broker.url

    def declare(self, **over: Any) -> None:
        super().declare(kind="queue", **over)
        file = self.folder / "source.yml"
        body = yaml.safe_load(file.read_text(encoding="utf-8"))
        for name, stream in body["streams"].items():
            del stream["cursor"]
            stream["options"] = {"queue": self.queues[name], "linger": 0.2, **self.options}
        file.write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")

    def put(self, stream: str, **fields: Any) -> None:
        """Publish one row, with a message id as a department's system numbers it."""
        row = {**dict.fromkeys(self.fields(stream)), **GOOD[stream], **fields}
        number = f"{stream}-{row.get('UNID', row['PROJID'])}-{row['DATAVERSION']}"
        self.broker.send(self.queues[stream], row, message_id=number, content_type="application/json")

    def lying(self) -> dict[str, int]:
        """The messages that lie in the queues."""
        return {name: self.broker.ready(queue) for name, queue in self.queues.items()}

    def emptied(self) -> bool:
        return within(10, lambda: not any(self.lying().values()))


@pytest.fixture
def broker() -> Iterator[Broker]:
    with broker_or_skip() as made:
        yield made


@pytest.fixture
def publisher(tmp_path: Path, broker: Broker) -> Publisher:
    return Publisher(tmp_path / "sources", broker)


@pytest.fixture
def hub_of(runtime: Any) -> Callable[[Department], Hub]:
    return lambda department: Hub(runtime, department)


def test_a_case_that_is_published_arrives_whole_and_its_queues_are_empty(
    hub_of: Callable[[Department], Hub], publisher: Publisher
) -> None:
    hub = hub_of(publisher)
    publisher.case("C1")
    dry = hub.pull(dry_run=True)
    assert {name: one["new"] + one["parked"] for name, one in dry.items()} == {
        "PRE_APASINFO": 1, "PRE_ACCEPT": 1, "PRE_NODE": 4, "PRE_TRANSACT": 1,
    }  # fmt: skip
    assert within(10, lambda: sum(publisher.lying().values()) == 7), "a dry run leaves everything where it is"
    first = hub.pull()
    assert {name: one["new"] for name, one in first.items()} == {
        "PRE_APASINFO": 1, "PRE_ACCEPT": 1, "PRE_NODE": 4, "PRE_TRANSACT": 1,
    }  # fmt: skip
    assert hub.one("SELECT state, events, closing_outcome FROM core.case_overview") == ("closed", 5, "granted")
    assert publisher.emptied()
    publisher.put("PRE_NODE", UNID="C1-2", PROJID="C1", PHASE_CODE="UNDERTAKE", DATAVERSION=2, OPINION="补正后同意")
    publisher.put("PRE_NODE", UNID="C1-3", PROJID="C1", SYNC_STATUS="D", DATAVERSION=2)
    second = hub.pull()["PRE_NODE"]
    assert (second["read"], second["updated"], second["deleted"]) == (2, 1, 1)
    assert hub.findings() == {("approve_without_review", "C1")}, "the stage that was deleted is missed"
    assert check(hub.runtime.engine) == []


def test_nothing_is_acknowledged_when_the_load_fails(hub_of: Callable[[Department], Hub], publisher: Publisher) -> None:
    hub = hub_of(publisher)
    publisher.case("C1")
    with hub.runtime.engine.begin() as connection:
        connection.exec_driver_sql(
            """CREATE FUNCTION core.refuse() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$"""
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON core.stage_event EXECUTE FUNCTION core.refuse()"
        )
    with pytest.raises(Exception, match="the disk is full"):
        hub.pull()
    assert within(15, lambda: publisher.lying() == {
        "PRE_APASINFO": 0, "PRE_ACCEPT": 0, "PRE_NODE": 4, "PRE_TRANSACT": 1,
    }), "what was committed is acknowledged, and nothing else"  # fmt: skip
    with hub.runtime.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER refuse ON core.stage_event")
    assert hub.pull()["PRE_NODE"]["new"] == 4
    assert publisher.emptied()
    assert check(hub.runtime.engine) == []


def test_each_message_is_answered(hub_of: Callable[[Department], Hub], tmp_path: Path, broker: Broker) -> None:
    answers = broker.queue()
    publisher = Publisher(tmp_path / "sources", broker, receipts=answers)
    hub = hub_of(publisher)
    publisher.case("C1")
    publisher.put("PRE_NODE", UNID="bad", PROJID="C1", PHASE_CODE="SIGNED")
    broker.send(publisher.queues["PRE_NODE"], b"<xml/>", message_id="broken")
    hub.pull()
    told = {body["message_id"]: body["records"] for _, body in broker.take(answers)}
    assert len(told) == 9, told
    assert told["PRE_APASINFO-C1-1"] == [{"record": 1, "outcome": "new", "errors": []}]
    assert told["PRE_NODE-bad-1"][0]["outcome"] == "quarantined"
    assert "unknown_code" in " ".join(told["PRE_NODE-bad-1"][0]["errors"])
    assert told["broken"][0]["outcome"] == "quarantined"
    assert publisher.emptied()
    assert hub.rows("SELECT * FROM ledger.receipt") == []


@pytest.fixture
def driver() -> Iterator[Driver]:
    started = Driver()
    yield started
    started.close()


@pytest.fixture
def empty(server: EmbeddedServer, template: str, driver: Driver, key_ring: str, tmp_path: Path) -> Site:
    """A hub that holds nothing, which kills itself when it is told to."""
    return Site(server, driver, template, tmp_path / "empty", key_ring, slice_size=3)


def test_messages_come_again_after_a_kill_between_commit_and_acknowledgement(
    empty: Site, tmp_path: Path, broker: Broker
) -> None:
    site = empty.copy("of_queues")
    answers = broker.queue()
    publisher = Publisher(tmp_path / "sources", broker, receipts=answers)
    publisher.put("PRE_APASINFO", PROJID="C1")
    publisher.put("PRE_APASINFO", PROJID="C2", RECEIVETIME="某日")
    # The receipts of the first batch are looked for just after its commit: the second time that anybody does so.
    assert site.pull(publisher, only="FROM ledger.receipt", kill_at=2)["status"] == KILLED
    with site.engine() as engine, engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM core.approval_case").scalar() == 2
        assert connection.exec_driver_sql("SELECT count(*) FROM ledger.receipt").scalar() == 2
    assert within(15, lambda: publisher.lying()["PRE_APASINFO"] == 2)
    assert broker.ready(answers) == 0
    again = site.pull(publisher)
    assert again["status"] == 0, again["error"]
    counts = next(one for one in again["report"]["streams"] if one["stream"] == "PRE_APASINFO")
    assert (counts["read"], counts["unchanged"]) == (2, 2)
    assert publisher.emptied()
    told = [(body["message_id"], one["outcome"], one["errors"] != []) for _, body in broker.take(answers)
            for one in body["records"]]  # fmt: skip
    assert told[:2] == [("PRE_APASINFO-C1-1", "new", False), ("PRE_APASINFO-C2-1", "new", True)], "owed from the commit"
    assert [outcome for _, outcome, _ in told[2:]] == ["unchanged", "unchanged"]
    site.drop()


def test_a_pull_that_is_killed_anywhere_and_run_again_leaves_the_same_repository(
    empty: Site, publisher: Publisher
) -> None:
    def publish() -> None:
        for number in ("C1", "C2"):
            publisher.case(number)
        publisher.put("PRE_NODE", UNID="bad", PROJID="C1", PHASE_CODE="SIGNED")
        publisher.broker.send(publisher.queues["PRE_NODE"], b"[" * 1_000)

    calm = empty.copy("calm_of_queues")
    publish()
    done = calm.pull(publisher)
    assert done["status"] == 0, done["error"]
    assert publisher.emptied()
    for boundary in spread(done["boundaries"], 4):
        hurt = empty.copy("hurt_of_queues")
        publish()
        assert hurt.pull(publisher, kill_at=boundary)["status"] == KILLED, boundary
        again = hurt.pull(publisher)
        assert again["status"] == 0, again["error"]
        assert publisher.emptied()
        assert difference(calm, hurt) == "", f"killed at boundary {boundary}"
        assert hurt.disagreements() == []
        hurt.drop()
    calm.drop()


def test_a_published_stage_event_is_in_the_repository_within_two_seconds(
    hub_of: Callable[[Department], Hub], tmp_path: Path, broker: Broker
) -> None:
    publisher = Publisher(tmp_path / "sources", broker)
    publisher.put("PRE_APASINFO", PROJID="C1")
    hub = hub_of(publisher)
    hub.pull()
    publisher.options = {"stay": 6}
    publisher.declare(streams=["PRE_NODE"])
    ended: list[Any] = []
    pulling = threading.Thread(target=lambda: ended.append(hub.pull()))
    pulling.start()
    assert within(30, lambda: _takes(publisher)), "the pull takes from the queue"
    time.sleep(0.5)  # it is idle now
    times = []
    for number in range(3):
        began = time.monotonic()
        publisher.put("PRE_NODE", UNID=f"n{number}", PROJID="C1")
        assert within(10, lambda: hub.one("SELECT count(*) FROM core.stage_event") == number + 1)  # noqa: B023  # asked at once
        times.append(time.monotonic() - began)
    assert publisher.emptied()
    assert pulling.is_alive(), "it came while the pull stayed on"
    pulling.join(60)
    assert ended[0]["PRE_NODE"]["new"] == 3
    sys.stdout.write(f"published to repository: {', '.join(f'{one:.2f} s' for one in times)}\n")
    assert statistics.median(times) < 2, times


def _takes(publisher: Publisher) -> bool:
    found = publisher.broker._channel.queue_declare(publisher.queues["PRE_NODE"], passive=True)
    return bool(found.method.consumer_count)


def test_a_missing_queue_stops_the_pull_before_anything_is_taken(
    hub_of: Callable[[Department], Hub], publisher: Publisher
) -> None:
    publisher.put("PRE_APASINFO", PROJID="C1")
    publisher.options = {"receipts": "hub-test-missing"}
    publisher.declare()
    with pytest.raises(SourceTrouble, match="no queue 'hub-test-missing'"):
        hub_of(publisher).pull()
    assert within(10, lambda: publisher.lying()["PRE_APASINFO"] == 1)


# --- change events, with their own mapping ---

MAPPING = """
version: 1
streams:
  cases:
    schema: cases.schema.json
    key: [id]
    case: id
    order: __order
    operation: {field: __op, delete: [d], keep: [c, u, r]}
    reported_at: {time: __ts_ms, formats: [epoch_ms]}
    yields:
      - table: approval_case
        columns:
          reporting_organ: {source: organ}
          handling_organ: {source: organ}
          region: {source: region}
          item_name: item
          applied_at: applied
"""
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string", "maxLength": 50},
        "item": {"type": ["string", "null"], "maxLength": 200},
        "applied": {"type": ["string", "null"], "maxLength": 40},
        "__op": {"enum": ["c", "u", "r", "d"]},
        "__ts_ms": {"type": ["integer", "null"]},
        "__order": {"type": ["integer", "null"]},
    },
}


def change(op: str, lsn: int, key: str, item: str | None = None) -> dict[str, Any]:
    row = {"id": key, "item": item, "applied": "2026-03-02T08:40:10+08:00"}
    rows = {"before": row if op == "d" else None, "after": None if op == "d" else row}
    return {"op": op, **rows, "source": {"lsn": lsn, "ts_ms": 1_772_412_010_000}, "ts_ms": 1_772_412_010_500}


def capture(folder: Path, queue: str) -> Department:
    """A department that has Debezium publish the changes of its table."""
    department = Department(folder, "captured")
    (department.folder / "mapping.yml").write_text(MAPPING, encoding="utf-8")
    (department.folder / "cases.schema.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    file = department.folder / "source.yml"
    body = yaml.safe_load(file.read_text(encoding="utf-8"))
    del body["profile"]
    options = {"queue": queue, "linger": 0.2, "envelope": "debezium"}
    body |= {
        "kind": "queue", "mapping": "mapping.yml", "organ": ORGAN,
        "streams": {"cases": {"options": options, "deletion": "operation"}},
    }  # fmt: skip
    file.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
    return department


def test_changes_that_debezium_captured_give_the_tables_last_state(
    runtime: Any, tmp_path: Path, broker: Broker
) -> None:
    queue = broker.queue()
    hub = Hub(runtime, capture(tmp_path / "sources", queue))

    def pull() -> dict[str, Any]:
        report = exchange(hub.source(), runtime=runtime, connections=lambda _id: broker.url)
        assert report.balanced
        assert broker.comes_to(queue, 0)
        return report.as_dict()["streams"][0]

    broker.send(
        queue,
        change("r", 1, "A", "一"),
        change("c", 2, "B", "二"),
        {"schema": {}, "payload": change("c", 3, "C", "三")},
    )
    assert pull()["new"] == 3
    broker.send(queue, change("u", 9, "A", "一改"), change("u", 8, "A", "晚到"), change("c", 2, "B", "二"))
    broker.send(queue, change("d", 10, "B"), b"null", change("d", 11, "C"), b"", change("c", 12, "D", "三"))
    broker.send(queue, change("u", 13, "A", PLACEHOLDER), {**change("u", 14, "A"), "op": "t"})
    counts = pull()
    expected = {"read": 8, "new": 1, "updated": 1, "stale": 1, "deleted": 2, "unchanged": 1, "quarantined": 2}
    assert {name: counts[name] for name in expected} == expected
    assert hub.rows("SELECT case_number, item_name FROM core.approval_case ORDER BY 1") == [("A", "一改"), ("D", "三")]
    assert hub.one("SELECT count(*) FROM core.approval_case WHERE item_name LIKE '%debezium%'") == 0
    assert check(runtime.engine) == []
