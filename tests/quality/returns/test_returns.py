"""A department gets its rejected rows, corrects them, and sends them back."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hub.cli import build
from pipeline.runtime import Runtime
from quality.returns import service
from quality.returns.forms import cell_of, csv_read, csv_safe, untouched
from quality.worklist import service as worklist
from tests.departments import ORGAN
from tests.quality.returns.conftest import column, edit, put, returned
from tests.quality.worklist.conftest import BERND, WorkHub


def test_a_return_tells_what_is_wrong_and_holds_no_formula(rejected: WorkHub, tmp_path: Path) -> None:
    files = returned(rejected, tmp_path / "out")
    assert {one.name for one in files.values()} == {
        f"labour-{ORGAN}-rejected.xlsx", f"labour-{ORGAN}-rejected.json", f"labour-{ORGAN}-rejected-PRE_NODE.csv",
    }  # fmt: skip
    assert {stat.S_IMODE(one.stat().st_mode) for one in files.values()} == {0o600}
    book = openpyxl.load_workbook(files[".xlsx"])
    page = book.worksheets[0]
    assert page.freeze_panes == "A3"
    assert page.protection.sheet
    assert {cell.data_type for row in page.iter_rows() for cell in row if cell.value is not None} == {"s"}
    assert page.cell(3, column(book, "NODE_NAME")).value == "=1+0"
    assert page.cell(3, column(book, "hub:token")).protection.locked
    assert not page.cell(3, column(book, "NODE_NAME")).protection.locked
    assert "代码不在代码表中" in page.cell(3, column(book, "hub:wrong_zh")).value
    assert "code list" in page.cell(3, column(book, "hub:hint_en")).value
    assert page.cell(3, column(book, "NAME")).value == "(protected)", "a handler is a person"
    with files[".csv"].open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert files[".csv"].read_bytes().startswith(b"\xef\xbb\xbf")
    assert [row["NODE_NAME"] for row in rows] == ["'=1+0", "'=1+1", "'=1+2"]
    said = json.loads(files[".json"].read_text(encoding="utf-8"))
    assert [row["record"]["NODE_NAME"] for row in said["streams"][0]["rows"]] == ["=1+0", "=1+1", "=1+2"]
    assert "周敏" not in files[".json"].read_text(encoding="utf-8") + files[".csv"].read_text(encoding="utf-8")


def test_revealed_values_are_logged(rejected: WorkHub, tmp_path: Path) -> None:
    files = returned(rejected, tmp_path / "out", reveal=True)
    assert "周敏" in files[".json"].read_text(encoding="utf-8")
    assert rejected.rows("SELECT actor, what FROM quality.work_log") == [(BERND, "reveal"), (BERND, "return")]


def test_a_corrected_workbook_is_taken_back(rejected: WorkHub, empty_runtime: Runtime, tmp_path: Path) -> None:
    hub = rejected
    file = edit(returned(hub, tmp_path / "out")[".xlsx"], put("PHASE_CODE", "ACCEPT", 3, 4))
    done = service.take_back(hub.runtime, file, actor=BERND)
    assert done.counts == {"accepted": 2, "refused": 0, "untouched": 1}
    assert [hub.state(f"n{number}") for number in range(3)] == ["kept", "kept", "quarantined"]
    assert hub.rows("SELECT DISTINCT status, proposed_by, decided_by FROM quality.correction") == [
        ("applied", f"department:{ORGAN}", BERND)
    ]
    assert hub.rows("SELECT detail FROM quality.work_log WHERE what = 'take_back' LIMIT 1") == [
        ({"proposed_by": f"department:{ORGAN}"},)
    ]
    assert hub.rows("SELECT read FROM ledger.batch WHERE kind = 'correction'") == [(2,)], "one transaction a stream"
    assert hub.one("SELECT DISTINCT handler_mask FROM core.stage_event JOIN ledger.source_record USING (record_id) "
                   "WHERE source_key = 'n0'") is not None, "what was hidden stays as it was"  # fmt: skip
    assert hub.pull(full=True)["PRE_NODE"]["unchanged"] == 7
    hub.sound()
    hub.rebuilt_equal(empty_runtime)


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_a_corrected_text_file_is_taken_back(rejected: WorkHub, tmp_path: Path, ending: str) -> None:
    file = returned(rejected, tmp_path / "out")[ending]
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("SIGNED", "ACCEPT", 2) if ending == ".csv" else _by_record(text), encoding="utf-8")
    done = service.take_back(rejected.runtime, file, actor=BERND)
    assert done.counts["refused"] == 0
    assert done.counts["accepted"] >= 1
    assert rejected.state("n0") == "kept"
    rejected.sound()


def _by_record(text: str) -> str:
    said = json.loads(text)
    said["streams"][0]["rows"][0]["record"]["PHASE_CODE"] = "ACCEPT"
    return json.dumps(said, ensure_ascii=False)


def test_a_row_that_does_not_pass_is_told_all_its_faults_and_the_others_go_on(
    rejected: WorkHub, tmp_path: Path
) -> None:
    file = returned(rejected, tmp_path / "out")[".xlsx"]
    edit(file, put("PHASE_CODE", "ACCEPT", 3, 4))
    edit(file, put("PHASE_CODE", "NEVER", 5))
    edit(file, put("START_TIME", "昨天", 5))
    done = service.take_back(rejected.runtime, file, actor=BERND)
    assert [one.outcome for one in done.receipts] == ["accepted", "accepted", "refused"]
    told = "\n".join(done.receipts[2].reasons)
    assert "PHASE_CODE" in told
    assert "START_TIME" in told
    assert "昨天" not in told
    assert rejected.state("n2") == "quarantined"


def test_two_rows_that_claim_one_thing_do_not_stop_the_third(hub: WorkHub, tmp_path: Path) -> None:
    department = hub.department
    for number in ("A1", "A2", "A3"):
        department.put("PRE_APASINFO", PROJID=number, BUS_MODE="9", SYNC_STATUS="?")
    hub.pull()
    file = returned(hub, tmp_path / "out")[".xlsx"]
    edit(file, put("SYNC_STATUS", "I", 3, 4, 5))
    done = service.take_back(hub.runtime, file, actor=BERND)
    assert done.counts["accepted"] == 3, done.receipts
    hub.sound()


def test_what_was_accepted_is_given_as_csv_and_json_lines(rejected: WorkHub, tmp_path: Path) -> None:
    (done,) = service.give_accepted(rejected.runtime, "labour", tmp_path / "mine", actor=BERND)
    assert done.rows["stage_event"] == 5, "four steps and the closing"
    assert done.rows["approval_case"] == 1
    everything = "".join(one.read_text(encoding="utf-8") for one in done.files)
    assert "330185199003071223" not in everything
    events = (tmp_path / "mine" / f"labour-{ORGAN}-accepted-stage_event.jsonl").read_text(encoding="utf-8")
    assert json.loads(events.splitlines()[0])["case_number"] == "C1"
    (clear,) = service.give_accepted(rejected.runtime, "labour", tmp_path / "clear", actor=BERND, reveal=True)
    assert "330185199003071223" in "".join(one.read_text(encoding="utf-8") for one in clear.files)
    assert (BERND, "reveal") in rejected.rows("SELECT actor, what FROM quality.work_log")
    assert {stat.S_IMODE(one.stat().st_mode) for one in clear.files} == {0o600}


def test_the_commands_give_back_and_take_back(
    rejected: WorkHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Runtime, "open", classmethod(lambda *_: rejected.runtime))
    tree = build(["quality"])

    def hub(*words: str) -> Any:
        return CliRunner().invoke(tree, ["quality", *words, "--json"])

    (made,) = json.loads(hub("return", "labour", "--to", str(tmp_path / "out")).stdout)["returned"]
    assert (made["organ"], made["rows"]) == (ORGAN, {"PRE_NODE": 3})
    file = next(Path(one) for one in made["files"] if one.endswith(".xlsx"))
    edit(edit(file, put("PHASE_CODE", "ACCEPT", 3)), put("PHASE_CODE", "NEVER", 4))
    back = hub("take-back", str(file))
    told = json.loads(back.stdout)
    assert back.exit_code == 1, "a row was refused"
    assert (told["accepted"], told["refused"], told["untouched"]) == (1, 1, 1)
    assert [one["outcome"] for one in told["receipts"]] == ["accepted", "refused", "untouched"]
    assert "PHASE_CODE" in "".join(told["receipts"][1]["reasons"])
    assert rejected.state("n0") == "kept"
    (mine,) = json.loads(hub("return", "labour", "--to", str(tmp_path / "mine"), "--accepted").stdout)["returned"]
    assert mine["rows"]["stage_event"] == 6, "five, and the one that was taken back"
    events = (tmp_path / "mine" / f"labour-{ORGAN}-accepted-stage_event.jsonl").read_text(encoding="utf-8")
    mended = {one["source_key"]: one["hub:mended"] for one in map(json.loads, events.splitlines())}
    assert mended["n0"] == "/PHASE_CODE", "what was put right says so"
    assert {said for key, said in mended.items() if key != "n0"} == {None}


def test_nothing_is_overwritten(rejected: WorkHub, tmp_path: Path) -> None:
    returned(rejected, tmp_path / "out")
    with pytest.raises(worklist.NotDone, match="never overwritten"):
        returned(rejected, tmp_path / "out")


@given(st.text() | st.from_regex(r"\A *[=+@＝－].*"))
def test_the_mark_against_formulas_is_taken_off_again(text: str) -> None:
    assert csv_read(csv_safe(text)) == text
    assert not csv_safe(text).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))


@given(st.text(), st.text())
def test_a_cell_that_nobody_touched_is_no_correction(value: str, other: str) -> None:
    assert untouched(cell_of(value), value)
    if cell_of(other).strip() != cell_of(value).strip() and other not in ("(protected)", "(too long for a cell)"):
        assert not untouched(cell_of(other), value)
