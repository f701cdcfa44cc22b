"""Notices: posted signed, at least once, for a day until taken; to nobody who may not know."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from pipeline.runtime import Runtime
from sharedrepo.access import clients
from sharedrepo.keyring import signing
from sharedrepo.keyring.signing import Ed25519Signer
from tests.verification.conftest import Asker, Command, asker_of
from tests.verification.receiver import Receiver, receiving
from tests.verification.registry import FIRM, FIRM_NAME, LICENCE, NOW, OTHER, PURPOSE, Registry, body
from tests.verification.test_recall import revoke
from tests.web.serving import serving
from verification import client
from verification.notices import recall, subscriptions
from verification.notices.delivering import Post
from verification.notices.subscriptions import SubscriptionRefused
from verification.rights import access

LOOPBACK = (ip_network("127.0.0.0/8"),)
LATER = NOW + timedelta(hours=1)


class Clock:
    """The hub's clock, which a test sets forward; an hour ahead, so that the served hub's own sender takes nothing."""

    def __init__(self) -> None:
        self.at = datetime.now(tz=NOW.tzinfo) + timedelta(hours=1)

    def __call__(self) -> datetime:
        return self.at


class Office:
    """The hub's sender, with a clock of its own."""

    def __init__(self, registry: Registry) -> None:
        self.registry, self.clock = registry, Clock()
        signer = Ed25519Signer.of(registry.protector.ring)
        with registry.engine.begin() as connection:
            signing.publish(connection, signer)
        self.post = Post(registry.engine, registry.protector, signer, LOOPBACK, seconds=1.0, clock=self.clock)

    def subscribe(self, url: str, **more: Any) -> int:
        said = {"client": "asker-it", "actor": "office", "allowed": LOOPBACK, **more}
        return subscriptions.subscribe(self.registry.engine, url=url, **said)

    def send(self, after: timedelta = timedelta()) -> dict[str, int]:
        self.clock.at += after
        return dict(asyncio.run(self.post.round()))

    def queue(self) -> int:
        return subscriptions.queue(self.registry.engine, now=self.clock.at)

    def rows(self) -> list[dict[str, Any]]:
        return subscriptions.deliveries(self.registry.engine, all_=True)


@pytest.fixture
def office(registry: Registry, asker: Asker) -> Office:
    registry.case()
    registry.run("UPDATE access.client SET expires_at = now() + interval '9 days' WHERE code = :code", code=asker.code)
    return Office(registry)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def recalled(registry: Registry, asker: Asker) -> str:
    """A check that is recalled; return its number."""
    registry.share(class_="unconditional")
    record = registry.credential()
    number = str(asker.check(body())["id"])
    revoke(registry, record, LATER)
    assert recall.look(registry.engine) == 1
    return number


def test_a_recall_is_posted_once_it_is_told_and_proven_by_the_client(
    registry: Registry, asker: Asker, office: Office, receiver: Receiver
) -> None:
    number = office.subscribe(receiver.at)
    check = recalled(registry, asker)
    assert office.queue() == 1
    assert office.queue() == 0, "nothing twice"
    assert office.send(timedelta(seconds=5)) == {"delivered": 1}
    assert office.send(timedelta(days=1)) == {}
    (token,) = receiver.got
    assert receiver.forms == ["application/secevent+jwt"]
    hub = client.Hub(asker.at, asker.code, asker.secret)
    said = hub.open_notice(token, audience=subscriptions.audience(number))
    assert (said.kind, said.said["check"], said.said["case"], said.said["status"]) == (
        "recall", check, "A-1", "revoked"
    )  # fmt: skip
    with pytest.raises(client.NotProven, match="another subscription"):
        hub.open_notice(token, audience=subscriptions.audience(number + 1))
    receipt = asker.check(body())["receipt"]["jws"]
    with pytest.raises(client.NotProven, match="another kind"):
        hub.open_notice(receipt, audience=subscriptions.audience(number))


