"""Files of checks: taken at once, answered once, kept through every death of a worker."""

from __future__ import annotations

import csv
import io
import json
import time
from typing import Any

import pytest
import requests

from hub.refusals import NotYet
from pipeline.runtime import Runtime
from sharedrepo.access import clients
from sharedrepo.keyring.signing import Ed25519Signer
from tests.verification.conftest import Asker, asker_of
from tests.verification.registry import ASKER, FIRM, FIRM_NAME, LICENCE, OTHER, PURPOSE, Registry, body
from verification import opened
from verification.audit.watch import Watch
from verification.checks import jobs
from verification.checks.service import Checker
from verification.evidence.sessions import Sessions
from verification.questions import CredentialCheck
from verification.rights.callers import Caller

LINES, SHEET = "application/x-ndjson", "text/csv"


def lines(*questions: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in questions)


def send(asker: Asker, content: bytes, form: str = LINES) -> requests.Response:
    return asker.post("/v1/check-jobs", content, Content_Type=form)


def done(asker: Asker, number: str, within: float = 120) -> dict[str, Any]:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        said: dict[str, Any] = asker.get(f"/v1/check-jobs/{number}").json()
        if said["state"] != "waiting":
            return said
        time.sleep(0.2)
    raise AssertionError("the file is not answered")


def answers(asker: Asker, number: str) -> list[dict[str, Any]]:
    got = asker.get(f"/v1/check-jobs/{number}/result")
    assert got.status_code == 200, got.text
    assert got.headers["Content-Type"] == LINES
    return [json.loads(line) for line in got.text.splitlines()]


@pytest.fixture
def checker(runtime: Runtime) -> Checker:
    """What a worker process has."""
    return Checker(
        Sessions(runtime.engine), runtime.protector, Ed25519Signer.of(runtime.protector.ring), Watch(0)
    )  # fmt: skip


@pytest.fixture
def caller(registry: Registry) -> Caller:
    clients.make(
        registry.engine, registry.protector, code="filer", organ=ASKER, rights=("check",), days=1
    )  # fmt: skip
    number = registry.run("SELECT client_id FROM access.client WHERE code = 'filer'")
    return Caller(int(number), "filer", ASKER)


def asked(count: int) -> list[CredentialCheck]:
    return [
        CredentialCheck.model_validate(body(case=f"A-{place}", credential={"number": f"X-{place}"}))
        for place in range(count)
    ]


def entries(registry: Registry) -> int:
    return int(registry.run("SELECT count(*) FROM audit.entry WHERE kind = 'credential'"))


def test_a_file_is_taken_answered_and_read_in_its_order(registry: Registry, asker: Asker) -> None:
    registry.share()
    registry.grant()
    registry.credential()
    taken = send(asker, lines(body(), body(credential={"number": "nothing"}), body(purpose="别的用途")))
    assert taken.status_code == 202, taken.text
    number = taken.json()["id"]
    assert taken.headers["Location"] == f"/v1/check-jobs/{number}"
    assert taken.json()["questions"] == 3
    said = done(asker, number)
    assert (said["state"], said["answered"], said["reason"]) == ("done", 3, None)
    first, second, third = answers(asker, number)
    assert (first["answer"]["outcome"], second["answer"]["outcome"]) == ("match", "not_found")
    assert third == {"outcome": "not_allowed"}
    assert first["receipt"]["jws"].count(".") == 2
    assert asker.get(f"/v1/checks/{first['id']}").json()["answer"]["outcome"] == "match", "a check like any other"


def test_a_sheet_says_the_same_as_lines(registry: Registry, asker: Asker) -> None:
    registry.share(class_="unconditional")
    registry.credential()
    sheet = io.StringIO()
    names = ["type", "number", "holder_number", "holder_name", "case", "purpose", "on"]
    writer = csv.writer(sheet)
    writer.writerows([names, [LICENCE, "JY-001", FIRM, FIRM_NAME, "A-1", PURPOSE, "2026-01-05"],
                      [LICENCE, "JY-001", FIRM, "", "A-1", PURPOSE, ""]])  # fmt: skip
    taken = send(asker, ("\ufeff" + sheet.getvalue()).encode(), SHEET)
    assert taken.status_code == 202, taken.text
    done(asker, taken.json()["id"])
    told = answers(asker, taken.json()["id"])
    assert [one["answer"]["outcome"] for one in told] == ["match", "match"]
    assert told[0]["answer"]["on"] == "2026-01-05"


@pytest.mark.parametrize(
    ("content", "form", "status", "faults"),
    [
        (b"", LINES, 400, ["line 1"]),
        (b"{", LINES, 400, ["line 1."]),
        (lines(body(), {**body(), "more": 1}), LINES, 400, ["line 2.more"]),
        (lines(body(on="2999-01-01")), LINES, 400, ["line 1.on"]),
        (lines(body(wait_until="2999-01-01T00:00:00Z")), LINES, 400, ["line 1.wait_until"]),
        (lines({"kind": "prerequisites"}), LINES, 400, None),
        (b"x" * 70_000, LINES, 400, ["line 1"]),
        (b"\xff\xfe", SHEET, 400, ["line 1"]),
        (b"type,colour\n", SHEET, 400, ["line 1"]),
        (b"type,type\n", SHEET, 400, ["line 1"]),
        (b"type,number,case,purpose\nA,B\n", SHEET, 400, ["line 2.row"]),
        (b'type,number\n"A\n', SHEET, 400, ["line 2"]),
        (b"type,number,case,purpose\n", SHEET, 400, ["line 1"]),
        (b"{}", "application/json", 415, None),
    ],
)
def test_a_file_with_a_fault_is_refused_as_a_whole(
    asker: Asker, registry: Registry, content: bytes, form: str, status: int, faults: list[str] | None
) -> None:
    answer = send(asker, content, form)
    assert answer.status_code == status, answer.text
    if faults is not None:
        assert [one["field"] for one in answer.json()["faults"]] == faults
    assert registry.run("SELECT count(*) FROM audit.check_job") == 0


