"""A suite loads whole or not at all, and the suites that the hub brings ask about columns that there are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.documents import Documents
from hub.findings import RULES
from pipeline.runtime import Runtime
from quality.sets.relation import relations
from quality.sets.service import check
from quality.sets.suite import OWN, SuiteError, load_suite, suites

GOOD: dict[str, Any] = {
    "type": "expect_column_true_share_to_be_between",
    "kwargs": {"column": "is_other", "max_share": 0.5},
    "meta": {"rule": "set_spread", "field": "stage", "bound": "max"},
    "severity": "info",
}


def written(folder: Path, *expectations: Any, name: str = "stage_event") -> Path:
    file = folder / "stage_event.json"
    file.write_text(json.dumps({"name": name, "expectations": list(expectations), "meta": {}}), encoding="utf-8")
    return file


def test_a_good_suite_loads(tmp_path: Path) -> None:
    suite = load_suite(written(tmp_path, GOOD))
    assert [one.code for one in suite.asked] == ["expect_column_true_share_to_be_between(is_other)"]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"type": "expect_column_true_share_to_be_betwen"}, "expect_column_true_share_to_be_betwen not found"),
        ({"type": "expect_our_own_class_that_nobody_imported"}, "expect_our_own_class_that_nobody_imported not found"),
        ({"kwargs": {"column": "is_other", "max_shar": 0.5}}, "max_shar"),
        ({"kwargs": {"column": "is_other"}}, "give either min_share or max_share"),
        ({"kwargs": {"column": "is_other", "max_share": 2}}, "less than or equal to 1"),
        ({"kwargs": {"max_share": 0.5}}, "column"),
        ({"seperity": "info"}, "seperity"),
        ({"type": None}, "it has no type"),
        ({"meta": {"rule": "stage_order", "bound": "max"}}, "'stage_order' is no rule of scope set"),
        ({"meta": {"rule": "set_spread"}}, "meta.bound None is neither min nor max"),
        ({"meta": {"rule": "set_spread", "bound": "max", "colour": "red"}}, "meta.colour is unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_suite_with_one_bad_expectation_does_not_load(tmp_path: Path, fault: dict[str, Any], told: str) -> None:
    """Great Expectations alone would drop the bad one, and the suite would be weaker without a word."""
    other = {**GOOD, "kwargs": {"column": "is_returned", "max_share": 0.5}}
    with pytest.raises(SuiteError) as refused:
        load_suite(written(tmp_path, other, {**GOOD, **fault}))
    assert "stage_event.json: expectation 2" in str(refused.value)
    assert told in str(refused.value)
    assert "2 expectations are written and 1 were built" in str(refused.value)


def test_every_fault_of_every_suite_is_told_at_once(tmp_path: Path) -> None:
    written(tmp_path, {**GOOD, "type": "expect_nothing"}, {**GOOD, "type": "expect_less"})
    (tmp_path / "decision.json").write_text("{", encoding="utf-8")
    with pytest.raises(SuiteError) as refused:
        suites(tmp_path)
    for told in ("expect_nothing", "expect_less", "decision.json: no suite"):
        assert told in str(refused.value)


def test_a_suite_of_another_name_or_asked_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="named 'decision'"):
        load_suite(written(tmp_path, GOOD, name="decision"))
    with pytest.raises(SuiteError, match="asked twice"):
        load_suite(written(tmp_path, GOOD, GOOD))


def test_a_folder_without_suites_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="no suite"):
        suites(tmp_path)


def test_every_document_has_a_suite_and_a_relation() -> None:
    documents = {one.name for one in Documents.load().values()}
    assert suites().keys() == relations().keys() == documents


def test_every_rule_of_scope_set_is_asked_and_every_expectation_of_ours_used() -> None:
    asked = [one for suite in suites().values() for one in suite.asked]
    of_bounds = {"set_fill_bound"}  # asked where a steward set one: tests/quality/bounds
    assert {one.rule for one in asked} == {code for code, rule in RULES.items() if rule.scope == "set"} - of_bounds
    assert {type(one.built).__name__ for one in asked} >= OWN
    assert len(asked) > 200


def test_every_column_that_a_suite_asks_about_is_in_its_relation(runtime: Runtime) -> None:
    for name, suite in suites().items():
        bound: dict[str, Any] = {"streams": [], "five_stages": [], "zone": "UTC", "nothing": ["-"]}
        with runtime.engine.connect() as connection:
            found = connection.execute(
                sa.text(f"SELECT * FROM ({relations()[name]}) AS r LIMIT 0"),
                bound | {"batch": None, "as_of": "2026-01-01T00:00:00Z"},
            )
        missing = {one.built.column for one in suite.asked} - set(found.keys())
        assert not missing, name


def test_nothing_to_check_is_said(runtime: Runtime) -> None:
    with pytest.raises(Exception, match="nothing has been read yet"):
        check(runtime.engine, [], runtime.documents)
