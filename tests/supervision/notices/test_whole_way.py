"""From a case that is late to the phone of who is on duty; and notices whose keys turn while they wait."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from demo.services.phones import Phones
from hub.protect import Protector
from pipeline.runtime import Runtime
from sharedrepo.keyring import rekey
from supervision import running
from supervision.notices.service import Sender
from tests.supervision.desk import Desk
from tests.supervision.notices.conftest import HEAD, Office, described, notice
from tests.supervision.world import World, at


def test_a_late_case_reaches_the_phones_of_those_on_duty_that_day(
    runtime: Runtime, world: World, office: Office, phones: Phones, tmp_path: Path
) -> None:
    desk = Desk(runtime, world)
    desk.register(tmp_path)
    world.item()
    world.case()
    desk.only_rules("case_overdue")
    now = at("2026-03-18 09:00")
    assert now is not None
    running.run(runtime.engine, as_of=now, full=True, protector=runtime.protector)
    office.clock.now = now
    asyncio.run(office.sender(described(phones)).round())
    told = phones.messages()
    # The division head with the deputy in March, the discipline officer, the leader in charge.
    assert {one["mobile"] for one in told} == {"13900002222", "13900003333", "13900004444", "13900005555"}
    assert all("红牌" in one["content"] and desk.only() in one["content"] for one in told)
    running.run(runtime.engine, as_of=now, full=True, protector=runtime.protector)
    asyncio.run(office.sender(described(phones)).round())
    assert len(phones.messages()) == 4, "of one card nobody is told twice"


def test_keys_that_turn_while_texts_wait_lose_none_and_repeat_none(office: Office, phones: Phones) -> None:
    office.queue(notice())
    runtime = office.runtime
    both = Protector(runtime.protector.ring.rotated())
    office.runtime = replace(runtime, protector=both)
    assert office.queue(notice(), notice(who=replace(HEAD, phone="13912345678"))) == 0, "found under the older key"
    rekey.rekey(runtime.engine, both)
    newest = Protector(both.ring.without(1))
    office.runtime = replace(runtime, protector=newest)
    assert office.queue(notice(who=replace(HEAD, phone="13912345678"))) == 0
    made = Sender.of(runtime.engine, newest, office.settings(described(phones)))
    asyncio.run(replace(made, clock=office.clock).round())
    assert [one["mobile"] for one in phones.messages()] == ["13912345678"]
