"""Puts into words what the shape of one record breaks: every fault, with its place, and never the value itself."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from hub import jsontext
from hub.errors import InternalError

MAX_DEPTH = 253
"""Containers within containers that a record may have: what the writer of the archive can write."""

_LONGEST_NUMBER = 4096
"""Bits of an integer; the interpreter refuses to print much longer ones, and no record means one."""

MAX_FAULTS = 100
"""Faults listed of one record."""

_LISTED = 30
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """One breach of the schema: where (JSON pointer parts), which keyword, what was expected; `value` is raw."""

    path: tuple[str | int, ...]
    keyword: str
    detail: Mapping[str, str]
    value: str | None

    @property
    def pointer(self) -> str:
        """Write the place as JSON pointer (RFC 6901)."""
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in self.path)

    @property
    def field(self) -> str | None:
        """Name the field of the record in which the fault lies; None where it is the record itself."""
        return str(self.path[0])[:_SHOWN] if self.path else None


@cache
def ecma(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of the restricted vocabulary as JSON Schema means it: $ is the very end."""
    bare = pattern[:-1]
    closes = pattern.endswith("$") and (len(bare) - len(bare.rstrip("\\"))) % 2 == 0
    return re.compile(bare + r"\Z" if closes else pattern, re.ASCII)


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and ecma(pattern).search(instance) is None:
        yield ValidationError("does not match")


def _required(_validator: Any, names: list[str], instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        yield from (ValidationError(name) for name in names if name not in instance)


Explainer: Any = extend(Draft202012Validator, {"pattern": _pattern, "required": _required})  # type: ignore[no-untyped-call]  # the stubs leave `extend` untyped
"""The `jsonschema` validator that explains; its `pattern` reads $ as the standard does."""


def explain(validator: Any, record: Any) -> list[Fault]:
    """List what `record` breaks, sorted by place and keyword, at most MAX_FAULTS."""
    faults = [fault for error in islice(validator.iter_errors(record), MAX_FAULTS) for fault in _faults(error)]
    return sorted(faults, key=lambda fault: (fault.pointer, fault.keyword))


def _faults(error: ValidationError) -> Iterator[Fault]:
    path, keyword = tuple(error.absolute_path), str(error.validator)
    limit: Any = error.validator_value
    instance: Any = error.instance
    match keyword:
        case "required":
            yield Fault((*path, error.message), keyword, {"keyword": keyword, "expected": "a value"}, None)
        case "additionalProperties":
            declared = cast("Mapping[str, Any]", error.schema).get("properties", {})
            for name in sorted(set(instance) - set(declared))[:_LISTED]:
                yield Fault((*path, name), keyword, {"keyword": keyword, "expected": "no such field"}, None)
        case "minLength" | "maxLength":
            detail = {"keyword": keyword, "expected": f"{keyword} {limit}", "length": str(len(instance))}
            yield Fault(path, keyword, detail, show(instance))
        case "type":
            detail = {"keyword": keyword, "expected": _expected(keyword, limit), "got": jsontext.type_of(instance)}
            yield Fault(path, keyword, detail, show(instance))
        case _:
            yield Fault(path, keyword, {"keyword": keyword, "expected": _expected(keyword, limit)}, show(instance))


def _expected(keyword: str, limit: Any) -> str:
    match keyword:
        case "type":
            return " or ".join(limit) if isinstance(limit, list) else str(limit)
        case "enum":
            listed = ", ".join(map(_word, limit[:_LISTED]))
            return f"one of {listed}" + (f" and {len(limit) - _LISTED} more" if len(limit) > _LISTED else "")
        case "const":
            return _word(limit)
        case "pattern":
            return f"the form {limit}"
        case _:
            return f"{keyword} {limit}"


def _word(value: Any) -> str:
    return "null" if value is None else str(value)


def show(value: Any) -> str | None:
    """Return a scalar as text, cut to a bearable length; None for null, containers and what cannot be written."""
    if value is None or isinstance(value, dict | list):
        return None
    text = value[:_SHOWN] if isinstance(value, str) else str(value)[:_SHOWN]
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def unwritable(record: Any, *, nan: bool = True) -> Fault | None:
    """Say what in `record` no JSON text and no archive can hold; None if all can be written.

    Too deep nesting, half a surrogate pair, a number that is none or too long. Walks without recursion, so that a
    record nested 100,000 deep cannot bring the process down. Without `nan`, NaN and infinity pass: the archive writes
    them as null, and where a number is declared the screen refuses them. Control characters are no fault of shape:
    normalization takes them out and flags them.

    Raises:
        InternalError: a value of a type that JSON does not have; the connector must hand over JSON-native values.
    """
    todo: list[tuple[tuple[str | int, ...], Any, int]] = [((), record, 1)]
    while todo:
        path, value, depth = todo.pop()
        if isinstance(value, dict | list):
            if depth > MAX_DEPTH:
                return _unwritable(path[:3], "depth", f"nested no deeper than {MAX_DEPTH}")
            # Below the third level the place is told by its first parts: a path of 10^5 parts helps nobody.
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for name, inner in items:
                fault = _scalar_fault(path, name)
                if fault is not None:
                    return fault
                todo.append(((*path, name) if len(path) < 3 else path, inner, depth + 1))  # noqa: PLR2004  # see above
            continue
        fault = _scalar_fault(path, value)
        if fault is not None and (nan or not isinstance(value, float)):
            return fault
    return None


def _scalar_fault(path: tuple[str | int, ...], value: Any) -> Fault | None:
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            return _unwritable(path, "text", "text without half a surrogate pair")
    elif isinstance(value, float):
        if not math.isfinite(value):
            return _unwritable(path, "number", "a number")
    elif isinstance(value, int):
        if value.bit_length() > _LONGEST_NUMBER:
            return _unwritable(path, "number", "a number of less than 1,200 digits")
    elif value is not None:
        place = "/".join(map(str, path))
        raise InternalError(
            f"the reader handed over a {type(value).__name__} at /{place}; records hold JSON values only"
        )
    return None


def _unwritable(path: tuple[str | int, ...], keyword: str, expected: str) -> Fault:
    clean = tuple(show(part) or "" if isinstance(part, str) else part for part in path)
    return Fault(clean, keyword, {"keyword": keyword, "expected": expected}, None)
