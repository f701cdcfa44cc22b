"""The monthly report: one file that needs nothing, with its formula, and the command that writes it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from hub.settings import Settings
from quality.pages import report
from quality.pages.routes import today
from quality.scores.service import Point
from tests.departments import ORGAN
from tests.quality.pages.conftest import Pages
from tests.web.processes import hub


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_report_stands_alone_and_says_its_formula(pages: Pages, language: str) -> None:
    text = report.text(pages.runtime.engine, pages.runtime.settings, ORGAN, today().replace(day=1), language)
    assert text is not None
    assert re.findall(r"(?:src|href)=|url\(|@import|<script|<link", text) == [], "it loads nothing"
    assert "Score = clean ÷ records" in text or "得分＝无问题记录数 ÷ 有效记录数" in text
    assert re.search(r"<br>\d+ ÷ \d+ = \d+\.\d%", text), "numerator and denominator"
    assert ("代码不在代码表中" if language == "zh" else "The code is not in the code list") in text
    assert ("目前待处理的被拒记录 1 条" if language == "zh" else "Refused records that wait now: 1.") in text
    assert len(text.encode()) < 100_000
    assert "labour-bad" not in text, "no key of a record"


def test_the_command_writes_it(pages: Pages, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    month = f"{today():%Y-%m}"
    made = hub(settings, "quality", "report", ORGAN, "--month", month, "--to", str(file), "--json")
    assert made.returncode == 0, made.stderr
    assert "<!doctype html>" in file.read_text(encoding="utf-8")
    for wrong in (("--month", "2026-13"), ("--month", "2020-01"), ("--month", month, "--language", "fr")):
        told = hub(settings, "quality", "report", ORGAN, *wrong, "--to", str(tmp_path / "none.html"))
        assert told.returncode == 2, wrong
        assert "Traceback" not in told.stderr
    assert not (tmp_path / "none.html").exists()
    nowhere = hub(settings, "quality", "report", ORGAN, "--month", month, "--to", str(tmp_path / "no" / "x.html"))
    assert "cannot be written" in nowhere.stderr


def test_the_page_hands_it_out_as_a_file(pages: Pages) -> None:
    answer = pages.browser("supervisor").see(f"/quality/organs/{ORGAN}/report/{today():%Y-%m}?language=en")
    assert answer.headers["Content-Disposition"] == (f'attachment; filename="quality-{ORGAN}-{today():%Y-%m}-en.html"')
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert pages.browser("supervisor").see(f"/quality/organs/{ORGAN}/report/2020-01").status_code == 404


def test_months_are_read_strictly_and_counted_back() -> None:
    assert report.month_of("2026-02") == date(2026, 2, 1)
    assert [report.month_of(said) for said in ("2026-13", "2026-2", "1999-01", "２０２６-01", "2026-01-01")] == [
        None
    ] * 5
    assert report.months(date(2026, 2, 14), 4) == ["2026-02", "2026-01", "2025-12", "2025-11"]


def test_the_line_of_a_month_stays_on_its_drawing() -> None:
    first, last = date(2026, 2, 1), date(2026, 2, 28)
    points = [Point(date(2026, 2, day), clean, 100, {}, 0) for day, clean in ((1, 100), (14, 97), (28, 0))]
    drawn = report.line([*points, Point(date(2026, 2, 20), 0, 0, {}, 0)], first, last)
    assert [round(x) for x, _, _ in drawn.points] == [0, 308, 640]
    assert all(0 <= y <= 160 for _, y, _ in drawn.points)
    assert drawn.points[0][1] == 0
    assert report.line([], first, last).points == []
