"""The restricted vocabulary of raw schemas, on which jsonschema and jsonschema-rs agree (a property test shows it).

Left out, and why: `format` (each engine knows others), `multipleOf` (floating remainders differ), `$ref` and the
combining keywords (a fault could not be told by field), classes like `\\d` and `.` (Unicode in one engine, ASCII in the
other), numbers beyond 2^53.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

TYPES = frozenset({"string", "integer", "number", "boolean", "null", "object", "array"})
KEYWORDS = frozenset(
    {
        "type",
        "properties",
        "required",
        "enum",
        "const",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "items",
        "additionalProperties",
    }
)
ANNOTATIONS = frozenset({"$schema", "$comment", "title", "title_zh", "description", "label_zh"})
"""Words for people; keys that begin with x- are annotations too."""

_EXACT = 2**53
_MOST_REPEATS = 1000
_PUNCTUATION = frozenset("\\/.*+?()[]{}|^$-")
_SPECIAL = frozenset("\\.*+?()[]{}|^$")
_QUANTIFIER = re.compile(r"[*+?]|\{([0-9]+)(?:,([0-9]*))?\}")


def lint_schema(schema: Any) -> list[str]:
    """List everything in `schema` outside the restricted vocabulary, each with a JSON pointer; empty if all is well."""
    return list(_schema_faults(schema, ""))


def _schema_faults(schema: Any, at: str) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        yield f"{at or '/'}: a schema must be an object"
        return
    for keyword, value in schema.items():
        place = f"{at}/{keyword}"
        if keyword in ANNOTATIONS or keyword.startswith("x-"):
            continue
        if keyword not in KEYWORDS:
            yield f"{place}: outside the vocabulary ({', '.join(sorted(KEYWORDS))})"
            continue
        yield from (f"{place}: {fault}" for fault in _keyword_faults(keyword, value))
        if keyword == "properties" and isinstance(value, Mapping):
            for name, inner in value.items():
                yield from _schema_faults(inner, f"{place}/{name}")
        if keyword == "items" and isinstance(value, Mapping):
            yield from _schema_faults(value, place)


def _keyword_faults(keyword: str, value: Any) -> list[str]:
    if keyword == "pattern":
        return lint_pattern(value)
    good, wanted = _VALUES[keyword]
    return [] if good(value) else [f"must be {wanted}"]


def _types(value: Any) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and all(isinstance(name, str) and name in TYPES for name in names)


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _scalars(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_scalar, value))


def _number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and abs(value) <= _EXACT


def _count(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int) and 0 <= value <= _EXACT


def _scalar(value: Any) -> bool:
    return value is None or isinstance(value, bool | str) or _number(value)


_VALUES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "type": (_types, f"one or more of {', '.join(sorted(TYPES))}"),
    "properties": (lambda value: isinstance(value, Mapping), "an object"),
    "items": (lambda value: isinstance(value, Mapping), "an object"),
    "required": (_names, "a list of names"),
    "enum": (_scalars, "a list of texts, numbers within ±2^53, booleans or null"),
    "const": (_scalar, "a text, a number within ±2^53, a boolean or null"),
    "minimum": (_number, "a number within ±2^53"),
    "maximum": (_number, "a number within ±2^53"),
    "minLength": (_count, "a count"),
    "maxLength": (_count, "a count"),
    "additionalProperties": (lambda value: isinstance(value, bool), "true or false"),
}


def lint_pattern(pattern: Any) -> list[str]:
    """List what in `pattern` the two regular-expression engines could read differently; empty if nothing.

    Allowed are literal characters, escaped punctuation, classes of literal characters and ASCII ranges, groups,
    alternatives, greedy quantifiers with bounds up to 1000, and ^ and $ at the two ends.
    """
    if not isinstance(pattern, str):
        return ["must be a text"]
    faults = list(_pattern_faults(pattern))
    if not faults:
        try:
            re.compile(pattern)
        except re.error as error:
            faults.append(f"no regular expression: {error.msg}")
    return faults


def _pattern_faults(pattern: str) -> Iterator[str]:
    body = pattern.removeprefix("^")
    if body.endswith("$") and (len(body) - len(body[:-1].rstrip("\\"))) % 2 == 1:
        body = body[:-1]
    at, repeats = 0, False
    while at < len(body):
        character, repeatable, repeats = body[at], repeats, True
        quantifier = _QUANTIFIER.match(body, at)
        if character == "[":
            end = _class_end(body, at)
            yield from _class_faults(body[at + 1 : end])
            at = end + 1
        elif character == "\\":
            if body[at + 1 : at + 2] not in _PUNCTUATION or at + 1 == len(body):
                yield f"\\{body[at + 1 : at + 2]}: only punctuation may be escaped; write [0-9] for \\d"
            at += 2
        elif quantifier:
            yield from _quantifier_faults(body, quantifier, repeatable=repeatable)
            at = quantifier.end()
        elif character == "(":
            if body[at + 1 : at + 2] == "?" and body[at + 1 : at + 3] != "?:":
                yield "a group may only be ( or (?:"
            at += 3 if body[at + 1 : at + 3] == "?:" else 1
            repeats = False
        else:
            repeats = character != "|"
            if character in _SPECIAL and character not in "|)":
                yield f"{character!r} must be escaped, and . written as a class"
            at += 1


def _quantifier_faults(body: str, quantifier: re.Match[str], *, repeatable: bool) -> Iterator[str]:
    if not repeatable:
        yield "a quantifier with nothing to repeat"
    if body[quantifier.end() : quantifier.end() + 1] in ("?", "+", "*", "{"):
        yield "a quantifier of a quantifier"
    if any(int(bound or 0) > _MOST_REPEATS for bound in quantifier.groups()):
        yield f"a bound over {_MOST_REPEATS}"


def _class_end(body: str, start: int) -> int:
    at = start + 1
    while at < len(body) and body[at] != "]":
        at += 2 if body[at] == "\\" else 1
    return at


def _class_faults(inside: str) -> Iterator[str]:
    text = inside.removeprefix("^")
    if not text:
        yield "an empty class"
    if re.search(r"&&|--|~~|\|\||(?<!\\)\[", text):
        yield "&&, --, ~~, || and [ inside a class mean sets to one engine; escape them"
    for escaped in re.findall(r"\\(.?)", text, re.DOTALL):
        if escaped not in _PUNCTUATION or not escaped:
            yield f"\\{escaped} inside a class: only punctuation may be escaped"
    for first, last in re.findall(r"([^\\])-(.)", text, re.DOTALL):
        if not (first.isascii() and first.isalnum() and last.isascii() and last.isalnum()):
            yield f"the range {first}-{last}: only between ASCII letters or digits"