def test_what_is_not_taken_is_tried_for_a_day_and_the_inbox_has_it_still(
    registry: Registry, asker: Asker, office: Office
) -> None:
    with receiving(status=503) as receiver:
        office.subscribe(receiver.at)
        recalled(registry, asker)
        office.queue()
        begun, tries = office.clock.at, []
        while office.send() != {"given_up": 1}:
            (row,) = office.rows()
            assert (row["state"], row["fault"]) == ("waiting", "status_503")
            tries.append(office.clock.at)
            office.clock.at = row["next_at"]
        gaps = [after - before for before, after in itertools.pairwise(tries)]
        assert office.clock.at - begun >= timedelta(hours=23, minutes=59), "the last try is a day after the first"
        assert gaps[:4] == [timedelta(seconds=one) for one in (15, 30, 60, 120)]
        assert max(gaps) == timedelta(hours=2)
        assert len(receiver.got) == len(tries) + 1
        ids = {client.open_notice(one, signing.published(registry.engine), audience=subscriptions.audience(1)).id
               for one in receiver.got}  # fmt: skip
        assert len(ids) == 1, "each try is the same notice"
    assert office.send(timedelta(days=1)) == {}
    assert len(asker.get("/v1/recalls").json()["recalls"]) == 1


def test_a_receiver_that_comes_back_gets_what_waited(registry: Registry, asker: Asker, office: Office) -> None:
    with receiving(status=500) as receiver:
        office.subscribe(receiver.at)
        recalled(registry, asker)
        office.queue()
        assert office.send() == {"waiting": 1}
        receiver.status = 204
        assert office.send(timedelta(seconds=14)) == {}, "not before its time"
        assert office.send(timedelta(seconds=2)) == {"delivered": 1}


def test_a_process_that_died_between_post_and_note_posts_again(
    registry: Registry, asker: Asker, office: Office, receiver: Receiver
) -> None:
    office.subscribe(receiver.at)
    recalled(registry, asker)
    office.queue()
    assert len(subscriptions.take(registry.engine, now=office.clock.at)) == 1, "and here it died"
    assert office.send(timedelta(minutes=4)) == {}, "it still belongs to the other process"
    assert office.send(timedelta(minutes=2)) == {"delivered": 1}


def test_one_bad_receiver_holds_up_no_other(registry: Registry, asker: Asker, office: Office) -> None:
    registry.share(class_="unconditional")
    with receiving(status=500) as bad, receiving() as good:
        office.subscribe(bad.at)
        office.subscribe(good.at)
        records = [registry.credential(f"JY-{one}", source="market") for one in range(5)]
        for place, record in enumerate(records):
            asker.check(body(credential={"number": f"JY-{place}"}))
            revoke(registry, record, LATER)
        recall.look(registry.engine)
        assert office.queue() == 10
        assert office.send() == {"delivered": 5, "waiting": 1}, "who does not take one gets no other in this round"
        assert (len(bad.got), len(good.got)) == (1, 5)
        assert sorted(row["attempts"] for row in office.rows()) == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]


def test_changes_of_a_type_name_the_evidence_and_never_the_holder(
    registry: Registry, asker: Asker, office: Office, receiver: Receiver
) -> None:
    registry.share()
    grant = registry.grant()
    number = office.subscribe(receiver.at, code=LICENCE, purpose=PURPOSE)
    record = registry.credential()
    other = registry.credential("X-1", source="market", credential_type="另一种")
    evidence = asker.answer(body())["evidence"]
    revoke(registry, record, LATER, "suspended")
    revoke(registry, other, LATER)
    assert office.queue() == 1
    assert office.send(timedelta(seconds=1)) == {"delivered": 1}
    keys = signing.published(registry.engine)
    said = client.open_notice(receiver.got[0], keys, audience=subscriptions.audience(number))
    assert said.kind == "credential-change"
    assert ([said.said["evidence"]], said.said["status"], said.said["type"]) == (evidence, "suspended", LICENCE)
    assert not any(secret in str(said) for secret in ("JY-001", FIRM, FIRM_NAME))
    registry.replace(record, at=LATER + timedelta(hours=1), valid_to=date(2034, 1, 1))
    assert office.queue() == 1
    access_ended(registry, grant)
    assert office.send(timedelta(seconds=1)) == {"withheld": 1}, "what may not be checked is not told either"
    assert len(receiver.got) == 1


