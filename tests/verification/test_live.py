"""Where no feed can tell, the department's own system is asked for the one credential, and answers by a receipt."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr

import connectors
import web.live
from connectors.seam import LooksUp, Sought
from hub.errors import RetrySource
from hub.refusals import NotFound, TooMany
from hub.settings import Settings
from pipeline.afterwards.rebuild import rebuild
from pipeline.runtime import Runtime
from sharedrepo.access import clients
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.keyring import signing
from sharedrepo.keyring.signing import Ed25519Signer
from tests.connectors.conftest import Department, mariadb, postgres, postgres_url
from tests.crash.campaign import execute
from tests.verification.conftest import Asker, Command, asker_of
from tests.verification.office import CODE, Office
from tests.verification.registry import ASKER, ISSUER, NOW, OTHER, PURPOSE, Registry, body
from verification import client, receipts
from verification.audit.watch import Watch
from verification.checks.live import AT_ONCE, Asking
from verification.checks.service import Checker
from verification.evidence.sessions import Sessions
from verification.notices import recall
from verification.rights.callers import Caller

__all__ = ["mariadb", "postgres", "postgres_url"]

CODES = {
    "nobody_to_ask", "answerable", "holder_not_named", "known_at", "erased", "issuer_missing", "issuer_differs",
    "option_missing", "option_unknown",
    "asked_too_often", "all_asking", "source_busy", "source_silent", "source_broken",
}  # fmt: skip
BATCHES = "SELECT * FROM ledger.batch WHERE mapping_version <> '1' ORDER BY batch_id"
STATE = """SELECT state::text, complete_through, complete_basis, last_success_at FROM ledger.stream AS s
           JOIN core.source_system AS ss USING (source_system_id) WHERE ss.code = 'market'"""


@pytest.fixture(params=["postgres", "mariadb"])
def system(request: pytest.FixtureRequest) -> Department:
    """The department's database, each sort in turn."""
    found: Department = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def office(
    settings: Settings, system: Department, runtime: Runtime, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> Office:
    registry.behind()
    monkeypatch.setenv(f"HUB_CONN_{CODE.upper()}", system.url)
    return Office(settings.sources[0], system, runtime)


def undetermined(asker: Asker, **over: Any) -> dict[str, Any]:
    said = asker.check(body(**over))
    assert said["answer"]["outcome"] == "undetermined", said
    return said


def live(asker: Asker, check: str, **said: str) -> requests.Response:
    return asker.post(f"/v1/checks/{check}/live", said)


def code_of(answer: requests.Response) -> str:
    (fault,) = answer.json()["faults"]
    return str(fault["code"])


def runtime_keys(office: Office) -> set[str]:
    """The names of what lies in the archive."""
    return set(office.runtime.archive.list())


def rows(registry: Registry, query: str) -> Any:
    return registry.run(f"SELECT json_agg(q) FROM ({query}) AS q")


def test_what_the_system_brings_answers_the_check_by_a_new_receipt(
    registry: Registry, asker: Asker, office: Office, command: Command, tmp_path: Path
) -> None:
    first = undetermined(asker)
    office.put()
    office.put(ID="L-2", CERT_NO="JY-002")
    before = rows(registry, STATE)
    asked = live(asker, first["id"])
    assert asked.status_code == 200, asked.text
    now, answer = asked.json(), asked.json()["answer"]
    assert (now["id"], now["state"], answer["outcome"]) == (first["id"], "answered", "match")
    assert (answer["may_rely"], answer["stale"], answer["later_status_unknown"]) == (True, True, False)
    assert (answer["live"]["basis"], answer["live"]["found"]) == (f"source of {ISSUER}", "taken")
    keys = signing.published(registry.engine)
    assert receipts.verify(now, keys)["commitment"] != receipts.verify(first, keys)["commitment"]
    (tmp_path / "check.json").write_text(json.dumps(now), encoding="utf-8")
    (tmp_path / "keys.json").write_text(json.dumps(keys), encoding="utf-8")
    said = command("verify", "receipt", str(tmp_path / "check.json"), "--keys", str(tmp_path / "keys.json"))
    assert "Proven: check" in said
    assert asker.get(f"/v1/checks/{first['id']}").json()["answer"] == answer
    assert rows(registry, STATE) == before, "how far the feed is stays as it was"
    (batch,) = rows(registry, BATCHES)
    assert (batch["read"], batch["new"], batch["newest_report"]) == (1, 1, None), "no more than what was asked for"
    assert batch["archive_key"] in runtime_keys(office)
    told = office.pull()
    assert (told["read"], told["unchanged"], told["new"]) == (2, 1, 1), "the next pull finds it known"


def test_all_of_it_is_in_the_log(registry: Registry, asker: Asker, office: Office) -> None:
    number = undetermined(asker)["id"]
    live(asker, number)
    log = rows(registry, "SELECT kind, outcome, organ, purpose, answer, check_id FROM audit.entry ORDER BY entry_id")
    assert [f"{one['kind']} {one['outcome']}" for one in log] == [
        "credential undetermined", "read live_asked", "credential undetermined",
    ]  # fmt: skip
    assert (log[1]["organ"], log[1]["purpose"], log[1]["check_id"]) == (ASKER, PURPOSE, number)
    assert json.loads(log[1]["answer"]) == {"sources": ["market/S"]}


def test_a_number_that_the_system_does_not_have_says_nothing(registry: Registry, asker: Asker, office: Office) -> None:
    later = (NOW + timedelta(days=2)).isoformat()
    number = undetermined(asker, wait_until=later)["id"]
    office.put(CERT_NO="JY-999")
    said = live(asker, number).json()
    answer = said["answer"]
    assert (answer["outcome"], answer["reason"]) == ("undetermined", "source_has_none")
    assert (answer["live"]["found"], answer["may_rely"], said["state"]) == ("none", False, "waiting")
    assert receipts.verify(said, signing.published(registry.engine))
    assert rows(registry, BATCHES) is None, "nothing came, and nothing is written"
    office.put()
    assert live(asker, number).json()["answer"]["outcome"] == "match", "it may be asked again, and is there now"
    assert asker.get(f"/v1/checks/{number}").json()["state"] == "answered", "and nothing is waited for any more"


def test_a_number_may_be_written_otherwise_at_the_department(asker: Asker, office: Office) -> None:
    number = undetermined(asker, credential={"number": "浙食〔2025〕 7号"})["id"]
    office.put(CERT_NO="浙食[2025]7号")
    assert live(asker, number).json()["answer"]["outcome"] == "match"


def test_a_record_that_is_refused_answers_nothing(registry: Registry, asker: Asker, office: Office) -> None:
    number = undetermined(asker)["id"]
    office.put(STATE="9", FROM_DAY="昨天")
    answer = live(asker, number).json()["answer"]
    assert (answer["outcome"], answer["reason"]) == ("undetermined", "source_record_refused")
    assert (answer["live"]["found"], answer["evidence"]) == ("refused", [])
    assert registry.run("SELECT count(*) FROM ledger.waiting WHERE kind = 'quarantined' AND status = 'open'") == 1
    assert "unknown_code" in registry.run("SELECT array_agg(rule) FROM quality.finding WHERE state = 'open'")
    (batch,) = rows(registry, BATCHES)
    assert (batch["read"], batch["quarantined"]) == (1, 1)
    again = live(asker, number).json()["answer"]
    assert again["reason"] == "source_record_refused", "and stays refused when it comes again as it was"
    office.put()
    assert live(asker, number).json()["answer"]["outcome"] == "match", "until the department mends it"


def test_what_is_known_and_wrong_is_told_as_ever(asker: Asker, office: Office) -> None:
    number = undetermined(asker)["id"]
    office.put(STATE="2")
    answer = live(asker, number).json()["answer"]
    assert (answer["outcome"], answer["status"], answer["may_rely"]) == ("not_valid", "revoked", False)
    assert answer["later_status_unknown"] is False, "its department said so a moment ago"


def test_a_match_whose_later_status_nobody_knows_is_asked_live(
    registry: Registry, asker: Asker, office: Office
) -> None:
    office.put()
    office.pull()
    registry.through("market", NOW - timedelta(days=9))
    first = asker.check(body())
    assert (first["answer"]["outcome"], first["answer"]["later_status_unknown"]) == ("match", True)
    now = live(asker, first["id"]).json()["answer"]
    assert (now["outcome"], now["live"]["found"], now["evidence"]) == ("match", "taken", first["answer"]["evidence"])
    assert (now["may_rely"], now["stale"], now["later_status_unknown"]) == (True, True, False)
    assert code_of(live(asker, first["id"])) == "answerable", "its status is known now"
    again = asker.check(body())
    office.put(STATE="2", CHANGED="2026-05-01 10:00:00")
    revoked = live(asker, again["id"]).json()["answer"]
    assert (revoked["outcome"], revoked["status"], revoked["later_status_unknown"]) == ("not_valid", "revoked", False)


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_a_stale_match_stays_as_it_is_where_the_system_brings_nothing(
    registry: Registry, asker: Asker, office: Office
) -> None:
    office.put()
    office.pull()
    registry.through("market", NOW - timedelta(days=9))
    first = asker.check(body())
    office.database.run("DELETE FROM licence")
    said = live(asker, first["id"]).json()
    told = dict(said["answer"])
    assert told.pop("live")["found"] == "none"
    assert told == first["answer"]
    assert receipts.verify(said, signing.published(registry.engine))


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_a_stale_match_may_not_be_relied_on_where_what_came_was_refused(
    registry: Registry, asker: Asker, office: Office
) -> None:
    registry.run("""UPDATE access."grant" SET stale_allowed = true""")
    office.put()
    office.pull()
    registry.through("market", NOW - timedelta(days=9))
    first = asker.check(body())
    assert (first["answer"]["outcome"], first["answer"]["may_rely"]) == ("match", True)
    office.put(STATE="9", FROM_DAY="昨天")
    answer = live(asker, first["id"]).json()["answer"]
    assert (answer["live"]["found"], answer["may_rely"]) == ("refused", False)


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_a_system_that_is_down_changes_nothing(
    registry: Registry, asker: Asker, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = undetermined(asker)
    monkeypatch.setenv(f"HUB_CONN_{CODE.upper()}", "postgresql://nobody@127.0.0.1:1/none")
    refused = live(asker, first["id"])
    assert (refused.status_code, code_of(refused)) == (503, "source_silent")
    assert int(refused.headers["Retry-After"]) > 0
    assert asker.get(f"/v1/checks/{first['id']}").json()["answer"] == first["answer"]
    log = registry.run("SELECT array_agg(outcome || coalesce(answer, '') ORDER BY entry_id) FROM audit.entry")
    assert log[2] == 'live_failed{"said":"source_silent","source":"market/S"}'


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_the_number_that_a_department_repeats_stands_in_no_log(
    asker: Asker, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    number = undetermined(asker)
    office.put()
    asked = number["asked"]["credential"]["number"]
    office.database.run("ALTER TABLE licence RENAME TO kept")
    office.database.run(
        "CREATE FUNCTION told(n text) RETURNS boolean LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION USING MESSAGE = 'nobody may ask for ' || n; END $$"
    )
    office.database.run('CREATE VIEW licence AS SELECT * FROM kept WHERE told("CERT_NO"::text)')
    assert code_of(live(asker, number["id"])) == "source_broken"
    told = [one.getMessage() for one in caplog.records if one.name == "hub.live"]
    assert told == ["market/S could not be asked live: source_broken (StopSource)"]
    assert asked not in caplog.text


@pytest.mark.parametrize("system", ["postgres", "mariadb"], indirect=True)
def test_a_table_that_is_gone_is_a_matter_for_the_operators(asker: Asker, office: Office) -> None:
    number = undetermined(asker)["id"]
    office.database.run("DROP TABLE licence")
    refused = live(asker, number)
    assert (refused.status_code, code_of(refused)) == (503, "source_broken")
    assert "licence" not in refused.text


def test_a_statement_that_takes_too_long_is_given_up_by_the_server(office: Office) -> None:
    office.slow()
    connector = connectors.open(office.source(), lambda _: office.database.url)
    assert isinstance(connector, LooksUp)
    with pytest.raises(RetrySource):
        connector.look_up(office.source().stream("S"), Sought("CERT_NO", ("JY-001",), seconds=0.5))


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_a_source_that_is_being_pulled_is_waited_for_a_moment(
    registry: Registry, asker: Asker, office: Office, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web.live, "WAIT_SECONDS", 0.3)
    number = undetermined(asker)["id"]
    office.put()
    system = registry.run("SELECT source_system_id FROM core.source_system WHERE code = 'market'")
    with runtime.connection() as other:
        runtime.hold_source(other, system, CODE)
        busy = live(asker, number)
    assert (busy.status_code, code_of(busy)) == (503, "source_busy")
    assert live(asker, number).json()["answer"]["outcome"] == "match"


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_a_source_is_asked_so_often_in_a_minute(registry: Registry, asker: Asker, office: Office) -> None:
    number = undetermined(asker)["id"]
    for minute in ("now()", "now() + INTERVAL '1 minute'"):  # one of them is the present one when it is asked
        registry.run(
            f"""INSERT INTO audit.live_asked VALUES ('market', date_trunc('minute', {minute}), 10)
                ON CONFLICT (source) DO UPDATE SET minute = excluded.minute, asked = 10"""
        )
        if (refused := live(asker, number)).status_code == 429:
            break
    assert (refused.status_code, code_of(refused)) == (429, "asked_too_often")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    registry.run("UPDATE audit.live_asked SET minute = minute - INTERVAL '1 minute'")
    assert live(asker, number).status_code == 200
    assert registry.run("SELECT asked FROM audit.live_asked") == 1


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_only_who_may_check_may_ask(registry: Registry, asker: Asker, office: Office, runtime: Runtime) -> None:
    office.put()
    number = undetermined(asker)["id"]
    other = asker_of(runtime, asker.at, code="other", organ=OTHER)
    assert live(other, number).status_code == 404
    assert live(asker, "00000000-0000-0000-0000-000000000000").status_code == 404
    registry.run("""UPDATE access."grant" SET state = 'ended', answered_by = 'x', answered_at = now()""")
    assert live(asker, number).status_code == 403
    assert rows(registry, BATCHES) is None, "nobody was asked"


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_what_no_source_can_answer_is_refused_by_a_code(registry: Registry, asker: Asker, office: Office) -> None:
    number = undetermined(asker)["id"]
    assert code_of(live(asker, number, issuer=OTHER)) == "nobody_to_ask"
    named = undetermined(asker, credential={"issuer": ISSUER})["id"]
    assert code_of(live(asker, named, issuer=OTHER)) == "issuer_differs"
    assert code_of(live(asker, number, issuer="x")) == "string_too_short"
    registry.credential("fresh", source="elsewhere")
    known = asker.check(body(credential={"number": "fresh"}))
    assert code_of(live(asker, known["id"])) == "answerable"
    then = undetermined(asker, known_at=(NOW - timedelta(minutes=1)).isoformat())["id"]
    assert code_of(live(asker, then)) == "known_at"
    registry.credential("elsewhere", source="harbour", issuer=OTHER)
    assert code_of(live(asker, number)) == "issuer_missing"
    office.put()
    assert live(asker, number, issuer=ISSUER).json()["answer"]["outcome"] == "match"
    assert code_of(live(asker, number, issuer=ISSUER)) == "answerable", "it has its answer"


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_a_stream_that_does_not_declare_it_is_not_asked(registry: Registry, asker: Asker, office: Office) -> None:
    office.declare(stream={"look_up": None})
    office.put()
    refused = live(asker, undetermined(asker)["id"])
    assert (refused.status_code, code_of(refused)) == (422, "nobody_to_ask")
    assert "inquiry" in refused.json()["hint"]


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_a_type_that_no_feed_ever_brought_is_asked_of_its_department(
    registry: Registry, asker: Asker, office: Office
) -> None:
    registry.share("渔业捕捞许可证", class_="unconditional")
    asked = {"type": "渔业捕捞许可证", "number": "YB-1"}
    number = undetermined(asker, credential=asked)["id"]
    assert code_of(live(asker, number)) == "issuer_missing"
    office.put(CERT_TYPE="渔业捕捞许可证", CERT_NO="YB-1")
    assert live(asker, number, issuer=ISSUER).json()["answer"]["outcome"] == "match"


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_a_number_that_half_the_table_bears_is_no_answer(registry: Registry, asker: Asker, office: Office) -> None:
    number = undetermined(asker, credential={"number": "无"})["id"]
    for place in range(101):
        office.put(ID=f"L-{place}", CERT_NO="无")
    assert code_of(live(asker, number)) == "source_broken"
    assert rows(registry, BATCHES) is None


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_an_officers_inquiry_ends_where_the_system_answers_first(
    registry: Registry, asker: Asker, office: Office, runtime: Runtime
) -> None:
    clients.make(runtime.engine, runtime.protector, code="officers", organ=ISSUER, rights=["confirm"], days=1)
    number = undetermined(asker)["id"]
    assert asker.post(f"/v1/checks/{number}/inquiry", {}).status_code == 202
    live(asker, number)
    assert asker.get(f"/v1/checks/{number}").json()["inquiry"]["state"] == "asked", "of nothing nothing follows"
    office.put()
    live(asker, number)
    assert asker.get(f"/v1/checks/{number}").json()["inquiry"]["state"] == "overtaken"


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_what_was_asked_live_is_recalled_like_anything(registry: Registry, asker: Asker, office: Office) -> None:
    number = undetermined(asker)["id"]
    office.put()
    live(asker, number)
    office.put(STATE="2", CHANGED="2026-05-01 10:00:00")
    assert office.pull()["updated"] == 1
    recall.look(registry.engine)
    (told,) = asker.get("/v1/recalls").json()["recalls"]
    assert (told["check"], told["status"]) == (number, "revoked")


def test_no_more_are_asked_at_a_time_than_may_be(registry: Registry) -> None:
    """A department that is slow holds up neither the checks nor an ever longer queue."""
    begun, go = threading.Semaphore(0), threading.Event()

    class Slow(Checker):
        def mind(self, caller: Caller) -> None:
            begun.release()
            assert go.wait(30)
            raise NotFound("over")

    runtime = registry.runtime
    slow = Slow(Sessions(runtime.engine), runtime.protector, Ed25519Signer.of(runtime.protector.ring), Watch(3600))
    asking, caller = Asking(None, a_minute=1), Caller(1, "asker-it", ASKER)

    async def ask() -> str:
        try:
            await asking.ask(slow, caller, "x", issuer=None)
        except (NotFound, TooMany) as refused:
            return type(refused).__name__
        return "answered"

    async def all_at_once() -> list[str]:
        running = [asyncio.create_task(ask()) for _ in range(AT_ONCE)]
        for _ in range(AT_ONCE):
            await asyncio.to_thread(begun.acquire, timeout=30)
        over = await ask()
        go.set()
        return [over, *await asyncio.gather(*running), await ask()]

    assert asyncio.run(all_at_once()) == ["TooMany", *["NotFound"] * (AT_ONCE + 1)]
    asking.close()


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_the_example_of_the_page_runs_as_it_stands(asker: Asker, office: Office, tmp_path: Path) -> None:
    office.put()
    page = (Path(__file__).resolve().parents[2] / "docs" / "verify" / "live.md").read_text(encoding="utf-8")
    text, _ = re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    env = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "HUB": asker.at,
           "CLIENT": asker.code, "SECRET": asker.secret, "HOME": str(tmp_path)}  # fmt: skip
    done = subprocess.run(
        ["bash", "-euc", text], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "match taken True\n"), done.stderr
    told = set(re.findall(r"\| (?:\d{3}) \| (.+?) \|", page))
    assert {one for cell in told for one in re.findall(r"`(\w+)`", cell)} == CODES


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_the_client_asks_once_and_says_whose_system_it_was(asker: Asker, office: Office) -> None:
    pauses: list[float] = []
    hub = client.Hub(asker.at, asker.code, asker.secret, wait=pauses.append)
    first = hub.check(body())
    office.put()
    now = hub.ask_live(first.id)
    assert isinstance(now.answer, client.CredentialAnswer)
    assert (now.answer.outcome, now.answer.may_rely, now.answer.basis) == ("match", True, f"source of {ISSUER}")
    second = hub.check(body(credential={"number": "JY-404"}))
    office.database.run("DROP TABLE licence")
    with pytest.raises(client.TryLater):
        hub.ask_live(second.id)
    assert pauses == [], "a department's system is not asked again by itself"


@pytest.mark.parametrize("system", ["postgres"], indirect=True)
def test_a_rebuild_makes_it_again(
    asker: Asker, office: Office, registry: Registry, server: EmbeddedServer, template: str, settings: Settings
) -> None:
    execute(server, f"CREATE DATABASE beside_live TEMPLATE {template}")
    beside = Runtime.open(settings.model_copy(update={"database_url": SecretStr(server.url("beside_live"))}))
    try:
        number = undetermined(asker)["id"]
        office.put()
        live(asker, number)
        office.put(ID="L-2", CERT_NO="JY-002")
        office.pull()
        rebuild(beside)
        query = "SELECT number, status, valid_from, batch_id IS NOT NULL FROM core.credential WHERE number = 'JY-001'"
        with beside.engine.connect() as there, registry.engine.connect() as here:
            assert there.exec_driver_sql(query).all() == here.exec_driver_sql(query).all() != []
            told = "SELECT array_agg(newest_report IS NULL ORDER BY seq) FROM ledger.batch"
            assert there.exec_driver_sql(told).scalar() == [True, False], "what was picked out says nothing of the feed"
    finally:
        beside.engine.dispose()
        execute(server, "DROP DATABASE beside_live WITH (FORCE)")
