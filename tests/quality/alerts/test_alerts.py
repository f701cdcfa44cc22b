"""Alerts reach real gateways, one message a department, no issue twice a day, and nothing is lost where one fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from hub.settings import SettingError, Settings
from pipeline.runtime import Runtime
from quality.alerts.gateways import gateways
from quality.alerts.service import Sent, pending, send
from quality.issues import service
from tests.conftest import Stock, Stocking
from tests.departments import GOOD, ORGAN
from tests.journeys.conftest import Hub, only
from tests.quality.alerts.listeners import Chat, Mail

NOW = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)
OTHER = "11330000002482285K"
SECRETS = ("s3cret-token", "T0P-S3CRET")


@pytest.fixture
def chat() -> Iterator[Chat]:
    with Chat().open() as opened:
        yield opened


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mail]:
    """A mail server that need not be spared: Apprise waits 5.5 seconds between two messages to one."""
    monkeypatch.setattr("apprise.plugins.email.base.NotifyEmail.request_rate_per_sec", 0)
    with Mail().open() as opened:
        yield opened


def _filled(settings: Settings, runtime: Runtime) -> None:
    hub = only(settings, runtime)
    hub.department.case("C1", TELPHONE="12")
    hub.department.case("C2", TELPHONE="12", SS_ORGCODE=OTHER)
    hub.pull()
    service.refresh(runtime.engine, NOW)


@pytest.fixture(scope="module")
def stock(stocking: Stocking) -> Stock:
    return stocking(_filled)


@pytest.fixture
def faulty(hub: Hub) -> Hub:
    """Two departments in one system, each with a phone number that is none."""
    return hub


def tell(hub: Hub, now: datetime, *urls: str) -> Sent:
    settings = hub.runtime.settings.model_copy(update={"alert_urls": SecretStr(" ".join(urls)) if urls else None})
    return send(hub.runtime.engine, settings, now, [hub.source()])


def code(hub: Hub, organ: str = ORGAN) -> str:
    (issue,) = service.listed(hub.runtime.engine, rule="phone_invalid", organ=organ)
    return issue.code


def test_each_department_gets_one_message_a_gateway_and_no_issue_twice_a_day(
    faulty: Hub, chat: Chat, mail: Mail
) -> None:
    sent = tell(faulty, NOW, chat.url, mail.url)
    assert (sent.messages, sent.failed) == (4, 0)
    mine, other = sorted(chat.posted, key=lambda one: code(faulty, OTHER) in one["message"])
    assert code(faulty) in mine["message"]
    assert code(faulty) not in other["message"]
    assert "测试部门" in mine["title"]
    assert "联系电话不规范" in mine["message"]
    assert "1/2 条" in mine["message"] or "1/1 条" in mine["message"]
    assert len(mail.taken) == 2
    body = mail.taken[0].get_body(("html", "plain"))
    assert body is not None
    assert "联系电话不规范" in body.get_content()

    assert tell(faulty, NOW + HOUR, chat.url, mail.url) == Sent()
    assert tell(faulty, NOW + A_DAY, chat.url, mail.url) == Sent(), "nothing has happened since"


def test_what_happens_on_the_same_day_is_told_on_the_next(faulty: Hub, chat: Chat) -> None:
    tell(faulty, NOW, chat.url)
    steps = service.escalate(faulty.runtime.engine, NOW + 40 * A_DAY, [faulty.source()])
    assert code(faulty) in {one.code for one in steps}
    assert tell(faulty, NOW + 40 * A_DAY, chat.url).failed == 0
    climbed = next(one["message"] for one in chat.posted[2:] if code(faulty) in one["message"])
    assert "已升级至联系人（office 0571-0000）" in climbed
    service.escalate(faulty.runtime.engine, NOW + 80 * A_DAY, [faulty.source()])
    assert tell(faulty, NOW + 40 * A_DAY + HOUR, chat.url) == Sent(), "at most once a day"
    assert tell(faulty, NOW + 80 * A_DAY, chat.url).issues > 0


def test_a_failing_gateway_loses_nothing_and_holds_up_no_other(faulty: Hub, chat: Chat, mail: Mail) -> None:
    chat.status = 503
    sent = tell(faulty, NOW, chat.url, mail.url)
    assert (sent.messages, sent.failed) == (2, 2)
    assert chat.posted == []
    assert len(mail.taken) == 2
    chat.status = 200
    again = tell(faulty, NOW + HOUR, chat.url, mail.url)
    assert (again.messages, again.failed) == (2, 0)
    assert len(chat.posted) == 2
    assert len(mail.taken) == 2
    kept = faulty.rows("SELECT gateway, delivered, count(*) FROM quality.alert GROUP BY 1, 2 ORDER BY 1, 2")
    assert [tuple(row) for row in kept] == [("json#1", False, 2), ("json#1", True, 2), ("mailto#1", True, 2)]
    assert faulty.one("SELECT count(*) FROM quality.issue WHERE alerted_at IS NULL AND closed_at IS NULL") == 0


def test_a_gateway_of_one_department_is_told_of_no_other(faulty: Hub, chat: Chat) -> None:
    assert tell(faulty, NOW, f"{OTHER}={chat.url}").messages == 1
    assert code(faulty, OTHER) in chat.posted[0]["message"]


def test_what_is_accepted_is_told_to_nobody(faulty: Hub, chat: Chat) -> None:
    service.accept(faulty.runtime.engine, code(faulty), actor="cli:li", reason="known", now=NOW)
    tell(faulty, NOW, chat.url)
    assert not any(code(faulty) in one["message"] for one in chat.posted)


def test_neither_addresses_nor_persons_are_logged_or_sent(
    faulty: Hub, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tell(faulty, NOW, chat.url)
    chat.status = 500
    service.escalate(faulty.runtime.engine, NOW + 40 * A_DAY, [faulty.source()])
    tell(faulty, NOW + 40 * A_DAY, chat.url, "json://hub:s3cret-token@127.0.0.1:9/T0P-S3CRET")
    assert "alert to json#1" in caplog.text
    assert [one for one in SECRETS if one in caplog.text] == []
    said = str(chat.posted)
    persons = [GOOD["PRE_APASINFO"][name] for name in ("APPLYNAME", "APPLY_CARDNUMBER", "ADDRESS")]
    assert [one for one in persons if one in said] == []


def test_without_a_gateway_the_issues_wait_and_that_is_said(faulty: Hub, caplog: pytest.LogCaptureFixture) -> None:
    assert tell(faulty, NOW).waiting > 0
    assert "HUB_ALERT_URLS is not set" in caplog.text
    assert pending(faulty.runtime.engine, faulty.runtime.settings, NOW, [faulty.source()]) == []


@pytest.mark.parametrize("wrong", ["no-url", "nosuch://host/s3cret-token", "=json://host"])
def test_what_is_no_address_is_said_by_number_and_never_shown(wrong: str) -> None:
    settings = Settings(alert_urls=SecretStr(f"json://good.example {wrong}"))
    with pytest.raises(SettingError, match="entry 2") as told:
        gateways(settings)
    assert "s3cret-token" not in str(told.value)
