"""Cards as data: a department's program reads and answers its own organ's cards, and is told of each deed, signed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
import requests

from sharedrepo.access import clients
from sharedrepo.keyring import signing
from tests.supervision.cards.test_life import CHIEF, OFFICER
from tests.supervision.desk import Desk, deeds
from tests.supervision.world import ORGAN, World
from tests.verification.receiver import Receiver, receiving
from tests.web.serving import serving
from verification import client
from verification.notices import subscriptions
from verification.notices.delivering import Post

OTHER = "11330000002483659R"
LOOPBACK = (ip_network("127.0.0.0/8"),)


class Program:
    """A department's program."""

    def __init__(self, desk: Desk, at: str, code: str, organ: str, *rights: str) -> None:
        self.at, self.code = at, code
        self.token, _ = clients.make(
            desk.engine, desk.runtime.protector, code=code, organ=organ, rights=rights or ("cards",), days=1
        )

    def get(self, **query: Any) -> requests.Response:
        return requests.get(f"{self.at}/v1/cards", params=query, headers=self.head, timeout=30)

    def post(self, number: str, body: Any) -> requests.Response:
        return requests.post(f"{self.at}/v1/cards/{number}/feedback", json=body, headers=self.head, timeout=30)

    @property
    def head(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture
def service(desk: Desk) -> Iterator[str]:
    with serving(lambda: desk.runtime) as url:
        yield url


@pytest.fixture
def ours(desk: Desk, service: str) -> Program:
    return Program(desk, service, "ours", ORGAN)


@pytest.fixture
def theirs(desk: Desk, service: str) -> Program:
    return Program(desk, service, "theirs", OTHER)


@pytest.fixture
def cases(desk: Desk, world: World) -> None:
    """Two late cases, whose cards are out, and one of a feed that is late."""
    world.item()
    world.case("A")
    world.case("B")
    desk.only_rules("case_overdue")
    desk.run("2026-03-18 09:00")


@pytest.mark.usefixtures("cases")
def test_a_program_reads_the_cards_of_its_organ_page_by_page(ours: Program, theirs: Program) -> None:
    first = ours.get(limit=1).json()
    second = ours.get(limit=1, after=first["next"]).json()
    assert [one["case"] for one in (*first["cards"], *second["cards"])] == ["A", "B"]
    assert ours.get(limit=1, after=second["next"]).json() == {"cards": [], "next": None}
    assert theirs.get().json()["cards"] == []
    assert ours.get(level="yellow").json()["cards"] == []


def test_held_cards_are_shown_to_no_department(desk: Desk, world: World, ours: Program) -> None:
    world.item()
    world.case()
    desk.only_rules("case_overdue")
    desk.through("2026-03-10 00:00")
    desk.run("2026-03-18 09:00")
    number = desk.only()
    assert ours.get(ended=True).json()["cards"] == []
    assert ours.post(number, {"text": "x"}).status_code == 404


@pytest.mark.usefixtures("cases")
def test_feedback_is_kept_with_the_card_once(desk: Desk, ours: Program) -> None:
    number = str(desk.cards()[0]["number"])
    for _ in range(2):
        answer = ours.post(number, {"text": "已办结"})
        assert (answer.status_code, answer.json()["state"]) == (200, "answered")
    deeds_ = [(one["actor"], one["reason"]) for one in desk.card(number)["deeds"] if one["what"] == "answered"]
    assert deeds_ == [("client:ours", "已办结")]
    assert ours.post(number, {"kind": "appeal", "text": "系统故障"}).json()["state"] == "appealed"
    assert ours.post(number, {"text": "再说明"}).status_code == 422


@pytest.mark.usefixtures("cases")
def test_a_client_without_the_right_is_let_in_nowhere(desk: Desk, service: str) -> None:
    number = str(desk.cards()[0]["number"])
    stranger = Program(desk, service, "stranger", ORGAN, "metrics")
    assert (stranger.get().status_code, stranger.post(number, {"text": "x"}).status_code) == (403, 403)
    assert requests.get(f"{service}/v1/cards", timeout=30).status_code == 401


# --- signed notices ---


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def send(desk: Desk) -> dict[str, int]:
    signer = signing.Ed25519Signer.of(desk.runtime.protector.ring)
    post = Post(desk.engine, desk.runtime.protector, signer, LOOPBACK, seconds=5,
                clock=lambda: datetime.now(UTC) + timedelta(seconds=1))  # fmt: skip
    return dict(asyncio.run(post.round()))


def subscribed(desk: Desk, code: str, organ: str, receiver: Receiver) -> str:
    clients.make(desk.engine, desk.runtime.protector, code=code, organ=organ, rights=("cards",), days=1)
    number = subscriptions.subscribe(
        desk.engine, client=code, url=receiver.at, actor="office", allowed=LOOPBACK, cards=True
    )
    return subscriptions.audience(number)


def told(desk: Desk, receiver: Receiver, audience: str) -> list[dict[str, Any]]:
    keys = signing.published(desk.engine)
    found = [client.open_notice(one, keys, audience=audience) for one in receiver.got]
    return [dict(one.said) for one in found]


def test_every_deed_on_a_card_is_posted_once_signed_and_names_no_person(
    desk: Desk, world: World, receiver: Receiver
) -> None:
    audience = subscribed(desk, "ours", ORGAN, receiver)
    world.item()
    world.case("A")
    desk.only_rules("case_overdue")
    desk.run("2026-03-18 09:00")
    number = desk.only()
    desk.deed(deeds.withdraw, number, actor=OFFICER, cause="objective", reason="停电，王晓岚经手")
    desk.deed(deeds.grant, number, actor=CHIEF, reason="属实")
    assert send(desk) == {"delivered": 4}
    assert send(desk) == {}
    said = told(desk, receiver, audience)
    assert [one["deed"] for one in said] == ["sent", "unaddressed", "withdrawal_asked", "withdrawn"]
    assert {one["card"] for one in said} == {number}
    assert {one["case"] for one in said} == {"A"}
    assert "王晓岚" not in str(said)


def test_a_held_card_is_posted_to_the_organ_that_keeps_the_feed_and_to_no_other(
    desk: Desk, world: World, receiver: Receiver
) -> None:
    desk.do("UPDATE core.source_system SET organ = :organ", organ=OTHER)
    audience = subscribed(desk, "feeder", OTHER, receiver)
    with receiving() as department:
        subscribed(desk, "ours", ORGAN, department)
        world.item()
        world.case("A")
        desk.only_rules("case_overdue")
        desk.through("2026-03-10 00:00")
        desk.run("2026-03-18 09:00")
        assert send(desk) == {"delivered": 1}
        assert department.got == []
    (said,) = told(desk, receiver, audience)
    assert (said["deed"], said["source"], said["needed_through"]) == ("held", "clock", "2026-03-16T15:59:59+00:00")


def test_a_lapsed_card_is_posted_to_nobody(desk: Desk, world: World, receiver: Receiver) -> None:
    subscribed(desk, "ours", ORGAN, receiver)
    world.item()
    world.case()
    desk.through("2026-03-10 00:00")
    desk.only_rules("case_overdue")
    desk.run("2026-03-18 09:00")
    desk.do("UPDATE catalog.item_version SET content = jsonb_set(content, '{promised_limit,value}', '90')")
    desk.run("2026-03-19 09:00")
    assert desk.card()["state"] == "lapsed"
    assert send(desk) == {}
