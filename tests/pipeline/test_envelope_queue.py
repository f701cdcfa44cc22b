"""Messages that are whole deliveries: proven, numbered, acknowledged after the commit, answered by a receipt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.afterwards.rebuild import rebuild
from pipeline.runtime import Runtime
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.telling.digest import digest
from tests.crash.campaign import KILLED, Driver, Site, difference
from tests.departments import GOOD, Department
from tests.envelopes import STREAM, Office, seal
from tests.journeys.conftest import Hub
from tests.rabbit import Broker, broker_or_skip


@pytest.fixture
def broker() -> Iterator[Broker]:
    with broker_or_skip() as made:
        yield made


class Desk(Office):
    """A department that publishes numbered batches to a queue."""

    def __init__(self, sources: Path, drop: Path, broker: Broker) -> None:
        self.broker, self.queue, self.answers = broker, broker.queue(durable=True), broker.queue(durable=True)
        super().__init__(sources, drop)

    @property
    def url(self) -> str:
        return self.broker.url

    def declare(self, *, envelope: dict[str, Any] | None = None, **over: Any) -> None:
        options = {"queue": self.queue, "receipts": self.answers, "body": "records", "linger": 0.1}
        block = {"first": 1, **(envelope or {})}
        super().declare(kind="queue", stream={"options": options, "envelope": block}, **over)

    def publish(self, number: int, *cases: str | dict[str, Any], header: Any = ..., **said: Any) -> None:
        rows = [
            {**dict.fromkeys(self.fields()), **GOOD[STREAM], **(one if isinstance(one, dict) else {"PROJID": one})}
            for one in cases
        ]
        body = json.dumps(rows, ensure_ascii=False).encode()
        envelope = json.dumps(seal(body, number=number, **{"records": len(rows), **said}))
        headers = {"envelope": envelope if header is ... else header} if header is not None else {}
        self.broker.send(self.queue, body, headers=headers, message_id=f"m{number}", content_type="application/json")

    @staticmethod
    def fields() -> list[str]:

        return Department.fields(STREAM)

    def receipts(self) -> list[dict[str, Any]]:
        return [body for _, body in self.broker.take(self.answers)]


@pytest.fixture
def desk(tmp_path: Path, broker: Broker) -> Desk:
    return Desk(tmp_path / "sources", tmp_path / "drop", broker)


@pytest.fixture
def hub(runtime: Runtime, desk: Desk) -> Hub:
    return Hub(runtime, desk)  # type: ignore[arg-type]  # it has what the hub asks of a department


def gap(hub: Hub) -> str | None:
    found = hub.rows("SELECT detail ->> 'missing' FROM quality.finding WHERE rule = 'envelope_gap' AND state = 'open'")
    return found[0][0] if found else None


def test_numbered_messages_are_read_and_answered_as_a_whole(hub: Hub, desk: Desk, empty_runtime: Runtime) -> None:
    desk.publish(1, "C1", "C2", complete_through="2026-03-02T18:00:00+08:00")
    desk.publish(3, "C3", {"PROJID": "C4", "INFOTYPE": "no such code"})
    counts = hub.pull()[STREAM]
    assert (counts["read"], counts["batches"]) == (4, 3)
    assert gap(hub) == "2"
    told = desk.receipts()
    assert [(one["number"], one["outcome"], one["records"], one["unit"]) for one in told] == [
        (1, "received", 2, "m1"), (3, "received", 2, "m3"),
    ]  # fmt: skip
    assert told[1]["missing"] == [[2, 2]]
    assert told[1]["errors"][0]["row"] == 2
    assert desk.broker.comes_to(desk.queue, 0)
    desk.publish(2, "C5")
    desk.publish(1, "C1", "C2", complete_through="2026-03-02T18:00:00+08:00")
    assert hub.pull()[STREAM]["read"] == 1, "a repeated number is not read again"
    assert gap(hub) is None
    assert [(one["number"], one["outcome"]) for one in desk.receipts()] == [(2, "received"), (1, "repeated")]
    assert desk.broker.comes_to(desk.queue, 0)
    assert hub.one("SELECT count(*) FROM ledger.receipt") == 0
    rebuild(empty_runtime)
    assert digest(empty_runtime.engine) == digest(hub.runtime.engine)


def test_a_message_that_conflicts_is_held_acknowledged_and_answered(hub: Hub, desk: Desk) -> None:
    desk.publish(1, "C1")
    hub.pull()
    desk.receipts()
    desk.publish(1, "C2")
    counts = hub.pull()[STREAM]
    assert (counts["read"], counts["quarantined"]) == (1, 1)
    assert [one["faults"][0]["rule"] for one in desk.receipts()] == ["envelope_conflict"]
    assert desk.broker.comes_to(desk.queue, 0)
    assert hub.one("SELECT string_agg(case_number, ',') FROM core.approval_case") == "C1"


WRONG: dict[str, dict[str, Any]] = {
    "envelope_count": {"records": 9},
    "envelope_digest": {"digest": f"sha-256:{'0' * 64}"},
    "envelope_foreign": {"source": "transport"},
    "envelope_unreadable": {"header": None},
}


@pytest.mark.parametrize("rule", sorted(WRONG))
def test_a_message_that_does_not_belong_to_its_envelope_is_refused_whole(
    hub: Hub, desk: Desk, empty_runtime: Runtime, rule: str
) -> None:
    desk.publish(1, "C1", "C2", **WRONG[rule])
    counts = hub.pull()[STREAM]
    assert (counts["read"], counts["quarantined"]) == (1, 1)
    assert hub.findings() == {(rule, "m1")}
    assert hub.one("SELECT count(*) FROM core.approval_case") == 0
    assert desk.broker.comes_to(desk.queue, 0)
    assert hub.rows("SELECT * FROM ledger.envelope") == []
    (told,) = desk.receipts()
    assert (told["outcome"], [one["rule"] for one in told["faults"]]) == ("refused", [rule])
    rebuild(empty_runtime)
    assert digest(empty_runtime.engine) == digest(hub.runtime.engine)
    desk.publish(1, "C1", "C2")
    assert hub.pull()[STREAM]["new"] == 2
    assert hub.findings() == set()


@pytest.mark.parametrize(
    "header",
    [7, {"a": 1}, b"\xff\xfe", "", "[" * 10_000, True],
    ids=["number", "table", "no_text", "empty", "deep", "truth"],
)
def test_hostile_headers_refuse_their_message_only(hub: Hub, desk: Desk, header: Any) -> None:
    desk.publish(1, "C1", header=header)
    desk.publish(2, "C2")
    counts = hub.pull()[STREAM]
    assert (counts["new"], counts["quarantined"]) == (1, 1)
    assert desk.broker.comes_to(desk.queue, 0)


def test_where_envelopes_are_optional_messages_without_one_are_read(hub: Hub, desk: Desk) -> None:
    desk.declare(envelope={"use": "optional"})
    desk.publish(1, "C1", header=None)
    desk.publish(1, "C2")
    desk.publish(9, "C3", header=None)
    assert hub.pull()[STREAM]["new"] == 3
    assert gap(hub) is None
    assert [one.get("number") for one in desk.receipts()].count(1) == 1


def test_a_delivery_of_several_batches_is_one_number(hub: Hub, desk: Desk) -> None:
    object.__setattr__(hub.runtime, "settings", hub.runtime.settings.model_copy(update={"slice_size": 2}))
    desk.publish(1, "C1", "C2", "C3", "C4", "C5")
    assert hub.pull()[STREAM]["read"] == 5
    assert [one["records"] for one in desk.receipts()] == [5]
    assert desk.broker.comes_to(desk.queue, 0)


def test_a_dry_run_takes_nothing(hub: Hub, desk: Desk) -> None:
    desk.publish(1, "C1")
    assert hub.pull(dry_run=True)[STREAM]["read"] == 1
    assert desk.broker.comes_to(desk.queue, 1)
    assert desk.receipts() == []


DEATHS = (
    {"only": "INTO ledger.envelope", "kill_at": 2},  # nothing of this message is committed
    {"only": "FROM ledger.receipt WHERE stream_id", "kill_at": 2},  # committed, not answered
    {"only": "DELETE FROM ledger.receipt", "kill_at": 1},  # answered, and not known to be
)


def test_a_pull_may_be_killed_and_every_numbered_message_still_gets_its_receipt(
    server: EmbeddedServer, template: str, key_ring: str, tmp_path: Path, desk: Desk
) -> None:
    driver = Driver()
    try:
        empty = Site(server, driver, template, tmp_path / "empty", key_ring, slice_size=2)
        calm = empty.copy("calm_messages")
        wanted = None
        for number, death in enumerate([None, *DEATHS]):
            for count in (1, 2, 4):
                desk.publish(count, f"A{count}", f"B{count}", f"C{count}")
            site = calm if death is None else empty.copy(f"killed_messages_{number}")
            done = site.pull(desk, **(death or {}))  # type: ignore[arg-type]  # it has what the site asks of a department
            assert done["status"] == (KILLED if death else 0), death
            if death:
                again = site.pull(desk)  # type: ignore[arg-type]  # see above
                assert again["status"] == 0, f"{death}: {again.get('error')}"
            assert {one["number"] for one in desk.receipts()} == {1, 2, 4}, death
            assert desk.broker.comes_to(desk.queue, 0)
            if death is None:
                wanted = calm.digest()
            else:
                assert not difference(calm, site, known=wanted), death
                site.drop()
        calm.drop()
    finally:
        driver.close()
