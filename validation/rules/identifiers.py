"""Identifiers whose check characters or forms do not fit. Each is kept as said and flagged: hiding it would hide it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hub.identifiers import certificate_id, credit_code, item_code, organisation_code, phone, resident_id
from validation.rules import screens
from validation.rules.view import Breach, Mask, View

_NUMBER_KIND_OF = {"number": "number_kind", "holder_number": "holder_number_kind"}
_CREDIT_CODE = 18


def _judge(
    view: View, name: str, good: Mask, fault: Callable[[str], str | None], only: Mask | None = None
) -> Iterator[Breach]:
    """Look singly at the values of a column that the screen does not know to be good, each distinct one once."""
    texts = view.texts(name)
    doubtful = ~good & np.asarray(texts.is_valid())
    if only is not None:
        doubtful &= only
    rows = np.flatnonzero(doubtful)
    if not len(rows):
        return
    coded = texts.take(rows).dictionary_encode()
    reasons = np.array([fault(text) for text in coded.dictionary.to_pylist()], dtype=object)
    found = reasons[coded.indices.to_numpy()]
    bad = np.flatnonzero(found != None)  # noqa: E711  # elementwise on an array of objects
    if len(bad):
        yield Breach(name, rows[bad], [{"reason": reason} for reason in found[bad]])


def _numbers_of(view: View, number_kind: str) -> Iterator[tuple[str, Mask]]:
    """Walk the columns of identity numbers, with the rows that say they hold this kind of number."""
    for column in view.columns("person_number", "number_id"):
        said = view.equal(_NUMBER_KIND_OF.get(column.name, ""), number_kind)
        if said.any():
            yield column.name, said


def credit_code_invalid(view: View) -> Iterator[Breach]:
    """Flag unified social credit codes that are none (GB 32100-2015).

    Judged are numbers whose kind says credit code, columns of credit codes, and organ codes of 18 characters: shorter
    organ codes are the source's own or area codes.
    """
    for name, said in _numbers_of(view, "credit_code"):
        yield from _judge(view, name, screens.credit_codes(view.texts(name)), credit_code.fault, said)
    for column in view.columns("credit_code"):
        yield from _judge(view, column.name, screens.credit_codes(view.texts(column.name)), credit_code.fault)
    for column in view.columns("organ"):
        texts = view.texts(column.name)
        claims = _mask(pc.equal(pc.utf8_length(texts), _CREDIT_CODE))
        yield from _judge(view, column.name, screens.credit_codes(texts), credit_code.fault, claims)


def resident_id_invalid(view: View) -> Iterator[Breach]:
    """Flag resident identity numbers that are none, or that state a birth after the day of reading (GB 11643-1999).

    The region inside is never judged: it may be abolished, or younger than any list.
    """
    today = view.read_at.astimezone(ZoneInfo(view.zone)).date()
    for name, said in _numbers_of(view, "resident_id"):
        good = screens.resident_ids(view.texts(name), today)
        yield from _judge(view, name, good, lambda text: resident_id.fault(text, on=today), said)


def organisation_code_invalid(view: View) -> Iterator[Breach]:
    """Flag organisation codes that are none (GB 11714-1997)."""
    for name, said in _numbers_of(view, "organisation_code"):
        yield from _judge(view, name, _nowhere(view), organisation_code.fault, said)


def certificate_id_invalid(view: View) -> Iterator[Breach]:
    """Flag electronic certificate identifiers that are none (GB/T 36904-2018, ISO 7064 MOD 37,36)."""
    for column in view.columns("certificate_id"):
        good = screens.certificate_ids(view.texts(column.name))
        yield from _judge(view, column.name, good, certificate_id.fault)


def item_code_invalid(view: View) -> Iterator[Breach]:
    """Flag item codes that mean to be of the national standard and are not formed so (GB/T 39554.1-2020).

    Numbers of older provincial schemes are no breach: they are in daily use, and mappings say them as they are.
    """
    for column in view.columns("item_code"):
        yield from _judge(view, column.name, _nowhere(view), _item_code_fault)


def _item_code_fault(text: str) -> str | None:
    return item_code.fault(text) if item_code.claims_standard(text) else None


def phone_invalid(view: View) -> Iterator[Breach]:
    """Flag telephone numbers that the numbering plan does not have (工业和信息化部, 电信网编号计划)."""
    for column in view.columns("person_phone"):
        yield from _judge(view, column.name, screens.phones(view.texts(column.name)), phone.fault)


def _nowhere(view: View) -> Mask:
    return np.zeros(len(view.frame), dtype=np.bool_)


def _mask(found: pa.Array) -> Mask:
    return np.asarray(pc.fill_null(found, fill_value=False), dtype=np.bool_)
