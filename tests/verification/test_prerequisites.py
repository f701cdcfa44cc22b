"""All prerequisites of an item checked for an applicant over the API, on evidence of several departments."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.catalog import items
from tests.verification.conftest import Asker
from tests.verification.registry import FIRM, ISSUER, LICENCE, NOW, PERSON, PURPOSE, Registry

ITEM, BEFORE = items.code(1), items.code(2)
SITE = "用地规划许可证"


def question(**over: Any) -> dict[str, Any]:
    return {
        "kind": "prerequisites", "item": ITEM, "applicant": {"number": FIRM}, "case": "A-1", "purpose": PURPOSE, **over
    }  # fmt: skip


@pytest.fixture(autouse=True)
def catalogue(registry: Registry) -> None:
    """An item that needs a licence of the applicant, and a permit of the project or a decision on another item."""
    groups = [
        {"name": "经营", "holder": "applicant", "valid_on": "acceptance", "any_of": [{"credential": LICENCE}]},
        {"name": "用地", "holder": "project", "valid_on": "application",
         "any_of": [{"credential": SITE, "issued_by": ISSUER}, {"item": BEFORE}]},
    ]  # fmt: skip
    gives = [{"kind": "credential", "type": SITE, "name": SITE}]
    items.published(registry.engine, BEFORE, content=items.content(results=gives))
    items.published(registry.engine, ITEM, content=items.content(requirements=groups))
    for kind, code in (("credential_type", LICENCE), ("credential_type", SITE), ("item", BEFORE)):
        registry.share(code, kind)
        registry.grant(code, kind)
    registry.case()


def states(answer: dict[str, Any]) -> list[str]:
    return [one["state"] for one in answer["groups"]]


def test_all_are_met_by_evidence_of_two_departments(registry: Registry, asker: Asker) -> None:
    licence = registry.credential()
    registry.case("L-1", source="land", organ=ISSUER, item=BEFORE, project="P-9", state="closed")
    decision = registry.decision("L-1", source="land", on=date(2026, 4, 1), organ=ISSUER)
    answer = asker.answer(question(project="P-9"))
    assert (answer["outcome"], answer["may_rely"], answer["case"]) == ("met", True, "confirmed")
    first, second = answer["groups"]
    assert (first["day"], first["options"][0]["evidence"]) == ("2026-05-04", licence)
    assert (second["day"], second["option"], second["options"][1]["evidence"]) == ("2026-05-01", 1, decision)


def test_what_another_department_is_handling_is_pending_with_stage_and_due_date(
    registry: Registry, asker: Asker
) -> None:
    registry.credential()
    registry.credential("of others", source="land", credential_type=SITE, holder=(PERSON, None))
    registry.decision("none", source="land", on=date(2026, 4, 1), organ=ISSUER)
    due = datetime(2026, 12, 1, 8, tzinfo=UTC)
    registry.case("L-1", source="land", organ=ISSUER, item=BEFORE, project="P-9", due=due, review=NOW)
    answer = asker.answer(question(project="P-9"))
    assert (answer["outcome"], states(answer)) == ("pending", ["met", "pending"])
    told = answer["groups"][1]["options"][0]
    assert (told["stage"], told["due"], told["organ"]) == ("review", "2026-12-01T08:00:00Z", ISSUER)


def test_expired_revoked_and_missing_are_told_apart(registry: Registry, asker: Asker) -> None:
    registry.credential(valid_to=date(2026, 5, 3))
    registry.case("L-1", source="land", organ=ISSUER, item=BEFORE, project="P-9", state="closed")
    registry.decision("L-1", source="land", on=date(2026, 4, 1), organ=ISSUER)
    registry.decision("L-1", source="land", on=date(2026, 4, 20), organ=ISSUER, decision_kind="revocation")
    registry.credential("of others", source="land", credential_type=SITE, holder=(PERSON, None))
    answer = asker.answer(question(project="P-9"))
    assert (answer["outcome"], states(answer)) == ("not_met", ["expired", "revoked"])
    assert answer["groups"][1]["options"][1]["since"] == "2026-04-20"
    answer = asker.answer(question(applicant={"number": PERSON}, project="P-404"))
    assert states(answer) == ["missing", "missing"]


def test_a_feed_that_is_behind_turns_no_silence_into_a_no(registry: Registry, asker: Asker) -> None:
    registry.credential()
    registry.through("market", NOW - timedelta(days=400))
    answer = asker.answer(question())
    first = answer["groups"][0]
    assert (first["state"], first["options"][0]["stale"], first["options"][0]["may_rely"]) == ("met", True, False)
    assert answer["outcome"] == "undetermined"
    gone = asker.answer(question(applicant={"number": PERSON}))
    assert states(gone)[0] == "undetermined"


def test_what_was_not_granted_is_not_told(registry: Registry, asker: Asker) -> None:
    registry.credential()
    registry.run("""UPDATE access."grant" SET state = 'ended', answered_by = 'x', reason = 'x' WHERE code = :code""",
                 code=LICENCE)  # fmt: skip
    answer = asker.answer(question())
    (told,) = answer["groups"][0]["options"]
    assert (told["state"], told["reason"], told["evidence"]) == ("undetermined", "not_granted", None)
    registry.run("""UPDATE access."grant" SET state = 'ended', answered_by = 'x', reason = 'x'""")
    refused = asker.post("/v1/checks", question())
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:approval-exchange-hub:NotAllowed")


def test_an_unknown_item_and_one_not_in_force_are_no_such_thing(registry: Registry, asker: Asker) -> None:
    unknown = asker.post("/v1/checks", question(item=items.code(9)))
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "no item of the catalogue has this number")
    early = asker.post("/v1/checks", question(case="A-404", on="2025-06-01"))
    assert (early.status_code, early.json()["detail"]) == (404, "the item was not in force on that day")


def test_the_version_at_the_acceptance_of_the_case_is_evaluated(registry: Registry, asker: Asker) -> None:
    items.published(registry.engine, ITEM, change="change", on=date(2026, 6, 1), content=items.content())
    assert asker.answer(question())["item_version"] == 1, "the case was accepted in May"
    later = asker.answer(question(case="A-404", on="2026-06-02"))
    assert (later["item_version"], later["outcome"], later["groups"]) == (2, "met", [])


def test_a_suspension_that_is_over_counts_on_the_days_that_it_lasted(registry: Registry, asker: Asker) -> None:
    record = registry.credential(periods=(("valid", date(2026, 6, 1)),))
    registry.run(
        """INSERT INTO core_history.credential_status (record_id, part, status, since, since_precision, batch_id,
               content_hash, closed_by, closed_at)
           SELECT record_id, 1, 'suspended', '2026-04-01', 'd', batch_id, content_hash, batch_id, now()
           FROM core.credential WHERE record_id = :record""",
        record=record,
    )  # fmt: skip
    assert states(asker.answer(question()))[0] == "suspended", "the case was accepted in May"
    assert states(asker.answer(question(case="A-404", on="2026-06-02")))[0] == "met"
