"""Protects personal values and hashes contents, table by table, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from hub import jsontext
from hub.documents import Column, Document
from hub.identifiers import resident_id
from hub.protect import Protector
from sharedrepo.staging import stage

ORGANISATIONS = frozenset({"enterprise", "institution", "social", "government"})
"""Parties that are no natural persons: their names and numbers are public and shown in full (a phone is a person's)."""

_RAW = pd.ArrowDtype(pa.large_binary())
_KIND_COLUMNS = {"case_party": "party_kind", "credential": "holder_kind"}


def content_hashes(
    document: Document, frame: pd.DataFrame, case_numbers: pa.Array, protector: Protector
) -> list[bytes]:
    """Hash each row's canonical values in the clear, under the content key; empty values do not count.

    Each value stands with its column's name, so that a column that is added later and empty changes no hash.
    """
    columns = {name: _as_text(frame[name]) for name in sorted(frame.columns) if name != "case_number"}
    parts: list[Any] = [_scalar(document.name)]
    for name, values in {"case_number": case_numbers, **columns}.items():
        if values.null_count < len(values):
            parts += _labelled(f"\x1f{name}=", values)
    joined = pc.binary_join_element_wise(*parts, _scalar(""))
    # A document that says nothing at all still has its name, and each row one such.
    rows = joined if isinstance(joined, pa.Array) else pa.repeat(joined, len(frame))
    return protector.content_hashes(rows.cast(pa.large_binary()).to_pylist())


def _labelled(label: str, values: pa.Array) -> list[Any]:
    """Put a label before each value; what is null has none."""
    if not values.null_count:
        return [_scalar(label), values]
    labelled = pc.binary_join_element_wise(_scalar(label), values, _scalar(""), null_handling="emit_null")
    return [pc.fill_null(labelled, "")]


def _scalar(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _as_text(column: pd.Series) -> pa.Array:
    values = pa.array(column, from_pandas=True)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.timestamp("us", tz=values.type.tz)).cast(pa.int64())
    return values if pa.types.is_large_string(values.type) else values.cast(pa.large_string())


def protect(document: Document, frame: pd.DataFrame, protector: Protector) -> pd.DataFrame:
    """Return the frame with each personal column replaced by its look-up hash, its mask and the row's sealed values."""
    personal = [spec for spec in document.columns.values() if spec.personal and spec.name in frame]
    if not personal:
        return frame
    clear = {spec.name: _texts(frame[spec.name]) for spec in personal}
    out = frame.drop(columns=list(clear))
    shown_in_full = _organisations(document, frame)
    for spec in personal:
        if spec.kind in ("person_name", "person_number"):
            kind: Any = spec.kind.removeprefix("person_")
            hashed = _once(clear[spec.name], partial(protector.lookup_many, kind))
            out[f"{spec.name}_hash"] = _bytes(hashed, out.index)
        mask = _mask(spec, protector)
        if mask is not None:
            masked = _once(clear[spec.name], partial(_each, mask))
            open_to_all = _open_to_all(spec, clear[spec.name], shown_in_full)
            full = [
                value if whole else hidden
                for value, hidden, whole in zip(clear[spec.name], masked, open_to_all, strict=True)
            ]
            out[f"{spec.name}_mask"] = pd.array(full, dtype="str")
    out["sealed"] = _bytes(_seal(document.name, clear, protector), out.index)
    return out


def _texts(column: pd.Series) -> list[str | None]:
    values: list[str | None] = pa.array(column, from_pandas=True).to_pylist()
    return values


def _organisations(document: Document, frame: pd.DataFrame) -> list[bool]:
    kind = _KIND_COLUMNS.get(document.name)
    if kind is None or kind not in frame:
        return [False] * len(frame)
    return [value in ORGANISATIONS for value in _texts(frame[kind])]


def _open_to_all(spec: Column, values: Sequence[str | None], of_organisation: list[bool]) -> list[bool]:
    """Say which values are shown in full: names and numbers of organisations that can be no person's."""
    if spec.kind == "person_phone":
        return [False] * len(values)
    if spec.kind == "person_name":
        return of_organisation
    return [
        whole and not (value is not None and _is_of_a_person(value))
        for whole, value in zip(of_organisation, values, strict=True)
    ]


def _is_of_a_person(number: str) -> bool:
    """Say whether a person's name or resident number was typed where an organisation's number should stand."""
    return not number.isascii() or (number[:17].isdigit() and resident_id.birth_date(number) is not None)


def _mask(spec: Column, protector: Protector) -> Callable[[str], str] | None:
    masks = {
        "person_name": protector.mask_name,
        "person_number": protector.mask_number,
        "person_phone": protector.mask_phone,
    }
    return masks.get(spec.kind)


def _once(values: Sequence[str | None], work: Callable[[list[str]], Sequence[Any]]) -> list[Any]:
    """Do the work once for each distinct value."""
    distinct = [value for value in dict.fromkeys(values) if value is not None]
    done: dict[str | None, Any] = dict(zip(distinct, work(distinct), strict=True))
    done[None] = None
    return [done[value] for value in values]


def _each(work: Callable[[str], str], values: list[str]) -> list[str]:
    return [work(value) for value in values]


def _seal(context: str, clear: dict[str, list[str | None]], protector: Protector) -> list[bytes | None]:
    """Seal the personal values of each row together; rows with equal values share one sealed form within the slice."""
    names = list(clear)
    if len(names) == 1:
        head = names[0]
        return _once(
            clear[head],
            lambda values: protector.seal_many([jsontext.dumps({head: one}) for one in values], context=context),
        )
    rows = [
        jsontext.dumps({name: value for name, value in zip(names, row, strict=True) if value is not None})
        for row in zip(*clear.values(), strict=True)
    ]
    return list(protector.seal_many(rows, context=context))


def _bytes(values: Sequence[bytes | None], index: pd.Index) -> pd.Series:
    """Return byte strings as a column that keeps them as they are."""
    return pd.Series(pd.array(stage.bytea(values), dtype=_RAW), index=index)
