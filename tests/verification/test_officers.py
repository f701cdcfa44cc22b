"""What no feed can tell is asked of the issuing department: answered as a receipt, never guessed from silence."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import pytest
import requests

from hub.refusals import Contradicted, Malformed, NotFound
from pipeline.runtime import Runtime
from sharedrepo.access import clients
from sharedrepo.keyring import signing
from sharedrepo.keyring.signing import Ed25519Signer
from tests.verification.conftest import Asker, Command, asker_of
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
    body,
)
from tests.web.browser import PASSWORD, Browser
from verification import client, receipts
from verification.audit import sealing
from verification.audit.watch import Watch
from verification.checks import inquiring, officers, waiting
from verification.checks.service import Checker
from verification.evidence.sessions import Sessions
from web.accounts import service as accounts


class Officer:
    """The issuing department's own system."""

    def __init__(self, at: str, secret: str) -> None:
        self.at, self._headers = at, {"Authorization": f"Bearer {secret}"}

    def get(self, path: str) -> requests.Response:
        return requests.get(self.at + path, headers=self._headers, timeout=20)

    def listed(self, state: str = "open") -> list[dict[str, Any]]:
        answer = self.get(f"/v1/inquiries?state={state}")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["inquiries"]
        return found

    def answer(self, number: int, said: str, **over: str) -> requests.Response:
        body = {"answer": said, "reason": "依登记簿", "officer": "浙市监-017", **over}
        return requests.post(f"{self.at}/v1/inquiries/{number}", json=body, headers=self._headers, timeout=20)


@pytest.fixture(autouse=True)
def shared(registry: Registry) -> None:
    registry.behind()


@pytest.fixture
def officer(runtime: Runtime, service: str) -> Officer:
    secret, _ = clients.make(
        runtime.engine, runtime.protector, code="market-officers", organ=ISSUER, rights=["confirm"], days=1
    )
    return Officer(service, secret)


@pytest.fixture
def checker(runtime: Runtime) -> Checker:
    return Checker(
        Sessions(runtime.engine), runtime.protector, Ed25519Signer.of(runtime.protector.ring), Watch(3600)
    )  # fmt: skip


def undetermined(asker: Asker, **over: Any) -> str:
    said = asker.check(body(**over))
    assert said["answer"]["outcome"] == "undetermined"
    return str(said["id"])


def put(asker: Asker, check: str, **said: str) -> requests.Response:
    return asker.post(f"/v1/checks/{check}/inquiry", said)


@pytest.mark.parametrize(
    ("said", "outcome", "rely", "reason"),
    [("yes", "match", True, None), ("no", "denied", False, None), ("not_ours", "undetermined", False, "not_ours")],
)
def test_an_officers_answer_is_a_new_receipt_that_names_its_basis(
    registry: Registry, asker: Asker, officer: Officer, said: str, outcome: str, rely: bool, reason: str | None
) -> None:
    first = asker.check(body())
    number = first["id"]
    asked = put(asker, number)
    assert asked.status_code == 202, asked.text
    assert (asked.json()["state"], asked.json()["issuer"]) == ("asked", ISSUER), "the only one that issues these"
    (row,) = officer.listed()
    assert FIRM not in str(row)
    assert FIRM_NAME not in str(row), "whom it is about is told where it is opened"
    question = officer.get(f"/v1/inquiries/{row['number']}").json()
    assert question["credential"] == {
        "type": LICENCE, "number": "JY-001", "holder_number": FIRM, "holder_name": FIRM_NAME
    }  # fmt: skip
    assert officer.answer(row["number"], said).json() == {"number": row["number"], "state": "answered"}
    now = asker.get(f"/v1/checks/{number}").json()
    answer = now["answer"]
    assert (answer["outcome"], answer["may_rely"], answer["reason"]) == (outcome, rely, reason)
    assert answer["officer"]["basis"] == f"officer of {ISSUER}"
    assert (answer["officer"]["said"], answer["evidence"]) == (said, [])
    assert (now["inquiry"]["answer"], now["inquiry"]["reason"]) == (said, "依登记簿")
    keys = signing.published(registry.engine)
    assert receipts.verify(now, keys)["commitment"] != receipts.verify(first, keys)["commitment"]
    assert officer.listed() == []
    assert officer.answer(row["number"], "no").status_code == 422, "it is answered once"
    kept = registry.run("SELECT answered_by FROM audit.inquiry")
    assert kept == "client:market-officers/浙市监-017"
    assert "浙市监-017" not in json.dumps(now, ensure_ascii=False)


