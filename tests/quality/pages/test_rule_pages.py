"""Each rule has its page on the hub, and every code that a page shows leads there."""

from __future__ import annotations

import html
import re

import pytest

from hub.findings import RULES
from hub.visitor import DEPARTMENT
from hub.words import catalogue
from quality.issues.terms import STEP, TERM
from tests.departments import ORGAN
from tests.quality.pages.conftest import Pages


def text(shown: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", shown)).split())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_page_says_what_the_register_says(pages: Pages, language: str) -> None:
    steward = pages.browser("steward", "anna", language)
    listed = steward.see("/quality/rules").text
    for rule in RULES.values():
        assert f'href="/quality/rules/{rule.code}"' in listed
    for code in ("unknown_code", "schema_violation", "late_feed", "batch_entered"):
        rule, shown = RULES[code], text(steward.see(f"/quality/rules/{code}").text)
        assert rule.title in shown, "the sentence stands in both languages"
        assert rule.title_zh in shown
        assert (rule.hint_zh if language == "zh" else rule.hint) in shown
        days = {"zh": f"{TERM[rule.severity]} 个工作日", "en": f"{TERM[rule.severity]} working days"}
        assert days[language] in shown
        assert str(STEP[rule.severity]) in shown


def test_whatever_closed_word_the_register_uses_has_words() -> None:
    asked = {
        (family, getattr(rule, name))
        for rule in RULES.values()
        for family, name in (
            ("scope", "scope"),
            ("severity", "severity"),
            ("owner", "owner"),
            ("dimension", "dimension"),
        )
    }
    asked |= {("effect", rule.effect.value) for rule in RULES.values()}
    assert sorted(f"{family}.{code}" for family, code in asked if f"{family}.{code}" not in catalogue()) == []


def test_codes_on_pages_lead_to_their_rule(pages: Pages) -> None:
    steward = pages.browser("steward", "anna")
    link = 'href="/quality/rules/unknown_code"'
    entry = pages.entry("labour")
    code = pages.one("SELECT code FROM quality.issue WHERE organ = :organ AND rule = 'unknown_code'", organ=ORGAN)
    for address in (f"/quality/issues/{code}", "/quality/quarantine", f"/quality/records/quarantined/{entry}"):
        assert link in steward.see(address).text, address
    assert link in steward.see("/quality/issues?rule=unknown_code").text


def test_a_department_steward_counts_the_own_issues_only(pages: Pages) -> None:
    def counted(role: str) -> int:
        shown = text(pages.browser(role).see("/quality/rules/unknown_code").text)
        found = re.search(r"Open issues of this rule (\d+)", shown)
        assert found
        return int(found[1])

    assert (counted("steward"), counted(DEPARTMENT)) == (2, 1)


def test_an_unknown_rule_is_not_there(pages: Pages) -> None:
    steward = pages.browser("steward", "anna", "zh")
    for said in ("no_such_rule", "x" * 300, "%00", "..%2F..%2Fetc"):
        answer = steward.see(f"/quality/rules/{said}")
        assert answer.status_code == 404, said
    assert "没有此规则" in steward.see("/quality/rules/no_such_rule").text
