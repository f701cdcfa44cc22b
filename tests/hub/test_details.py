"""What stands beside a finding or a deed on a page: its names and its reasons are in the reader's language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.sentences import recognised, sentences
from hub.templating import details
from hub.words import catalogue

ROOT = Path(__file__).resolve().parents[2]
SAYING = ("validation", "normalization", "connectors", "pipeline", "quality", "sharedrepo")
"""Packages that write what stands in `detail`."""
REASONING = {"Unreadable", "Unknown"}
FAULTS = ("credit_code", "resident_id", "organisation_code", "certificate_id", "phone")


def trees() -> Iterator[tuple[str, ast.Module]]:
    for folder in SAYING:
        for file in sorted((ROOT / folder).rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            if "detail" in text or "Unreadable" in text:
                yield file.name, ast.parse(text)


def keys(node: ast.AST) -> Iterator[str]:
    """Yield the names that are written into a dictionary called `detail`."""
    for one in ast.walk(node):
        said = None
        if (isinstance(one, ast.keyword) and one.arg == "detail") or (
            isinstance(one, ast.Assign) and any(isinstance(it, ast.Name) and it.id == "detail" for it in one.targets)
        ):
            said = one.value
        if isinstance(said, ast.Dict):
            yield from (key.value for key in said.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


def test_every_name_beside_a_finding_or_a_deed_has_words() -> None:
    found = {(file, key) for file, tree in trees() for key in keys(tree)}
    assert sorted(one for one in found if f"detail.{one[1]}" not in catalogue()) == []
    assert len(found) > 40


def test_every_reason_why_a_value_cannot_be_read_has_words() -> None:
    said = [
        (file, part.value)
        for file, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REASONING
        for part in ast.walk(node.args[0])
        if isinstance(part, ast.Constant | ast.JoinedStr)
    ]
    said = [(file, getattr(part, "value", part)) for file, part in said]
    assert [one for one in said if one[1] not in sentences()] == []
    assert len(said) > 8


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_of_an_identifier_has_words(name: str) -> None:
    tree = ast.parse((ROOT / "hub" / "identifiers" / f"{name}.py").read_text(encoding="utf-8"))
    judging = [one for one in tree.body if isinstance(one, ast.FunctionDef) and "fault" in one.name]
    said = [
        part.value
        for function in judging
        for one in ast.walk(function)
        if isinstance(one, ast.Return) and one.value is not None
        for part in ast.walk(one.value)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and " " in part.value
    ]
    assert said
    assert [one for one in said if one not in sentences()] == []


def test_details_are_told_in_the_readers_language() -> None:
    said = {"known": "SL, CB", "reason": "this code is not in the code list", "few": False, "rows": "3"}
    assert details(said, "zh") == "可选：SL, CB · 原因：该代码不在代码表中 · 行数：3"
    assert details(said, "en") == "known: SL, CB · reason: this code is not in the code list · rows: 3"
    assert details({"role": "leader", "to": None, "nobody_known": True}, "zh") == "无人可通知：是 · 通知对象：分管领导"
    assert details({"allowed": {"max_share": 0.5}, "bound": "max", "organ": "X"}, "en", ("organ",)) == (
        "allowed: share at most 0.5 · bound: at most"
    )
    assert details(None, "zh") == ""


def test_a_kept_sentence_is_known_again_with_its_values() -> None:
    assert recognised("the year is not between 1949 and 2100", "zh") == "年份不在 1949 至 2100 之间"
    assert recognised("the year is not between 1949 and 2100", "en") == "the year is not between 1949 and 2100"
    assert recognised("anything else: at all", "zh") == "anything else: at all"
