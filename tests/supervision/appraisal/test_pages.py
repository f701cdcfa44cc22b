"""The public ranking: what everybody sees, what only departments and supervision see, and what nobody does."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

import pytest

from supervision.appraisal import inputs, objecting, ranking
from supervision.appraisal.freezing import staff_file
from supervision.appraisal.terms import EVIDENT
from tests.supervision.appraisal.filling import IDLE, LATE, ORGAN, OTHER
from tests.supervision.appraisal.site import EVIL, MONTH, Site, site

__all__ = ["site"]

PAGE = f"/ranking/{MONTH}"
UNIT = f"{PAGE}/unit?level=department&unit={ORGAN}"
LATE_CASES = f"{PAGE}/evidence?level=department&unit={ORGAN}&measure=closed_late"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_everybody_sees_the_published_months_and_the_ranking_with_its_scores(site: Site, language: str) -> None:
    assert f'href="{PAGE}"' in site.see("/ranking", language)
    page = site.see(PAGE, language)
    assert page.index("自然资源厅") < page.index("人力资源和社会保障厅"), "the one with the better score stands first"
    assert ("Edition 1" if language == "en" else "第1版") in page
    assert ("feeds are not complete" if language == "en" else "数据来源未报全至月末") in page
    assert "full/v1" in page


def test_everybody_sees_the_published_year_with_its_months_and_its_files(site: Site) -> None:
    assert 'href="/ranking/years/2026-H2?edition=1"' in site.see("/ranking")
    for language, said, named in (
        ("en", "No edition is published of: 2026-07", "Ranking of the second half of 2026"),
        ("zh", "未发布的月份：2026-07", "2026年下半年 绩效排名"),
    ):
        page = site.see("/ranking/years/2026-H2", language)
        assert f"<h1>{named} <small>" in page
        assert page.index("自然资源厅") < page.index("人力资源和社会保障厅")
        assert said in page
    ranking = json.loads(site.browser().see("/ranking/years/2026-H2/files/ranking-2026-H2.json").content)
    claims = json.loads(site.browser().see("/ranking/years/2026-H2/files/edition.json").content)["claims"]
    assert claims["ranking_sha256"] == hashlib.sha256(inputs.canonical(ranking)).hexdigest()
    lines = site.browser().see("/ranking/years/2026-H2/files/ranking-2026-H2.csv").content.decode("utf-8-sig")
    assert lines.startswith("层级 level,名次 rank,代码 unit,名称 name,得分 score,处分扣分 discipline,2026-10")
    book = site.browser().see("/ranking/years/2026-H2/files/ranking-2026-H2.xlsx")
    assert book.headers["Content-Type"].startswith("application/vnd.openxmlformats")
    for unknown in ("2026", "2026-H3", "x", "2026-H2?edition=2", "2026-H2/files/case_numbers.csv"):
        assert site.browser().see(f"/ranking/years/{unknown}").status_code == 404, unknown


def test_the_score_of_a_unit_leads_to_its_cards_and_cases(site: Site) -> None:
    page = site.see(UNIT)
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/ranking/[^"]+measure=[a-z_]+[^"]*)"', page)]
    assert any("measure=cards_time_yellow" in link for link in links)
    for link in links:
        assert "Rows 1" in site.see(link), link
    assert "HP-2026-10-0007" in site.see(next(one for one in links if "cards_time_yellow" in one))
    assert "ours" in page
    assert "83.33%" not in page


def test_rates_stand_there_by_both_definitions_with_numerator_denominator_and_cohort(site: Site) -> None:
    page = site.see(UNIT)
    assert "early ÷ closed" in page
    assert "promised cases with time left ÷ promised cases received" in page
    assert "cases closed in the month over cases accepted in it" in page


def test_case_numbers_are_shown_to_who_may_see_them_and_to_nobody_else(site: Site) -> None:
    assert "C-1008" not in site.see(LATE_CASES)
    assert "C-1008" not in site.see(LATE_CASES, code="land")
    assert "C-1008" in site.see(LATE_CASES, code="labour")
    assert "C-1008" in site.see(LATE_CASES, code="watch")


def test_no_person_stands_on_any_public_page_or_in_any_file(site: Site) -> None:
    page = site.see(PAGE)
    names = re.findall(rf'href="({PAGE}/files/[^"]+)"', page)
    assert len(names) >= 12
    year = "/ranking/years/2026-H2"
    names += re.findall(rf'href="({year}/files/[^"]+)"', site.see(year))
    assert len(names) >= 16
    for path in [PAGE, UNIT, year, *(name.replace("&amp;", "&") for name in names)]:
        text = plain(site.browser().see(path).content)
        assert "周" not in text, path
        assert "C-10" not in text, path


def plain(content: bytes) -> str:
    """What stands in a page or a file; a workbook is unpacked."""
    if not content.startswith(b"PK"):
        return content.decode()
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return " ".join(book.read(name).decode() for name in book.namelist())


def test_the_files_of_the_page_give_the_ranking_of_the_page(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "fetched"
    folder.mkdir()
    for link in re.findall(rf'href="({PAGE}/files/[^"]+)"', site.see(PAGE)):
        answer = site.browser().see(link.replace("&amp;", "&"))
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        (folder / link.rsplit("/", 1)[1].split("?")[0]).write_bytes(answer.content)
    made = inputs.canonical(ranking.ranked(inputs.from_folder(folder, MONTH)))
    assert made == (folder / "ranking.json").read_bytes()
    claims = json.loads((folder / "edition.json").read_bytes())["claims"]
    assert claims["ranking_sha256"] == hashlib.sha256(made).hexdigest()
    assert (claims["edition"], claims["before_sha256"]) == (1, None)


def test_a_hearing_is_seen_by_those_who_are_signed_in_only(site: Site) -> None:
    assert site.browser().see(f"{PAGE}?edition=draft").status_code == 404
    assert "under hearing" not in site.see("/ranking")
    page = site.see(f"{PAGE}?edition=draft", code="labour")
    assert "not published" in page
    assert "一件办件的办结时间已更正" in page
    assert site.see(f"{LATE_CASES}&edition=draft", code="labour").count("C-10") < site.see(
        LATE_CASES, code="labour"
    ).count("C-10"), "the erratum has one late case fewer"


def test_a_department_objects_and_supervision_answers_on_the_page(site: Site) -> None:
    department, watch = site.browser(code="labour"), site.browser("zh", code="watch")
    draft, target = f"{PAGE}?edition=draft", f"{PAGE}/objections"
    said = {"about": "closed_late", "said": f"另有一件 {EVIL}"}
    assert "另有一件" in department.fill_in(target, said, page=draft).text
    number = objecting.listed(site.engine, MONTH)[0]["objection"]
    assert EVIL not in watch.see(draft).text
    refused = department.fill_in(target, {"deed": "answer", "objection": str(number), "outcome": "rejected",
                                          "answer": "x"}, page=draft)  # fmt: skip
    assert refused.status_code == 403
    unsaid = watch.fill_in(target, {"deed": "answer", "objection": str(number), "outcome": "rejected", "answer": " "},
                           page=draft)  # fmt: skip
    assert (unsaid.status_code, "答复应说明理由" in unsaid.text) == (409, True)
    done = watch.fill_in(target, {"deed": "answer", "objection": str(number), "outcome": "rejected",
                                  "answer": "已核实"}, page=draft)  # fmt: skip
    assert "已核实" in done.text
    assert "另有一件" not in site.see(draft, code="land"), "another department does not see it"
    assert watch.fill_in(target, {"about": "x", "said": "y"}, page=draft).status_code == 403
    told = objecting.listed(site.engine, MONTH)[0]
    assert (told["unit"], told["lodged_by"], told["answered_by"]) == (ORGAN, "account:labour", "account:watch")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ranking/2026-11", 404),
        ("/ranking/2026-13", 404),
        ("/ranking/..%2f..%2fetc", 404),
        (f"{PAGE}?edition=9", 404),
        (f"{PAGE}?edition=-1", 400),
        (f"{PAGE}?edition=1%20OR%201", 400),
        (f"{PAGE}?level=village", 400),
        (f"{PAGE}/unit?unit=nobody", 404),
        (f"{PAGE}/unit?unit={'x' * 300}", 400),
        (f"{PAGE}/unit?unit=%00", 400),
        (f"{LATE_CASES}&from=x", 400),
        (f"{LATE_CASES}&from=99999999999", 200),
        (f"{PAGE}/evidence?unit={ORGAN}&measure=salt", 404),
        (f"{PAGE}/evidence?unit={ORGAN}&measure=lag_hours_median", 404),
        (f"{PAGE}/files/case_numbers.csv", 404),
        (f"{PAGE}/files/..%2fmanifest.json", 404),
        (f"{PAGE}/files/nothing.csv", 404),
    ],
)
def test_odd_addresses_are_refused_with_the_next_step(site: Site, path: str, status: int) -> None:
    assert site.browser().see(path).status_code == status


def test_private_files_are_handed_out_to_nobody_over_the_web(site: Site) -> None:

    for name in ("case_numbers.csv", staff_file(ORGAN)):
        for code in (None, "labour", "watch"):
            assert site.browser(code=code).see(f"{PAGE}/files/{name}").status_code == 404


def test_a_reason_that_is_a_script_is_only_shown(site: Site) -> None:
    page = site.see(UNIT)
    assert EVIL not in page
    assert "&lt;script&gt;" in page


def test_a_stranger_cannot_object(site: Site) -> None:
    answer = site.browser().post(f"{site.url}{PAGE}/objections", {"about": "x", "said": "y"}, timeout=30)
    assert answer.status_code == 403


@pytest.mark.parametrize("unit", [ORGAN, OTHER, LATE, IDLE])
def test_every_measure_with_rows_has_a_page_for_every_unit(site: Site, unit: str) -> None:
    browser = site.browser()
    for measure in EVIDENT[::6]:
        path = f"{PAGE}/evidence?level=department&unit={unit}&measure={measure}"
        assert browser.see(path).status_code == 200, path
