"""`hub connector check`, `discover`, `preview`: the way of a record, no person, no secret, and nothing is kept."""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hub.documents import Documents
from hub.protect.text import mask_name, mask_number
from hub.settings import SettingError
from kit.cli import connector
from kit.masking import mask_of, request_line, shape
from kit.propose import Dictionary, plain
from kit.scaffold import write
from normalization.mapping import load_mapping
from tests.departments import GOOD, PROFILE, Department
from tests.kit.services import PASSWORD, Hall, case, serving

PERSON = ("王晓岚", "330185199003071223", "13957126845", "文三路18号", "周敏", "郑立新")


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(connector, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def run_json(*words: str) -> Any:
    return json.loads(run(*words, "--json")[1])


@pytest.fixture
def labour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Department:
    made = Department(tmp_path / "sources")
    made.case("2026-001")
    monkeypatch.setenv("HUB_SOURCES", str(tmp_path / "sources"))
    monkeypatch.setenv("HUB_CONN_LABOUR", made.url)
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "home"))
    return made


# --- masking


@given(st.text())
def test_a_shape_holds_no_letter_and_no_digit_of_the_text(text: str) -> None:
    assert {sign for sign in str(shape(text)) if sign.isalnum()} <= set("9Aa字x") | set("0123456789")
    if len(text) <= 40:
        assert {sign for sign in str(shape(text)) if sign.isalnum()} <= set("9Aa字x")


def test_what_is_not_mapped_to_an_open_column_is_masked() -> None:
    stream = load_mapping(PROFILE / "mapping.yml", Documents.load()).streams["PRE_APASINFO"]
    shown = mask_of(stream)({**GOOD["PRE_APASINFO"], "手机": "13957126845", "more": {"name": "王晓岚"}})
    assert shown["SERVICENAME"] == GOOD["PRE_APASINFO"]["SERVICENAME"]
    assert shown["手机"] == "99999999999"
    assert shown["more"] == {"name": "字字字"}
    assert not any(part in json.dumps(shown, ensure_ascii=False) for part in PERSON)


def test_a_request_shows_no_host_and_no_secret() -> None:
    said = request_line("GET", "http://hub:pw@10.0.0.1:80/v1/cases?page=2&access_token=abc&Signature=x")
    assert said == "GET /v1/cases?page=2&access_token=***&Signature=***"


# --- preview


def test_a_preview_follows_a_record_to_its_mapping_line(labour: Department) -> None:
    seen = run_json("preview", "labour", "1", "--stream", "PRE_APASINFO", "--trace")
    (stream,) = seen["streams"]
    assert "SELECT" in stream["exchanges"][0]["asked"]
    (record,) = stream["records"]
    assert (record["key"], record["case"], record["fate"]) == ("2026-001", "2026-001", "kept")
    lines = (PROFILE / "mapping.yml").read_text(encoding="utf-8").splitlines()
    for row in record["rows"]:
        for column in row["columns"]:
            file, _, line = column["line"].rpartition(":")
            assert file.endswith("zhejiang-pre/mapping.yml")
            if column["name"] != "case_number":
                assert column["name"] in lines[int(line) - 1]
    party = next(row for row in record["rows"] if row["table"] == "case_party")
    values = {column["name"]: column["value"] for column in party["columns"]}
    assert (values["name"], values["number"]) == (mask_name(PERSON[0]), mask_number(PERSON[1]))


@pytest.mark.parametrize("words", ["preview labour --trace", "preview labour --json", "discover labour"])
def test_no_person_is_shown(labour: Department, words: str) -> None:
    _, text = run(*words.split())
    assert not any(part in text for part in PERSON)


def test_a_preview_tells_what_is_wrong_and_changes_nothing(labour: Department, tmp_path: Path) -> None:
    labour.put("PRE_APASINFO", PROJID="", RECEIVETIME="昨天")
    before = labour.file.read_bytes()
    (stream,) = run_json("preview", "labour", "9", "--stream", "PRE_APASINFO")["streams"]
    bad = next(one for one in stream["records"] if one["fate"] == "refused")
    assert "missing_key" in {one["rule"] for one in bad["findings"]}
    assert labour.file.read_bytes() == before
    assert not (tmp_path / "home").exists()


def test_a_preview_of_a_service_shows_request_and_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("hall", "rest", None, tmp_path)
    monkeypatch.setenv("HUB_SOURCES", str(tmp_path))
    with serving(Hall([case(n) for n in range(1, 6)])) as url:
        monkeypatch.setenv("HUB_CONN_HALL", url)
        (stream,) = run_json("preview", "hall", "3")["streams"]
    assert stream["exchanges"][0]["asked"] == "GET /cases?size=100&page=1"
    assert stream["exchanges"][0]["answered"] == "200 application/json"
    assert stream["exchanges"][0]["bytes"] > 100
    assert len(stream["records"]) == 3
    assert PASSWORD not in json.dumps(stream)


