"""Who relied on a credential is told when it no longer holds: once, with its own case, and nobody else."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from pipeline.runtime import Runtime
from tests.verification.conftest import Asker, asker_of
from tests.verification.registry import LICENCE, NOW, OTHER, Registry, body
from verification.notices import recall

LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def shared(registry: Registry) -> None:
    registry.share(class_="unconditional")
    registry.case()


def revoke(registry: Registry, record: int, at: datetime, status: str = "revoked") -> None:
    registry.replace(record, at=at, status=status)
    since = date(2026, 11, 2)
    registry.put(
        "credential_status", record_id=record, part=5, status=status, since=since, since_precision="d", batch_id=1,
        content_hash=b"\x00",
    )  # fmt: skip


def told(asker: Asker) -> list[dict[str, Any]]:
    answer = asker.get("/v1/recalls")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["recalls"]
    return rows


def test_a_credential_that_is_revoked_afterwards_is_recalled_once(
    registry: Registry, asker: Asker, runtime: Runtime
) -> None:
    record = registry.credential()
    registry.credential("JY-002", source="market")
    number = asker.check(body())["id"]
    asker.check(body(credential={"number": "JY-002"}))
    asker.check(body(credential={"holder_name": "别家"}))
    assert recall.look(registry.engine) == 0
    revoke(registry, record, LATER)
    assert (recall.look(registry.engine), recall.look(registry.engine)) == (1, 0)
    (one,) = told(asker)
    assert (one["check"], one["case"], one["status"], one["since"]) == (number, "A-1", "revoked", "2026-11-02")
    assert one["evidence"] == record
    assert told(asker_of(runtime, asker.at, code="other", organ=OTHER)) == []
    assert asker.answer(body())["outcome"] == "not_valid"


def test_a_correction_is_told_and_then_that_it_is_gone(registry: Registry, asker: Asker) -> None:
    record = registry.credential()
    asker.check(body())
    registry.replace(record, at=LATER, valid_to=date(2034, 1, 1))
    assert recall.look(registry.engine) == 1
    registry.run("DELETE FROM core.credential WHERE record_id = :record", record=record)
    assert recall.look(registry.engine) == 1
    assert [one["status"] for one in told(asker)] == ["corrected", "deleted"]


def test_who_asked_after_the_change_is_told_nothing(registry: Registry, asker: Asker) -> None:
    record = registry.credential()
    registry.replace(record, at=NOW - timedelta(days=1), valid_to=date(2034, 1, 1))
    asker.check(body())
    assert recall.look(registry.engine) == 0
    assert LICENCE not in asker.get("/v1/recalls").text
