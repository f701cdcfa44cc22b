"""A department that posts: taken in as a pull would, each record receipted, each post answered after its commit."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from pydantic import SecretStr, TypeAdapter

from normalization.mapping import load_mapping
from pipeline.afterwards.rebuild import rebuild
from pipeline.posts import gathering
from pipeline.pulls.exchange import opened
from pipeline.routes.records import Taken
from pipeline.runtime import Runtime
from sharedrepo.telling.digest import digest
from sharedrepo.telling.ledger import balances, check
from tests.crash.campaign import execute
from tests.departments import Department
from tests.journeys.conftest import Hub
from tests.posters import STREAMS, Poster
from tests.web.serving import serving


def taken(answer: requests.Response) -> Taken:
    assert answer.status_code == 200, answer.text
    said = TypeAdapter(Taken).validate_json(answer.content)
    assert said.counts["read"] == len(said.records) == sum(n for name, n in said.counts.items() if name != "read")
    return said


def outcomes(answer: requests.Response) -> list[str]:
    return [one.outcome for one in taken(answer).records]


def refused(answer: requests.Response) -> tuple[int, str]:
    said = answer.json()
    return said["status"], said["type"].rpartition(":")[2]


gathered = pytest.mark.parametrize("linger", [0.5])
"""Posts that are made at the same time go together."""


@pytest.fixture
def poster(tmp_path: Path, runtime: Runtime, token_for: Callable[..., str]) -> Iterator[Poster]:
    """A department that can post to a hub that serves."""
    made = Poster(tmp_path / "sources")
    made.token = token_for("push:labour")
    with serving(lambda: runtime) as made.at:
        yield made


@pytest.fixture
def hub(runtime: Runtime, poster: Poster) -> Hub:
    return Hub(runtime, poster)


@pytest.fixture
def beside(server: Any, template: str, settings: Any) -> Iterator[Runtime]:
    """A second hub over an empty repository and the same archive."""
    execute(server, f"CREATE DATABASE posted_again TEMPLATE {template}")
    other = Runtime.open(settings.model_copy(update={"database_url": SecretStr(server.url("posted_again"))}))
    yield other
    other.engine.dispose()
    execute(server, "DROP DATABASE posted_again WITH (FORCE)")


def test_a_case_that_is_posted_arrives_whole(poster: Poster, hub: Hub) -> None:
    rows = poster.case_rows("C1")
    for stream in reversed(STREAMS):  # children come first, and wait for their case
        assert set(outcomes(poster.post(stream, *rows[stream]))) == {"new" if stream == "PRE_APASINFO" else "parked"}
    assert hub.one("SELECT state, events, closing_outcome FROM core.case_overview") == ("closed", 5, "granted")
    second = poster.row("PRE_NODE", UNID="C1-2", PROJID="C1", PHASE_CODE="UNDERTAKE", DATAVERSION=2, OPINION="补正后")
    gone = poster.row("PRE_NODE", UNID="C1-3", PROJID="C1", SYNC_STATUS="D", DATAVERSION=2)
    again = rows["PRE_NODE"][0]
    assert outcomes(poster.post("PRE_NODE", again, second, gone)) == ["unchanged", "updated", "deleted"]
    assert hub.findings() == {("approve_without_review", "C1")}
    assert check(hub.runtime.engine) == []
    assert all(one["balanced"] for one in balances(hub.runtime.engine))


def test_what_is_posted_and_what_is_pulled_come_to_the_same(
    poster: Poster, hub: Hub, tmp_path: Path, beside: Runtime
) -> None:
    """One judge, one merge: of good, bad, waiting, older and deleted rows alike."""
    rows = [(stream, row) for stream, of in poster.case_rows("C1").items() for row in of]
    for place, (name, said) in enumerate([
        ("bad", {"PHASE_CODE": "SIGNED"}), ("odd", {"END_TIME": "2026-03-02 08:00:00"}), ("early", {"PROJID": "C9"}),
        ("C1-3", {"SYNC_STATUS": "D", "DATAVERSION": 3}), ("C1-2", {"OPINION": "更正", "DATAVERSION": 2}),
        ("C1-2", {"OPINION": "旧"}),
    ]):  # fmt: skip
        of = {"PROJID": "C1", "CREATE_TIME": f"2026-03-20 10:00:{place:02d}", **said}
        rows.append(("PRE_NODE", poster.row("PRE_NODE", UNID=name, **of)))
    department = Department(tmp_path / "pulled" / "sources")
    outcomes_of: Counter[str] = Counter()
    for stream in STREAMS:
        mine = [row for name, row in rows if name == stream]
        outcomes_of.update(outcomes(poster.post(stream, *mine)))
        for row in mine:
            department.put(stream, **row)
    pulled = Hub(beside, department)
    counts = pulled.pull()
    assert {name: sum(one[name] for one in counts.values()) for name in outcomes_of} == outcomes_of
    assert outcomes_of.keys() >= {"new", "quarantined", "parked", "stale"}
    assert pulled.findings() == hub.findings()
    for scope in ("core", "history"):
        assert digest(beside.engine, scopes=(scope,)) == digest(hub.runtime.engine, scopes=(scope,))


def test_one_bad_record_refuses_no_other_and_each_is_told_what_is_wrong(poster: Poster, hub: Hub) -> None:
    good, bad = poster.row("PRE_APASINFO", PROJID="C1"), poster.row("PRE_APASINFO", PROJID="C2", RECEIVETIME="某日")
    worse = {**poster.row("PRE_APASINFO", PROJID="C3"), "DATAVERSION": "zwei", "APPLYNAME": "王晓岚"}
    answer = poster.post("PRE_APASINFO", good, 7, bad, worse, {**good, "PROJID": "C4\u0000"})
    said = taken(answer)
    assert [one.outcome for one in said.records] == ["new", "quarantined", "new", "quarantined", "quarantined"]
    assert [[(e.rule, e.effect) for e in one.errors] for one in said.records[:3]] == [
        [], [("unreadable_record", "refuse")], [("unreadable_value", "flag")],
    ]  # fmt: skip
    assert said.records[1].errors[0].detail["message"] == "it is no JSON object"
    assert said.records[2].errors[0].pointer == "/RECEIVETIME"
    assert "NUL" in said.records[4].errors[0].detail["message"]
    named = {error.rule for one in said.records for error in one.errors}
    assert set(said.rules) == named
    assert all(one.hint and one.title and one.title_zh for one in said.rules.values())
    assert "某日" not in answer.text
    assert "王晓岚" not in answer.text
    assert hub.one("SELECT count(*) FROM core.approval_case") == 2
    assert outcomes(poster.post("PRE_APASINFO", worse)) == ["quarantined"], "it waits already, and is told so"


@pytest.mark.parametrize("packed", [b"", b"\xef\xbb\xbf"])
def test_lines_of_json_are_read_each_by_itself(poster: Poster, packed: bytes) -> None:
    rows = [json.dumps(poster.row("PRE_APASINFO", PROJID=f"C{n}"), ensure_ascii=False).encode() for n in range(3)]
    body = packed + b"\n".join([rows[0], b'{"PROJID": ', rows[1], b"", rows[2], b""])
    answer = poster.post("PRE_APASINFO", body=body, Content_Type="application/x-ndjson")
    assert outcomes(answer) == ["new", "quarantined", "new", "new"]


def test_a_single_object_is_one_record(poster: Poster) -> None:
    body = json.dumps(poster.row("PRE_APASINFO", PROJID="C1")).encode()
    assert outcomes(poster.post("PRE_APASINFO", body=body)) == ["new"]


# --- idempotency ---


def test_a_repeat_under_its_key_gets_the_same_answer_and_changes_nothing(poster: Poster, hub: Hub) -> None:
    row = poster.row("PRE_APASINFO", PROJID="C1")
    first = poster.post("PRE_APASINFO", row, Idempotency_Key="k-1")
    again = poster.post("PRE_APASINFO", row, Idempotency_Key="k-1")
    assert outcomes(first) == ["new"]
    assert again.content == first.content
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert hub.one("SELECT count(*) FROM ledger.batch") == 1
    assert outcomes(poster.post("PRE_APASINFO", row)) == ["unchanged"], "without a key the record itself is known"
    assert hub.one("SELECT key_hash FROM ledger.post") != b"k-1"


def test_a_key_with_something_else_is_refused(poster: Poster, hub: Hub) -> None:
    row = poster.row("PRE_APASINFO", PROJID="C1")
    assert outcomes(poster.post("PRE_APASINFO", row, Idempotency_Key="k-1")) == ["new"]
    other = poster.row("PRE_APASINFO", PROJID="C2")
    assert refused(poster.post("PRE_APASINFO", other, Idempotency_Key="k-1")) == (422, "KeyReused")
    assert refused(poster.post("PRE_ACCEPT", row, Idempotency_Key="k-1")) == (422, "KeyReused")
    assert refused(poster.post("PRE_APASINFO", row, Idempotency_Key="k-1", Record_Count="1")) == (422, "KeyReused")
    assert hub.one("SELECT count(*) FROM core.approval_case") == 1


@gathered
def test_repeats_of_a_post_that_is_under_way_are_one_post(poster: Poster, hub: Hub) -> None:
    row = poster.row("PRE_APASINFO", PROJID="C1")
    answers = together(lambda _: poster.post("PRE_APASINFO", row, Idempotency_Key="k-1"), 5)
    assert {one.content for one in answers} == {answers[0].content}
    assert sum("Idempotency-Replayed" not in one.headers for one in answers) == 1
    assert hub.one("SELECT read FROM ledger.batch") == 1


def test_answers_are_forgotten_after_their_days(poster: Poster, hub: Hub) -> None:
    row = poster.row("PRE_APASINFO", PROJID="C1")
    poster.post("PRE_APASINFO", row, Idempotency_Key="k-1")
    with hub.runtime.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE ledger.post SET recorded_at = now() - interval '8 days'")
    poster.post("PRE_APASINFO", row, Idempotency_Key="k-2")
    assert hub.one("SELECT count(*) FROM ledger.post") == 1
    assert outcomes(poster.post("PRE_APASINFO", row, Idempotency_Key="k-1")) == ["unchanged"]


# --- gathering ---


def together(call: Callable[[int], requests.Response], times: int) -> list[requests.Response]:
    """Make calls at the same time; return their answers in order."""
    found: dict[int, requests.Response] = {}
    threads = [threading.Thread(target=lambda n=n: found.update({n: call(n)})) for n in range(times)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    return [found[n] for n in range(times)]


@gathered
def test_posts_of_half_a_second_are_one_batch_and_each_has_its_own_receipts(poster: Poster, hub: Hub) -> None:
    def call(n: int) -> requests.Response:
        rows = [poster.row("PRE_APASINFO", PROJID=f"C{n}-{m}") for m in range(n + 1)]
        return poster.post("PRE_APASINFO", *rows, *([5] if n == 3 else []))

    answers = together(call, 8)
    assert [taken(one).counts["new"] for one in answers] == list(range(1, 9))
    assert taken(answers[3]).records[4].outcome == "quarantined"
    assert hub.one("SELECT count(*) FROM ledger.batch") <= 2, "a slow thread may come too late for the first"
    assert hub.one("SELECT sum(read), sum(quarantined) FROM ledger.batch") == (37, 1)
    assert check(hub.runtime.engine) == []


@gathered
def test_a_post_that_brings_its_batch_down_takes_no_other_with_it(
    poster: Poster, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub.runtime.engine.begin() as connection:
        connection.exec_driver_sql(
            """CREATE FUNCTION core.refuse() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN IF NEW.case_number = 'POISON' THEN RAISE EXCEPTION 'no' USING ERRCODE = 'XX000'; END IF;
               RETURN NEW; END $$"""
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON core.approval_case FOR EACH ROW EXECUTE FUNCTION core.refuse()"
        )
    names = ["C1", "POISON", "C2"]
    answers = together(lambda n: poster.post("PRE_APASINFO", poster.row("PRE_APASINFO", PROJID=names[n])), 3)
    assert [one.status_code for one in answers] == [200, 500, 200]
    assert refused(answers[1]) == (500, "InternalError")
    assert hub.one("SELECT count(*) FROM core.approval_case") == 2
    assert check(hub.runtime.engine) == []


@gathered
def test_a_post_that_changes_the_shape_of_a_frozen_stream_is_refused_and_no_other(
    tmp_path: Path, runtime: Runtime, token_for: Callable[..., str]
) -> None:
    poster = Poster(tmp_path / "sources", version=2, each={"contract": "freeze"})
    poster.token = token_for("push:labour")
    hub = Hub(runtime, poster)
    with serving(lambda: runtime) as poster.at:
        rows = [poster.row("PRE_APASINFO", PROJID=f"C{n}") for n in range(3)]
        rows[1]["NEW_FIELD"] = "secret 身份"
        answers = together(lambda n: poster.post("PRE_APASINFO", rows[n]), 3)
        assert [one.status_code for one in answers] == [200, 422, 200]
        assert refused(answers[1]) == (422, "Contradicted")
        assert "NEW_FIELD" in answers[1].json()["detail"]
        assert "secret" not in answers[1].text
        assert ("unknown_field", "") in hub.findings(), "the steward is told"
        assert hub.one("SELECT count(*) FROM core.approval_case") == 2
        few = {name: value for name, value in rows[0].items() if value is not None}
        assert outcomes(poster.post("PRE_APASINFO", {**few, "PROJID": "C9"})) == ["new"], "what is empty is left out"
        assert check(runtime.engine) == []


def test_a_source_that_another_holds_is_waited_for_and_then_its_client_is_told_to_come_again(
    poster: Poster, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = poster.row("PRE_APASINFO", PROJID="C1")
    assert outcomes(poster.post("PRE_APASINFO", row)) == ["new"]
    source = hub.source()
    mapping = load_mapping(source.mapping, hub.runtime.documents)
    monkeypatch.setattr(gathering, "LOCK_SECONDS", 0.3)
    with serving(lambda: Runtime.open(hub.runtime.settings)) as poster.at:
        with opened(hub.runtime, source, mapping):
            busy = poster.post("PRE_APASINFO", poster.row("PRE_APASINFO", PROJID="C2"), Idempotency_Key="k-2")
            assert refused(busy) == (503, "Unavailable")
            assert busy.headers["Retry-After"] == "2"
        again = poster.post("PRE_APASINFO", poster.row("PRE_APASINFO", PROJID="C2"), Idempotency_Key="k-2")
        assert outcomes(again) == ["new"]
        assert "Idempotency-Replayed" not in again.headers


def test_a_connection_that_the_server_ended_costs_nobody_an_answer(poster: Poster, hub: Hub) -> None:
    assert outcomes(poster.post("PRE_APASINFO", poster.row("PRE_APASINFO", PROJID="C1"))) == ["new"]
    ended = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle'"""
    assert hub.one(ended) > 0
    assert outcomes(poster.post("PRE_APASINFO", poster.row("PRE_APASINFO", PROJID="C2"))) == ["new"]
    hub.runtime.engine.dispose()
    assert check(hub.runtime.engine) == []


