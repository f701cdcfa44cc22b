"""Checks that wait for a feed, and the asker's own case that is confirmed later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.runtime import Runtime
from sharedrepo.keyring import signing
from sharedrepo.keyring.signing import Ed25519Signer
from tests.verification.conftest import Asker
from tests.verification.registry import FIRM, FIRM_NAME, NOW, PERSON, Registry, body
from verification import receipts
from verification.audit.watch import Watch
from verification.checks import confirming, waiting
from verification.checks.service import Checker
from verification.evidence.sessions import Sessions

LATER = (NOW + timedelta(days=2)).isoformat()


@pytest.fixture(autouse=True)
def shared(registry: Registry) -> None:
    registry.behind()


@pytest.fixture
def checker(runtime: Runtime) -> Checker:
    signer = Ed25519Signer.of(runtime.protector.ring)
    return Checker(Sessions(runtime.engine), runtime.protector, signer, Watch(3600))


def test_a_check_waits_for_its_feed_and_is_answered_under_its_number(
    registry: Registry, asker: Asker, checker: Checker
) -> None:
    first = asker.post("/v1/checks", body(wait_until=LATER))
    said = first.json()
    assert (first.status_code, said["state"], said["answer"]["reason"]) == (202, "waiting", "feed_behind")
    assert waiting.answer_all(checker, registry.protector) == {"answered": 0, "refused": 0, "waiting": 1}
    registry.credential(source="market")
    registry.through("market", NOW)
    assert waiting.answer_all(checker, registry.protector) == {"answered": 1, "refused": 0, "waiting": 0}
    now = asker.get(f"/v1/checks/{said['id']}").json()
    assert (now["state"], now["answer"]["outcome"], now["id"]) == ("answered", "match", said["id"])
    keys = signing.published(registry.engine)
    assert receipts.verify(now, keys)["commitment"] != receipts.verify(said, keys)["commitment"]
    assert registry.run("SELECT question FROM audit.waiting_check") is None, "what was asked is not kept twice"


def test_a_check_that_waits_for_nothing_a_feed_could_bring_is_answered_at_once(
    registry: Registry, asker: Asker
) -> None:
    registry.credential(source="market")
    answer = asker.post("/v1/checks", body(wait_until=LATER))
    assert (answer.status_code, answer.json()["answer"]["outcome"]) == (200, "match")


def test_the_waiting_ends_with_its_time_or_with_the_grant(registry: Registry, asker: Asker, checker: Checker) -> None:
    over, barred = (asker.check(body(wait_until=LATER))["id"] for _ in range(2))
    checker.clock = lambda: NOW + timedelta(days=3)
    assert waiting.answer_all(checker, registry.protector)["answered"] == 2
    told = asker.get(f"/v1/checks/{over}").json()
    assert (told["state"], told["answer"]["outcome"]) == ("lapsed", "undetermined")
    again = asker.check(body(wait_until=LATER))["id"]
    registry.share(class_="none")
    checker.clock = lambda: NOW
    assert waiting.answer_all(checker, registry.protector) == {"answered": 0, "refused": 1, "waiting": 0}
    assert barred != again


def test_a_case_that_comes_later_confirms_the_check_and_one_that_never_comes_is_told(
    registry: Registry, asker: Asker
) -> None:
    registry.through("market", NOW)
    known, unknown, other = "A-7", "A-404", "A-8"
    for case in (known, unknown, other):
        assert asker.answer(body(case=case))["case"] == "not_yet"
    assert confirming.confirm(registry.engine, registry.protector) == {"confirmed": 0, "unmatched": 0, "open": 3}
    registry.case(known)
    registry.case(other, party=(PERSON, None))
    registry.through("asker", datetime.now(UTC) + timedelta(minutes=5))
    assert confirming.confirm(registry.engine, registry.protector) == {"confirmed": 1, "unmatched": 2, "open": 0}
    found = {one["state"] for one in confirming.unmatched(registry.engine)}
    assert found == {"no_such_case", "not_a_party"}
    assert not any(FIRM in str(one) or FIRM_NAME in str(one) for one in confirming.unmatched(registry.engine))
    assert confirming.confirm(registry.engine, registry.protector)["open"] == 0
