"""Tokens that are none: an address that comes with many waits, within bounded memory, and shuts nobody else out."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
import requests

from hub.refusals import TooMany
from web import knocks
from web.knocks import FREE, SECONDS, Knocks


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def shut(found: Knocks, address: str, token: str = "none") -> bool:
    try:
        found.mind(address, token)
    except TooMany as error:
        return 0 < (error.after_seconds or 0) <= SECONDS
    return False


def knock(found: Knocks, address: str, times: int) -> None:
    for number in range(times):
        found.failed(address, f"guess {number}")


def test_an_address_waits_after_its_free_failures_and_only_it() -> None:
    clock = Clock()
    found = Knocks(clock)
    knock(found, "10.0.0.1", FREE - 1)
    assert not shut(found, "10.0.0.1")
    knock(found, "10.0.0.1", 1)
    assert shut(found, "10.0.0.1")
    assert not shut(found, "10.0.0.2")
    clock.now += SECONDS
    assert not shut(found, "10.0.0.1"), "one more after a while"
    knock(found, "10.0.0.1", 1)
    assert shut(found, "10.0.0.1")
    clock.now += FREE * SECONDS
    knock(found, "10.0.0.1", FREE - 1)
    assert not shut(found, "10.0.0.1"), "and all of them again in the end"


def test_a_token_that_was_valid_here_passes_whatever_its_neighbour_does() -> None:
    found = Knocks(Clock())
    found.passed("good")
    knock(found, "10.0.0.1", FREE)
    assert not shut(found, "10.0.0.1", "good")
    found.failed("10.0.0.1", "good")  # revoked meanwhile
    assert shut(found, "10.0.0.1", "good")


def test_half_an_ipv6_address_is_one_sender_and_a_mapped_one_its_ipv4() -> None:
    found = Knocks(Clock())
    for number in range(FREE):
        found.failed(f"2001:db8::{number:x}", "guess")
    assert shut(found, "2001:db8::ffff")
    assert not shut(found, "2001:db8:0:1::1")
    knock(found, "::ffff:10.0.0.9", FREE)
    assert shut(found, "10.0.0.9")


def test_memory_is_bounded_however_many_addresses_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knocks, "MOST", 50)
    found = Knocks(Clock())
    for number in range(5_000):
        found.failed(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", "x" * 200)
        found.passed(f"token {number}")
    assert len(found._left) == len(found._good) == 50
    assert sum(sys.getsizeof(key) for key in found._good) < 5_000, "hashes, no tokens"


def test_the_api_tells_a_knocker_to_wait_and_answers_others(service: str, token_for: Callable[..., str]) -> None:
    good = token_for("quality")

    def ask(token: str) -> requests.Response:
        return requests.get(f"{service}/v1/findings", headers={"Authorization": f"Bearer {token}"}, timeout=30)

    assert ask(good).status_code == 200
    said = [ask(f"hub_guess{number}").status_code for number in range(FREE + 3)]
    assert said[:FREE] == [401] * FREE
    late = ask("hub_another")
    assert late.status_code == 429
    assert 1 <= int(late.headers["Retry-After"]) <= SECONDS
    assert late.json()["type"].endswith(":TooMany")
    assert ask(good).status_code == 200, "who is known goes on"
