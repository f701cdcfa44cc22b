"""Numbered deliveries: taken once, in any order, with a finding for what is missing and a receipt for what came."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from hub.documents import SCHEMAS
from pipeline.afterwards.rebuild import rebuild
from pipeline.afterwards.replay import accept
from pipeline.runtime import Runtime
from sharedrepo.feeds import receipts
from sharedrepo.telling.digest import digest
from tests.envelopes import STREAM, Office, public_of, rows_of, seal
from tests.journeys.conftest import Hub
from validation.explain import Explainer


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "sources", tmp_path / "drop")


@pytest.fixture
def hub(runtime: Runtime, office: Office) -> Hub:
    return Hub(runtime, office)  # type: ignore[arg-type]  # it has what the hub asks of a department


def cases(hub: Hub) -> list[str]:
    return [row[0] for row in hub.rows("SELECT case_number FROM core.approval_case ORDER BY 1")]


def gap(hub: Hub) -> str | None:
    found = hub.rows("SELECT detail FROM quality.finding WHERE rule = 'envelope_gap' AND state = 'open'")
    assert len(found) <= 1
    return found[0][0]["missing"] if found else None


def numbers(hub: Hub) -> dict[int, str]:
    return dict(hub.rows("SELECT number, status FROM ledger.envelope ORDER BY 1"))


def rules(hub: Hub) -> set[str]:
    return {rule for rule, _ in hub.findings()}


def through(hub: Hub) -> tuple[datetime | None, str | None]:
    return hub.one("SELECT complete_through, complete_basis FROM ledger.stream")


def rebuilt_alike(hub: Hub, other: Runtime) -> None:
    rebuild(other)
    mine, theirs = digest(hub.runtime.engine), digest(other.engine)
    assert {name for name in mine if mine[name] != theirs[name]} == set()


def test_an_enveloped_file_is_read_and_its_receipt_says_what_became_of_it(hub: Hub, office: Office) -> None:
    good, bad = {"PROJID": "C1"}, {"PROJID": "C2", "INFOTYPE": "no such code", "RECEIVETIME": "some day"}
    office.deliver(1, good, bad, complete_through="2026-03-02T18:00:00+08:00")
    assert hub.pull()[STREAM]["read"] == 2
    said = office.receipt("batch_0001.csv")
    assert (said["source"], said["stream"], said["number"]) == ("labour", STREAM, 1)
    assert (said["outcome"], said["records"], sum(said["counts"].values())) == ("received", 2, 2)
    assert said["digest"] == seal(rows_of([good, bad]))["digest"]
    assert [one["row"] for one in said["errors"]] == [3]
    assert "INFOTYPE" in "".join(said["errors"][0]["said"])
    assert "no such code" not in json.dumps(said, ensure_ascii=False), "never a value"
    assert datetime.fromisoformat(said["complete_through"]) == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert Explainer(json.loads((SCHEMAS / "exchange/receipt/v1/schema.json").read_text())).is_valid(said)
    assert through(hub) == (datetime(2026, 3, 2, 10, tzinfo=UTC), "envelope")
    assert hub.one("SELECT count(*) FROM ledger.receipt") == 0


def test_the_receipt_is_signed_with_the_hubs_key(hub: Hub, office: Office) -> None:
    office.deliver(1, "C1")
    hub.pull()
    said = office.receipt("batch_0001.csv")
    value = base64.b64decode(said["signature"].pop("value"))
    ours = hub.runtime.protector.ring.signing_key()
    assert said["signature"] == {"algorithm": "ed25519", "key": ours.name}
    load_der_public_key(base64.b64decode(ours.public)).verify(value, rfc8785.dumps(said))  # type: ignore[union-attr,call-arg]  # an Ed25519 key


def test_a_file_without_its_envelope_waits(hub: Hub, office: Office) -> None:
    payload = rows_of(["C1"])
    office.put("batch_0001.csv", payload, None)
    assert hub.pull()[STREAM]["read"] == 0
    office.put("batch_0001.csv", payload, seal(payload))
    assert hub.pull()[STREAM]["read"] == 1
    assert hub.pull()[STREAM]["read"] == 0


def test_where_envelopes_are_optional_a_file_without_one_is_read(hub: Hub, office: Office) -> None:
    office.declare(envelope={"use": "optional"})
    office.put("plain.csv", rows_of(["C1"]), None)
    assert hub.pull()[STREAM]["read"] == 1
    assert through(hub)[1] == "inferred"
    office.deliver(1, "C2", complete_through="2026-03-02T18:00:00+08:00")
    assert hub.pull()[STREAM]["read"] == 1
    assert through(hub)[1] == "envelope"
    assert numbers(hub) == {1: "received"}


def test_a_gap_is_a_finding_that_closes_when_the_missing_ones_arrive(hub: Hub, office: Office) -> None:
    office.deliver(1, "C1", complete_through="2026-03-01T00:00:00+08:00")
    office.deliver(3, "C3", complete_through="2026-03-03T00:00:00+08:00")
    office.deliver(6, "C6", complete_through="2026-03-05T00:00:00+08:00")
    hub.pull()
    assert cases(hub) == ["C1", "C3", "C6"], "late ones are waited for, those that came are taken"
    assert gap(hub) == "2, 4-5"
    assert office.receipt("batch_0006.csv")["missing"] == [[2, 2], [4, 5]]
    assert through(hub)[0] == datetime(2026, 2, 28, 16, tzinfo=UTC), "never past a gap"
    office.deliver(2, "C2")
    hub.pull()
    assert gap(hub) == "4-5"
    assert through(hub)[0] == datetime(2026, 3, 2, 16, tzinfo=UTC)
    office.deliver(5, "C5")
    office.deliver(4, "C4")
    hub.pull()
    assert gap(hub) is None
    assert through(hub)[0] == datetime(2026, 3, 4, 16, tzinfo=UTC)
    assert hub.one("SELECT envelope_through FROM ledger.stream") == 6


def test_a_department_may_begin_with_a_later_number(hub: Hub, office: Office) -> None:
    office.declare(envelope={"first": 500})
    office.deliver(501, "C1")
    hub.pull()
    assert gap(hub) == "500"
    office.deliver(500, "C2")
    hub.pull()
    assert gap(hub) is None


def test_the_same_number_with_the_same_content_is_not_read_again_and_its_receipt_is_sent_again(
    hub: Hub, office: Office, empty_runtime: Runtime
) -> None:
    office.deliver(1, "C1", "C2")
    hub.pull()
    office.deliver(1, "C1", "C2", name="again.csv")
    assert hub.pull()[STREAM]["read"] == 0
    said = office.receipt("again.csv")
    assert (said["outcome"], said["number"], said["counts"]) == ("repeated", 1, {"new": 2})
    assert hub.pull(full=True)[STREAM]["read"] == 4, "asked to, it reads everything again"
    assert numbers(hub) == {1: "received"}
    rebuilt_alike(hub, empty_runtime)


def test_the_same_number_with_other_content_is_refused(hub: Hub, office: Office, empty_runtime: Runtime) -> None:
    office.deliver(1, "C1")
    hub.pull()
    office.deliver(1, "C2", name="other.csv")
    counts = hub.pull()[STREAM]
    assert (counts["read"], counts["quarantined"], counts["refused_units"]) == (1, 1, ["other.csv"])
    assert cases(hub) == ["C1"]
    assert ("envelope_conflict", "other.csv") in hub.findings()
    said = office.receipt("other.csv")
    assert (said["outcome"], said["faults"][0]["rule"]) == ("refused", "envelope_conflict")
    assert numbers(hub) == {1: "received"}
    rebuilt_alike(hub, empty_runtime)


def test_what_was_refused_for_its_number_may_be_accepted_by_a_person(hub: Hub, office: Office) -> None:
    office.deliver(1, "C1")
    hub.pull()
    office.deliver(1, "C2", name="other.csv")
    hub.pull()
    held = hub.one("SELECT batch_id FROM ledger.batch WHERE status = 'held'")
    accept(hub.runtime, hub.source(), held, "the department numbered it wrongly")
    assert cases(hub) == ["C1", "C2"]
    assert hub.one("SELECT unit FROM ledger.envelope") == "batch_0001.csv", "the first content of the number stands"


WRONG = {
    "envelope_count": {"records": 3},
    "envelope_digest": {"digest": f"sha-256:{'0' * 64}"},
    "envelope_foreign": {"stream": "PRE_NODE"},
    "envelope_unreadable": {"records": "2"},
}


@pytest.mark.parametrize("rule", sorted(WRONG))
def test_a_file_that_does_not_belong_to_its_envelope_is_refused_whole(
    hub: Hub, office: Office, empty_runtime: Runtime, rule: str
) -> None:
    office.deliver(1, "C1", "C2", **WRONG[rule])
    counts = hub.pull()[STREAM]
    assert (counts["read"], counts["refused_units"]) == (0, ["batch_0001.csv"])
    assert cases(hub) == []
    assert hub.findings() == {(rule, "batch_0001.csv")}
    assert office.receipt("batch_0001.csv")["outcome"] == "refused"
    assert [one["rule"] for one in office.receipt("batch_0001.csv")["faults"]] == [rule]
    assert hub.pull()[STREAM]["refused_units"] == [], "it is refused once, until it changes"
    rebuilt_alike(hub, empty_runtime)

    office.deliver(1, "C1", "C2")
    assert hub.pull()[STREAM]["read"] == 2, "mending the envelope alone has the file read again"
    assert rules(hub) == set()
    assert numbers(hub) == {1: "received"}


def test_a_refused_number_is_mended_by_a_file_of_another_name(hub: Hub, office: Office) -> None:
    office.deliver(1, "C1", records=7)
    hub.pull()
    office.deliver(1, "C1", name="resent.csv")
    hub.pull()
    assert hub.findings() == set()
    assert hub.one("SELECT count(*) FROM ledger.batch WHERE status = 'held'") == 0


def test_counts_by_organ_are_compared_with_the_records(hub: Hub, office: Office) -> None:
    office.deliver(1, "C1", "C2", organs=[{"organ": "11330000002482285J", "records": 2}])
    office.deliver(2, "C3", "C4", organs=[{"organ": "11330100002491455A", "records": 2}])
    counts = hub.pull()[STREAM]
    assert counts["refused_units"] == ["batch_0002.csv"]
    assert cases(hub) == ["C1", "C2"]
    detail = hub.one("SELECT detail FROM quality.finding WHERE rule = 'envelope_count' AND state = 'open'")
    assert "11330100002491455A" in detail["got"]


def test_signatures_are_asked_for_where_keys_are_declared(hub: Hub, office: Office) -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    keys = [
        {"name": "2026-a", "public": public_of(key), "since": "2026-01-01", "until": "2027-01-01"},
        {"name": "2024-a", "public": public_of(other), "since": "2024-01-01", "until": "2025-01-01"},
    ]
    office.declare(envelope={"keys": keys})
    office.deliver(1, "C1", key=key)
    office.deliver(2, "C2")
    office.deliver(3, "C3", key=other)
    payload = rows_of(["C6"])
    office.put("unknown.csv", payload, seal(payload, number=6, key=key, name="2025-b"))
    office.put("expired.csv", payload, seal(payload, number=7, key=other, name="2024-a"))
    hub.pull()
    assert cases(hub) == ["C1"]
    got = {row[0]: row[1]["got"] for row in hub.rows(
        "SELECT unit, detail FROM quality.finding WHERE rule = 'envelope_signature' AND state = 'open'")}  # fmt: skip
    assert got["batch_0002.csv"] == "the envelope is not signed"
    assert got["batch_0003.csv"] == "the signature is not that of key 2026-a over this envelope"
    assert "unknown key '2025-b'" in got["unknown.csv"]
    assert got["expired.csv"] == "key 2024-a was not valid when the envelope was written"


def test_a_dry_run_takes_no_number_and_writes_no_receipt(hub: Hub, office: Office) -> None:
    office.deliver(1, "C1")
    assert hub.pull(dry_run=True)[STREAM]["read"] == 1
    assert numbers(hub) == {}
    assert not (office.drop / "receipts").exists()
    hub.pull()
    assert numbers(hub) == {1: "received"}


def test_a_held_delivery_has_come_but_is_not_complete(hub: Hub, office: Office, empty_runtime: Runtime) -> None:
    office.declare(stream={"expect": {"rows": {"min": 2}}})
    office.deliver(1, "C1", complete_through="2026-03-01T00:00:00+08:00")
    office.deliver(2, "C2", "C3", complete_through="2026-03-02T00:00:00+08:00")
    hub.pull()
    assert numbers(hub) == {1: "held", 2: "received"}
    assert gap(hub) is None
    assert through(hub)[0] is None
    assert office.receipt("batch_0001.csv")["outcome"] == "held"
    held = hub.one("SELECT batch_id FROM ledger.batch WHERE status = 'held'")
    accept(hub.runtime, hub.source(), held, "it was a quiet day")
    assert numbers(hub) == {1: "received", 2: "received"}
    assert through(hub)[0] == datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert cases(hub) == ["C1", "C2", "C3"]
    rebuilt_alike(hub, empty_runtime)


def test_an_older_snapshot_that_comes_late_is_not_read(hub: Hub, office: Office, empty_runtime: Runtime) -> None:
    office.declare(stream={"deletion": "snapshot", "vanish": 100})
    office.deliver(2, "C1", "C2")
    hub.pull()
    office.deliver(1, "C1", "C9", name="late.csv")
    assert hub.pull()[STREAM]["read"] == 0
    assert office.receipt("late.csv")["outcome"] == "superseded"
    assert cases(hub) == ["C1", "C2"]
    assert gap(hub) is None
    office.deliver(2, "C1", "C2", name="repeat.csv")
    assert hub.pull()[STREAM]["absent"] == 0
    assert cases(hub) == ["C1", "C2"], "a repeated snapshot that is not read closes nothing"
    rebuilt_alike(hub, empty_runtime)


def test_a_file_and_its_envelope_are_put_away_together(hub: Hub, office: Office) -> None:
    office.declare(stream={"options": {"path": "*.csv", "format": "csv", "afterwards": "move"}})
    office.deliver(1, "C1")
    hub.pull()
    assert sorted(path.relative_to(office.drop).as_posix() for path in office.drop.rglob("*.*")) == [
        "done/batch_0001.csv", "done/batch_0001.csv.envelope.json", "receipts/batch_0001.csv.receipt.json",
    ]  # fmt: skip


def test_a_delivery_of_several_batches_counts_when_its_last_one_is_committed(
    hub: Hub, office: Office, empty_runtime: Runtime
) -> None:
    object.__setattr__(hub.runtime, "settings", hub.runtime.settings.model_copy(update={"slice_size": 2}))
    bad = {"INFOTYPE": "no such code"}
    office.deliver(1, "C1", {"PROJID": "C2", **bad}, "C3", {"PROJID": "C4", **bad}, "C5")
    assert hub.pull()[STREAM]["batches"] == 3
    said = office.receipt("batch_0001.csv")
    assert (said["records"], [one["row"] for one in said["errors"]]) == (5, [3, 5])
    rebuilt_alike(hub, empty_runtime)


def test_large_receipts_are_handed_over_a_few_at_a_time(hub: Hub, office: Office) -> None:
    office.deliver(1, "C1")
    hub.pull()
    with hub.runtime.connection() as connection, connection.cursor() as cursor:
        stream_id = hub.one("SELECT stream_id FROM ledger.stream")
        large = [receipts.Owed(f"f{n}", "received", envelope={"errors": ["x" * (3 << 20)]}) for n in range(5)]
        receipts.owe(cursor, stream_id=stream_id, batch_id=1, receipts=large)
        handed = []
        while owed := receipts.owed(cursor, stream_id):
            handed.append([one.token for one in owed])
            receipts.confirm(cursor, owed)
        connection.rollback()
    assert handed == [["f0", "f1", "f2"], ["f3", "f4"]]
