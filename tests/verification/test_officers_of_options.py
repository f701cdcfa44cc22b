"""An option of prerequisites that no feed can tell is asked of the department that issues it, each of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from alembic import command
from alembic.config import Config

from hub.refusals import Contradicted
from pipeline.runtime import Runtime
from sharedrepo.access import clients
from sharedrepo.keyring import signing
from sharedrepo.keyring.signing import Ed25519Signer
from sharedrepo.migrate import SQL, newest, upgrade
from tests.catalog import items
from tests.verification.conftest import Asker, asker_of
from tests.verification.registry import (
    ASKER,
    FIRM,
    FIRM_NAME,
    ISSUER,
    LICENCE,
    NOW,
    OTHER,
    PERSON,
    PURPOSE,
    Registry,
    today,
)
from tests.verification.test_officers import Officer
from tests.web.browser import PASSWORD, Browser
from verification import client, receipts
from verification.audit import log, sealing
from verification.audit.watch import Watch
from verification.checks import officers, waiting
from verification.checks.service import Checker
from verification.evidence.sessions import Sessions
from web.accounts import service as accounts

ITEM, BEFORE = items.code(1), items.code(2)
SITE, PROJECT = "用地规划许可证", "P-9"
LICENSED, SITED, DECIDED = {"group": 0, "option": 0}, {"group": 1, "option": 0}, {"group": 1, "option": 1}


@pytest.fixture(autouse=True)
def catalogue(registry: Registry) -> None:
    """An item that needs a licence, whose feed is behind, and what no feed brings: a permit or a decision."""
    groups = [
        {"name": "经营", "holder": "applicant", "valid_on": "decision", "any_of": [{"credential": LICENCE}]},
        {"name": "用地", "holder": "project", "valid_on": "application", "any_of": [
            {"credential": SITE, "issued_by": OTHER, "not_older_than": {"value": 1, "unit": "year"}},
            {"item": BEFORE},
        ]},
    ]  # fmt: skip
    items.published(registry.engine, BEFORE, content=items.content(name="用地预审"))
    items.published(registry.engine, ITEM, content=items.content(requirements=groups))
    for kind, code in (("credential_type", LICENCE), ("credential_type", SITE), ("item", BEFORE)):
        registry.share(code, kind)
        registry.grant(code, kind)
    registry.case()
    registry.credential("of others", holder=(PERSON, None))
    registry.through("market", NOW - timedelta(days=9))


@pytest.fixture
def market(runtime: Runtime, service: str) -> Officer:
    return officer_of(runtime, service, "market-officers", ISSUER)


@pytest.fixture
def land(runtime: Runtime, service: str) -> Officer:
    return officer_of(runtime, service, "land-officers", OTHER)


@pytest.fixture
def checker(runtime: Runtime) -> Checker:
    return Checker(Sessions(runtime.engine), runtime.protector, Ed25519Signer.of(runtime.protector.ring), Watch(3600))


def officer_of(runtime: Runtime, at: str, code: str, organ: str) -> Officer:
    secret, _ = clients.make(runtime.engine, runtime.protector, code=code, organ=organ, rights=["confirm"], days=1)
    return Officer(at, secret)


def question(**over: Any) -> dict[str, Any]:
    return {
        "kind": "prerequisites", "item": ITEM, "applicant": {"number": FIRM, "name": FIRM_NAME}, "project": PROJECT,
        "case": "A-1", "purpose": PURPOSE, **over,
    }  # fmt: skip


def undetermined(asker: Asker, **over: Any) -> str:
    said = asker.check(question(**over))
    assert said["answer"]["outcome"] == "undetermined"
    return str(said["id"])


def put(asker: Asker, check: str, **said: Any) -> requests.Response:
    return asker.post(f"/v1/checks/{check}/inquiry", said)


def asked(asker: Asker, check: str, **said: Any) -> dict[str, Any]:
    answer = put(asker, check, **said)
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    return told


def now(asker: Asker, check: str) -> dict[str, Any]:
    told: dict[str, Any] = asker.get(f"/v1/checks/{check}").json()
    return told


def option(answer: dict[str, Any], place: dict[str, int]) -> dict[str, Any]:
    found: dict[str, Any] = answer["groups"][place["group"]]["options"][place["option"]]
    return found


def said(inquiry: dict[str, Any]) -> dict[str, Any]:
    """What is said of the option: the document names what is not asked for as null."""
    return {name: one for name, one in inquiry["option"].items() if one is not None}


def test_two_departments_answer_for_what_each_of_them_issues(
    registry: Registry, asker: Asker, market: Officer, land: Officer
) -> None:
    first = asker.check(question())
    check = first["id"]
    assert (asked(asker, check, **LICENSED)["issuer"], asked(asker, check, **SITED)["issuer"]) == (ISSUER, OTHER)
    (hers,), (theirs,) = market.listed(), land.listed()
    assert (hers["type"], hers["item"], theirs["type"]) == (LICENCE, None, SITE)
    assert market.answer(hers["number"], "yes").json() == {"number": hers["number"], "state": "answered"}
    half = now(asker, check)
    assert (half["answer"]["outcome"], [one["state"] for one in half["answer"]["groups"]]) == (
        "undetermined", ["met", "undetermined"]
    )  # fmt: skip
    assert land.answer(theirs["number"], "yes").status_code == 200
    whole = now(asker, check)
    answer = whole["answer"]
    assert (answer["outcome"], answer["may_rely"], answer["later_status_unknown"]) == ("met", True, False)
    for place, organ in ((LICENSED, ISSUER), (SITED, OTHER)):
        told = option(answer, place)
        assert (told["state"], told["evidence"], told["officer"]["said"]) == ("met", None, "yes")
        assert told["officer"]["basis"] == f"officer of {organ}"
    assert answer["groups"][0]["options"][0]["officer"] == half["answer"]["groups"][0]["options"][0]["officer"]
    assert [(one["group"], one["option"], one["state"]) for one in whole["inquiries"]] == [
        (0, 0, "answered"), (1, 0, "answered")
    ]  # fmt: skip
    keys = signing.published(registry.engine)
    assert len({receipts.verify(one, keys)["commitment"] for one in (first, half, whole)}) == 3
    option(answer, SITED)["officer"]["said"] = "no"
    with pytest.raises(receipts.BadReceipt):
        receipts.verify(whole, keys)


def test_an_officer_sees_the_option_and_its_holder_and_nothing_else_of_the_question(
    registry: Registry, asker: Asker, market: Officer, land: Officer
) -> None:
    check = undetermined(asker)
    for place in (LICENSED, SITED, DECIDED):
        asked(asker, check, **place)
    assert FIRM not in str(market.listed()), "whom it is about is told where it is opened"
    licensed, decided = (market.get(f"/v1/inquiries/{one['number']}").json() for one in market.listed())
    sited = land.get(f"/v1/inquiries/{land.listed()[0]['number']}").json()
    assert (said(licensed), licensed["on"], licensed["credential"]) == (
        {"credential": LICENCE, "holder": "applicant", "holder_number": FIRM, "holder_name": FIRM_NAME},
        today().isoformat(), None,
    )  # fmt: skip
    assert (said(sited), sited["on"]) == (
        {"credential": SITE, "holder": "project", "project": PROJECT, "not_older_than": {"value": 1, "unit": "year"}},
        "2026-05-01",
    )
    assert (said(decided), decided["item"]) == (
        {"item": BEFORE, "item_name": "用地预审", "holder": "project", "project": PROJECT}, BEFORE
    )  # fmt: skip
    for one, other in ((licensed, PROJECT), (sited, FIRM), (decided, FIRM)):
        assert other not in str(one)
        assert "A-1" not in str(one)
        assert ITEM not in str(one), "for what it is needed is not the officer's business"
    assert land.get(f"/v1/inquiries/{licensed['number']}").status_code == 404, "it is another department's"
    assert land.answer(licensed["number"], "yes").status_code == 404


@pytest.mark.parametrize(
    ("said", "whole", "state", "rely"),
    [("yes", "undetermined", "met", True), ("no", "not_met", "denied", False),
     ("not_ours", "undetermined", "undetermined", False)],
)  # fmt: skip
def test_each_answer_decides_its_option_and_then_the_groups(
    registry: Registry, asker: Asker, market: Officer, said: str, whole: str, state: str, rely: bool
) -> None:
    check = undetermined(asker)
    asked(asker, check, **LICENSED)
    market.answer(market.listed()[0]["number"], said)
    answer = now(asker, check)["answer"]
    told = option(answer, LICENSED)
    assert (answer["outcome"], told["state"], told["may_rely"]) == (whole, state, rely)
    assert told["officer"]["said"] == said
    assert told["reason"] == ("feed_behind" if said == "not_ours" else None)
    assert asker.answer(question())["groups"][0]["state"] == "undetermined", "it holds in this check alone"
    assert registry.run("SELECT count(*) FROM core.credential") == 1, "and stands in no record"


def test_a_department_that_does_not_issue_it_leaves_it_to_the_next(
    registry: Registry, asker: Asker, market: Officer, land: Officer
) -> None:
    check = undetermined(asker)
    assert asked(asker, check, **DECIDED)["issuer"] == ISSUER, "the organ that the catalogue names"
    assert asked(asker, check, **DECIDED) == asked(asker, check, **DECIDED, issuer=OTHER), "the open one stays"
    market.answer(market.listed()[0]["number"], "not_ours")
    assert asked(asker, check, **DECIDED, issuer=OTHER)["issuer"] == OTHER
    (row,) = land.listed()
    land.answer(row["number"], "yes")
    told = option(now(asker, check)["answer"], DECIDED)
    assert (told["state"], told["officer"]["organ"]) == ("met", OTHER)
    assert registry.run("SELECT array_agg(state ORDER BY inquiry_id) FROM audit.inquiry") == ["answered", "answered"]


def test_the_option_may_be_left_out_where_only_one_can_be_meant(
    registry: Registry, asker: Asker, market: Officer, land: Officer
) -> None:
    check = undetermined(asker)
    assert put(asker, check).json()["faults"][0]["code"] == "option_missing"
    assert asked(asker, check, issuer=OTHER)["option"] == 0, "the only one that is known to be theirs"
    registry.credential("of others", source="land", credential_type=SITE, issuer=OTHER, holder=(PERSON, None))
    registry.case("L-1", source="land", organ=ISSUER, item=BEFORE, project=PROJECT, state="closed")
    registry.decision("L-1", source="land", on=date(2026, 4, 1), organ=ISSUER)
    one = undetermined(asker)
    told = asked(asker, one)
    assert (told["group"], told["option"], told["issuer"]) == (0, 0, ISSUER)


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"group": 7, "option": 0}, 400, "option_unknown"),
        ({"group": 1, "option": 2}, 400, "option_unknown"),
        ({"group": 1}, 400, "missing"),
        ({"option": 1}, 400, "missing"),
        ({"group": -1, "option": 0}, 400, "greater_than_equal"),
        ({"group": 10**30, "option": 0}, 400, "less_than_equal"),
        ({"group": True, "option": 0}, 400, "int_type"),
        ({"group": 0.5, "option": 0}, 400, "int_from_float"),
        ({"group": 7.0, "option": 0.0}, 400, "option_unknown"),
        ({"group": "0", "option": "0"}, 400, "int_type"),
        ({"group": 0, "option": 0, "said": "yes"}, 400, "extra_forbidden"),
        ({**SITED, "issuer": ISSUER}, 400, "issuer_differs"),
    ],
)
def test_a_place_that_is_none_is_told_by_field(
    registry: Registry, asker: Asker, market: Officer, land: Officer, said: dict[str, Any], status: int, code: str
) -> None:
    refused = put(asker, undetermined(asker), **said)
    assert (refused.status_code, refused.json()["faults"][0]["code"]) == (status, code)
    assert registry.run("SELECT count(*) FROM audit.inquiry") == 0


def test_what_is_told_already_or_may_not_be_told_is_asked_of_nobody(
    registry: Registry, asker: Asker, market: Officer, land: Officer, runtime: Runtime
) -> None:
    check = undetermined(asker)
    assert put(asker_of(runtime, asker.at, code="other", organ=OTHER), check, **LICENSED).status_code == 404
    registry.credential()
    assert put(asker, check, **LICENSED).status_code == 422, "it is met, as of when its feed came"
    assert asked(asker, check, **SITED)["state"] == "asked"
    registry.run("""UPDATE access."grant" SET state = 'ended', answered_by = 'x', answered_at = now()
                    WHERE code = :code""", code=BEFORE)  # fmt: skip
    barred = put(asker, check, **DECIDED)
    assert (barred.status_code, barred.json()["type"]) == (403, "urn:approval-exchange-hub:NotAllowed")
    assert registry.run("SELECT count(*) FROM audit.entry WHERE kind = 'refused' AND outcome = 'not_allowed'") == 1
    without = asker.check({name: said for name, said in question().items() if name != "project"})["id"]
    assert put(asker, without, **SITED).status_code == 422, "the project that must hold it is not named"
    credential = asker.check({"kind": "credential", "case": "A-1", "purpose": PURPOSE, "credential": {
        "type": LICENCE, "number": "JY-404", "holder_number": FIRM}})["id"]  # fmt: skip
    assert put(asker, credential, **LICENSED).json()["faults"][0]["code"] == "option_unknown"
    assert registry.run("SELECT count(*) FROM audit.inquiry") == 1


def test_a_group_that_is_met_leaves_its_other_option_unasked(
    registry: Registry, asker: Asker, market: Officer, land: Officer
) -> None:
    check = undetermined(asker)
    asked(asker, check, **SITED)
    land.answer(land.listed()[0]["number"], "yes")
    assert put(asker, check, **DECIDED).status_code == 422, "one option is enough"
    assert put(asker, check, **SITED).status_code == 422, "it was answered"
    told = asked(asker, check)
    assert (told["group"], told["option"]) == (0, 0), "which leaves one"


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"answer": "perhaps"}, "answer"),
        ({"reason": " "}, "reason"),
        ({"reason": f"{PERSON} 已注销"}, "reason"),
        ({"officer": ""}, "officer"),
    ],
)
def test_an_answer_that_cannot_be_taken_changes_nothing(
    registry: Registry, asker: Asker, market: Officer, over: dict[str, str], field: str
) -> None:
    asked(asker, undetermined(asker), **LICENSED)
    refused = market.answer(market.listed()[0]["number"], over.get("answer", "yes"), **over)
    assert (refused.status_code, refused.json()["faults"][0]["field"]) == (400, field)
    assert registry.run("SELECT state FROM audit.inquiry") == "asked"


def test_an_answer_that_comes_again_is_refused_and_the_first_stands(
    registry: Registry, asker: Asker, market: Officer
) -> None:
    check = undetermined(asker)
    asked(asker, check, **LICENSED)
    (row,) = market.listed()
    market.answer(row["number"], "yes")
    before = now(asker, check)["receipt"]
    assert [market.answer(row["number"], said).status_code for said in ("yes", "no")] == [422, 422]
    assert now(asker, check)["receipt"] == before


def test_a_check_that_waits_keeps_the_word_and_is_answered_by_feed_and_word_together(
    registry: Registry, asker: Asker, market: Officer, checker: Checker
) -> None:
    check = undetermined(asker, wait_until=(NOW + timedelta(days=9)).isoformat())
    asked(asker, check, **LICENSED)
    market.answer(market.listed()[0]["number"], "yes")
    assert now(asker, check)["state"] == "waiting", "the other group is still waited for"
    checker.clock = lambda: NOW + timedelta(days=2)
    assert waiting.answer_all(checker, registry.protector) == {"answered": 0, "refused": 0, "waiting": 1}
    registry.case("L-1", source="land", organ=ISSUER, item=BEFORE, project=PROJECT, state="closed")
    registry.decision("L-1", source="land", on=date(2026, 4, 1), organ=ISSUER)
    assert waiting.answer_all(checker, registry.protector)["answered"] == 1
    answer = now(asker, check)["answer"]
    assert (answer["outcome"], option(answer, LICENSED)["officer"]["said"]) == ("met", "yes")
    assert answer["on"] == today().isoformat(), "a word holds for the day that was asked about"


def test_fresh_evidence_is_not_weighed_against_a_word(
    registry: Registry, asker: Asker, market: Officer, land: Officer, checker: Checker
) -> None:
    check = undetermined(asker, wait_until=(NOW + timedelta(days=9)).isoformat())
    asked(asker, check, **LICENSED)
    market.answer(market.listed()[0]["number"], "yes")
    asked(asker, check, **SITED)
    registry.credential("of others", source="land", credential_type=SITE, issuer=OTHER, holder=(PERSON, None))
    registry.through("market", NOW)
    (row,) = land.listed()
    assert land.answer(row["number"], "yes").json()["state"] == "overtaken", "its feed came: there is none"
    answer = now(asker, check)["answer"]
    assert (option(answer, SITED)["state"], option(answer, LICENSED)["state"]) == ("missing", "missing")
    assert "officer" not in option(answer, LICENSED), "a register that is far enough says that there is none"
    assert "officer" not in option(answer, SITED)


def test_a_feed_that_answers_the_waiting_check_ends_what_is_open(
    registry: Registry, asker: Asker, market: Officer, land: Officer, checker: Checker
) -> None:
    check = undetermined(asker, wait_until=(NOW + timedelta(days=2)).isoformat())
    for place in (LICENSED, SITED):
        asked(asker, check, **place)
    registry.through("market", NOW)
    assert waiting.answer_all(checker, registry.protector)["answered"] == 1
    assert now(asker, check)["answer"]["outcome"] == "not_met"
    assert {one["state"] for one in now(asker, check)["inquiries"]} == {"overtaken"}
    assert market.answer(1, "yes").status_code == 422


def test_an_answer_days_later_is_about_the_day_that_was_asked(
    registry: Registry, asker: Asker, market: Officer, checker: Checker
) -> None:
    check = undetermined(asker)
    first = asked(asker, check, **LICENSED)
    assert first["due"] > today().isoformat()
    checker.clock = lambda: datetime.now(UTC) + timedelta(days=30)
    assert officers.opened(checker, 1, ISSUER, actor="a")["state"] == "silent"
    assert officers.opened(checker, 1, ISSUER, actor="a")["on"] == today().isoformat()
    assert officers.answer(checker, 1, ISSUER, said="yes", reason="x", actor="a") == "answered", "late is no silence"
    answer = now(asker, check)["answer"]
    assert (answer["on"], option(answer, LICENSED)["state"]) == (today().isoformat(), "met")


@pytest.mark.parametrize("what", ["grant", "day", "erased"])
def test_what_may_not_be_told_or_is_something_else_by_now_is_withdrawn(
    registry: Registry, asker: Asker, market: Officer, land: Officer, what: str
) -> None:
    check = undetermined(asker)
    for place in (LICENSED, SITED):
        asked(asker, check, **place)
    if what == "grant":
        registry.run("""UPDATE access."grant" SET state = 'ended', answered_by = 'x', answered_at = now()
                        WHERE code = :code""", code=SITE)  # fmt: skip
    elif what == "day":
        registry.run("UPDATE core.case_overview SET applied_at = '2026-04-30'")
    else:
        registry.run("UPDATE audit.entry SET personal = NULL, subject_hash = NULL")
        assert land.get(f"/v1/inquiries/{land.listed()[0]['number']}").json()["option"] is None
    (row,) = land.listed()
    assert land.answer(row["number"], "yes").status_code == 422
    assert registry.run("SELECT state FROM audit.inquiry WHERE issuer = :o", o=OTHER) == "withdrawn"
    assert registry.run("SELECT count(*) FROM audit.entry WHERE kind = 'prerequisites'") == 1, "nothing was told"
    if what != "erased":
        assert market.answer(market.listed()[0]["number"], "yes").status_code == 200, "the other one goes on"


def test_of_two_officers_who_answer_at_once_neither_word_is_lost(
    registry: Registry, asker: Asker, market: Officer, land: Officer, checker: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = undetermined(asker)
    for place in (LICENSED, SITED):
        asked(asker, check, **place)
    (hers,), (theirs,) = market.listed(), land.listed()
    judge = checker.judge

    def slow(*words: Any) -> Any:  # the other one answers after this one has judged
        monkeypatch.setattr(checker, "judge", judge)
        made = judge(*words)
        assert land.answer(theirs["number"], "yes").status_code == 200
        return made

    monkeypatch.setattr(checker, "judge", slow)
    assert officers.answer(checker, hers["number"], ISSUER, said="yes", reason="x", actor="a") == "answered"
    answer = now(asker, check)["answer"]
    assert (answer["outcome"], [one["state"] for one in answer["groups"]]) == ("met", ["met", "met"])
    with pytest.raises(Contradicted):
        officers.answer(checker, hers["number"], ISSUER, said="no", reason="x", actor="b")


def test_an_answer_that_breaks_off_before_it_is_logged_was_not_given(
    registry: Registry, asker: Asker, market: Officer, checker: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = undetermined(asker)
    asked(asker, check, **LICENSED)

    def broken(*_: Any) -> bool:
        raise OSError("the line broke")

    monkeypatch.setattr(log, "write", broken)
    with pytest.raises(OSError, match="the line broke"):
        officers.answer(checker, 1, ISSUER, said="yes", reason="x", actor="a")
    monkeypatch.undo()
    assert registry.run("SELECT state FROM audit.inquiry") == "asked"
    assert now(asker, check)["answer"]["outcome"] == "undetermined"
    assert market.answer(1, "no").json()["state"] == "answered", "it can be answered again"
    assert option(now(asker, check)["answer"], LICENSED)["state"] == "denied"


def test_all_of_it_is_in_the_sealed_log(registry: Registry, asker: Asker, market: Officer, runtime: Runtime) -> None:
    asked(asker, undetermined(asker), **LICENSED)
    market.get("/v1/inquiries/1")
    market.answer(1, "no")
    kept = registry.run("SELECT array_agg(kind || ' ' || outcome || ' ' || organ ORDER BY entry_id) FROM audit.entry")
    assert kept == [
        f"prerequisites undetermined {ASKER}", f"read inquiry_asked {ASKER}", f"read inquiry {ISSUER}",
        f"prerequisites not_met {ASKER}",
    ]  # fmt: skip
    signer = Ed25519Signer.of(runtime.protector.ring)
    while sealing.oldest_unsealed(runtime.engine) is not None:
        sealing.seal(runtime.engine, signer)
    found = sealing.verify(runtime.engine, signing.published(runtime.engine))
    assert (found.faults, found.unsealed) == ((), 0)


def test_one_inquiry_is_open_for_each_option_and_rows_are_whole(registry: Registry, asker: Asker) -> None:
    registry.run(
        """INSERT INTO audit.inquiry (check_id, client_id, organ, issuer, credential_type, purpose, due)
           SELECT gen_random_uuid(), client_id, 'x', 'x', 'x', 'x', '2026-01-01' FROM access.client"""
    )
    for wrong in (
        "credential_type = NULL", "item = 'x'", "item = 'x', credential_type = NULL", "group_place = 0",
        "group_place = -1, option_place = 0, item_version = 1, asked_on = '2026-01-01', held_on = '2026-01-01'",
        "held_on = '2026-01-01'",
    ):  # fmt: skip
        with pytest.raises(Exception, match="ck_inquiry_about"):
            registry.run(f"UPDATE audit.inquiry SET {wrong}")


def test_what_was_asked_before_options_could_be_is_answered_after_the_migration(
    registry: Registry, asker: Asker, market: Officer
) -> None:
    shown = {"type": LICENCE, "number": "JY-404", "holder_number": FIRM}
    old = asker.check({"kind": "credential", "case": "A-1", "purpose": PURPOSE, "credential": shown})["id"]
    asked(asker, old)
    asked(asker, undetermined(asker), **LICENSED)
    config = Config()
    config.set_main_option("script_location", str(SQL / "migrations"))
    with registry.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0044")
    kept = "SELECT array_agg(check_id::text || ' ' || credential_type || ' ' || state) FROM audit.inquiry"
    assert registry.run(kept) == [f"{old} {LICENCE} asked"], "what was asked of options has no place there"
    assert upgrade(registry.engine) == newest()
    assert registry.run(kept) == [f"{old} {LICENCE} asked"]
    assert asked(asker, old)["state"] == "asked", "it is the same one"
    assert market.answer(1, "yes").status_code == 200
    assert now(asker, old)["answer"]["outcome"] == "match"
    assert asked(asker, undetermined(asker), **LICENSED)["state"] == "asked"


def test_the_client_asks_about_an_option_and_reads_the_basis(registry: Registry, asker: Asker, market: Officer) -> None:
    hub = client.Hub(asker.at, asker.code, asker.secret)
    checked = hub.check(question())
    said = hub.inquire(checked.id, group=0, option=0)
    assert (said.state, said.group, said.option, said.issuer) == ("asked", 0, 0, ISSUER)
    market.answer(1, "yes")
    answer = hub.read(checked.id).answer
    assert isinstance(answer, client.PrerequisitesAnswer)
    told = answer.groups[0].options[0]
    assert (told.state, told.basis, answer.groups[1].options[0].basis) == ("met", f"officer of {ISSUER}", None)


def test_the_examples_run_as_they_stand(
    registry: Registry, asker: Asker, market: Officer, land: Officer, tmp_path: Path
) -> None:
    env = {"PATH": os.environ["PATH"], "HUB": asker.at, "CLIENT": asker.code, "SECRET": asker.secret, "NEEDS": ITEM}
    page = Path("docs/verify/officers.md").read_text(encoding="utf-8")
    for text in re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        if "TOKEN=$(" in text:
            env["TOKEN"] = asker.authorise()
        done = subprocess.run(
            ["bash", "-euc", text], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, (text, done.stderr)
        assert json.loads(done.stdout)["state"] == "asked", done.stdout
    assert [one["type"] for one in market.listed()] == [LICENCE, LICENCE]


def test_officers_of_two_departments_answer_in_the_browser(
    registry: Registry, asker: Asker, runtime: Runtime, service: str
) -> None:
    def signed_in(code: str, organ: str) -> Browser:
        accounts.make(
            runtime.engine, code=code, name=code, roles=["issuing_officer"], organ=organ, password=PASSWORD,
            actor="cli:test",
        )  # fmt: skip
        made = Browser(service)
        made.sign_in(code)
        return made

    hers, theirs = signed_in("ma.li", ISSUER), signed_in("li.na", OTHER)
    check = undetermined(asker)
    for place in (LICENSED, SITED, DECIDED):
        asked(asker, check, **place)
    listed = hers.see("/inquiries").text
    assert (LICENCE in listed, BEFORE in listed, SITE in listed, FIRM in listed) == (True, True, False, False)
    opened = hers.see("/inquiries/1").text
    assert (FIRM in opened, FIRM_NAME in opened, PROJECT in opened) == (True, True, False)
    permit = theirs.see("/inquiries/2").text
    assert (PROJECT in permit, FIRM in permit, "1 year" in permit) == (True, False, True)
    assert "用地预审" in hers.see("/inquiries/3").text
    assert theirs.see("/inquiries/1").status_code == 404
    refused = hers.fill_in("/inquiries/1", {"answer": "yes", "reason": f"{PERSON} 的证照"})
    assert (refused.status_code, "leave it out" in refused.text) == (422, True)
    for browser, number in ((hers, 1), (theirs, 2)):
        done = browser.fill_in(f"/inquiries/{number}", {"answer": "yes", "reason": "依登记簿"})
        assert "The answer is given" in done.text
    assert now(asker, check)["answer"]["outcome"] == "met"
    assert "用地预审" in hers.see("/inquiries/3").text, "what nobody needs any more stays open until it is answered"
