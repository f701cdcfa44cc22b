"""Formulas as files: those that the hub brings are whole, a wrong one is told with all its faults and their lines."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from hub.errors import ConfigError
from supervision.appraisal import formulas, rates
from supervision.appraisal.terms import MEASURES

TINY = """
formula: tiny
version: 1
title: {zh: 小, en: tiny}
source: {zh: 无, en: none}
rounding: half_up
places: 2
heads:
  - code: whole
    title: {zh: 全部, en: all}
    of: 100
    deductions:
      - {code: late, title: {zh: 逾期, en: late}, points: closed_late, evidence: [closed_late]}
score: heads
"""
DIGESTS = {
    "full/v1": "9a7db6b96e9b0943d8f09ffbf7e3fcdaaf25aaf7cdd52f25466e4764c6d7c78b",
    "three-heads/v1": "9903735456bc4e5de1bb94132bfc29efcd6c87aea1ecec17b695cae354903d48",
}


def test_a_published_version_is_never_changed() -> None:
    assert {name: one.digest for name, one in formulas.brought().items()} == DIGESTS, "make a v2 beside it"


def test_the_heads_of_the_full_formula_are_those_of_the_rule() -> None:
    full = formulas.named("full/v1").formula
    weights = [int(one.of) for one in full.heads]
    assert [one.title.zh.removesuffix("（人工登记）") for one in full.heads] == [
        "政务公开", "流程规范", "期限合法", "收费合理", "满意度", "服务态度", "监督检查", "法律责任", "廉洁行政",
    ]  # fmt: skip
    assert weights == [10, 14, 14, 8, 10, 10, 14, 10, 10]
    assert sum(weights) == 100


def test_both_formulas_are_of_a_hundred_points_and_the_second_says_of_each_head_that_it_is_ours() -> None:
    for one in formulas.brought().values():
        assert sum(Decimal(head.of) for head in one.formula.heads) == 100
    three = formulas.named("three-heads/v1").formula
    assert [head.title.zh for head in three.heads] == ["审批绩效", "事项纳入率", "社会评价"]
    assert {head.ours for head in three.heads} == {"yes"}
    assert "weights are not published" in three.source.en
    assert "权重未公布" in three.source.zh


def test_every_deduction_with_cases_names_the_measure_that_shows_them() -> None:
    full = formulas.named("full/v1").formula
    assert [one.code for head in full.heads for one in head.deductions if not one.evidence] == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("points: closed_late,", "points: '__import__(1)',", "not of the language"),
        ("points: closed_late,", "points: closed_latest,", "there is no measure closed_latest"),
        ("points: closed_late,", "points: closed_late > 1,", "a number is needed"),
        ("evidence: [closed_late]", "evidence: [closed_early]", "closed_early"),
        ("of: 100", "of: 1e2", "heads.0.of"),
        ("of: 100", "of: 0", "no points"),
        ("rounding: half_up", "rounding: half_even", "rounding"),
        ("score: heads", "score: heads + early_bonus", "early_bonus"),
        ("score: heads", "score: heads\nmore: 1", "more"),
        ("version: 1", "version: 01", "version"),
        ("version: 1", "version: 1\nversion: 2", "twice"),
        ("code: whole", "code: closed", "taken already"),
        ("title: {zh: 小, en: tiny}", "title: {zh: 小}", "title.en"),
        ("version: 1", "version: !!python/object/apply:os.system ['id']", "version"),
        ("score: heads", "score: heads\nunranked: [{code: few, title: {zh: 少, en: few}, when: closed}]", "comparison"),
    ],
)  # fmt: skip
def test_a_wrong_formula_is_refused_with_the_fault(old: str, new: str, said: str) -> None:
    assert old in TINY
    formulas.read(TINY.encode(), "tiny.yml")
    with pytest.raises(ConfigError, match=said):
        formulas.read(TINY.replace(old, new).encode(), "tiny.yml")


def test_all_faults_are_told_at_once_with_their_lines() -> None:
    wrong = TINY.replace("points: closed_late,", "points: a.b,").replace("score: heads", "score: nothing")
    with pytest.raises(ConfigError) as caught:
        formulas.read(wrong.encode(), "tiny.yml")
    assert [(one.file, one.line) for one in caught.value.faults] == [("tiny.yml", 13), ("tiny.yml", 14)]


@pytest.mark.parametrize("data", [b"", b"[", b"[1]", b"\xff", b"a: &a [*a]", b"{" * 100, b"null"])
def test_what_is_no_formula_at_all_is_told_as_one_fault(data: bytes) -> None:
    with pytest.raises(ConfigError):
        formulas.read(data, "x.yml")


def test_a_file_outside_the_hub_is_read_by_its_name_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "own.yml"
    own.write_text(TINY, encoding="utf-8")
    assert formulas.named(str(own)).formula.name == "tiny/v1"
    for name in ("full/v9", "../full/v1", str(tmp_path / "none.yml"), "/etc/passwd"):
        with pytest.raises(ConfigError, match="no such formula"):
            formulas.named(name)


def test_every_rate_with_two_usual_definitions_has_both_and_each_says_its_cohort() -> None:
    found = rates.read(rates.own())
    letters = {one.code: "".join(one.definitions) for one in found.rates}
    for code in ("completion", "early", "on_time", "promise_cut", "speed_up", "items_covered"):
        assert letters[code] == "AB"
    assert all(one.cohort.zh and one.cohort.en for rate in found.rates for one in rate.definitions.values())


def test_no_name_of_a_measure_is_a_word_of_the_language() -> None:
    assert not {*MEASURES} & {"min", "max", "floor", "round", "ratio", "if", "and", "or"}