def test_a_refused_file_is_told_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("drop", "files", None, tmp_path / "sources")
    data = tmp_path / "data"
    data.mkdir()
    names = ",".join(case(1))
    rows = ["" if one is None else str(one) for one in case(2).values()]
    (data / "cases_1.csv").write_text(f"{names}\n2026", encoding="utf-8")
    (data / "cases_2.csv").write_text(f"{names}\n{','.join(rows)}\n", encoding="utf-8")
    monkeypatch.setenv("HUB_SOURCES", str(tmp_path / "sources"))
    monkeypatch.setenv("HUB_CONN_DROP", str(data))
    (stream,) = run_json("preview", "drop")["streams"]
    assert [one["unit"] for one in stream["refused_units"]] == ["cases_1.csv"]
    assert [one["key"] for one in stream["records"]] == ["2026-0002"]


def test_an_unknown_stream_names_the_known_ones(labour: Department) -> None:
    code, text = run("preview", "labour", "--stream", "NODE")
    assert code == 2
    assert "PRE_APASINFO" in text


def test_without_a_connection_the_next_step_is_told(labour: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUB_CONN_LABOUR")
    with pytest.raises(SettingError, match="HUB_CONN_LABOUR"):
        run("preview", "labour")


# --- check


def items(report: Any, what: str) -> dict[str | None, dict[str, Any]]:
    return {one["stream"]: one for one in report["items"] if one["what"] == what}


def test_check_compares_the_fields_both_ways(labour: Department) -> None:
    with sqlite3.connect(labour.file) as database:
        database.execute("ALTER TABLE pre_accept ADD COLUMN colour text")
        database.execute("ALTER TABLE pre_accept DROP COLUMN BATCHNO")
    database.close()
    code, _ = run("check", "labour")
    report = run_json("check", "labour")
    assert (code, report["ok"]) == (1, False)
    found = items(report, "fields")
    assert found["PRE_NODE"]["ok"] is True
    assert "not declared: colour" in found["PRE_ACCEPT"]["message"]
    assert "has not: BATCHNO" in found["PRE_ACCEPT"]["message"]
    assert items(report, "clock")[None]["ok"] is None, "a file has no clock"


@pytest.mark.parametrize(("ahead", "ok"), [(timedelta(), True), (timedelta(hours=-3), False)])
def test_check_tells_a_wrong_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: timedelta, ok: bool) -> None:
    write("hall", "rest", None, tmp_path)
    monkeypatch.setenv("HUB_SOURCES", str(tmp_path))
    hall = Hall([case(1)])
    hall.ahead = ahead
    with serving(hall) as url:
        monkeypatch.setenv("HUB_CONN_HALL", url)
        report = run_json("check", "hall")
    clock = items(report, "clock")[None]
    assert clock["ok"] is ok
    assert ok or re.search(r"(10799|1080\d)\.\d s behind", clock["message"])
    assert report["ok"] is ok


def test_check_asks_a_database_server_for_its_time(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("registry", "database", None, tmp_path)
    monkeypatch.setenv("HUB_SOURCES", str(tmp_path))
    monkeypatch.setenv("HUB_CONN_REGISTRY", server.url("postgres"))
    assert items(run_json("check", "registry"), "clock")[None]["ok"] is True


# --- discover


def test_discover_proposes_columns_and_applies_nothing(labour: Department) -> None:
    with sqlite3.connect(labour.file) as database:
        database.execute('CREATE TABLE sp_result (PROJID text, 办结时间 text, "TRANSACT_RESULT" text, xyzzy text)')
        database.execute("INSERT INTO sp_result VALUES ('2026-001', '2026-03-09', '1', '王晓岚')")
    database.close()
    before = sorted(labour.folder.iterdir())
    (found,) = run_json("discover", "labour", "--stream", "sp_result")["found"]
    assert found["stream"] is None
    (sample,) = found["sample"]
    assert sample == {"PROJID": "9999-999", "办结时间": "9999-99-99", "TRANSACT_RESULT": "9", "xyzzy": "字字字"}
    best = {name: (near[0]["table"], near[0]["column"]) for name, near in found["proposals"].items() if near}
    assert best["TRANSACT_RESULT"] == ("decision", "outcome")
    assert best["PROJID"][1] == "case_number"
    assert "xyzzy" not in best
    body = yaml.safe_load(found["proposed_mapping"])["sp_result"]
    assert body["ignore"] == {"xyzzy": "〔why it is not read〕"}
    assert found["proposed_mapping"].startswith("# PROPOSED")
    assert sorted(labour.folder.iterdir()) == before


def test_declared_streams_show_no_proposal_where_all_is_known(labour: Department) -> None:
    found = {one["stream"]: one for one in run_json("discover", "labour")["found"]}
    assert found["PRE_NODE"]["proposed_mapping"] == ""
    assert all(field["declared"] for field in found["PRE_NODE"]["fields"])
    assert len(found["PRE_NODE"]["sample"]) == 3


def test_every_name_of_the_contracts_is_its_own_nearest() -> None:
    documents = Documents.load()
    dictionary = Dictionary.of(documents, [])
    for document in documents.values():
        for column in document.columns.values():
            for name in (column.name, column.name.upper(), column.label_zh):
                best = dictionary.near(name)[0]
                assert best.nearness == 1
                assert plain(name) in {plain(best.column), plain(documents[best.table].columns[best.column].label_zh)}
