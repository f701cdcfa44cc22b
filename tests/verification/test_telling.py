"""What is told beside checks: a project across departments, the catalogue as JSON, what a client may know of itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pipeline.runtime import Runtime
from tests.catalog import items
from tests.verification.conftest import Asker, asker_of
from tests.verification.registry import ASKER, ISSUER, LICENCE, NOW, OTHER, PURPOSE, Registry
from verification.reading import progress

PROJECT = "2026-330100-47-01-000001"
ITEM, CLOSED = items.code(1, ISSUER), items.code(2, ISSUER)


def ask(asker: Asker, **over: Any) -> list[dict[str, Any]]:
    answer = asker.post("/v1/progress", {"project": PROJECT, "case": "A-1", "purpose": PURPOSE, **over})
    assert answer.status_code == 200, answer.text
    assert answer.json()["project"] == over.get("project", PROJECT)
    cases: list[dict[str, Any]] = answer.json()["cases"]
    return cases


@pytest.fixture
def project(registry: Registry) -> Registry:
    """A project with the asker's own case, one of another department, and one of an item that nobody shares."""
    items.published(registry.engine, ITEM, content=items.content(name="施工许可"))
    registry.case("A-1", project=PROJECT, due=datetime(2026, 6, 1, tzinfo=UTC))
    registry.case("M-1", source="market", organ=ISSUER, item=ITEM, project=PROJECT, applied=date(2026, 5, 2))
    registry.case("M-2", source="market", organ=ISSUER, item=CLOSED, project=PROJECT)
    return registry


def test_a_project_shows_own_cases_and_those_of_shared_items_only(project: Registry, asker: Asker) -> None:
    assert [one["case"] for one in ask(asker)] == ["A-1"]
    project.share(ITEM, "item")
    assert [one["case"] for one in ask(asker)] == ["A-1"], "a conditional class needs a grant"
    project.grant(ITEM, "item")
    own, other = ask(asker)
    assert (own["case"], own["stage"], own["due"]) == ("A-1", "accept", "2026-06-01T00:00:00Z")
    assert (other["case"], other["organ"], other["item"], other["state"]) == ("M-1", ISSUER, ITEM, "in_progress")
    assert other["complete_through"] is not None
    assert [one["case"] for one in ask(asker, purpose="别的用途")] == ["A-1"]
    assert ask(asker, project="2026-330100-47-01-999999") == []


def test_a_class_of_none_bars_what_the_base_code_opens(project: Registry, asker: Asker) -> None:
    project.share(ITEM[19:], "item", class_="unconditional")
    assert len(ask(asker)) == 2, "by the base code, every item of it"
    project.share(ITEM, "item", class_="none")
    assert [one["case"] for one in ask(asker)] == ["A-1"]


def test_another_organ_sees_its_own_cases(project: Registry, asker: Asker, runtime: Runtime) -> None:
    issuer = asker_of(runtime, asker.at, code="issuer", organ=ISSUER)
    assert [one["case"] for one in ask(issuer)] == ["M-2", "M-1"], "by the time of application"
    assert ask(asker_of(runtime, asker.at, code="other", organ=OTHER)) == []


def test_asking_for_a_project_is_logged_with_its_purpose_and_no_project(project: Registry, asker: Asker) -> None:
    ask(asker)
    row = project.run("SELECT to_jsonb(e)::text FROM audit.entry AS e WHERE kind = 'progress'")
    assert PURPOSE in row
    assert PROJECT not in row
    logged = [one for one in asker.get("/v1/log").json()["entries"] if one["kind"] == "progress"]
    assert [(one["outcome"], one["purpose"]) for one in logged] == [("told", PURPOSE)]


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"project": ""}, "project"),
        ({"case": None}, "case"),
        ({"purpose": "x" * 201}, "purpose"),
        ({"more": 1}, "more"),
    ],
)
def test_a_question_that_is_wrong_is_told_at_its_field(asker: Asker, over: dict[str, Any], field: str) -> None:
    answer = asker.post("/v1/progress", {"project": PROJECT, "case": "A-1", "purpose": PURPOSE, **over})
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["faults"]] == [field]


def test_a_project_of_very_many_cases_is_refused(
    project: Registry, asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "MOST", 1)
    project.share(ITEM, "item", class_="unconditional")
    answer = asker.post("/v1/progress", {"project": PROJECT, "case": "A-1", "purpose": PURPOSE})
    assert answer.status_code == 400
    assert "more than 1 cases" in answer.json()["detail"]


def test_items_are_found_and_read_as_the_public_sees_them(registry: Registry, asker: Asker) -> None:
    items.published(registry.engine, ITEM, content=items.content(name="施工许可"), numbers={"旧": "SG-7"})
    items.published(registry.engine, CLOSED, content=items.content(name="机密事项", disclosure="internal"))
    found = asker.get("/v1/items").json()
    assert ([one["code"] for one in found["items"]], found["total"], found["next"]) == ([ITEM], 1, None)
    assert asker.get("/v1/items?q=施工").json()["total"] == 1
    assert asker.get("/v1/items?q=机密").json() == {"items": [], "total": 0, "next": None}
    assert asker.get(f"/v1/items?organ={OTHER}").json()["total"] == 0
    one = asker.get("/v1/items/SG-7").json()
    assert (one["code"], one["content"]["name"], one["versions"][0]["version"]) == (ITEM, "施工许可", 1)
    assert one["content"]["legal_limit"] == {"value": 20, "unit": "working_day"}
    assert asker.get(f"/v1/items/{ITEM}?on=2020-01-01").json()["comes"] is True
    assert asker.get(f"/v1/items/{CLOSED}").status_code == 404
    assert asker.get("/v1/items?on=0").status_code == 400, "a number is no day"
    assert asker.get("/v1/items/%00").status_code in (400, 404)
    assert asker.get("/v1/items?q=%00&type=%27").json()["total"] == 0


def test_a_client_reads_what_it_may_check_and_what_it_asked_for(registry: Registry, asker: Asker) -> None:
    registry.share("营业执照", class_="unconditional")
    registry.share()
    registry.grant(valid_to=date(2030, 1, 1))
    registry.share(ITEM, "item", class_="none")
    said = asker.get("/v1/me/access").json()
    assert (said["client"], said["organ"], said["rights"]) == (asker.code, ASKER, ["check"])
    seen = {one["code"]: (one["unconditional"], one["purpose"], one["valid_to"]) for one in said["may_check"]}
    assert seen == {"营业执照": (True, None, None), LICENCE: (False, PURPOSE, "2030-01-01")}
    assert said["asked"] == []


def test_an_organ_reads_how_far_its_own_feeds_are(registry: Registry, asker: Asker) -> None:
    registry.case()
    registry.credential()
    registry.through("asker", NOW - timedelta(hours=3))
    (feed,) = asker.get("/v1/me/data").json()["feeds"]
    assert (feed["source"], feed["kept"], feed["findings"], feed["complete_basis"]) == ("asker", 1, 0, "declared")
    assert feed["complete_through"] == (NOW - timedelta(hours=3)).isoformat().replace("+00:00", "Z")
    outcomes = [one["outcome"] for one in asker.get("/v1/log").json()["entries"]]
    assert outcomes == ["data"], "that it was read is logged"
