"""Steps of cases are posted to who subscribed to their item, and may see it; how they stood before is no step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sharedrepo.access import clients
from tests.catalog import items
from tests.verification.registry import ASKER, ISSUER, PURPOSE, Registry
from verification.notices import subscriptions
from verification.notices.subscriptions import CASE, Due, SubscriptionRefused

ITEM = items.code(1, ISSUER)


@pytest.fixture
def subscribed(registry: Registry) -> int:
    """A subscription to an item of which a case is under way."""
    registry.share(ITEM, "item")
    registry.grant(ITEM, "item")
    registry.case("M-1", source="market", organ=ISSUER, item=ITEM)
    clients.make(registry.engine, registry.protector, code="it", organ=ASKER, rights=("check",), days=1)
    return subscriptions.subscribe(
        registry.engine, client="it", url="https://it.example/notices", actor="office", allowed=(), code=ITEM,
        purpose=PURPOSE, topic=CASE,
    )  # fmt: skip


def due(registry: Registry) -> list[tuple[Due, dict[str, Any] | None]]:
    now = datetime.now(UTC)
    subscriptions.queue(registry.engine)
    taken = subscriptions.take(registry.engine, now=now + timedelta(seconds=1))
    for one in taken:
        subscriptions.delivered(registry.engine, one, now=now)
    return [(one, subscriptions.worded(registry.engine, registry.protector, one, now=now)) for one in taken]


def step(registry: Registry, **values: Any) -> None:
    changes = ", ".join(f"{name} = :{name}" for name in values)
    registry.run(f"UPDATE core.case_overview SET {changes}", **values)


def test_each_step_is_told_once_without_number_or_person(registry: Registry, subscribed: int) -> None:
    assert due(registry) == [], "how it stood when it was subscribed to is no step"
    step(registry, review_first=datetime(2026, 6, 1, tzinfo=UTC))
    ((one, said),) = due(registry)
    assert said is not None
    assert (one.topic, said["item"], said["organ"], said["stage"]) == (CASE, ITEM, ISSUER, "review")
    assert "M-1" not in str(said)
    assert due(registry) == []
    step(registry, state="closed")
    ((_, said),) = due(registry)
    assert said is not None
    assert (said["state"], said["stage"]) == ("closed", "closed")
    registry.case("M-2", source="market", organ=ISSUER, item=ITEM)
    ((_, said),) = due(registry)
    assert said is not None
    assert said["state"] == "in_progress", "a new case is a step"


def test_what_is_not_granted_any_more_is_withheld(registry: Registry, subscribed: int) -> None:
    step(registry, state="suspended")
    registry.run("UPDATE access.\"grant\" SET state = 'ended', answered_by = 'x'")
    ((_, said),) = due(registry)
    assert said is None


def test_an_item_nobody_subscribed_to_leaves_no_trace(registry: Registry) -> None:
    registry.case("M-1", source="market", organ=ISSUER, item=ITEM)
    subscriptions.queue(registry.engine)
    assert registry.run("SELECT count(*) FROM audit.case_change") == 0


def test_an_item_is_named_with_its_purpose(registry: Registry) -> None:
    clients.make(registry.engine, registry.protector, code="it", organ=ASKER, rights=("check",), days=1)
    with pytest.raises(SubscriptionRefused, match="together"):
        subscriptions.subscribe(
            registry.engine, client="it", url="https://it.example/", actor="office", allowed=(), code=ITEM, topic=CASE
        )
