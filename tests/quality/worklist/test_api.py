"""A department's own program reads its findings and rejected records, page by page, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import TypeAdapter

from quality.returns.service import give_back
from quality.worklist.routes import Findings, Rejections
from sharedrepo.access import clients
from tests.departments import ORGAN, Department
from tests.quality.worklist.conftest import BERND, WorkHub
from tests.web.serving import serving
from web.problems import Problem

OTHER = "11330000002482286K"


@pytest.fixture
def ask(hub: WorkHub) -> Iterator[Callable[..., Any]]:
    """Ask the API as a client of an organ."""
    tokens = {
        (organ, right): clients.make(
            hub.runtime.engine, hub.runtime.protector, code=f"it-{number}", organ=organ, rights=[right], days=1
        )[0]
        for number, (organ, right) in enumerate([(ORGAN, "quality"), (OTHER, "quality"), (ORGAN, "metrics")])
    }
    with serving(lambda: hub.runtime) as url:

        def get(path: str, organ: str = ORGAN, right: str = "quality", **query: Any) -> requests.Response:
            head = {"Authorization": f"Bearer {tokens[organ, right]}"}
            return requests.get(f"{url}{path}", params=query, headers=head, timeout=60)

        yield get


@pytest.fixture
def filled(hub: WorkHub, department: Department, tmp_path: Path) -> WorkHub:
    """Two departments, each with what is refused and what is flagged."""
    other = Department(tmp_path / "sources", "health")
    other.declare(organ=OTHER, owner={"organ": OTHER, "name": "n", "contact": "c"})
    for one in (department, other):
        organ = OTHER if one is other else ORGAN
        one.case("C1", DEPTID=organ, SS_ORGCODE=organ)
        for number in range(3):
            one.put("PRE_NODE", UNID=f"{one.code}-{number}", PROJID="C1", PHASE_CODE="SIGNED")
        one.put("PRE_NODE", UNID=f"{one.code}-flag", PROJID="C1", END_TIME="2026-03-02 08:00:00")
        WorkHub(hub.runtime, one).pull()
    return hub


def test_rejections_are_read_page_by_page_with_their_reasons(filled: WorkHub, ask: Callable[..., Any]) -> None:
    first = TypeAdapter(Rejections).validate_json(ask("/v1/rejections", limit=2).content)
    rest = TypeAdapter(Rejections).validate_json(ask("/v1/rejections", limit=2, after=first.next).content)
    keys = [one.key for page in (first, rest) for one in page.rejections]
    assert keys == ["labour-0", "labour-1", "labour-2"]
    assert rest.next is None
    (told,) = first.rejections[0].findings
    assert (told.rule, told.effect, told.pointer, told.shown) == ("unknown_code", "refuse", "/PHASE_CODE", "SIGNED")
    assert told.hint_zh
    assert ask("/v1/rejections", rule="missing_key").json() == {"rejections": [], "next": None}
    assert len(ask("/v1/rejections", source="labour", stream="PRE_NODE", rule="unknown_code").json()["rejections"]) == 3


def test_findings_are_read_with_their_filters(filled: WorkHub, ask: Callable[..., Any]) -> None:
    every = TypeAdapter(Findings).validate_json(ask("/v1/findings").content)
    assert {one.source for one in every.findings} == {"labour"}
    assert {one.rule for one in every.findings} >= {"unknown_code", "ended_before_started"}
    flags = ask("/v1/findings", effect="flag", rule="ended_before_started").json()["findings"]
    assert [(one["key"], one["waiting"]) for one in flags] == [("labour-flag", False)]
    seen, after = [], 0
    while after is not None:
        page = ask("/v1/findings", limit=1, after=after).json()
        seen += [one["id"] for one in page["findings"]]
        after = page["next"]
    assert seen == [one.id for one in every.findings]


def test_each_organ_reads_its_own(filled: WorkHub, ask: Callable[..., Any]) -> None:
    theirs = ask("/v1/rejections", organ=OTHER).json()["rejections"]
    assert {one["source"] for one in theirs} == {"health"}
    assert ask("/v1/rejections", organ=OTHER, source="labour").json()["rejections"] == []
    assert ask("/v1/findings", organ=OTHER, source="labour").json()["findings"] == []


def test_no_value_of_a_person_is_told(filled: WorkHub, ask: Callable[..., Any]) -> None:
    text = ask("/v1/findings").text + ask("/v1/rejections").text
    for value in ("周敏", "王晓岚", "330185199003071223"):
        assert value not in text


@pytest.mark.parametrize("path", ["/v1/findings", "/v1/rejections"])
def test_other_rights_do_not_open_it_and_bad_questions_have_the_one_shape(
    hub: WorkHub, ask: Callable[..., Any], path: str
) -> None:
    assert ask(path, right="metrics").status_code == 403
    for query in ({"limit": 0}, {"limit": 5_000}, {"after": "x"}, {"rule": "nonsense"}, {"after": 2**70}):
        answer = ask(path, **query)
        assert answer.status_code == 400, query
        TypeAdapter(Problem).validate_json(answer.content)


def test_departments_of_a_source_without_one_organ_see_their_own_rejected_rows(
    hub: WorkHub, ask: Callable[..., Any], tmp_path: Path
) -> None:
    """A platform serves two organs; each row names its own, also one that never came to stand anywhere."""
    platform = Department(tmp_path / "sources", "platform")
    platform.declare(organ=None, owner={"organ": ORGAN, "name": "n", "contact": "c"})
    for organ in (ORGAN, OTHER):
        platform.case(f"C-{organ}", DEPTID=organ, SS_ORGCODE=organ)
        platform.put("PRE_NODE", UNID=f"event-{organ}", PROJID=f"C-{organ}", PHASE_CODE="SIGNED", HANDER_DEPTID=None)
        platform.put("PRE_APASINFO", PROJID=f"new-{organ}", SS_ORGCODE=organ, DATAVERSION="待定")
        platform.put("PRE_NODE", UNID=f"lost-{organ}", PROJID="nobody's", PHASE_CODE="SIGNED", HANDER_DEPTID=organ)
    pulled = WorkHub(hub.runtime, platform)
    pulled.pull()
    for organ in (ORGAN, OTHER):
        found = ask("/v1/rejections", organ=organ).json()["rejections"]
        assert {one["key"] for one in found} == {f"event-{organ}", f"new-{organ}", f"lost-{organ}"}
        assert {one["key"] for one in ask("/v1/findings", organ=organ, effect="refuse").json()["findings"]} == {
            one["key"] for one in found
        }
    made = give_back(pulled.runtime, "platform", tmp_path / "returns", actor=BERND)
    assert {one.organ: sum(one.rows.values()) for one in made} == {ORGAN: 3, OTHER: 3}


def test_a_row_that_was_rejected_before_its_case_came_is_its_cases_organs_from_then_on(
    hub: WorkHub, ask: Callable[..., Any], tmp_path: Path
) -> None:
    """It names no organ itself: nobody is guessed, until its case says whose it is; nothing need be replayed."""
    platform = Department(tmp_path / "sources", "platform")
    platform.declare(organ=None, owner={"organ": ORGAN, "name": "n", "contact": "c"})
    platform.put("PRE_NODE", UNID="early", PROJID="C-late", PHASE_CODE="SIGNED", HANDER_DEPTID=None)

    def keys(organ: str) -> list[str]:
        return [one["key"] for one in ask("/v1/rejections", organ=organ).json()["rejections"]]

    pulled = WorkHub(hub.runtime, platform)
    pulled.pull()
    assert (keys(ORGAN), keys(OTHER)) == ([], [])
    platform.case("C-late", DEPTID=OTHER, SS_ORGCODE=OTHER)
    pulled.pull()
    assert (keys(ORGAN), keys(OTHER)) == ([], ["early"])
