"""Fast screens over whole columns: true where an identifier is surely good, so that only the rest is looked at singly.

Each screen restates one module of `hub.identifiers` in arrays; property tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hub.identifiers import certificate_id, credit_code, organisation_code, resident_id
from validation.rules.view import Mask

Bytes = npt.NDArray[np.uint8]
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)
_RESIDENT_CHECKS = np.frombuffer(b"10X98765432", dtype=np.uint8)
_ORGANISATION_CHECKS = np.frombuffer(b"0X987654321", dtype=np.uint8)
_LENGTH = 18
_PLAIN_PHONE = r"^(1[3-9][0-9]{9}|0[1-9][0-9]{1,2}-?[2-9][0-9]{6,7})$"
_CERTIFICATE = (
    r"^1\.2\.156\.3005\.2\.[0-9A-Z]{21}\.([0-9A-Z]{18}|[0-9]{6}|[0-9]{9}|[0-9]{12})"
    r"\.[0-9A-Z]{1,20}\.[0-9]{3}\.[0-9A-Z]$"
)


def _values(alphabet: str) -> npt.NDArray[np.int64]:
    table = np.full(256, -1, dtype=np.int64)
    for value, character in enumerate(alphabet):
        table[ord(character)] = value
    return table


_CREDIT = _values(credit_code.ALPHABET)
_WHOLE = _values(organisation_code.ALPHABET)
_DIGIT = _values("0123456789")


def _where_long(texts: pa.Array, length: int, good: Callable[[Bytes], Mask]) -> Mask:
    """Judge the texts of exactly `length` bytes as one matrix of bytes; the others are not surely good."""
    fits = np.asarray(pc.fill_null(pc.equal(pc.binary_length(texts), length), fill_value=False))
    out = np.zeros(len(texts), dtype=np.bool_)
    if fits.any():
        chosen = texts if fits.all() else texts.filter(pa.array(fits))
        start = np.frombuffer(chosen.buffers()[1], dtype=np.int64)[chosen.offset]
        raw = np.frombuffer(chosen.buffers()[2], dtype=np.uint8)[start : start + len(chosen) * length]
        out[fits] = good(raw.reshape(-1, length))
    return out


def credit_codes(texts: pa.Array) -> Mask:
    """Say which texts are surely credit codes (GB 32100-2015 with GB 11714 inside)."""
    return _where_long(texts, _LENGTH, _good_credit)


def _good_credit(raw: Bytes) -> Mask:
    values, whole = _CREDIT[raw], _WHOLE[raw[:, 8:16]]
    shape = (values >= 0).all(axis=1) & (values[:, 2:8] < 10).all(axis=1)  # noqa: PLR2004  # digits come first in the alphabet
    outer = (values[:, :17] @ np.array(credit_code.WEIGHTS) + values[:, 17]) % 31 == 0
    inner = _ORGANISATION_CHECKS[(whole @ np.array(organisation_code.WEIGHTS)) % 11] == raw[:, 16]
    return np.asarray(shape & outer & inner, dtype=np.bool_)


def resident_ids(texts: pa.Array, on: date) -> Mask:
    """Say which texts are surely resident numbers of 18 characters (GB 11643-1999) of people born up to `on`."""
    last = on.year * 10000 + on.month * 100 + on.day
    return _where_long(texts, _LENGTH, lambda raw: _good_resident(raw, last))


def _good_resident(raw: Bytes, last: int) -> Mask:
    digits = _DIGIT[raw[:, :17]]
    number = np.clip(digits[:, 6:14], 0, 9)
    year, month, day = number[:, :4] @ [1000, 100, 10, 1], number[:, 4:6] @ [10, 1], number[:, 6:8] @ [10, 1]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = np.where(month <= 12, _DAYS[np.minimum(month, 12)], 0) + (leap & (month == 2))  # noqa: PLR2004  # months
    born = (day >= 1) & (day <= days) & (year >= resident_id.FIRST_YEAR)
    check = _RESIDENT_CHECKS[(np.clip(digits, 0, 9) @ np.array(resident_id.WEIGHTS)) % 11] == raw[:, 17]
    good = (digits >= 0).all(axis=1) & born & (year * 10000 + month * 100 + day <= last) & check
    return np.asarray(good, dtype=np.bool_)


def certificate_ids(texts: pa.Array) -> Mask:
    """Say which texts are surely certificate identifiers (GB/T 36904-2018)."""
    shaped = np.asarray(pc.fill_null(pc.match_substring_regex(texts, _CERTIFICATE), fill_value=False))
    out = np.zeros(len(texts), dtype=np.bool_)
    payloads = pc.replace_substring(texts.filter(pa.array(shaped)), ".", "")
    payloads = pc.utf8_slice_codeunits(payloads, len(certificate_id.ROOT.replace(".", "")))
    good = np.zeros(len(payloads), dtype=np.bool_)
    for length in pc.unique(pc.binary_length(payloads)).to_pylist():
        good |= _where_long(payloads, length, _good_mod_37_36)
    out[shaped] = good
    return out


def _steps() -> npt.NDArray[np.intp]:
    """Tabulate one step of MOD 37,36: from 36 × product + value to 36 × the next product."""
    product, value = np.arange(37)[:, None], np.arange(36)[None, :]
    total = (product + value) % 36
    return (np.where(total == 0, 36, total) * 2 % 37 * 36).astype(np.intp).ravel()


_STEP = _steps()


def _good_mod_37_36(raw: Bytes) -> Mask:
    values = _WHOLE[raw.T]
    state = np.full(len(raw), 36 * 36, dtype=np.intp)
    for place in values[:-1]:
        state = _STEP.take(state + place)
    return np.asarray((state // 36 + values[-1]) % 36 == 1, dtype=np.bool_)


def phones(texts: pa.Array) -> Mask:
    """Say which texts are surely one plain mobile or fixed-line number."""
    return np.asarray(pc.fill_null(pc.match_substring_regex(texts, _PLAIN_PHONE), fill_value=False))
