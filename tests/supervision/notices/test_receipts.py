"""The served hub sends by itself, and takes the gateway's receipts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import requests

from demo.services.phones import Phones, PhonesSettings
from supervision.notices import opened
from tests.supervision.notices.conftest import SECRET, Office, described, notice
from tests.web.serving import serving

PASSWORD = "receipt-password"


@pytest.fixture
def at(office: Office, phones: Phones, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(opened, "ROUND_SECONDS", 0.05)
    settings = office.settings(
        described(phones, asked=False), sms_receipt_secret=PASSWORD, notice_quiet="none"
    )  # fmt: skip
    office.clock.now = datetime.now(UTC)
    with serving(lambda: replace(office.runtime, settings=settings)) as address:
        yield f"{address}/v1/notices/receipts"


def until(office: Office, state: str) -> None:
    deadline = time.monotonic() + 20
    while office.states() != [state]:
        assert time.monotonic() < deadline, office.rows()
        time.sleep(0.02)


def test_the_served_hub_sends_by_itself_and_a_receipt_by_either_name_ends_it(
    office: Office, phones: Phones, at: str
) -> None:
    office.queue(notice())
    until(office, "sent")
    (message,) = phones.messages()
    answer = requests.post(
        at, json={"reports": [{"id": message["id"], "state": "DELIVRD"}]}, auth=("gateway", PASSWORD), timeout=10
    )
    assert answer.json() == {"taken": 1, "unknown": 0}
    assert office.states() == ["delivered"]
    again = requests.post(
        at, json={"reports": {"id": message["id"], "state": "UNDELIV"}},
        headers={"Authorization": f"Bearer {PASSWORD}"}, timeout=10,
    )  # fmt: skip
    assert again.json() == {"taken": 1, "unknown": 0}
    assert office.states() == ["delivered"], "what came has come"


def test_the_fake_gateway_reports_by_itself_as_real_ones_do(office: Office, phones: Phones, at: str) -> None:
    phones.settings = PhonesSettings(0, SECRET, at, PASSWORD)
    office.queue(notice())
    until(office, "delivered")
    assert office.log()[-1] == "delivered"


def test_the_page_shows_the_phones_and_says_that_it_is_a_fake(office: Office, phones: Phones, at: str) -> None:
    office.queue(notice(put={**dict(notice().put), "organ": "<b>厅</b>"}))
    until(office, "sent")
    page = requests.get(phones.at, timeout=10).text
    assert "13912345678" in page
    assert "fake" in page
    assert "&lt;b&gt;厅" in page


def test_a_receipt_that_is_quicker_than_the_gateways_answer_is_not_lost(
    office: Office, phones: Phones, at: str
) -> None:
    phones.held = threading.Event()
    phones.settings = PhonesSettings(0, SECRET, at, PASSWORD)
    office.queue(notice())
    until(office, "delivered")
    phones.held.set()
    time.sleep(0.5)
    assert office.states() == ["delivered"]
