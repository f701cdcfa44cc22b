"""The personal-data officer's page: which checks had no case, filtered, opened, settled with a reason."""

from __future__ import annotations

import pytest

from pipeline.runtime import Runtime
from tests.verification.conftest import Asker
from tests.verification.registry import ASKER, FIRM, FIRM_NAME, OTHER, Registry
from tests.verification.test_unmatched import unmatched
from tests.web.browser import PASSWORD, Browser
from verification.checks import confirming
from web.accounts import service as accounts


@pytest.fixture
def officer(runtime: Runtime, service: str) -> Browser:
    accounts.make(
        runtime.engine, code="hu", name="胡", roles=["personal_data_officer"], organ=None, password=PASSWORD, actor="x"
    )
    made = Browser(service)
    made.sign_in("hu")
    return made


def test_what_is_found_is_listed_filtered_opened_and_settled(
    registry: Registry, asker: Asker, officer: Browser
) -> None:
    made = unmatched(registry, asker)
    assert confirming.confirm(registry.engine, registry.protector)["unmatched"] == 2
    listed = officer.see("/unmatched").text
    assert all(one[:8] in listed for one in made.values())
    assert FIRM not in listed
    only = officer.see("/unmatched?state=not_a_party").text
    assert (made["A-1"] in only, made["A-9"] in only) == (True, False)
    assert made["A-1"] in officer.see(f"/unmatched?organ={ASKER}").text
    assert made["A-1"] not in officer.see(f"/unmatched?organ={OTHER}").text
    assert officer.see("/unmatched?state=x").status_code == 400
    opened = officer.see(f"/unmatched/{made['A-9']}").text
    assert "A-9" in opened, "the case that it named"
    assert (FIRM in opened, FIRM_NAME in opened) == (False, False), "whom it was about is masked"
    assert registry.run("SELECT count(*) FROM audit.entry WHERE kind = 'read' AND outcome = 'unmatched'") == 1
    path = f"/unmatched/{made['A-9']}"
    for form, words in (({"verdict": "misuse"}, "Say why"), ({"reason": "x"}, "Choose one")):
        refused = officer.fill_in(path, form)
        assert (refused.status_code, words in refused.text) == (422, True)
    done = officer.fill_in(path, {"verdict": "misuse", "reason": "无办件依据"})
    assert "settled and closed" in done.text
    assert made["A-9"] not in done.text
    assert "无办件依据" in officer.see("/unmatched?settled=1").text
    (left,) = confirming.unmatched(registry.engine)
    assert left["check_id"] == made["A-1"]
    again = officer.fill_in(path, {"verdict": "explained", "reason": "x"}, page="/account")
    assert again.status_code == 409, "it is settled once"
    settled = registry.run("SELECT settled_by FROM audit.confirmation WHERE verdict IS NOT NULL")
    assert settled == "account:hu"


def test_what_is_no_finding_is_not_there(officer: Browser, registry: Registry) -> None:
    for address in ("/unmatched/x", "/unmatched/00000000-0000-0000-0000-000000000000"):
        assert officer.see(address).status_code == 404


def test_the_page_is_long_and_in_both_languages(registry: Registry, asker: Asker, officer: Browser) -> None:
    number = unmatched(registry, asker)["A-9"]
    confirming.confirm(registry.engine, registry.protector)
    registry.run(
        """WITH made AS (SELECT gen_random_uuid() AS id FROM generate_series(1, 60)),
           kept AS (INSERT INTO audit.confirmation (check_id, state) SELECT id, 'no_such_case' FROM made)
           INSERT INTO audit.entry (recorded_at, check_id, kind, organ, purpose, outcome)
           SELECT now(), id, 'credential', 'x', 'y', 'match' FROM made"""
    )
    first = officer.see("/unmatched").text
    assert first.count("/unmatched/") == 50
    assert "first=50" in first
    assert officer.see("/unmatched?first=50").text.count("/unmatched/") == 12
    officer.headers["Accept-Language"] = "zh"
    assert "查无此办件" in officer.see(f"/unmatched/{number}").text
