"""The page of complaints is held to the code: all are there, and what is said to show an answer exists and runs."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "develop" / "complaints.md"
_ROW = re.compile(r"^\| (\d+) \|([^|]+)\|([^|]+)\|([^|]+)\|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_DECISION = re.compile(r"\]\(\.\./decisions/(\d{4}-[\w-]+\.md)\)")

ROWS = {int(number): shown for number, *_, shown in _ROW.findall(PAGE.read_text(encoding="utf-8"))}


@cache
def functions_of(file: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def skips(test: ast.FunctionDef) -> bool:
    """Say whether a test is marked to be passed over, or to fail."""
    return bool(re.search(r"mark\.(skip|xfail)|pytest\.(skip|xfail|importorskip)\(", ast.unparse(test)))


def test_all_nineteen_are_there() -> None:
    assert sorted(ROWS) == list(range(1, 20))


@pytest.mark.parametrize("number", sorted(ROWS))
def test_an_answer_is_shown_by_tests_that_run_or_by_a_decision(number: int) -> None:
    named, decisions = _TEST.findall(ROWS[number]), _DECISION.findall(ROWS[number])
    assert named or decisions
    assert [file for file in decisions if not (ROOT / "docs" / "decisions" / file).is_file()] == []
    assert [f"{file}::{name}" for file, name in named if name not in functions_of(file)] == []
    assert [name for file, name in named if skips(functions_of(file)[name])] == []


def test_a_test_that_is_passed_over_is_noticed() -> None:
    [skipped] = ast.parse("@pytest.mark.skip(reason='later')\ndef test_it(): pass").body
    [runs] = ast.parse("@pytest.mark.long\ndef test_it(): pass").body
    assert isinstance(skipped, ast.FunctionDef)
    assert isinstance(runs, ast.FunctionDef)
    assert (skips(skipped), skips(runs)) == (True, False)
