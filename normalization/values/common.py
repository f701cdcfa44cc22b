"""What all kinds of value share: the column of texts, the fault of one value, and reading by distinct values."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

TEXT = pa.large_string()
"""The type of every column of texts: pandas' own, so that nothing is copied on the way there."""

_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\x00")

Canonical = TypeVar("Canonical")


class Unreadable(ValueError):
    """A value that cannot be read as its kind; `reason` says why and never quotes the value.

    `known` names what would have been accepted, where that is a short closed list.
    """

    def __init__(self, reason: str, *, known: str = "") -> None:
        self.reason, self.known = reason, known
        super().__init__(reason)


class Unknown(Unreadable):
    """A code that stands in no line of its code list."""


@dataclass(frozen=True, slots=True)
class Read:
    """One column as read: the canonical values, and what was wrong at which row.

    A row in `faults` is null in `values`; a row in `mended` kept a value of which unreadable parts were taken away.
    """

    values: Any
    faults: Mapping[int, Unreadable] = field(default_factory=dict)
    mended: Mapping[int, str] = field(default_factory=dict)
    precision: Any = None


def text_of(value: Any) -> str | None:
    """Write one JSON-native value as text: the form in which every kind of value reads it.

    A whole number stays whole (12.0 of a spreadsheet is 12), a list or an object becomes compact JSON, and a lone
    surrogate, which no UTF-8 can hold, becomes NUL so that it is taken away and reported as an unreadable character.
    """
    if value is None or isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, float):
        text = _text_of_float(value)
    elif isinstance(value, int):
        text = str(value)
    else:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if text is None or text.isascii():
        return text
    return text.translate(_SURROGATES) if any("\ud800" <= character <= "\udfff" for character in text) else text


def _text_of_float(value: float) -> str | None:
    if math.isnan(value):
        return None
    return str(int(value)) if value.is_integer() and abs(value) < 2**63 else repr(value)


def texts_of(values: Sequence[Any]) -> Any:
    """Make the column of texts of these JSON-native values, fast where all are texts or all integers."""
    try:
        return pa.array(values, TEXT)
    except (pa.ArrowTypeError, pa.ArrowInvalid, UnicodeEncodeError):
        if set(map(type, values)) <= {int, type(None)}:
            with contextlib.suppress(pa.ArrowInvalid, OverflowError):
                return pa.array(values, pa.int64()).cast(TEXT)
    return pa.array([text_of(value) for value in values], TEXT)


def rows_of(chosen: npt.NDArray[np.bool_], indices: Any) -> npt.NDArray[np.int64]:
    """Find the rows whose distinct value is one of the chosen ones."""
    codes = indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return np.flatnonzero(np.append(chosen, False)[codes])


def map_uniques(texts: Any, scalar: Callable[[str], Canonical | None], kind: Any = TEXT) -> Read:
    """Read a column by reading each of its distinct texts once with `scalar`.

    This is the slow way of reading, and still cheap where few values repeat often: it costs one call a distinct value.
    """
    coded = texts.dictionary_encode()
    values: list[Canonical | None] = []
    faults: dict[int, Unreadable] = {}
    for number, text in enumerate(coded.dictionary.to_pylist()):
        try:
            values.append(scalar(text))
        except Unreadable as fault:
            values.append(None)
            faults[number] = fault
    return Read(pa.array(values, kind).take(coded.indices), spread(faults, coded.indices))


def spread(by_unique: Mapping[int, Any], indices: Any) -> dict[int, Any]:
    """Give each row what was found about its distinct value."""
    if not by_unique:
        return {}
    codes = indices.fill_null(-1).to_numpy(zero_copy_only=False)
    chosen = np.zeros(int(codes.max()) + 1, dtype=np.bool_)
    chosen[list(by_unique)] = True
    return {int(row): by_unique[int(codes[row])] for row in rows_of(chosen, indices)}