def access_ended(registry: Registry, grant: int) -> None:

    access.end(registry.engine, grant, reason="不再需要", actor="issuer")


def test_a_client_that_was_revoked_and_a_subscription_that_ended_get_nothing(
    registry: Registry, asker: Asker, office: Office, receiver: Receiver, runtime: Runtime
) -> None:
    clients.make(runtime.engine, runtime.protector, code="asker-two", organ=OTHER, rights=("check",), days=1)
    first = office.subscribe(receiver.at)
    office.subscribe(receiver.at)
    office.subscribe(receiver.at, client="asker-two")
    recalled(registry, asker)
    assert office.queue() == 2, "nothing for another organ"
    subscriptions.unsubscribe(registry.engine, first, actor="office")
    clients.revoke(runtime.engine, "asker-it")
    assert office.send(timedelta(seconds=1)) == {"withheld": 1}
    assert {(row["state"], row["fault"]) for row in office.rows()} == {
        ("withheld", "subscription_ended"), ("withheld", "no_longer_allowed")
    }  # fmt: skip
    assert receiver.got == []
    with pytest.raises(SubscriptionRefused, match="no subscription"):
        subscriptions.unsubscribe(registry.engine, first, actor="office")
    with pytest.raises(SubscriptionRefused, match="no client"):
        office.subscribe(receiver.at)
    assert {row["waiting"] for row in subscriptions.listed(registry.engine)} == {0}


def test_the_commands_subscribe_list_send_and_end(
    registry: Registry, runtime: Runtime, receiver: Receiver, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.case()
    with serving(lambda: runtime) as at:
        asker = asker_of(runtime, at)
        with pytest.raises(SubscriptionRefused, match="HUB_NOTICE_NETWORKS"):
            command("verify", "subscribe", "asker-it", receiver.at)
        monkeypatch.setenv("HUB_NOTICE_NETWORKS", "127.0.0.0/8, 10.0.0.0/8")
        said = command("verify", "subscribe", "asker-it", receiver.at, "--json")
        assert said["audience"] == subscriptions.audience(said["subscription"])
        recalled(registry, asker)
    # The served hub has ended: nobody but the command sends now.
    assert command("verify", "recall", "--json") == {"told": 0, "notices": 1}
    assert command("verify", "notices", "--send", "--json") == {"sent": {"delivered": 1}, "notices": []}
    assert [one["delivered"] for one in command("verify", "subscriptions", "--json")["subscriptions"]] == [1]
    assert "has ended" in command("verify", "unsubscribe", str(said["subscription"]))
    assert len(receiver.got) == 1


def test_the_served_hub_posts_by_itself(registry: Registry, runtime: Runtime, receiver: Receiver) -> None:
    registry.case()
    allowing = replace(runtime, settings=runtime.settings.model_copy(update={"notice_networks": LOOPBACK}))
    with serving(lambda: runtime) as at:
        asker = asker_of(runtime, at)
        subscriptions.subscribe(registry.engine, client="asker-it", url=receiver.at, actor="office", allowed=LOOPBACK)
        recalled(registry, asker)
    assert subscriptions.queue(registry.engine) == 1
    with serving(lambda: allowing):
        assert receiver.came.wait(60)
    assert {row["state"] for row in subscriptions.deliveries(registry.engine, all_=True)} <= {"delivered", "waiting"}
    assert len(receiver.got) == 1


def test_two_processes_that_send_at_once_send_each_notice_once(
    registry: Registry, asker: Asker, office: Office, receiver: Receiver
) -> None:
    registry.share(class_="unconditional")
    office.subscribe(receiver.at)
    records = [registry.credential(f"JY-{one}", source="market") for one in range(8)]
    for place, record in enumerate(records):
        asker.check(body(credential={"number": f"JY-{place}"}))
        revoke(registry, record, LATER)
    recall.look(registry.engine)
    assert office.queue() == 8

    async def both() -> list[dict[str, int]]:
        return [dict(one) for one in await asyncio.gather(office.post.round(), office.post.round())]

    assert sum(one.get("delivered", 0) for one in asyncio.run(both())) == 8
    assert len(receiver.got) == len(set(receiver.got)) == 8