def test_more_questions_than_a_file_may_hold_are_refused(
    asker: Asker, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MOST", 2)
    assert send(asker, lines(body(), body(), body())).status_code == 413


def test_a_client_has_few_files_waiting(registry: Registry, checker: Checker, caller: Caller) -> None:
    from hub.refusals import TooMany  # noqa: PLC0415  # for this test

    for _ in range(jobs.MOST_WAITING):
        jobs.add(checker, caller, asked(1))
    with pytest.raises(TooMany):
        jobs.add(checker, caller, asked(1))


def test_a_file_is_its_own_organs_and_is_kept_locked(registry: Registry, asker: Asker, runtime: Runtime) -> None:
    registry.share(class_="unconditional")
    number = send(asker, lines(body())).json()["id"]
    other = asker_of(runtime, asker.at, code="other", organ=OTHER)
    for path in (f"/v1/check-jobs/{number}", f"/v1/check-jobs/{number}/result"):
        assert other.get(path).status_code == 404
    done(asker, number)
    kept = registry.run("SELECT string_agg(p::text, '') FROM audit.check_job_part AS p")
    assert FIRM not in kept
    assert FIRM.encode().hex() not in kept
    assert registry.run("SELECT count(*) FROM audit.check_job_part WHERE questions IS NOT NULL") == 0
    answers(asker, number)
    assert [one["outcome"] for one in asker.get("/v1/log").json()["entries"] if one["kind"] == "read"] == ["job"]


def test_a_result_is_not_told_before_its_time(registry: Registry, checker: Checker, caller: Caller) -> None:
    number = jobs.add(checker, caller, asked(1))
    with pytest.raises(NotYet) as refused:
        jobs.result(checker, caller, number)
    assert (refused.value.status, refused.value.after_seconds) == (409, 5)


def test_a_worker_that_dies_leaves_its_part_to_the_next_and_no_check_is_logged_twice(
    registry: Registry, checker: Checker, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.share(class_="unconditional")
    number = jobs.add(checker, caller, asked(2_500))

    class Died(Exception):
        pass

    assert jobs.work(checker) is True
    with monkeypatch.context() as patch:  # it answered and logged its part, and is killed before it wrote that down
        patch.setattr(checker, "bulk", _killed_after(checker, Died))
        with pytest.raises(Died):
            jobs.work(checker)
    assert entries(registry) == 2_000
    assert jobs.stands(checker, caller, number)["answered"] == 1_000
    assert jobs.work(checker) is True, "the third part is free"
    assert jobs.work(checker) is False, "the second one still belongs to the dead worker"
    registry.run("UPDATE audit.check_job_part SET leased_until = now() WHERE answered_at IS NULL")
    assert jobs.work(checker) is True
    assert jobs.work(checker) is False
    assert jobs.stands(checker, caller, number)["state"] == "done"
    told = [json.loads(line) for line in jobs.result(checker, caller, number)]
    assert [one["asked"]["case"] for one in told] == [f"A-{place}" for place in range(2_500)]
    assert entries(registry) == 2_500, "each question stands in the log once"
    logged = registry.run("SELECT count(DISTINCT check_id) FROM audit.entry WHERE kind = 'credential'")
    assert logged == len({one["id"] for one in told}) == 2_500


def test_a_part_that_lay_longer_than_keys_are_kept_is_still_answered_once(
    registry: Registry, checker: Checker, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.share(class_="unconditional")
    number = jobs.add(checker, caller, asked(3))

    class Died(Exception):
        pass

    with monkeypatch.context() as patch:
        patch.setattr(checker, "bulk", _killed_after(checker, Died))
        with pytest.raises(Died):
            jobs.work(checker)
    registry.run("UPDATE audit.answer_key SET recorded_at = recorded_at - interval '8 days'")
    registry.run("UPDATE audit.check_job_part SET leased_until = now() - interval '7 days'")
    opened.forget(registry.engine, days=7)
    assert jobs.work(checker) is True
    assert jobs.stands(checker, caller, number)["state"] == "done"
    told = {json.loads(line)["id"] for line in jobs.result(checker, caller, number)}
    assert len(told) == entries(registry) == 3, "each question stands in the log once"
    opened.forget(registry.engine, days=7)
    assert registry.run("SELECT count(*) FROM audit.answer_key") == 0, "with the file's end its keys go as all do"


def _killed_after(checker: Checker, error: type[Exception]) -> Any:
    bulk = type(checker).bulk

    def run(*words: Any, **named: Any) -> Any:
        bulk(checker, *words, **named)
        raise error

    return run


def test_a_client_that_is_revoked_gets_no_further_answers(registry: Registry, checker: Checker, caller: Caller) -> None:
    registry.share(class_="unconditional")
    number = jobs.add(checker, caller, asked(1_500))
    assert jobs.work(checker) is True
    clients.revoke(registry.engine, "filer")
    assert jobs.work(checker) is True
    assert jobs.work(checker) is False
    state, reason = (
        registry.run("SELECT state FROM audit.check_job"),
        registry.run("SELECT reason FROM audit.check_job"),
    )
    assert (state, reason) == ("stopped", "client_revoked")
    assert entries(registry) == 1_000
    assert number