# --- what a post says of itself ---


def test_a_declared_count_must_be_true(poster: Poster, hub: Hub) -> None:
    row = poster.row("PRE_APASINFO", PROJID="C1")
    assert refused(poster.post("PRE_APASINFO", row, Record_Count="2")) == (422, "Contradicted")
    assert hub.one("SELECT count(*) FROM ledger.batch") == 0
    assert outcomes(poster.post("PRE_APASINFO", row, Record_Count="1")) == ["new"]


def test_a_department_that_has_nothing_to_say_says_so(poster: Poster, hub: Hub) -> None:
    said = poster.post("PRE_APASINFO", Complete_Through="2026-03-02T17:30:00+08:00")
    assert taken(said).counts["read"] == 0
    query = "SELECT complete_through, complete_basis, last_success_at IS NOT NULL FROM ledger.stream WHERE name = :name"
    through, basis, success = hub.one(query, name="PRE_APASINFO")
    assert (through.isoformat(), basis, success) == ("2026-03-02T09:30:00+00:00", "declared", True)
    poster.post("PRE_APASINFO", Complete_Through="2026-03-01T00:00:00Z")
    assert hub.one(query, name="PRE_APASINFO")[0] == through, "it never goes back"
    ahead = poster.post("PRE_APASINFO", Complete_Through="2199-01-01T00:00:00Z")
    assert refused(ahead) == (422, "Contradicted")
    assert taken(poster.post("PRE_APASINFO", Complete_Through="2026-03-01T00:00:00-21:22")).counts["read"] == 0
    for wrong in ("2026-03-02", "2026-03-02T17:30:00", "gestern", "0001-01-01T00:00:00+21:22"):
        assert refused(poster.post("PRE_APASINFO", Complete_Through=wrong)) == (400, "Malformed")


