"""The restricted vocabulary: what the lint refuses, and that the two engines agree on all that it lets pass."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hub.documents import SCHEMAS
from hub.screens import screen
from validation.explain import Explainer
from validation.schema_lint import ANNOTATIONS, lint_pattern, lint_schema

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "pattern",
    [
        "^[0-9A-HJ-NP-RTUWXY]{18}$",
        "^([0-9]{6}|[0-9]{9}|[0-9]{12})$",
        "^[A-Za-z0-9_.+-]*$",
        "^(?:Y|N)?$",
        "^\\$[0-9]+\\.[0-9]{2}$",
        "件",
        "^[^,;]+$",
        "^a\\$",
        "\\(?:?",
        "\\|*",
        "^[\\]\\[]$",
        "",
        "^$",
    ],
)
def test_patterns_that_both_engines_read_alike(pattern: str) -> None:
    assert lint_pattern(pattern) == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d+", r"\w", r"\s", r"[\d]", r"\bword", "\\p{L}", "a.c", "a$b", "(?i)a", "(?=a)", "(?P<n>a)",
        "a*?", "a++", "a{2}{3}", "*a", "(+a)", "(?:*a)", "a|+", r"\\(?a)", "a{1001}",
        "[a-é]", "[一-龥]", "[!-~]", "[a&&b]", "[a--b]", "[[a]]", "[]", "[^]", "[a", "(a", "a)", "a\\", 5, None,
    ],
)  # fmt: skip
def test_patterns_that_they_could_read_differently(pattern: Any) -> None:
    assert lint_pattern(pattern)


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"properties": {"A": {"format": "date"}}}, "/properties/A/format"),
        ({"multipleOf": 2}, "/multipleOf"),
        ({"$ref": "#/x"}, "/$ref"),
        ({"anyOf": []}, "/anyOf"),
        ({"type": "text"}, "/type"),
        ({"type": []}, "/type"),
        ({"enum": [[1]]}, "/enum"),
        ({"enum": []}, "/enum"),
        ({"enum": [2**53 + 1]}, "/enum"),
        ({"const": {}}, "/const"),
        ({"minimum": 2**60}, "/minimum"),
        ({"maximum": True}, "/maximum"),
        ({"minLength": -1}, "/minLength"),
        ({"maxLength": 1.5}, "/maxLength"),
        ({"required": "A"}, "/required"),
        ({"items": [{}]}, "/items"),
        ({"items": {"pattern": "."}}, "/items/pattern"),
        ({"additionalProperties": {}}, "/additionalProperties"),
        ({"properties": []}, "/properties"),
        ({"properties": {"A": True}}, "/properties/A"),
        (True, "/"),
    ],
)
def test_the_lint_names_the_place(schema: Any, place: str) -> None:
    assert [fault for fault in lint_schema(schema) if fault.startswith(place + ":")]


def raw_schemas() -> Iterator[Path]:
    for folder in ("connectors", "demo"):
        yield from (ROOT / folder).glob("**/*.schema.json")


def test_our_own_schemas_keep_to_the_vocabulary() -> None:
    files = [*SCHEMAS.glob("**/v1/schema.json"), *raw_schemas()]
    files = [file for file in files if file.name != "source.schema.json"]  # judges declarations, not records
    assert len(files) > 30
    faults = {str(file): lint_schema(json.loads(file.read_text(encoding="utf-8"))) for file in files}
    assert {file: found for file, found in faults.items() if found} == {}


# --- the two engines -----------------------------------------------------------------------------------------------

NAMES = ("A", "B", "项", "a/b", "")
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    [
        "",
        "1",
        "2026",
        "2026\n",
        "\n",
        "٣",
        "３",
        "ſ",
        "K",
        "é",
        "e\u0301",
        "😀",
        "\x00",
        "0",
        "I",
        "true",
        "a\r\n",
        "A1",
        "$",
    ]
)
integers = (
    st.integers(-5, 5)
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([2**53, 2**53 + 1, -(2**53), 2**63, 2**64, 10**30])
)
floats = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1.0, 1e16, 1e300, 0.1, 2.0**53])
scalars = st.none() | st.booleans() | integers | floats | texts
instances = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | texts, inner, max_size=4),
    max_leaves=12,
)

exact = st.integers(-(2**53), 2**53) | st.floats(-(2.0**53), 2.0**53) | st.integers(-3, 3)
constants = st.none() | st.booleans() | exact | texts
_literal = st.sampled_from([*"abAK019件é ,:", "\\.", "\\$", "\\\\", "\\(", "\\-"])
_class = st.sampled_from(["[0-9]", "[A-Z]", "[^0-9]", "[a-zK]", "[件é]", "[^\\]]", "[0-9A-Fa-f_.]", "[ ]"])
_atom = st.tuples(_literal | _class, st.sampled_from(["", "", "?", "*", "+", "{2}", "{1,3}", "{0,}"])).map("".join)
_branch = st.lists(_atom, min_size=1, max_size=4).map("".join)
patterns = st.tuples(
    st.sampled_from(["", "^"]), _branch | st.lists(_branch, min_size=1, max_size=3).map(lambda b: f"({'|'.join(b)})"),
    st.sampled_from(["", "$"]),
).map("".join)  # fmt: skip

TYPES = ("string", "integer", "number", "boolean", "null", "object", "array")
keywords = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True),
        "enum": st.lists(constants, min_size=1, max_size=4),
        "const": constants,
        "pattern": patterns,
        "minLength": st.integers(0, 4),
        "maxLength": st.integers(0, 4),
        "minimum": exact,
        "maximum": exact,
        "required": st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
        "additionalProperties": st.booleans(),
    },
)
schemas = st.recursive(
    keywords,
    lambda inner: st.tuples(
        keywords,
        st.fixed_dictionaries(
            {}, optional={"properties": st.dictionaries(st.sampled_from(NAMES), inner, max_size=3), "items": inner}
        ),
    ).map(lambda pair: {**pair[0], **pair[1]}),
    max_leaves=6,
)


@settings(max_examples=700, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(schemas, instances)
def test_screen_and_explanation_agree(schema: dict[str, Any], instance: Any) -> None:
    assert lint_schema(schema) == []
    assert screen(schema).is_valid(instance) == Explainer(schema).is_valid(instance)


@settings(max_examples=700, deadline=None)
@given(patterns, texts | st.text(alphabet="abAK019件é ,:.$\\(-\n", max_size=8))
def test_screen_and_explanation_agree_on_patterns(pattern: str, text: str) -> None:
    assume(not lint_pattern(pattern))
    assert screen({"pattern": pattern}).is_valid(text) == Explainer({"pattern": pattern}).is_valid(text)


@pytest.mark.parametrize("pattern", ["[A-Z]+a?[A-Z]+", "^[A-Z]+a?[A-Z]+$", "A+a*A+", "(?:[A-Z]+)a?[A-Z]{1,}"])
def test_what_must_stand_twice_is_not_found_in_what_stands_once(pattern: str) -> None:
    """The engine that jsonschema-rs takes by default finds it, and a record that is wrong was kept."""
    assert [screen({"pattern": pattern}).is_valid(text) for text in ("A", "AA", "AaA")] == [False, True, True]


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="ab09[]()^$\\|?*+{}.,-:é件", max_size=12), st.text(alphabet="ab09$^\n.-", max_size=5))
def test_whatever_pattern_the_lint_lets_pass_both_engines_read_alike(pattern: str, text: str) -> None:
    if not lint_pattern(pattern):
        assert screen({"pattern": pattern}).is_valid(text) == Explainer({"pattern": pattern}).is_valid(text)


def test_annotations_change_no_verdict() -> None:
    schema = {"type": "string", "x-kind": "text", **{word: "words" for word in ANNOTATIONS if word != "$schema"}}
    assert lint_schema(schema) == []
    assert screen(schema).is_valid("a")
