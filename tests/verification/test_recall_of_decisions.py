"""Who relied on another department's decision is told when it is taken back, declared void, changed or deleted."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from sharedrepo.models import HISTORY, TABLES
from tests.catalog import items
from tests.verification.conftest import Asker
from tests.verification.registry import ASKER, FIRM, ISSUER, NOW, PURPOSE, Registry
from verification.notices import recall

GIVEN, ASKED = items.code(1, ISSUER), items.code(2, ASKER)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def decided(registry: Registry) -> int:
    """A granted decision that the item of the asker needs; return its record."""
    needs = [{"name": "立项", "holder": "applicant", "valid_on": "decision", "any_of": [{"item": GIVEN}]}]
    items.published(registry.engine, GIVEN)
    items.published(registry.engine, ASKED, content=items.content(requirements=needs))
    registry.share(GIVEN, "item", class_="unconditional")
    registry.case("M-1", source="market", organ=ISSUER, item=GIVEN, state="closed")
    registry.case("A-1", item=ASKED)
    return registry.decision("M-1", source="market", on=date(2026, 5, 8))


def relied(asker: Asker) -> str:
    said = asker.check({
        "kind": "prerequisites", "item": ASKED, "applicant": {"number": FIRM}, "case": "A-1", "purpose": PURPOSE,
    })  # fmt: skip
    assert said["answer"]["outcome"] == "met"
    return str(said["id"])


def later(registry: Registry) -> None:
    """What was written last was loaded after the check."""
    registry.run("UPDATE ledger.batch SET recorded_at = :at WHERE batch_id = (SELECT max(batch_id) FROM ledger.batch)",
                 at=LATER)  # fmt: skip


def told(registry: Registry, asker: Asker) -> list[tuple[str, str, str | None]]:
    recall.look(registry.engine)
    assert recall.look(registry.engine) == 0, "nothing is told twice"
    rows: list[dict[str, Any]] = asker.get("/v1/recalls").json()["recalls"]
    return [(one["check"], one["status"], one["since"]) for one in rows]


@pytest.mark.parametrize(
    ("over", "status"),
    [({"decision_kind": "revocation", "outcome": "granted"}, "revoked"), ({"outcome": "void"}, "void"),
     ({"outcome": "lapsed"}, "lapsed")],
)  # fmt: skip
def test_a_decision_that_is_taken_back_by_a_later_one_is_recalled(
    registry: Registry, asker: Asker, decided: int, over: dict[str, str], status: str
) -> None:
    check = relied(asker)
    registry.decision("M-1", source="market", on=date(2026, 6, 3), **over)
    later(registry)
    assert told(registry, asker) == [(check, status, "2026-06-03")]


def test_a_decision_that_was_changed_or_deleted_is_recalled(registry: Registry, asker: Asker, decided: int) -> None:
    check = relied(asker)
    table, twin = TABLES["decision"], HISTORY["decision"]
    stream = registry.run("SELECT stream_id FROM ledger.source_record WHERE record_id = :r", r=decided)

    def replaced(**changes: Any) -> None:
        batch = registry.batch(int(stream), LATER)
        with registry.engine.begin() as connection:
            old = connection.execute(sa.select(table).where(table.c.record_id == decided)).mappings().one()
            connection.execute(sa.insert(twin).values({**old, "closed_by": batch, "closed_at": LATER}))
            where = table.c.record_id == decided
            connection.execute(
                sa.update(table).where(where).values(**changes) if changes else sa.delete(table).where(where)
            )

    replaced(document_number="许〔2026〕2号")
    assert told(registry, asker) == [(check, "corrected", None)]
    replaced(outcome="refused")
    assert told(registry, asker)[1:] == [(check, "refused", "2026-05-08")]
    replaced()
    assert told(registry, asker)[2:] == [(check, "deleted", None)]


def test_another_decision_in_the_case_is_no_recall(registry: Registry, asker: Asker, decided: int) -> None:
    relied(asker)
    registry.decision("M-1", source="market", on=date(2026, 6, 3), decision_kind="appeal", outcome="other")
    later(registry)
    assert told(registry, asker) == []
