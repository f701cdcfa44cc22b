"""The page of a department tells its coverage: the department, its items, its processes."""

from __future__ import annotations

import html
import re

import pytest

from tests.departments import ITEM, ORGAN
from tests.quality.pages.conftest import Pages
from tests.sharedrepo.test_coverage import item, organ


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Department 100.0% 1 / 1", "Items 50.0% 1 / 2", "Processes 100.0% 3 / 3", "1 items without a case")),
        ("zh", ("部门 100.0% 1 / 1", "事项 50.0% 1 / 2", "流程 100.0% 3 / 3", "尚无办件的事项（1 项）")),
    ],
)
def test_a_department_sees_all_three_figures(pages: Pages, language: str, words: tuple[str, ...]) -> None:
    organ(pages, ORGAN)  # type: ignore[arg-type]  # it asks for the runtime only
    item(pages, ITEM)  # type: ignore[arg-type]
    item(pages, ITEM[:-3] + "001")  # type: ignore[arg-type]
    shown = pages.browser("steward", "anna", language).see(f"/quality/organs/{ORGAN}").text
    text = " ".join(html.unescape(re.sub("<[^>]+>", " ", shown)).split())
    assert [one for one in words if one not in text] == [], text[text.find(words[0][:4]) :][:800]
