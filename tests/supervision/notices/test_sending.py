"""Notices through a real gateway process over HTTP: one text a card and recipient, whatever goes wrong between."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from demo.services.phones import Phones
from hub.settings import SettingError
from supervision.notices import listing, store
from supervision.notices.errors import NoticeRefused
from supervision.notices.service import Sender
from supervision.notices.terms import Notice, Recipient
from tests.supervision.notices.conftest import HANDLER, HEAD, Office, described, notice
from tests.verification.receiver import receiving


def sent(sender: Sender) -> dict[str, int]:
    return dict(asyncio.run(sender.round()))


def test_each_recipient_of_a_card_gets_one_text_however_often_it_is_queued(office: Office, phones: Phones) -> None:
    sender = office.sender(described(phones))
    assert office.queue(notice(), notice(who=HEAD)) == 2
    assert office.queue(notice(), notice(who=HEAD)) == 0
    assert sent(sender) == {"sent": 2}
    assert sent(sender) == {}
    assert office.queue(notice()) == 0
    assert sorted(one["mobile"] for one in phones.messages()) == ["13912345678", "13987654321"]
    assert "明日到期" in phones.messages()[0]["content"]
    assert {row["gateway_number"] for row in office.rows()} == {"fake-1", "fake-2"}


def test_a_person_who_holds_two_duties_is_told_once_and_of_the_next_level_again(office: Office) -> None:
    deputy = Recipient("duty:9", "王小明", "+86 139-1234-5678")
    assert office.queue(notice(), notice(who=deputy)) == 1
    assert office.queue(notice(card=2, level="yellow", words="overdue.yellow", who=deputy)) == 1


def test_a_gateway_that_is_down_is_tried_after_growing_pauses(office: Office, phones: Phones) -> None:
    nobody = described(phones).replace(phones.at, "http://127.0.0.1:1")
    sender = office.sender(nobody)
    office.queue(notice())
    pauses = []
    for _ in range(4):
        assert sent(sender) == {"waiting": 1}
        (row,) = office.rows()
        assert row["fault"] == "not_reached"
        pauses.append((row["next_at"] - office.clock.now).total_seconds())
        assert sent(sender) == {}, "it rests until then"
        office.clock.now = row["next_at"]
    assert pauses == [15, 30, 60, 120]
    assert sent(office.sender(described(phones))) == {"sent": 1}
    assert [one["posted"] for one in phones.messages()] == [1]


def test_after_an_unreachable_gateway_the_rest_does_not_wait_for_it_in_turn(office: Office, phones: Phones) -> None:
    sender = office.sender(described(phones).replace(phones.at, "http://127.0.0.1:1"))
    office.queue(*(notice(card=number) for number in range(1, 40)))
    counts = sent(sender)
    assert counts["waiting"] < 10
    assert sum(row["tries"] for row in office.rows()) == counts["waiting"]


def test_what_can_no_longer_be_told_in_time_is_given_up_and_listed(office: Office, phones: Phones) -> None:
    office.queue(notice(until=office.clock.now + timedelta(hours=3)))
    office.clock.later(hours=3)
    assert sent(office.sender(described(phones))) == {"given_up": 1}
    (row,) = listing.listed(office.runtime.engine)
    assert (row["state"], row["fault"]) == ("given_up", "too_late")
    assert phones.messages() == []


def test_without_a_gateway_notices_wait_and_are_not_tried(office: Office) -> None:
    office.queue(notice())
    assert sent(office.sender(None)) == {}
    assert (office.rows()[0]["state"], office.rows()[0]["tries"]) == ("waiting", 0)


def test_an_address_that_cannot_be_one_is_kept_and_listed_and_nothing_is_sent(office: Office, phones: Phones) -> None:
    office.queue(notice(who=Recipient("a", phone="none")), notice(who=Recipient("b", mail="x y@z")))
    assert sent(office.sender(described(phones))) == {}
    assert [(row["state"], row["fault"]) for row in office.rows()] == [
        ("given_up", "bad_phone"), ("given_up", "bad_mailbox"),
    ]  # fmt: skip
    with pytest.raises(NoticeRefused, match="neither phone nor mailbox nor department"):
        office.queue(notice(who=Recipient("c"), organ=None))


def test_the_gateway_is_asked_until_the_text_was_delivered(office: Office, phones: Phones) -> None:
    sender = office.sender(described(phones))
    office.queue(notice())
    sent(sender)
    assert office.states() == ["sent"]
    office.clock.later(seconds=11)
    assert sent(sender) == {"delivered": 1}
    assert office.log() == ["queued", "sending", "sent", "delivered"]


def test_a_gateway_that_does_not_say_what_became_of_texts_keeps_no_new_ones_waiting(
    office: Office, phones: Phones
) -> None:
    office.queue(*(notice(card=number) for number in range(1, 31)))
    with receiving(status=500) as mute:
        sender = office.sender(described(phones).replace(f"{phones.at}/report", mute.at))
        sent(sender)
        office.clock.later(minutes=1)
        office.queue(notice(card=99))
        sent(sender)
        assert len(mute.got) < 10, "it is not asked after all of them in vain"
    assert len(phones.messages()) == 31
    assert set(office.states()) == {"sent"}


def test_a_withdrawn_card_is_no_longer_told_of(office: Office, phones: Phones) -> None:
    office.queue(notice(), notice(card=2))
    with office.runtime.engine.begin() as connection:
        assert store.withhold(connection, [1, 7], now=office.clock.now, reason="withdrawn") == 1
    assert sent(office.sender(described(phones))) == {"sent": 1}
    assert office.states() == ["withheld", "sent"]


def test_in_quiet_hours_nothing_is_sent_but_the_levels_that_are_set(office: Office, phones: Phones) -> None:
    office.clock.later(hours=13)  # 23:00
    office.queue(notice(), notice(card=2, level="red", words="overdue.red"))
    gateway = described(phones)
    assert sent(office.sender(gateway)) == {}
    assert sent(office.sender(gateway, notice_quiet_through="red")) == {"sent": 1}
    assert "红牌" in phones.messages()[0]["content"]
    office.clock.later(hours=8, minutes=59)  # 07:59
    sent(office.sender(gateway))
    assert office.states() == ["waiting", "delivered"]
    office.clock.later(minutes=1)
    sent(office.sender(gateway))
    assert len(phones.messages()) == 2


def test_a_refusal_for_good_is_not_repeated(office: Office, phones: Phones) -> None:
    wrong = described(phones).replace("  number:", "  refused: '\"code\": 40[01]'\n  number:")
    sender = office.sender(wrong, sms_secret="wrong")
    office.queue(notice())
    assert sent(sender) == {"given_up": 1}
    office.clock.later(hours=1)
    assert sent(sender) == {}
    assert office.rows()[0]["fault"] == "refused"


def test_two_senders_at_once_send_each_text_once(office: Office, phones: Phones) -> None:
    office.queue(*(notice(card=number) for number in range(1, 41)))
    gateway = described(phones, deduplicates=False, asked=False)
    senders = [office.sender(gateway) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(sent, senders))
    assert sum(one.get("sent", 0) for one in counts) == 40
    assert sorted(one["posted"] for one in phones.messages()) == [1] * 40


def test_no_phone_stands_anywhere_in_clear(office: Office, phones: Phones, caplog: pytest.LogCaptureFixture) -> None:
    office.queue(notice(), notice(who=Recipient("bad", "赵四", "nonsense-13700000001")))
    sent(office.sender(described(phones)))
    with office.runtime.engine.connect() as connection:
        for table in ("notice", "notice_deed"):
            text = str(connection.execute(sa.text(f"SELECT * FROM supervision.{table}")).mappings().all())
            assert "13912345678" not in text
            assert "13700000001" not in text
            assert "王小明" not in text
    shown = json.dumps(listing.listed(office.runtime.engine, states=None), default=str, ensure_ascii=False)
    assert "139******78" in shown
    assert "王**" in shown
    assert "13912345678" not in shown + caplog.text


def test_after_the_days_that_are_kept_the_address_is_forgotten_and_the_log_stays(
    office: Office, phones: Phones
) -> None:  # fmt: skip
    office.queue(notice())
    sender = office.sender(described(phones, asked=False), notice_keep_days=30)
    sent(sender)
    office.clock.later(days=31)
    sent(sender)
    with office.runtime.engine.connect() as connection:
        row = connection.execute(sa.text("SELECT sealed, phone_hash, phone_mask FROM supervision.notice")).one()
    assert tuple(row) == (None, None, "139******78")
    assert office.log() == ["queued", "sending", "sent", "forgotten"]
    assert office.queue(notice()) == 0, "of one card nobody is told twice, ever"


def test_the_log_of_notices_cannot_be_changed(office: Office) -> None:
    office.queue(notice())
    with pytest.raises(sa.exc.IntegrityError, match="only added"), office.runtime.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM supervision.notice_deed"))


# --- Apprise ---


def posted(receiver: Any) -> list[dict[str, Any]]:
    return [json.loads(one) for one in receiver.got]


def test_mail_and_the_chat_of_a_department_go_through_apprise(office: Office) -> None:
    with receiving(status=200) as mail, receiving(status=200) as group, receiving(status=200) as other:
        ways = " ".join((
            mail.at.replace("http:", "json:") + "/{mail}", "A1=" + group.at.replace("http:", "json:"),
            "B2=" + other.at.replace("http:", "json:"),
        ))  # fmt: skip
        office.queue(notice(who=Recipient("m", "钱五", mail="qian@example.gov.cn")), notice(who=Recipient("organ:A1")))
        assert sent(office.sender(None, notice_urls=ways)) == {"sent": 2}
        ((to_mail,), (to_group,)) = posted(mail), posted(group)
        assert other.got == []
    assert "明日到期" in to_mail["message"]
    assert to_group["title"] == "【电子监察】预警"
    assert [row["gateway"] for row in office.rows()] == ["json#1", "json#2"]


def test_where_no_sms_gateway_is_set_phones_are_reached_through_apprise(office: Office) -> None:
    with receiving(status=200) as receiver:
        way = receiver.at.replace("http:", "json:") + "/{phone}"
        office.queue(notice())
        assert sent(office.sender(None, notice_urls=way)) == {"sent": 1}


def test_a_department_without_a_way_waits(office: Office) -> None:
    with receiving(status=200) as receiver:
        office.queue(notice(who=Recipient("organ:A1")))
        assert sent(office.sender(None, notice_urls="B2=" + receiver.at.replace("http:", "json:"))) == {"waiting": 1}
        assert (receiver.got, office.rows()[0]["fault"]) == ([], "no_way")


def test_an_address_that_apprise_does_not_know_is_told_by_its_number_only(office: Office) -> None:
    with pytest.raises(SettingError, match="entry 2") as wrong:
        office.sender(None, notice_urls="json://a.example/{phone} nosuch://token-123@b")
    assert "token-123" not in str(wrong.value)


# --- what people decide ---


def test_a_person_decides_on_what_nobody_can_know(office: Office, phones: Phones) -> None:
    office.queue(notice(), notice(card=2))
    with receiving(status=502) as broken:
        gateway = described(phones, deduplicates=False, asked=False).replace(f"{phones.at}/send", broken.at)
        assert sent(office.sender(gateway)) == {"doubtful": 2}
        office.clock.later(minutes=5)
        sent(office.sender(gateway))
        office.clock.later(days=2)
        assert sent(office.sender(gateway)) == {}, "nothing is sent again by itself"
        assert len(broken.got) == 2
    store.decided(office.runtime.engine, 1, again=True, who="zhao", reason="asked by phone", now=office.clock.now)
    store.decided(office.runtime.engine, 2, again=False, who="zhao", reason="it came", now=office.clock.now)
    assert sent(office.sender(described(phones))) == {"sent": 1}
    assert office.states() == ["sent", "sent"]
    assert office.log(2)[-1] == "settled"
    with pytest.raises(NoticeRefused, match="waits for no decision"):
        store.decided(office.runtime.engine, 2, again=True, who="zhao", reason="x", now=office.clock.now)
    with pytest.raises(NoticeRefused, match="there is none"):
        store.decided(office.runtime.engine, 99, again=True, who="zhao", reason="x", now=office.clock.now)


def test_where_a_text_twice_is_the_lesser_evil_a_doubtful_one_is_sent_again(office: Office, phones: Phones) -> None:
    office.queue(notice())
    with receiving(status=502) as broken:
        gateway = described(phones, deduplicates=False, asked=False)
        sent(office.sender(gateway.replace(f"{phones.at}/send", broken.at)))
    office.clock.later(minutes=2)
    sent(office.sender(gateway, notice_doubt="again"))
    assert office.states() == ["sent"]
    assert len(phones.messages()) == 1


def test_thousands_are_queued_in_one_statement_a_page(office: Office) -> None:
    many: list[Notice] = [
        notice(card=number, who=Recipient(f"duty:{number}", phone=f"139{number:08}")) for number in range(3_000)
    ]
    assert office.queue(*many) == 3_000
    assert office.queue(*many, notice(card=9_999, who=HANDLER)) == 1