# --- who may post what ---


def test_a_client_posts_for_its_own_sources_only(poster: Poster, token_for: Callable[..., str], hub: Hub) -> None:
    row = poster.row("PRE_APASINFO", PROJID="C1")
    poster.token = token_for("push:housing", code="housing-it")
    named = poster.post("PRE_APASINFO?source=labour", row)
    assert refused(named) == (403, "NotAllowed")
    assert refused(poster.post("PRE_APASINFO", row)) == (404, "NotFound"), "its own source does not post here"
    poster.token = token_for("push:labour", "push:housing", code="both")
    assert refused(poster.post("PRE_APASINFO", row)) == (400, "Malformed"), "for which of the two?"
    assert hub.one("SELECT count(*) FROM ledger.batch") == 0
    assert outcomes(poster.post("PRE_APASINFO?source=labour", row)) == ["new"]
    unknown = poster.post("NOTHING?source=labour", row)
    assert refused(unknown) == (404, "NotFound")
    assert "PRE_APASINFO" in unknown.json()["hint"]


def test_a_pull_of_a_source_that_posts_looks_after_what_is_due(poster: Poster, hub: Hub) -> None:
    assert outcomes(poster.post("PRE_NODE", poster.row("PRE_NODE", UNID="n1", PROJID="C9"))) == ["parked"]
    success = "SELECT last_success_at FROM ledger.stream WHERE name = 'PRE_NODE'"
    posted = hub.one(success)
    with hub.runtime.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE ledger.waiting SET since = since - interval '40 days'")
    counts = hub.pull()
    assert {one["read"] for one in counts.values()} == {0}
    assert ("parent_missing", "n1") in hub.findings()
    assert hub.one(success) == posted, "a pull says nothing of a department that posts"


