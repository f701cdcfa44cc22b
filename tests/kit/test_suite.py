"""The standard suite finds what it is there to find: each check is shown a source that breaks it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg2
import pytest
import yaml

from connectors.envelopes.document import fault
from connectors.envelopes.judge import Expected, Proof, expected_refusal
from connectors.source import Source, StreamSpec
from hub.settings import Settings
from kit.scaffold import write
from kit.suite import NAMES, Outcome, Status, httptrouble, pulls, run, trouble
from sharedrepo.embedded import EmbeddedServer
from tests.kit.services import PASSWORD, Hall, case, serving

OWN = "        records = self._records(stream)\n"
HONEST = '        done = 0 if full else int(state.get("read", 0))\n'


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source with a connector of its own over a file of records, all in order."""
    made = write("own-probe", "own", None, tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    (data / "cases.jsonl").write_text("".join(json.dumps(case(n)) + "\n" for n in range(1, 9)), encoding="utf-8")
    monkeypatch.setenv("HUB_CONN_OWN_PROBE", str(data))
    source = made.folder / "source.yml"
    text = source.read_text(encoding="utf-8").replace("cases: {}", "cases: {cursor: {field: changed_at}}")
    source.write_text(text, encoding="utf-8")
    return made.folder


def spoil(folder: Path, old: str, new: str) -> None:
    file = folder / "connector.py"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def suite(folder: Path, *names: str) -> dict[str, Outcome]:
    return {one.check: one for one in run(folder.name, Settings.load(sources=(folder.parent,)), only=names)}


def failed(folder: Path) -> set[str]:
    return {name for name, one in suite(folder).items() if one.status is Status.FAILED}


def test_an_honest_connector_passes(own: Path) -> None:
    assert failed(own) == set()


def test_two_reads_that_differ_are_found(own: Path) -> None:
    spoil(
        own,
        OWN,
        OWN + "        import time\n        records = [{**one, 'remark': str(time.time())} for one in records]\n",
    )
    assert "full-reads-equal" in failed(own)


def test_records_that_a_state_skips_are_found(own: Path) -> None:
    spoil(own, HONEST, HONEST + "        done += 1 if done else 0\n")
    assert "resume-from-each-state" in failed(own)


def test_what_is_older_than_the_cursor_is_found(own: Path) -> None:
    spoil(own, '{"read": done}', '{"cursor": max((one["changed_at"] for one in records), default="")}')
    assert failed(own) == {"nothing-before-cursor", "future-state"}


def test_a_read_that_never_says_its_end_is_found(own: Path) -> None:
    spoil(own, "last=last)", "last=False)")
    assert "paging-stops" in failed(own)


def test_an_error_without_a_type_of_ours_is_found(own: Path) -> None:
    spoil(own, OWN, OWN + "        raise KeyError('王晓岚')\n")
    done = suite(own, "full-reads-equal")["full-reads-equal"]
    assert done.status is Status.FAILED
    assert "KeyError at connector.py:" in done.message
    assert "王晓岚" not in done.message


def test_fields_that_nobody_declared_are_found(own: Path, tmp_path: Path) -> None:
    (tmp_path / "data" / "cases.jsonl").write_text(json.dumps(case(1, colour="red")) + "\n", encoding="utf-8")
    done = suite(own, "discover-matches")["discover-matches"]
    assert "not declared: colour" in done.message


def test_a_wrong_folder_fails_spec_valid_and_runs_nothing_else(own: Path) -> None:
    (own / "mapping.yml").write_text("version: 1\n", encoding="utf-8")
    done = suite(own)
    assert done["spec-valid"].status is Status.FAILED
    assert "mapping.yml:1" in done["spec-valid"].message
    assert done["full-reads-equal"].status is Status.CANNOT
    assert done["no-secret-in-files"].status is Status.PASSED


@pytest.mark.parametrize("reason", ["later", "not needed", "n/a"])
def test_an_ignored_field_needs_a_real_reason(own: Path, reason: str) -> None:
    file = own / "mapping.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r'remark: ".*"', f'remark: "{reason}"', text), encoding="utf-8")
    assert failed(own) == {"every-field-accounted"}


# --- secrets and persons


@pytest.mark.parametrize(
    "line",
    [
        "# postgresql://reader:Tr0ub4dor@10.1.2.3/db",
        "-----BEGIN RSA PRIVATE KEY-----",
        "token: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        'password = "hunter2hunter2"',
    ],
)
def test_a_secret_in_a_file_is_found_and_not_shown(own: Path, line: str) -> None:
    (own / "notes.txt").write_text(f"first\n{line}\n", encoding="utf-8")
    done = suite(own, "no-secret-in-files")["no-secret-in-files"]
    assert done.status is Status.FAILED
    assert "notes.txt:2" in done.message
    assert not any(secret in done.message for secret in ("Tr0ub4dor", "eyJhbGci", "hunter2"))


@pytest.mark.parametrize(
    "line", ["# https://:TOKEN@HOST/base", "# mysql://hub:PASSWORD@HOST/db", "password: ${PASSWORD}"]
)
def test_a_placeholder_is_no_secret(own: Path, line: str) -> None:
    (own / "notes.txt").write_text(line, encoding="utf-8")
    assert suite(own, "no-secret-in-files")["no-secret-in-files"].status is Status.PASSED


@pytest.mark.parametrize("value", ["330185199003071223", "13957126845"])
def test_a_person_in_an_example_must_be_marked_as_invented(own: Path, value: str) -> None:
    file = own / "samples" / "valid" / "cases-more.jsonl"
    message = {"stream": "cases", "record": case(9, remark=value)}
    file.write_text(json.dumps(message), encoding="utf-8")
    done = suite(own, "no-person-in-files")["no-person-in-files"]
    assert done.status is Status.FAILED
    assert value not in done.message
    file.write_text(json.dumps({**message, "invented": True}), encoding="utf-8")
    assert suite(own, "no-person-in-files")["no-person-in-files"].status is Status.PASSED


# --- examples


def test_examples_that_do_not_behave_are_found(own: Path) -> None:
    valid, invalid = own / "samples/valid/cases-2.json", own / "samples/invalid/cases-2.json"
    valid.write_text(json.dumps(case(1, case_number=None)), encoding="utf-8")
    invalid.write_text(json.dumps(case(1)), encoding="utf-8")
    invalid.with_name("cases-2.raises.json").write_text('["future_time"]', encoding="utf-8")
    done = suite(own, "valid-samples", "invalid-samples")
    assert "cases-2.json:1 is refused: " in done["valid-samples"].message
    assert "must raise future_time and raises nothing" in done["invalid-samples"].message


def test_an_invalid_example_says_what_it_raises(own: Path) -> None:
    (own / "samples/invalid/cases-3.json").write_text(json.dumps(case(1)), encoding="utf-8")
    assert "does not say which rules it raises" in suite(own, "valid-samples")["valid-samples"].message


# --- waivers


def test_a_waiver_with_a_reason_is_told(own: Path) -> None:
    spoil(own, "last=last)", "last=False)")
    (own / "suite.yml").write_text("paging-stops: 供应商的接口没有结束标志，已书面说明，待升级\n", encoding="utf-8")
    done = suite(own)
    assert (done["paging-stops"].status, done["paging-stops"].message[:4]) == (Status.WAIVED, "供应商的")
    assert done["waivers-valid"].status is Status.PASSED


@pytest.mark.parametrize("reason", ["", "because", "1", "[a]"])
def test_a_waiver_without_a_sentence_fails_and_waives_nothing(own: Path, reason: str) -> None:
    (own / "suite.yml").write_text(f"paging-stops: {reason}\n", encoding="utf-8")
    done = suite(own)
    assert done["waivers-valid"].status is Status.FAILED
    assert "suite.yml:1" in done["waivers-valid"].message
    assert done["paging-stops"].status is Status.PASSED


def test_an_unknown_check_cannot_be_waived(own: Path) -> None:
    (own / "suite.yml").write_text("paging-stop: this check does not exist, so it cannot be waived\n", encoding="utf-8")
    done = suite(own, "waivers-valid")["waivers-valid"]
    assert done.status is Status.FAILED
    assert "no check 'paging-stop' (known: spec-valid" in done.message


# --- passwords, slow and lying servers


@pytest.fixture
def rest(tmp_path: Path) -> Path:
    return write("hall", "rest", None, tmp_path).folder


def test_a_real_service_passes_all(rest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Hall([case(n) for n in range(1, 8)])) as url:
        monkeypatch.setenv("HUB_CONN_HALL", url)
        done = suite(rest)
    assert {one.message for one in done.values() if one.status is Status.FAILED} == set()
    for name in ("wrong-password", "slow-server", "cut-server", "lying-length", "half-document", "endless-page"):
        assert done[name].status is Status.PASSED, name
    assert not any(PASSWORD in one.message for one in done.values())


def test_a_service_that_lets_anybody_in_is_found(rest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hall = Hall([case(1)])
    hall.locked = False
    with serving(hall) as url:
        monkeypatch.setenv("HUB_CONN_HALL", url)
        done = suite(rest, "wrong-password")["wrong-password"]
    assert "lets a wrong password in" in done.message


NAIVE = """
    def _records(self, stream: StreamSpec) -> list[Record]:
        import urllib.request
        from urllib.parse import urlsplit
        parts = urlsplit(self.url)
        with urllib.request.urlopen(f"http://{parts.netloc.rpartition('@')[2]}/cases") as answer:
            HOW
"""


SCRAPING = """text = answer.read(50_000).decode(errors='replace')
            return [json.loads(one) for one in __import__('re').findall(r'{[^{}]*}', text)]"""


@pytest.mark.parametrize(
    ("how", "check", "told"),
    [
        ("return json.loads(answer.read())['data']", "half-document", "JSONDecodeError"),
        ("return json.loads(answer.read())['data']", "slow-server", "hangs"),
        (
            SCRAPING,
            "half-document",
            "records are lost, and no error says so",
        ),
    ],
)
def test_a_naive_reader_is_found(own: Path, monkeypatch: pytest.MonkeyPatch, how: str, check: str, told: str) -> None:
    monkeypatch.setattr(httptrouble, "_WAIT", 1.0)
    text = (own / "connector.py").read_text(encoding="utf-8")
    text = text[: text.index("    def _records")] + NAIVE.replace("HOW", how)
    (own / "connector.py").write_text(text.replace("Path(url)", "Path(url)\n        self.url = url"), encoding="utf-8")
    hall = Hall([case(n) for n in range(1, 8)])
    hall.locked, hall.size = False, 100
    with serving(hall) as url:
        monkeypatch.setenv("HUB_CONN_OWN_PROBE", url)
        done = suite(own, check)[check]
    assert done.status is Status.FAILED
    assert told in done.message


def test_a_database_server_that_breaks_off_is_noticed(
    server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write("registry", "database", None, tmp_path).folder
    url = server.url("postgres")
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        columns = ", ".join(f'"{name}" text' for name in case(1))
        cursor.execute(f"DROP TABLE IF EXISTS cases; CREATE TABLE cases ({columns})")
        cursor.executemany(
            f"INSERT INTO cases VALUES ({', '.join(['%s'] * len(case(1)))})",
            [list(case(n % 28 + 1, case_number=str(n), remark="x" * 400).values()) for n in range(2000)],
        )
    connection.close()
    monkeypatch.setenv("HUB_CONN_REGISTRY", url)
    done = suite(folder)
    with pytest.MonkeyPatch.context() as patch:  # a reader that waits for ever
        patch.setattr(trouble, "with_options", lambda spec, **_: spec)
        patch.setattr(trouble, "guarded", partial(pulls.guarded, wait=1))
        waits = suite(folder, "silent-database")["silent-database"]
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE cases")
    connection.close()
    assert [name for name, one in done.items() if one.status is Status.FAILED] == ["wrong-password"]  # it trusts us all
    assert done["cut-database"].message == done["silent-database"].message == "cases: RetrySource"
    assert (waits.status, "reading hangs" in waits.message) == (Status.FAILED, True)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_cut_file_is_noticed_or_the_suite_says_what_to_do(tmp_path: Path, encoding: str) -> None:
    folder = write("dropped", "files", None, tmp_path).folder
    source = folder / "source.yml"
    source.write_text(
        source.read_text(encoding="utf-8").replace("format: csv", f"format: csv, encoding: {encoding}"),
        encoding="utf-8",
    )
    done = suite(folder, "cut-file")["cut-file"]
    assert done.status is Status.PASSED
    assert "noticed" in done.message


def test_a_cut_that_nobody_could_notice_is_a_fault_of_the_declaration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kit.suite.trouble.middle", lambda content, as_lines: content.rindex(b"\n", 0, -2) + 1)
    folder = write("dropped", "files", None, tmp_path).folder
    done = suite(folder, "cut-file")["cut-file"]
    assert done.status is Status.FAILED
    assert "`trailer`" in done.message


def test_a_bound_keeps_large_systems_from_being_read_whole(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load(sources=(own.parent,))
    done = {one.check: one for one in run(own.name, settings, only=["paging-stops", "full-reads-equal"], most=3)}
    assert done["paging-stops"].status is Status.CANNOT
    assert "--most" in done["paging-stops"].message
    assert done["full-reads-equal"].status is Status.PASSED
    assert pulls._WAIT >= 1


def test_names_are_unique_and_every_check_says_what_it_proves(own: Path) -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(one.proves for one in suite(own).values())


def enveloped(tmp_path: Path, **block: object) -> Path:
    """A source of files whose deliveries bear envelopes."""
    folder = write("dropped", "files", None, tmp_path).folder
    source = folder / "source.yml"
    text = source.read_text(encoding="utf-8")
    source.write_text(f"{text}envelope: {json.dumps({'receipts': 'receipts', **block})}\n", encoding="utf-8")
    return folder


def test_a_source_with_envelopes_passes_the_suite(tmp_path: Path) -> None:
    folder = enveloped(tmp_path)
    done = suite(folder)
    assert {name for name, one in done.items() if one.status is Status.FAILED} == set()
    assert done["envelope-proven"].status is Status.PASSED
    assert "without its envelope it waits" in done["envelope-proven"].message
    assert done["cut-file"].status is Status.PASSED


def test_a_delivery_whose_envelope_is_not_proven_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = enveloped(tmp_path)
    monkeypatch.setattr("connectors.envelopes.judge.Tally.faults", lambda *_: iter(()))
    done = suite(folder, "envelope-proven")["envelope-proven"]
    assert (done.status, done.message.endswith("another count is not noticed")) == (Status.FAILED, True)


def numbered(tmp_path: Path, kind: str, use: str) -> Path:
    """A source of messages or posts that bear envelopes."""
    folder = write("numbered", kind, None, tmp_path).folder
    source = folder / "source.yml"
    said = yaml.safe_load(source.read_text(encoding="utf-8"))
    for stream in said["streams"].values():
        stream["envelope"] = {"use": use}
    source.write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
    return folder


@pytest.mark.parametrize("use", ["required", "optional"])
@pytest.mark.parametrize("kind", ["queue", "push"])
def test_envelopes_of_messages_and_posts_are_proven_too(tmp_path: Path, kind: str, use: str) -> None:
    done = suite(numbered(tmp_path, kind, use), "envelope-proven")["envelope-proven"]
    assert done.status is Status.PASSED, done.message
    assert ("without its envelope it is refused" in done.message) is (use == "required")


@pytest.mark.parametrize("kind", ["queue", "push"])
@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("Expected.faults", "another payload is not noticed"),
        ("Tally.faults", "another count is not noticed"),
        ("Proof.close", "does not hold"),
    ],
)
def test_a_message_or_post_whose_envelope_is_not_proven_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, where: str, told: str
) -> None:
    folder = numbered(tmp_path, kind, "required")

    def refuse(proof: Proof, _hash: object) -> None:
        raise expected_refusal(proof.expected, [fault("it is refused")], proof.unit, None)

    monkeypatch.setattr(
        f"connectors.envelopes.judge.{where}", refuse if where == "Proof.close" else lambda *_: iter(())
    )
    done = suite(folder, "envelope-proven")["envelope-proven"]
    assert done.status is Status.FAILED
    assert told in done.message


@pytest.mark.parametrize("kind", ["queue", "push"])
def test_a_message_or_post_that_is_taken_without_its_envelope_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder = numbered(tmp_path, kind, "required")
    expected = Expected.of

    def lenient(source: Source, stream: StreamSpec) -> Expected:
        made = expected(source, stream)
        assert made is not None
        return replace(made, policy=replace(made.policy, required=False))

    monkeypatch.setattr("connectors.envelopes.judge.Expected.of", lenient)
    done = suite(folder, "envelope-proven")["envelope-proven"]
    assert (done.status, "is not refused" in done.message) == (Status.FAILED, True)


def test_a_source_without_envelopes_has_nothing_to_prove(tmp_path: Path) -> None:
    folder = write("dropped", "files", None, tmp_path).folder
    assert suite(folder, "envelope-proven")["envelope-proven"].status is Status.CANNOT
