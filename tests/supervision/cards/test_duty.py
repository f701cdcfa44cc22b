"""The duty register: imported whole or not at all, persons protected, and cards sent to who is on duty that day."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa

from supervision.cards.duty import files, service
from supervision.cards.errors import BadRegister
from tests.supervision.desk import REGISTER, Desk
from tests.supervision.world import ORGAN, World

HEAD = "organ,unit,role,staff,name,phone,from,to,deputy_of\n"
ROW = f"{ORGAN},审批处,division_head,S002,吴国强,13900002222,2026-01-01,,\n"


def told(desk: Desk) -> set[tuple[str, str]]:
    return {(one["role"], one["staff"]) for one in desk.card()["recipients"]}


def test_a_red_card_reaches_division_head_discipline_officer_leader_and_deputy(
    desk: Desk, world: World, tmp_path: Path
) -> None:
    desk.register(tmp_path)
    world.item()
    world.case()
    desk.only_rules("case_overdue")
    done = desk.run("2026-03-18 09:00")
    assert told(desk) == {("division_head", "S002"), ("discipline_officer", "S003"), ("leader_in_charge", "S004"),
                          ("deputy", "S005")}  # fmt: skip
    assert done.unaddressed == 0


def test_a_deputy_is_told_on_the_days_of_the_deputation_only(desk: Desk, world: World, tmp_path: Path) -> None:
    desk.register(tmp_path)
    world.item()
    world.case(applied="2026-03-18 09:00", accepted="2026-03-18 10:00")
    desk.only_rules("case_overdue")
    desk.run("2026-04-03 09:00")
    assert ("deputy", "S005") not in told(desk)


def test_the_handler_is_known_by_the_name_that_the_stage_event_bears(desk: Desk, world: World, tmp_path: Path) -> None:
    desk.register(tmp_path)
    world.item()
    world.case(stages=[("accept", "2026-03-02 10:00", "2026-03-02 11:00")])
    sign(desk, "周 敏")  # written with a blank: names are compared as they are hashed
    desk.only_rules("case_day_left")
    desk.run("2026-03-13 09:00")
    assert ("handler", "S001") in told(desk)


def test_two_handlers_of_one_name_are_nobody(desk: Desk, world: World, tmp_path: Path) -> None:
    desk.register(tmp_path, REGISTER + f"{ORGAN},审批处,handler,S009,周敏,13900009999,2026-01-01,,\n")
    world.item()
    world.case(stages=[("accept", "2026-03-02 10:00", "2026-03-02 11:00")])
    sign(desk, "周敏")
    desk.only_rules("case_day_left")
    desk.run("2026-03-13 09:00")
    assert {role for role, _ in told(desk)} == {"division_head", "deputy"}


def test_a_card_that_reaches_nobody_says_so_and_is_addressed_when_the_register_is_mended(
    desk: Desk, world: World, tmp_path: Path
) -> None:
    world.item()
    world.case()
    desk.only_rules("case_overdue")
    assert desk.run("2026-03-18 09:00").unaddressed == 1
    assert desk.whats() == ["sent", "unaddressed"]
    with desk.engine.begin() as connection:
        assert {(one["role"], one["cards"]) for one in service.gaps(connection, date(2026, 3, 18))} == {
            (role, 1) for role in ("handler", "division_head", "discipline_officer", "leader_in_charge")
        }
    desk.register(tmp_path)
    assert desk.run("2026-03-19 09:00").unaddressed == 0
    assert ("leader_in_charge", "S004") in told(desk)
    assert desk.whats() == ["sent", "unaddressed"]


def test_names_and_phones_are_nowhere_in_the_clear(desk: Desk, world: World, tmp_path: Path) -> None:
    desk.register(tmp_path)
    world.item()
    world.case()
    desk.run("2026-03-18 09:00")
    tables = ("duty", "duty_deed", "card_recipient", "card", "card_deed")
    kept = " ".join(str(desk.do(f"SELECT json_agg(t) FROM supervision.{table} AS t")) for table in tables)
    assert "吴国强" not in kept
    assert "13900002222" not in kept
    assert "吴**" in kept
    assert "139******22" in kept
    sealed = desk.do("SELECT sealed FROM supervision.duty WHERE staff = 'S002'")
    person = desk.runtime.protector.reveal(bytes(sealed), context=service.CONTEXT)
    assert person == {"name": "吴国强", "phone": "13900002222"}


def test_an_import_again_changes_nothing_and_a_new_phone_one_row(desk: Desk, tmp_path: Path) -> None:
    first = desk.register(tmp_path)
    assert (first.rows, first.entered, first.changed, first.ended) == (5, 5, 0, 0)
    again = desk.register(tmp_path)
    assert (again.entered, again.changed, again.ended) == (0, 0, 0)
    changed = desk.register(tmp_path, REGISTER.replace("13900003333", "13900007777"))
    assert (changed.entered, changed.changed, changed.ended) == (0, 1, 0)
    assert desk.do("SELECT count(*) FROM supervision.duty_deed") == 6


def test_a_whole_register_ends_the_duties_that_it_no_longer_has(desk: Desk, tmp_path: Path) -> None:
    desk.register(tmp_path)
    done = desk.register(tmp_path, HEAD + ROW, today=date(2026, 3, 10), whole=True)
    assert (done.entered, done.changed, done.ended) == (0, 0, 4)
    with desk.engine.begin() as connection:
        assert len(service.on(connection, date(2026, 3, 9))) == 5
        assert [one["staff"] for one in service.on(connection, date(2026, 3, 10))] == ["S002"]


WRONG = {
    "an unknown column": (HEAD.replace("phone", "mail") + ROW, "is not known"),
    "a needed column missing": ("organ,role\n", "must name"),
    "no rows": (HEAD, "no rows"),
    "an empty name": (HEAD + ROW.replace("吴国强", ""), "row 2: name is empty"),
    "an unknown role": (HEAD + ROW.replace("division_head", "boss"), "row 2: role is one of"),
    "a deputy of nobody": (HEAD + ROW.replace("division_head", "deputy"), "whose deputy"),
    "a deputy of a stranger": (
        HEAD + ROW.replace("division_head", "deputy").replace(",,\n", ",,S777\n"),
        "nobody of the organ",
    ),
    "no day": (HEAD + ROW.replace("2026-01-01", "2026-02-30"), "from is no day"),
    "days reversed": (HEAD + ROW.replace("2026-01-01,", "2026-02-01,2026-01-01"), "to lies before from"),
    "a wrong phone": (HEAD + ROW.replace("13900002222", "12"), "phone is not a number"),
    "a phone that lost its first digit": (HEAD + ROW.replace("13900002222", "3900002222x"), "phone is not a number"),
    "one duty twice": (HEAD + ROW + ROW, "same person as row 2"),
    "overlapping days": (HEAD + ROW + ROW.replace("2026-01-01", "2026-05-01"), "over the same days"),
    "a cell too few": (HEAD + f"{ORGAN},x\n", "2 cells for 9 columns"),
    "an open quote": (HEAD + '"' + ROW, "quotes are not closed"),
    "a very long cell": (HEAD + ROW.replace("审批处", "x" * 101), "unit is longer"),
    "control characters": (HEAD + ROW.replace("审批处", "a\x07b"), "no printable text"),
    "NUL": (HEAD + ROW.replace("审批处", "a\0b"), "NUL"),
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_register_is_refused_whole_with_its_row_and_no_value_of_a_person(
    desk: Desk, tmp_path: Path, name: str
) -> None:
    text, words = WRONG[name]
    with pytest.raises(BadRegister, match=words) as refused:
        desk.register(tmp_path, text)
    assert "吴国强" not in str(refused.value)
    assert "13900002222" not in str(refused.value)
    assert desk.do("SELECT count(*) FROM supervision.duty") == 0


def test_all_faults_are_told_at_once(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(BadRegister) as refused:
        desk.register(tmp_path, HEAD + ROW.replace("吴国强", "") + ROW.replace("division_head", "boss"))
    assert len(refused.value.faults) == 2


def test_a_file_that_is_no_utf_8_or_too_large_or_absent_is_told(tmp_path: Path) -> None:
    gbk, large = tmp_path / "gbk.csv", tmp_path / "large.csv"
    gbk.write_bytes((HEAD + ROW).encode("gb18030"))
    with large.open("wb") as handle:
        handle.truncate(files.LARGEST + 1)
    for file, words in ((gbk, "UTF-8"), (large, "MiB"), (tmp_path / "none.csv", "cannot be read")):
        with pytest.raises(BadRegister, match=words):
            files.read(file)


def workbook(path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    made = io.BytesIO()
    book.save(made)
    path.write_bytes(made.getvalue())
    return path


def test_a_workbook_with_chinese_headings_and_words_reads_as_a_csv_file_does(tmp_path: Path) -> None:
    file = workbook(tmp_path / "duty.xlsx", [
        ["机构", "处室", "职责", "工号", "姓名", "手机", "起", "止", "代理对象"],
        [ORGAN, "审批处", "处室负责人", "S002", "吴国强", "13900002222", date(2026, 1, 1), None, None],
    ])  # fmt: skip
    csv = tmp_path / "duty.csv"
    csv.write_text(HEAD + ROW, encoding="utf-8")
    assert [one.key for one in files.read(file)] == [one.key for one in files.read(csv)]
    assert files.read(file)[0].phone == "13900002222"


def test_a_workbook_with_a_formula_is_refused(tmp_path: Path) -> None:
    file = workbook(tmp_path / "duty.xlsx", [["organ", "role", "staff", "name", "from"],
                                             [ORGAN, "handler", "S1", '=HYPERLINK("x")', "2026-01-01"]])  # fmt: skip
    with pytest.raises(BadRegister, match="formula"):
        files.read(file)


def test_an_organ_that_nobody_knows_is_told_and_entered(desk: Desk, tmp_path: Path) -> None:
    done = desk.register(tmp_path, HEAD + ROW)
    assert done.unknown_organs == (ORGAN,)
    assert done.entered == 1


def sign(desk: Desk, name: str) -> None:
    """Let all stage events bear a handler's name."""
    hashed = desk.runtime.protector.lookup_hash("name", name)
    with desk.engine.begin() as connection:
        connection.execute(sa.text("UPDATE core.stage_event SET handler_hash = :hash"), {"hash": hashed})