def test_what_was_posted_is_rebuilt_from_the_archive(poster: Poster, hub: Hub, beside: Runtime) -> None:
    rows = poster.case_rows("C1")
    for stream in ("PRE_NODE", "PRE_APASINFO", "PRE_ACCEPT"):
        poster.post(stream, *rows[stream], 5, Complete_Through="2026-03-09T17:30:00+08:00", Idempotency_Key=stream)
    rebuild(beside)
    assert digest(beside.engine) == digest(hub.runtime.engine)


def test_a_client_is_told_to_wait_when_it_asks_too_often(
    tmp_path: Path, settings: Any, token_for: Callable[..., str]
) -> None:
    made = Poster(tmp_path / "sources")
    made.token = token_for("push:labour")
    hurried = settings.model_copy(update={"push_rate": 0.5})
    with serving(lambda: Runtime.open(hurried)) as made.at:
        assert outcomes(made.post("PRE_APASINFO")) == []
        late = made.post("PRE_APASINFO")
        assert refused(late) == (429, "TooMany")
        assert 1 <= int(late.headers["Retry-After"]) <= 2


# --- the page, and XML ---

PAGE = Path(__file__).resolve().parents[2] / "docs" / "integrate" / "kinds" / "push.md"


def written(language: str, name: str) -> str:
    found = re.search(rf"```{language} {re.escape(name)}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, name
    return found[1]


@pytest.fixture
def county(tmp_path: Path, runtime: Runtime, token_for: Callable[..., str]) -> Iterator[Poster]:
    """The department of the page."""
    made = Poster(tmp_path / "sources", "county-licences")
    (made.folder / "source.yml").write_text(written("yaml", "source.yml"), encoding="utf-8")
    made.token = token_for("push:county-licences")
    with serving(lambda: runtime) as made.at:
        yield made


def test_the_pages_post_is_answered_as_the_page_says(county: Poster) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here to type the page's command into")
    environment = {**os.environ, "HUB": county.at, "TOKEN": county.token}
    done = subprocess.run(
        ["sh", "-c", written("sh", "post")], env=environment, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = TypeAdapter(Taken).validate_json(done.stdout)
    assert [one.outcome for one in said.records] == ["parked", "quarantined"]
    assert "unknown_code" in {one.rule for one in said.records[1].errors}
    shown = re.search(r"## The answer\n\n```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    assert TypeAdapter(Taken).validate_json(shown[1]).counts == said.counts


def test_xml_is_read_where_the_stream_declares_its_record(county: Poster) -> None:
    row = county.row("PRE_NODE", UNID="x1", PROJID="C1")
    cells = "".join(f"<{name}>{value}</{name}>" for name, value in row.items() if value is not None)
    body = f'<?xml version="1.0" encoding="utf-8"?><D><ROW>{cells}</ROW><ROW><UNID>x2</UNID></ROW></D>'.encode()
    answer = county.post("PRE_NODE", body=body, Content_Type="text/xml; charset=utf-8")
    assert outcomes(answer) == ["parked", "quarantined"]
    as_json = county.post("PRE_NODE", {**row, "DATAVERSION": "1"})
    assert outcomes(as_json)[0] in {"unchanged", "parked"}


XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="D"><xs:complexType><xs:sequence>
<xs:element name="ROW" maxOccurs="unbounded"><xs:complexType><xs:sequence><xs:element name="PROJID" type="xs:string"/>
<xs:element name="DATAVERSION" type="xs:integer"/></xs:sequence></xs:complexType></xs:element></xs:sequence>
</xs:complexType></xs:element></xs:schema>"""


def test_the_xsd_of_a_stream_judges_what_is_posted(county: Poster, runtime: Runtime) -> None:
    (county.folder / "posts.xsd").write_text(XSD, encoding="utf-8")
    file = county.folder / "source.yml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("record: //ROW", "record: //ROW, xsd: posts.xsd"), encoding="utf-8"
    )
    with serving(lambda: Runtime.open(runtime.settings)) as county.at:
        good, bad = (f"<ROW><PROJID>C1</PROJID><DATAVERSION>{said}</DATAVERSION></ROW>" for said in ("1", "x"))
        answer = county.post("PRE_NODE", body=f"<D>{good}{bad}</D>".encode(), Content_Type="application/xml")
        errors = [{one.rule for one in receipt.errors} for receipt in taken(answer).records]
        assert "schema_violation" in errors[1]
        outside = county.post("PRE_NODE", body=f"<D>{good}<OTHER/></D>".encode(), Content_Type="application/xml")
        assert refused(outside) == (400, "Malformed")
        nothing = county.post("PRE_NODE", body=b"<D/>", Content_Type="application/xml")
        assert refused(nothing) == (400, "Malformed")


def test_a_changed_folder_is_seen_without_a_restart(
    poster: Poster, hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pipeline.routes.served.LOOK_SECONDS", 0.0)
    assert outcomes(poster.post("PRE_APASINFO", poster.row("PRE_APASINFO", PROJID="C1"))) == ["new"]
    whole = poster.folder / "source.yml"
    said = whole.read_text(encoding="utf-8")
    # A stream is taken away while the hub serves.
    body = yaml.safe_load(said)
    del body["streams"]["PRE_TRANSACT"]
    whole.write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")
    assert refused(poster.post("PRE_TRANSACT", poster.row("PRE_TRANSACT", UNID="t"))) == (404, "NotFound")
    assert outcomes(poster.post("PRE_APASINFO", poster.row("PRE_APASINFO", PROJID="C2"))) == ["new"]
    # A folder that is broken meanwhile is served as it was before.
    whole.write_text(said.replace("kind: push", "kind: push\nnonsense: 1"), encoding="utf-8")
    assert outcomes(poster.post("PRE_APASINFO", poster.row("PRE_APASINFO", PROJID="C3"))) == ["new"]
    assert "is served as it was before its folder was changed" in caplog.text
    # Mended, it is as it says.
    whole.write_text(said, encoding="utf-8")
    assert outcomes(poster.post("PRE_TRANSACT", poster.row("PRE_TRANSACT", UNID="t", PROJID="C1"))) == ["new"]
    # Gone, it takes nothing any more.
    whole.unlink()
    assert refused(poster.post("PRE_APASINFO", poster.row("PRE_APASINFO", PROJID="C4"))) == (404, "NotFound")
    assert check(hub.runtime.engine) == []


def test_a_refused_post_is_kept_nowhere_and_told_in_the_log(
    poster: Poster, hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    before = sorted(hub.runtime.archive.list())
    assert refused(poster.post("PRE_APASINFO", body='{"APPLYNAME": "郑立新"'.encode())) == (400, "Malformed")
    assert hub.rows("SELECT 1 FROM ledger.batch") == []
    assert sorted(hub.runtime.archive.list()) == before
    assert "source labour, PRE_APASINFO: a post of labour-it was refused (Malformed)" in caplog.text
    assert "郑立新" not in caplog.text
