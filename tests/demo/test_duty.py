import csv
from datetime import date

import pytest

from demo.casework import build
from demo.duty import duty_file, without_leader, write_duty
from tests.demo.fakes import fake_shapes


@pytest.fixture(scope="module")
def province():
    return build(4, 300, date(2026, 3, 18), fake_shapes(frozenset())).province


@pytest.fixture(scope="module")
def register(province, tmp_path_factory):
    home, personal = tmp_path_factory.mktemp("home"), set()
    (home / "demo").mkdir()
    file = write_duty(province, home, lambda kind, value: personal.add((kind, value)))
    assert file == duty_file(home)
    assert file.stat().st_mode & 0o077 == 0
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines)), personal


def test_each_organ_that_handles_cases_has_somebody_for_each_duty_but_one_department_no_leader(province, register):
    rows, _ = register
    held = {}
    for row in rows:
        held.setdefault(row["organ"], set()).add(row["role"])
    every = {"handler", "division_head", "discipline_officer", "leader_in_charge"}
    lacking = {
        organ.code for one in province.departments if one.code == without_leader(province) for organ in one.serves
    }
    assert set(held) == {organ.code for one in province.senders for organ in one.serves}
    assert {organ: every - roles for organ, roles in held.items() if roles != every} == {
        organ: {"leader_in_charge"} for organ in lacking
    }


def test_nobody_on_duty_has_a_number_that_an_operator_gives_out(register):
    rows, _ = register
    assert all(row["phone"].startswith("154") and len(row["phone"]) == 11 for row in rows)


def test_the_search_for_leaks_knows_every_name_and_phone_of_the_register(register):
    rows, personal = register
    assert {("name", row["name"]) for row in rows} | {("phone", row["phone"]) for row in rows} == personal


def test_a_person_stands_once_in_an_organ(register):
    rows, _ = register
    assert len({(row["organ"], row["staff"]) for row in rows}) == len(rows)