def test_all_of_it_is_in_the_sealed_log(registry: Registry, asker: Asker, officer: Officer, runtime: Runtime) -> None:
    put(asker, undetermined(asker))
    (row,) = officer.listed()
    officer.get(f"/v1/inquiries/{row['number']}")
    officer.answer(row["number"], "yes")
    log = registry.run("SELECT array_agg(kind || ' ' || outcome || ' ' || organ ORDER BY entry_id) FROM audit.entry")
    assert log == [
        f"credential undetermined {ASKER}", f"read inquiry_asked {ASKER}", f"read inquiry {ISSUER}",
        f"credential match {ASKER}",
    ]  # fmt: skip
    signer, deadline = Ed25519Signer.of(runtime.protector.ring), time.monotonic() + 20
    while sealing.oldest_unsealed(runtime.engine) is not None:  # the hub that serves may be at it just now
        assert time.monotonic() < deadline
        sealing.seal(runtime.engine, signer)
    found = sealing.verify(runtime.engine, signing.published(runtime.engine))
    assert (found.faults, found.unsealed) == ((), 0)


def test_silence_stays_silence_and_is_told(
    registry: Registry, asker: Asker, officer: Officer, command: Command
) -> None:
    number = undetermined(asker)
    put(asker, number)
    registry.run("UPDATE audit.inquiry SET due = current_date - 2")
    now = asker.get(f"/v1/checks/{number}").json()
    assert (now["answer"]["outcome"], now["inquiry"]["state"]) == ("undetermined", "silent")
    (row,) = officer.listed("silent")
    assert [one["number"] for one in command("verify", "inquiries", "--state", "silent", "--json")["inquiries"]] == [
        row["number"]
    ]
    assert officer.answer(row["number"], "yes").status_code == 200, "late is better than never"
    assert asker.get(f"/v1/checks/{number}").json()["answer"]["outcome"] == "match"


def test_a_feed_that_comes_first_answers_and_ends_the_inquiry(
    registry: Registry, asker: Asker, officer: Officer, checker: Checker
) -> None:
    later = (NOW + timedelta(days=2)).isoformat()
    waits, open_ = undetermined(asker, wait_until=later), undetermined(asker)
    for one in (waits, open_):
        put(asker, one)
    first, second = (one["number"] for one in officer.listed())
    registry.credential(source="market")
    registry.through("market", NOW)
    assert waiting.answer_all(checker, registry.protector)["answered"] == 1
    assert asker.get(f"/v1/checks/{waits}").json()["inquiry"]["state"] == "overtaken"
    assert officer.answer(first, "no").status_code == 422
    assert officer.answer(second, "no").json()["state"] == "overtaken", "a register is not weighed against a word"
    assert asker.get(f"/v1/checks/{open_}").json()["answer"]["outcome"] == "match"
    assert registry.run("SELECT count(*) FROM audit.entry WHERE outcome = 'match'") == 2


def test_who_lost_its_grant_is_told_nothing(registry: Registry, asker: Asker, officer: Officer) -> None:
    number = undetermined(asker)
    put(asker, number)
    registry.run("""UPDATE access."grant" SET state = 'ended', answered_by = 'x', answered_at = now()""")
    (row,) = officer.listed()
    assert officer.answer(row["number"], "yes").status_code == 422
    assert registry.run("SELECT state FROM audit.inquiry") == "withdrawn"
    assert asker.get(f"/v1/checks/{number}").json()["answer"]["outcome"] == "undetermined"
    assert put(asker, number).status_code == 403


def test_what_an_officer_cannot_decide_is_refused(
    registry: Registry, asker: Asker, officer: Officer, runtime: Runtime
) -> None:
    number = undetermined(asker)
    other = asker_of(runtime, asker.at, code="other", organ=OTHER)
    assert put(other, number).status_code == 404
    assert put(asker, "00000000-0000-0000-0000-000000000000").status_code == 404
    assert put(asker, number, issuer="x").json()["faults"][0]["field"] == "issuer"
    named = undetermined(asker, credential={"issuer": ISSUER})
    assert put(asker, named, issuer=OTHER).json()["faults"][0]["code"] == "issuer_differs"
    nobody = put(asker, number, issuer=OTHER)
    assert (nobody.status_code, "nobody" in nobody.text) == (422, True), "it is said at once, not after days of silence"
    known = asker.check(body(credential={"number": "another"}))
    assert put(asker, known["id"]).status_code == 422, "it can be answered without an officer"
    registry.credential("elsewhere", source="harbour", issuer=OTHER)
    assert put(asker, number).json()["faults"][0]["code"] == "issuer_missing", "one of two is to be named"
    assert registry.run("SELECT count(*) FROM audit.inquiry") == 0


def test_a_check_has_one_open_inquiry_and_another_department_may_be_next(
    registry: Registry, asker: Asker, officer: Officer, runtime: Runtime
) -> None:
    clients.make(runtime.engine, runtime.protector, code="harbour", organ=OTHER, rights=["confirm"], days=1)
    number = undetermined(asker)
    assert put(asker, number).json() == put(asker, number).json()
    assert put(asker, number, issuer=OTHER).json()["issuer"] == ISSUER, "the open one stays"
    (row,) = officer.listed()
    officer.answer(row["number"], "not_ours")
    assert put(asker, number, issuer=OTHER).json()["issuer"] == OTHER
    assert officer.listed() == []
    (theirs,) = officers.listed(registry.engine, issuer=OTHER, now=NOW)
    assert officer.get(f"/v1/inquiries/{theirs['number']}").status_code == 404, "it is another department's"


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"answer": "perhaps"}, "answer"),
        ({"reason": " "}, "reason"),
        ({"reason": "——\u200b"}, "reason"),
        ({"reason": f"{PERSON} 已注销"}, "reason"),
        ({"officer": ""}, "officer"),
    ],
)
def test_an_answer_that_cannot_be_taken_says_why(
    registry: Registry, asker: Asker, officer: Officer, over: dict[str, str], field: str
) -> None:
    put(asker, undetermined(asker))
    (row,) = officer.listed()
    refused = officer.answer(row["number"], over.get("answer", "yes"), **over)
    assert (refused.status_code, refused.json()["faults"][0]["field"]) == (400, field)
    assert registry.run("SELECT state FROM audit.inquiry") == "asked"


