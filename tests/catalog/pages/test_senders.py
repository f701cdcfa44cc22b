"""One sender says so much to proposals and no more; who it was, is known to nobody."""

from __future__ import annotations

import pytest

from catalog import service
from catalog.pages import routes, senders
from catalog.pages.senders import Senders
from hub.refusals import TooMany
from tests.catalog.items import CLERK, code, proposed
from tests.catalog.pages.conftest import Site
from tests.web.browser import Browser
from web.senders import sender_of

FEW = 3


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "MOST", FEW)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_sender_that_says_much_waits_and_others_do_not() -> None:
    clock = Clock()
    counted = Senders(clock)
    for _ in range(senders.MOST):
        counted.mind(b"one")
    clock.now = 60.0
    with pytest.raises(TooMany) as refused:
        counted.mind(b"one")
    assert refused.value.after_seconds == senders.WITHIN_SECONDS - 60
    counted.mind(b"another")
    clock.now = senders.WITHIN_SECONDS
    counted.mind(b"one")


def test_however_many_senders_there_are_memory_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "MOST_SENDERS", 10)
    counted = Senders()
    for number in range(1_000):
        counted.mind(str(number).encode())
    assert len(counted._said) == 10


def test_what_stands_for_a_sender_is_its_line_and_not_its_address() -> None:
    assert sender_of("2001:db8:1:2::3") == sender_of("2001:db8:1:2:ffff::9") != sender_of("2001:db8:1:3::3")
    assert sender_of("203.0.113.7") == sender_of("::ffff:203.0.113.7") != sender_of("203.0.113.8")
    assert sender_of("fe80::1%eth0") == sender_of("fe80::1")
    assert sender_of("no address") != sender_of("")
    assert b"203" not in sender_of("203.0.113.7")


def test_on_the_page_the_same_sender_is_asked_to_wait_whatever_the_proposal(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_SENDERS", Senders())
    for number in (31, 32):
        proposed(site.engine, code(number))
        service.act(site.engine, code(number), "submit", CLERK)
    addresses = [f"{site.url}/items/review/{code(number)}" for number in (31, 31, 32, 32)]
    sent = [Browser(site.url).post(one, {"said": "好"}, timeout=30, allow_redirects=False) for one in addresses]
    assert [one.status_code for one in sent] == [303, 303, 303, 429]
    assert int(sent[-1].headers["Retry-After"]) > 500
