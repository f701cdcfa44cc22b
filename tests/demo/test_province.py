from datetime import date

import pytest

from demo.catalog import REGISTER_SHAPES, build_province
from demo.people import People
from hub.identifiers import credit_code, item_code, resident_id
from tests.demo.checker import credit_code_is_valid

DAY = date(2026, 3, 18)


@pytest.fixture(scope="module")
def province():
    return build_province(7, 5_000, DAY)


def test_there_are_43_departments_and_11_cities(province):
    assert len(province.departments) == 43
    assert sum(department.shape in REGISTER_SHAPES for department in province.departments) == 3
    assert sum(region.level == "city" for region in province.regions) == 11
    assert sum(region.level == "county" for region in province.regions) == 90
    assert len({bureau.region for bureau in province.localities}) == len(province.localities) == 101
    assert all(bureau.cases >= 2 for bureau in province.localities)
    assert len({department.organ for department in province.departments}) == 43


def test_all_cases_are_shared_out_and_only_registers_have_none(province):
    assert sum(department.cases for department in province.departments) == 5_000
    assert {d.code for d in province.departments if not d.cases} == {"staffing", "civil", "items"}


@pytest.mark.parametrize("cases", [1, 39, 40, 41, 300, 346_000])
def test_any_size_is_shared_out_exactly(cases):
    assert sum(department.cases for department in build_province(3, cases, DAY).departments) == cases


def test_there_are_about_300_items_with_codes_limits_and_prerequisites(province):
    items = province.items
    assert 280 <= len(items) <= 320
    for item in items:
        assert item_code.fault(item.base_code, expected="base") is None
        assert item_code.fault(item.implementation_code, expected="implementation") is None
        assert 0 < item.promised_value <= item.legal_value
        assert len(item.materials) >= 2
    assert len({item.implementation_code for item in items}) == len(items)
    assert {item.kind for item in items} == {"immediate", "promised"}
    bases = {item.base_code: item.department for item in items}
    asking = [item for item in items if item.prerequisites]
    assert len(asking) > 40
    for item in asking:
        for group in item.prerequisites:
            assert group
            assert all(bases[code] != item.department for code in group)


def test_prerequisites_never_run_in_a_circle(province):
    needs = {item.base_code: {code for group in item.prerequisites for code in group} for item in province.items}
    done: set[str] = set()
    while needs:
        ready = {code for code, asked in needs.items() if asked <= done}
        assert ready, f"a circle among {sorted(needs)}"
        done |= ready
        needs = {code: asked for code, asked in needs.items() if code not in ready}


def test_every_organ_has_a_valid_credit_code(province):
    for organ in (*province.organs, *province.organs_day2):
        assert credit_code.fault(organ.code) is None
        assert credit_code_is_valid(organ.code)


def test_vertical_departments_name_eleven_city_bureaus(province):
    vertical = [department for department in province.departments if department.shape == "vertical"]
    assert len(vertical) == 2
    for department in vertical:
        assert len({organ.region for organ in department.serves}) == 11


def test_registers_grow_on_day_two_and_lose_nothing(province):
    assert {region.code for region in province.regions} < {region.code for region in province.regions_day2}
    assert {organ.code for organ in province.organs} == {organ.code for organ in province.organs_day2}
    assert province.organs != province.organs_day2
    assert set(province.items) < set(province.items_day2)


def test_day_two_is_the_working_day_before_the_build_date(province):
    assert province.cut.date() == date(2026, 3, 16)
    assert province.cut2.date() == date(2026, 3, 17)


def test_nobody_can_be_a_real_person(province):
    people = People(7, province.regions)
    for index in range(300):
        person, company = people.person(index), people.company(index)
        assert resident_id.fault(person.resident_id, on=DAY) is None
        assert credit_code.fault(company.credit_code) is None
        for number in (person.resident_id[:6], company.credit_code[2:8]):
            assert int(number[4:]) >= 95, "a county code that was never assigned"
        assert person.phone.startswith("154"), "a block that no operator has"


def test_the_same_person_stands_behind_the_same_index(province):
    assert People(7, province.regions).person(5) == People(7, province.regions).person(5)
    assert People(8, province.regions).person(5) != People(7, province.regions).person(5)


def test_every_post_that_handles_a_stage_is_staffed(province):
    for department in province.departments:
        assert {"科员", "科长", "处长", "厅领导"} <= {official.post for official in department.staff}