def test_of_two_who_answer_at_once_one_is_written(
    registry: Registry, asker: Asker, officer: Officer, checker: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(asker, undetermined(asker))
    (row,) = officer.listed()
    found = inquiring.found

    def slow(*words: Any) -> Any:  # the other one is first, after this one has looked
        monkeypatch.setattr(inquiring, "found", found)
        seen = found(*words)
        assert officers.answer(checker, row["number"], ISSUER, said="no", reason="x", actor="b") == "answered"
        return seen

    monkeypatch.setattr(inquiring, "found", slow)
    with pytest.raises(Contradicted):
        officers.answer(checker, row["number"], ISSUER, said="yes", reason="x", actor="a")
    assert registry.run("SELECT count(*) FROM audit.entry WHERE outcome IN ('match', 'denied')") == 1
    assert registry.run("SELECT answered_by FROM audit.inquiry") == "b"


def test_an_erased_question_cannot_be_answered(
    registry: Registry, asker: Asker, officer: Officer, checker: Checker
) -> None:
    number = undetermined(asker)
    put(asker, number)
    registry.run("UPDATE audit.entry SET personal = NULL, subject_hash = NULL")
    (row,) = officer.listed()
    assert officer.get(f"/v1/inquiries/{row['number']}").json()["credential"] is None
    with pytest.raises(Contradicted, match="withdrawn"):
        officers.answer(checker, row["number"], ISSUER, said="yes", reason="x", actor="a")
    with pytest.raises(NotFound):
        officers.answer(checker, row["number"], OTHER, said="yes", reason="x", actor="a")
    with pytest.raises(Malformed):
        officers.answer(checker, row["number"], ISSUER, said="yes", reason="", actor="a")


def test_the_client_asks_and_reads_the_basis(registry: Registry, asker: Asker, officer: Officer) -> None:
    hub = client.Hub(asker.at, asker.code, asker.secret)
    checked = hub.check(body())
    assert hub.inquire(checked.id).state == "asked"
    officer.answer(officer.listed()[0]["number"], "yes")
    said = hub.read(checked.id).answer
    assert isinstance(said, client.CredentialAnswer)
    assert (said.outcome, said.basis) == ("match", f"officer of {ISSUER}")


def test_an_officer_answers_in_the_browser_and_a_supervisor_sees_who_is_silent(
    registry: Registry, asker: Asker, runtime: Runtime, service: str
) -> None:
    def signed_in(code: str, role: str, organ: str | None = None) -> Browser:
        accounts.make(
            runtime.engine, code=code, name=code, roles=[role], organ=organ, password=PASSWORD, actor="cli:test"
        )
        made = Browser(service)
        made.sign_in(code)
        return made

    hers, theirs = signed_in("ma.li", "issuing_officer", ISSUER), signed_in("li", "issuing_officer", OTHER)
    number = undetermined(asker)
    assert put(asker, number).status_code == 202, "an account is enough, too"
    listed = hers.see("/inquiries")
    assert (listed.status_code, LICENCE in listed.text, FIRM in listed.text) == (200, True, False)
    opened = hers.see("/inquiries/1")
    assert (FIRM in opened.text, FIRM_NAME in opened.text, PURPOSE in opened.text) == (True, True, True)
    assert theirs.see("/inquiries/1").status_code == 404
    assert LICENCE not in theirs.see("/inquiries").text
    registry.run("UPDATE audit.inquiry SET due = current_date - 2")
    watching = signed_in("boss", "supervisor").see("/inquiries")
    assert ("past its day" in watching.text, FIRM in watching.text) == (True, False)
    refused = hers.fill_in("/inquiries/1", {"answer": "yes", "reason": " "})
    assert (refused.status_code, "Say why" in refused.text) == (422, True)
    assert "The answer is given" in hers.fill_in("/inquiries/1", {"answer": "yes", "reason": "依登记簿"}).text
    assert asker.get(f"/v1/checks/{number}").json()["answer"]["outcome"] == "match"
    again = hers.fill_in("/inquiries/1", {"answer": "no", "reason": "x"}, page="/account")
    assert (again.status_code, "ended already" in again.text) == (409, True)
    assert registry.run("SELECT answered_by FROM audit.inquiry") == "account:ma.li"
