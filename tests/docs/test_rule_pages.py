"""Every rule has its page, made from the register; what is written by hand below is kept."""

from __future__ import annotations

import pytest

from hub.findings import RULES
from tests.docs import rulepages


def test_no_rule_is_without_a_page_and_no_page_without_a_rule() -> None:
    assert [page.name for page, now, _ in rulepages.pages() if not now] == []
    assert rulepages.strangers() == []


@pytest.mark.parametrize(("page", "now", "said"), list(rulepages.pages()), ids=list(RULES))
def test_a_page_says_what_the_register_says(page: object, now: str, said: str) -> None:
    assert now == said, f"{page}: run `python -m tests.docs.generated`"


def test_what_is_written_by_hand_stays() -> None:
    rule = RULES["late_feed"]
    once = rulepages.remade(rule, "") + "\nMind the front-end machine.\n"
    assert rulepages.remade(rule, once) == once
    assert rulepages.remade(RULES["thin_feed"], once).endswith("\nMind the front-end machine.\n")
