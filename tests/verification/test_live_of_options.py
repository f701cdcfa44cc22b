"""Prerequisites that no feed can tell are asked of each department's own system: once, for what the applicant holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from hub.settings import Settings
from pipeline.runtime import Runtime
from sharedrepo.access import clients
from sharedrepo.keyring import signing
from sharedrepo.keyring.signing import Ed25519Signer
from tests.catalog import items
from tests.connectors.conftest import Department, mariadb, postgres, postgres_url
from tests.verification.conftest import Asker, asker_of
from tests.verification.office import Office
from tests.verification.registry import (
    ASKER,
    FIRM,
    FIRM_NAME,
    ISSUER,
    LICENCE,
    NOW,
    OTHER,
    PERSON,
    PERSON_NAME,
    PURPOSE,
    Registry,
)
from tests.verification.test_live import code_of, rows
from tests.verification.test_officers import Officer
from verification import client, receipts
from verification.audit.watch import Watch
from verification.checks import officers, waiting
from verification.checks.judging import Judged
from verification.checks.live import ask
from verification.checks.service import Checker
from verification.evidence.sessions import Sessions
from verification.notices import recall
from verification.rights.callers import Caller
from web.live import LiveSources

__all__ = ["mariadb", "postgres", "postgres_url"]

ITEM, BEFORE = items.code(1), items.code(2)
SITE, PROJECT = "用地规划许可证", "P-9"
LICENSED, SITED, DECIDED = {"group": 0, "option": 0}, {"group": 1, "option": 0}, {"group": 1, "option": 1}
ALL_TEXT = """SELECT string_agg(format('SELECT %L || t::text FROM %I.%I AS t WHERE t::text LIKE ''%%%s%%''',
        table_schema || '.' || table_name || ' ', table_schema, table_name, CAST(:what AS text)), ' UNION ALL ')
    FROM information_schema.tables WHERE table_type = 'BASE TABLE'
        AND table_schema NOT IN ('pg_catalog', 'information_schema')"""
"""A statement that returns the rows of all tables in which a text stands."""


@pytest.fixture(autouse=True)
def catalogue(registry: Registry) -> None:
    """An item that needs a licence, whose feed is behind, and a permit of another department, or a decision."""
    items.published(registry.engine, BEFORE, content=items.content(name="用地预审"))
    items.published(registry.engine, ITEM, content=needing())
    for kind, code in (("credential_type", LICENCE), ("credential_type", SITE), ("item", BEFORE)):
        registry.share(code, kind)
        registry.grant(code, kind)
    registry.case()
    registry.credential("of others", holder=(PERSON, None))
    registry.through("market", NOW - timedelta(days=9))


def needing(**second: Any) -> dict[str, Any]:
    groups = [
        {"name": "经营", "holder": "applicant", "valid_on": "decision", "any_of": [{"credential": LICENCE}]},
        {"name": "用地", "holder": "applicant", "valid_on": "decision", "any_of": [
            {"credential": SITE, "issued_by": OTHER}, {"item": BEFORE}], **second},
    ]  # fmt: skip
    return items.content(requirements=groups)


def changed(registry: Registry, **second: Any) -> None:
    """Publish a version that no case was accepted under: one that is not known is asked about by it."""
    items.published(registry.engine, ITEM, change="change", on=date(2026, 6, 1), content=needing(**second))


@pytest.fixture
def market(
    settings: Settings, postgres: Department, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> Office:  # fmt: skip
    monkeypatch.setenv("HUB_CONN_MARKET", postgres.url)
    return Office(settings.sources[0], postgres, runtime)


@pytest.fixture
def land(settings: Settings, mariadb: Department, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setenv("HUB_CONN_LAND", mariadb.url)
    return Office(settings.sources[0], mariadb, runtime, code="land", organ=OTHER)


def sited(land: Office, **over: str) -> None:
    land.put(**{"CERT_TYPE": SITE, "CERT_NO": "YD-1", **over})


def question(**over: Any) -> dict[str, Any]:
    return {
        "kind": "prerequisites", "item": ITEM, "applicant": {"number": FIRM, "name": FIRM_NAME}, "project": PROJECT,
        "case": "A-1", "purpose": PURPOSE, **over,
    }  # fmt: skip


def undetermined(asker: Asker, **over: Any) -> str:
    said = asker.check(question(**over))
    assert said["answer"]["outcome"] == "undetermined"
    return str(said["id"])


def live(asker: Asker, check: str, **said: Any) -> requests.Response:
    return asker.post(f"/v1/checks/{check}/live", said)


def told(asker: Asker, check: str, **said: Any) -> dict[str, Any]:
    done = live(asker, check, **said)
    assert done.status_code == 200, done.text
    answer: dict[str, Any] = done.json()["answer"]
    return answer


def option(answer: dict[str, Any], place: dict[str, int]) -> dict[str, Any]:
    found: dict[str, Any] = answer["groups"][place["group"]]["options"][place["option"]]
    return found


def checker_of(runtime: Runtime, kind: type[Checker] = Checker) -> Checker:
    return kind(Sessions(runtime.engine), runtime.protector, Ed25519Signer.of(runtime.protector.ring), Watch(3600))


def officer(runtime: Runtime, at: str, organ: str) -> Officer:
    secret, _ = clients.make(
        runtime.engine, runtime.protector, code="officers", organ=organ, rights=["confirm"], days=1
    )
    return Officer(at, secret)


def test_each_department_is_asked_once_and_what_it_brings_decides_its_option(
    registry: Registry, asker: Asker, market: Office, land: Office
) -> None:
    first = asker.check(question())
    market.put()
    market.put(ID="L-2", CERT_NO="JY-002", HOLDER_NO=PERSON, HOLDER=PERSON_NAME)
    sited(land)
    said = live(asker, first["id"])
    assert said.status_code == 200, said.text
    now, answer = said.json(), said.json()["answer"]
    assert (now["id"], now["state"], answer["outcome"]) == (first["id"], "answered", "met")
    assert (answer["may_rely"], answer["stale"], answer["later_status_unknown"]) == (True, True, False)
    for place, name, organ in ((LICENSED, "market/S", ISSUER), (SITED, "land/S", OTHER)):
        one = option(answer, place)
        (asked,) = one["live"]
        assert (one["state"], one["may_rely"], [one["evidence"]]) == ("met", True, asked["evidence"])
        assert (asked["source"], asked["found"], asked["organ"]) == (name, "taken", organ)
        assert asked["basis"] == f"source of {organ}"
    assert "live" not in option(answer, DECIDED), "a decision is no credential, and nobody was asked for it"
    keys = signing.published(registry.engine)
    assert receipts.verify(now, keys)["commitment"] != receipts.verify(first, keys)["commitment"]
    assert asker.get(f"/v1/checks/{first['id']}").json()["answer"] == answer
    assert registry.run("SELECT count(*) FROM core.credential WHERE number = 'JY-002'") == 0, "no other holder's came"
    assert code_of(live(asker, first["id"])) == "answerable"
    log = rows(registry, "SELECT kind, outcome, purpose, answer FROM audit.entry ORDER BY entry_id")
    assert [f"{one['kind']} {one['outcome']}" for one in log][:3] == [
        "prerequisites undetermined", "read live_asked", "prerequisites met",
    ]  # fmt: skip
    assert (log[1]["purpose"], log[1]["answer"]) == (PURPOSE, '{"sources":["land/S","market/S"]}')
    counts = market.pull()
    assert (counts["read"], counts["unchanged"], counts["new"]) == (2, 1, 1), "the next pull finds it known"


def test_nothing_that_came_is_no_no_and_the_check_waits_on(
    registry: Registry, asker: Asker, market: Office, runtime: Runtime
) -> None:
    check = undetermined(asker, wait_until=(NOW + timedelta(days=2)).isoformat())
    said = live(asker, check).json()
    one = option(said["answer"], LICENSED)
    assert (said["state"], said["answer"]["outcome"]) == ("waiting", "undetermined")
    assert (one["state"], one["reason"], one["live"][0]["found"]) == ("undetermined", "source_has_none", "none")
    checker = checker_of(runtime)
    assert waiting.answer_all(checker, runtime.protector)["waiting"] == 1, "nothing was said, and a feed may still"
    market.put()
    again = option(told(asker, check), LICENSED)
    assert (again["state"], [one["found"] for one in again["live"]]) == ("met", ["taken"]), "asked again it is there"


@pytest.mark.parametrize(
    ("row", "state", "reason"),
    [
        ({"STATE": "2"}, "revoked", None),
        ({"TO_DAY": "2026-01-01"}, "expired", None),
        ({"STATE": "9", "FROM_DAY": "昨天"}, "undetermined", "source_record_refused"),
        ({"CERT_TYPE": "渔业捕捞许可证"}, "undetermined", "source_has_none"),
    ],
)
def test_what_came_is_told_as_it_stands(
    registry: Registry, asker: Asker, market: Office, row: dict[str, str], state: str, reason: str | None
) -> None:
    check = undetermined(asker)
    market.put(**row)
    answer = told(asker, check)
    one = option(answer, LICENSED)
    assert (one["state"], one["reason"], one["may_rely"]) == (state, reason, False)
    assert answer["outcome"] == ("undetermined" if state == "undetermined" else "not_met")
    assert answer["later_status_unknown"] is False


def test_a_refused_one_beside_a_revoked_one_leaves_it_open(asker: Asker, market: Office) -> None:
    check = undetermined(asker)
    market.put(STATE="2")
    market.put(ID="L-2", CERT_NO="JY-002", STATE="9", FROM_DAY="昨天")
    one = option(told(asker, check), LICENSED)
    assert (one["state"], one["reason"]) == ("undetermined", "source_record_refused")
    assert (one["live"][0]["found"], len(one["live"][0]["evidence"])) == ("refused", 1)


def test_what_is_met_as_of_then_is_asked_whether_it_is_still(
    registry: Registry, asker: Asker, market: Office, land: Office
) -> None:
    market.put()
    market.pull()
    registry.through("market", NOW - timedelta(days=9))
    sited(land)
    first = asker.check(question())
    assert option(first["answer"], LICENSED)["state"] == "met"
    one = told(asker, first["id"], **SITED)
    assert (one["outcome"], one["later_status_unknown"], one["may_rely"]) == ("met", True, False)
    assert "live" not in option(one, LICENSED), "only what was named is asked about"
    market.put(STATE="2", CHANGED="2026-05-01 10:00:00")
    both = told(asker, first["id"])
    assert (both["outcome"], [group["state"] for group in both["groups"]]) == ("not_met", ["revoked", "met"])
    assert option(both, SITED)["live"] == option(one, SITED)["live"], "what was heard before is carried on"


def test_what_was_heard_is_carried_when_an_officer_answers(
    registry: Registry, asker: Asker, market: Office, runtime: Runtime
) -> None:
    theirs = officer(runtime, asker.at, OTHER)
    check = undetermined(asker)
    market.put()
    half = told(asker, check)
    assert (half["outcome"], option(half, LICENSED)["state"]) == ("undetermined", "met")
    assert asker.post(f"/v1/checks/{check}/inquiry", SITED).status_code == 202
    assert theirs.answer(theirs.listed()[0]["number"], "yes").status_code == 200
    whole = asker.get(f"/v1/checks/{check}").json()["answer"]
    assert (whole["outcome"], whole["may_rely"], whole["later_status_unknown"]) == ("met", True, False)
    assert option(whole, LICENSED) == option(half, LICENSED)


def test_what_an_officer_said_is_carried_when_a_system_is_asked(
    registry: Registry, asker: Asker, market: Office, land: Office, runtime: Runtime
) -> None:
    theirs = officer(runtime, asker.at, OTHER)
    check = undetermined(asker)
    assert asker.post(f"/v1/checks/{check}/inquiry", SITED).status_code == 202
    theirs.answer(theirs.listed()[0]["number"], "yes")
    market.put()
    whole = told(asker, check)
    assert (whole["outcome"], option(whole, SITED)["officer"]["said"]) == ("met", "yes")
    assert "live" not in option(whole, SITED), "what an officer said is not asked again"
    assert registry.run("SELECT answer FROM audit.entry WHERE outcome = 'live_asked'") == '{"sources":["market/S"]}'


def test_an_answer_that_comes_between_is_not_lost(
    registry: Registry, asker: Asker, market: Office, runtime: Runtime
) -> None:
    """An officer answers when the system has been asked, and the check was judged, and nothing was written yet."""
    clients.make(runtime.engine, runtime.protector, code="officers", organ=OTHER, rights=["confirm"], days=1)
    check = undetermined(asker)
    market.put()
    assert asker.post(f"/v1/checks/{check}/inquiry", SITED).status_code == 202
    other, times = checker_of(runtime), []

    class Interrupted(Checker):
        def judge(self, *said: Any, **more: Any) -> Judged:
            made = super().judge(*said, **more)
            times.append(made)
            if len(times) == 2:
                number = registry.run("SELECT inquiry_id FROM audit.inquiry")
                officers.answer(other, number, OTHER, said="yes", reason="依登记簿", actor="x")
            return made

    number = registry.run("SELECT client_id FROM access.client WHERE code = :code", code=asker.code)
    caller = Caller(number, asker.code, ASKER)
    done = ask(checker_of(runtime, Interrupted), LiveSources(runtime), caller, check, issuer=None, a_minute=9)
    assert len(times) == 3, "it was judged again"
    assert (done["answer"]["outcome"], done["answer"]["may_rely"]) == ("met", True)
    assert option(done["answer"], SITED)["officer"]["said"] == "yes"


def test_one_system_that_is_down_does_not_hide_what_the_other_says(
    asker: Asker, market: Office, land: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = undetermined(asker)
    market.put()
    monkeypatch.setenv("HUB_CONN_LAND", "postgresql://nobody@127.0.0.1:1/none")
    refused = live(asker, check, **SITED)
    assert (refused.status_code, code_of(refused)) == (503, "source_silent")
    answer = told(asker, check)
    assert (answer["outcome"], option(answer, LICENSED)["state"]) == ("undetermined", "met")
    failed = option(answer, SITED)
    assert (failed["live"][0]["found"], failed["reason"]) == ("failed", "no_feed")
    monkeypatch.setenv("HUB_CONN_LAND", land.database.url)
    sited(land)
    assert told(asker, check)["outcome"] == "met", "it may be asked again, and what was heard stays"


def test_two_options_of_one_system_are_one_question(registry: Registry, asker: Asker, market: Office) -> None:
    changed(registry, any_of=[{"credential": SITE, "issued_by": ISSUER}])
    check = undetermined(asker, case="A-404")
    market.put()
    market.put(ID="L-2", CERT_NO="YD-1", CERT_TYPE=SITE)
    assert told(asker, check)["outcome"] == "met"
    assert registry.run("SELECT asked FROM audit.live_asked") == 1
    (batch,) = rows(registry, "SELECT read, new FROM ledger.batch WHERE mapping_version <> '1'")
    assert (batch["read"], batch["new"]) == (2, 2)


def test_who_issues_it_is_asked_where_no_feed_ever_brought_it(registry: Registry, asker: Asker, land: Office) -> None:
    check = undetermined(asker)
    sited(land, STATE="2")
    answer = told(asker, check)
    assert option(answer, SITED)["state"] == "revoked", "its department's system said so"
    assert answer["outcome"] == "undetermined", "the other option may still be met"


def test_an_issuer_narrows_it_to_what_that_department_issues(asker: Asker, market: Office, land: Office) -> None:
    check = undetermined(asker)
    answer = told(asker, check, issuer=ISSUER)
    assert "live" in option(answer, LICENSED)
    assert "live" not in option(answer, SITED)


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"group": 7, "option": 0}, 400, "option_unknown"),
        ({"group": 1}, 400, "missing"),
        ({"group": True, "option": 0}, 400, "int_type"),
        ({**SITED, "issuer": ISSUER}, 400, "issuer_differs"),
        (DECIDED, 422, "nobody_to_ask"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_a_code(
    registry: Registry, asker: Asker, market: Office, land: Office, said: dict[str, Any], status: int, code: str
) -> None:
    refused = live(asker, undetermined(asker), **said)
    assert (refused.status_code, code_of(refused)) == (status, code)
    assert registry.run("SELECT count(*) FROM audit.entry WHERE outcome = 'live_asked'") == 0


def test_what_the_project_must_hold_is_asked_of_no_system(registry: Registry, asker: Asker, market: Office) -> None:
    changed(registry, holder="project")
    registry.credential()
    registry.through("market", NOW)
    check = undetermined(asker, case="A-404")
    assert code_of(live(asker, check, **LICENSED)) == "answerable"
    refused = live(asker, check)
    assert (refused.status_code, code_of(refused)) == (422, "holder_not_named")
    assert "inquiry" in refused.json()["hint"]


def test_a_stream_that_may_not_be_asked_by_holder_is_not(asker: Asker, market: Office) -> None:
    market.declare(stream={"look_up": {"credential": "CERT_NO"}})
    assert code_of(live(asker, undetermined(asker))) == "nobody_to_ask"


def test_a_check_of_one_credential_has_no_options(asker: Asker, market: Office) -> None:
    asked = {"type": LICENCE, "number": "JY-404", "holder_number": FIRM}
    check = asker.check({"kind": "credential", "case": "A-1", "purpose": PURPOSE, "credential": asked})["id"]
    assert code_of(live(asker, check, **LICENSED)) == "option_unknown"


def test_only_what_the_asker_may_check_is_asked_for(
    registry: Registry, asker: Asker, market: Office, land: Office, runtime: Runtime
) -> None:
    check = undetermined(asker)
    assert live(asker_of(runtime, asker.at, code="other", organ=OTHER), check).status_code == 404
    registry.run("""UPDATE access."grant" SET state = 'ended', answered_by = 'x', answered_at = now()
                    WHERE code = :code""", code=SITE)  # fmt: skip
    assert live(asker, check, **SITED).status_code == 403
    answer = told(asker, check)
    assert ("live" in option(answer, LICENSED), "live" in option(answer, SITED)) == (True, False)
    assert registry.run("SELECT answer FROM audit.entry WHERE outcome = 'live_asked'") == '{"sources":["market/S"]}'
    registry.run("""UPDATE access."grant" SET state = 'ended', answered_by = 'x', answered_at = now()""")
    assert live(asker, check).status_code == 403


def test_a_number_that_stands_at_half_the_table_is_no_answer(registry: Registry, asker: Asker, market: Office) -> None:
    check = undetermined(asker, applicant={"number": "无"})
    values = ", ".join(f"('L-{place}', '无')" for place in range(501))
    market.database.run(f'INSERT INTO licence ("ID", "HOLDER_NO") VALUES {values}')
    assert code_of(live(asker, check)) == "source_broken"


def test_what_was_asked_live_is_recalled_like_anything(
    registry: Registry, asker: Asker, market: Office, land: Office
) -> None:
    check = undetermined(asker)
    market.put()
    sited(land)
    assert told(asker, check)["outcome"] == "met"
    market.put(STATE="2", CHANGED="2026-05-01 10:00:00")
    assert market.pull()["updated"] == 1
    recall.look(registry.engine)
    (one,) = asker.get("/v1/recalls").json()["recalls"]
    assert (one["check"], one["status"]) == (check, "revoked")


def test_the_number_of_a_person_stands_nowhere(
    registry: Registry, asker: Asker, market: Office, land: Office, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor does that of a record that was refused, or of a system that repeats in its complaint what it was asked."""
    check = undetermined(asker, applicant={"number": PERSON})
    row = {"HOLDER": PERSON_NAME, "HOLDER_NO": PERSON.lower()}
    market.put(**row)
    market.put(ID="L-2", CERT_NO="JY-002", STATE="9", FROM_DAY="昨天", **row)
    land.database.run("DROP TABLE licence")
    answer = told(asker, check)
    assert option(answer, LICENSED)["live"][0]["found"] == "refused"
    market.database.run("ALTER TABLE licence RENAME TO kept")
    market.database.run(
        "CREATE FUNCTION told(n text) RETURNS boolean LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION USING MESSAGE = 'nobody may ask for ' || n; END $$"
    )
    market.database.run('CREATE VIEW licence AS SELECT * FROM kept WHERE told("HOLDER_NO"::text)')
    other = undetermined(asker, applicant={"number": PERSON})
    assert code_of(live(asker, other, **LICENSED)) == "source_broken"
    assert PERSON not in caplog.text
    assert registry.run("SELECT count(*) FROM quality.finding") > 0
    everywhere = registry.run(ALL_TEXT, what=PERSON)
    assert rows(registry, everywhere) is None


def test_the_client_asks_for_all_that_is_open_or_for_one_option(asker: Asker, market: Office, land: Office) -> None:
    hub = client.Hub(asker.at, asker.code, asker.secret)
    first = hub.check(question())
    market.put()
    sited(land)
    half = hub.ask_live(first.id, **LICENSED).answer
    assert isinstance(half, client.PrerequisitesAnswer)
    assert (half.outcome, half.groups[0].options[0].basis) == ("undetermined", f"source of {ISSUER}")
    whole = hub.ask_live(first.id).answer
    assert (whole.outcome, whole.may_rely) == ("met", True)


def test_the_example_of_the_page_runs_as_it_stands(asker: Asker, market: Office, tmp_path: Path) -> None:
    market.put()
    page = (Path(__file__).resolve().parents[2] / "docs" / "verify" / "live.md").read_text(encoding="utf-8")
    _, text = re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    env = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "HUB": asker.at, "ITEM": ITEM,
           "CLIENT": asker.code, "SECRET": asker.secret, "HOME": str(tmp_path)}  # fmt: skip
    done = subprocess.run(
        ["bash", "-euc", text], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"经营 met source of {ISSUER}: taken", "用地 undetermined", "用地 undetermined",
    ]  # fmt: skip
