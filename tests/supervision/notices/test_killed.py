"""Senders killed between a gateway's taking a text and their writing it down: what "never twice" can mean, for each."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from demo.services.phones import Phones
from hub.settings import Settings
from tests.supervision.notices.conftest import SECRET, Office, described, notice
from tests.web.processes import environment

SEND = [str(Path(sys.executable).parent / "hub"), "supervise", "notices", "send", "--json"]


def settings_in(settings: Settings, more: dict[str, str]) -> dict[str, str]:
    file = str(settings.sms_gateway)
    return {
        **environment(settings),
        "HUB_SMS_GATEWAY": file,
        "HUB_SMS_SECRET": SECRET,
        "HUB_NOTICE_QUIET": "none",
        **more,
    }


def killed_in_between(office: Office, phones: Phones, gateway: str) -> Settings:
    """Queue a notice, and kill its sender when the gateway has the text and has not answered."""
    settings = office.settings(gateway)
    office.clock.now = _now(office)
    office.queue(notice())
    phones.held = threading.Event()
    with subprocess.Popen(SEND, env=settings_in(settings, {}), stdout=subprocess.DEVNULL) as process:
        assert phones.came.wait(60), "the gateway has the text"
        process.kill()
    phones.held.set()
    phones.held = None
    assert office.states() == ["sending"]
    _lease_is_over(office)
    return settings


def _now(office: Office) -> Any:
    with office.runtime.engine.connect() as connection:
        return connection.scalar(sa.text("SELECT now()"))


def _lease_is_over(office: Office) -> None:
    with office.runtime.engine.begin() as connection:
        connection.execute(sa.text("UPDATE supervision.notice SET next_at = now() WHERE next_at IS NOT NULL"))


def send(settings: Settings, **more: str) -> dict[str, Any]:
    done = subprocess.run(
        SEND, env=settings_in(settings, more), capture_output=True, text=True, check=True, timeout=60
    )  # fmt: skip
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_a_gateway_that_can_be_asked_knows_the_text_and_it_is_not_sent_again(office: Office, phones: Phones) -> None:
    settings = killed_in_between(office, phones, described(phones, deduplicates=False, asked=True))
    assert send(settings)["done"] == {"delivered": 1}
    assert [one["posted"] for one in phones.messages()] == [1]
    assert office.log() == ["queued", "sending", "doubtful", "delivered"]


def test_a_gateway_that_deduplicates_is_sent_it_again_and_the_phone_shows_it_once(
    office: Office, phones: Phones
) -> None:
    settings = killed_in_between(office, phones, described(phones, deduplicates=True, asked=False))
    assert send(settings)["done"] == {"sent": 1}
    assert [(one["mobile"], one["posted"]) for one in phones.messages()] == [("13912345678", 2)]


def test_without_either_it_is_doubtful_listed_and_left_to_a_person(office: Office, phones: Phones) -> None:
    settings = killed_in_between(office, phones, described(phones, deduplicates=False, asked=False))
    assert send(settings)["done"] == {"doubtful": 1}
    assert send(settings)["done"] == {}
    assert [one["posted"] for one in phones.messages()] == [1]
    assert (office.rows()[0]["state"], office.rows()[0]["fault"]) == ("doubtful", "sender_died")


def test_a_gateway_that_forgets_shows_what_never_twice_rests_on(office: Office, phones: Phones) -> None:
    """The honest end of it: where a text may come twice rather than not at all, and the gateway has no memory."""
    phones.forgetful = True
    settings = killed_in_between(office, phones, described(phones, deduplicates=False, asked=False))
    send(settings, HUB_NOTICE_DOUBT="again")
    assert [one["mobile"] for one in phones.messages()] == ["13912345678"] * 2


def test_a_sender_that_is_killed_before_the_gateway_hears_of_it_loses_nothing(office: Office, phones: Phones) -> None:
    """The mark is set, the text never left: a gateway that can be asked says so, and it is sent."""
    settings = office.settings(described(phones, deduplicates=False, asked=True))
    office.clock.now = _now(office)
    office.queue(notice())
    with office.runtime.engine.begin() as connection:  # as a process that dies right after its mark leaves it
        connection.execute(sa.text("UPDATE supervision.notice SET state = 'sending', tries = 1, next_at = now()"))
    assert send(settings)["done"]["sent"] == 1
    assert [one["posted"] for one in phones.messages()] == [1]
    assert office.log() == ["queued", "doubtful", "not_taken", "sending", "sent"]


@pytest.mark.parametrize("asked", [True, False])
def test_many_are_sent_once_each_though_their_sender_is_killed_again_and_again(
    office: Office, phones: Phones, asked: bool
) -> None:
    settings = office.settings(described(phones, deduplicates=not asked, asked=asked))
    office.clock.now = _now(office)
    office.queue(*(notice(card=number) for number in range(1, 41)))
    for number in (8, 20):
        with subprocess.Popen(SEND, env=settings_in(settings, {}), stdout=subprocess.DEVNULL) as process:
            while len(phones.messages()) < number and process.poll() is None:
                phones.came.clear()
                phones.came.wait(0.2)
            process.kill()
        _lease_is_over(office)
    while any(state in ("waiting", "sending", "doubtful") for state in office.states()):
        _lease_is_over(office)
        send(settings)
    found = phones.messages()
    assert len(found) == 40
    assert set(office.states()) <= {"sent", "delivered"}
    assert sum(one["posted"] for one in found) == 40 or not asked, "who is asked is sent nothing a second time"
