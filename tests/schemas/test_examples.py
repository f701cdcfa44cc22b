"""Every contract has examples: valid rows that no judge objects to, and invalid ones with all that is said of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.documents import SCHEMAS, Documents
from hub.findings import UNIT
from tests.validation.test_meaning_rules import judged
from validation.structure import StructureJudge

DOCUMENTS = Documents.load()
VALID = sorted(SCHEMAS.glob("*/v1/examples/valid/*.json"))
INVALID = sorted(SCHEMAS.glob("*/v1/examples/invalid/*.json"))


def _name(path: Path) -> str:
    return f"{_document(path)}-{path.stem}"


def _document(path: Path) -> str:
    return path.relative_to(SCHEMAS).parts[0]


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _findings(document: str, row: dict[str, Any]) -> list[dict[str, str | None]]:
    """Judge one canonical row: its shape, and its meaning where the shape allows that it is looked at."""
    schema = _read(SCHEMAS / document / "v1" / "schema.json")
    judge = StructureJudge(schema, "quarantine", sparse=True)
    shape = [one for one in judge.judge([row]) if one.record != UNIT]  # what it says of the row, not of the stream
    found = shape or judged(document, row)
    return [{"rule": one.rule, "field": one.field} for one in found]


def test_every_contract_has_examples_of_both_kinds() -> None:
    assert {_document(path) for path in VALID} == set(DOCUMENTS)
    assert {_document(path) for path in INVALID} == set(DOCUMENTS)


@pytest.mark.parametrize("path", VALID, ids=_name)
def test_a_valid_example_raises_nothing(path: Path) -> None:
    assert _findings(_document(path), _read(path)) == []


@pytest.mark.parametrize("path", INVALID, ids=_name)
def test_an_invalid_example_raises_what_it_says_and_nothing_else(path: Path) -> None:
    example = _read(path)
    assert example["findings"], "an invalid example says what is wrong with it"
    assert _findings(_document(path), example["row"]) == example["findings"]
