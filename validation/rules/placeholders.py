"""Invented-looking values: what people type to get past a mandatory field."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hub.documents import Column
from validation.rules.view import Breach, Mask, Rows, View

_SAYS_NOTHING = (
    r"(?i)^(无|暂无|没有|无此项|不详|不明|未知|未填|待定|待补|待补充|空|略|null|none|nil|nan|n/?a|undefined|unknown|tbd"
    r"|[\s\-‐‑‒–—―_=~·.。、,，/／\\|*＊#?？!！－＿]+)$"
)
_INVENTED = (
    r"(?i)^((测试|试验数据|演示数据)(数据|信息|用户|人员|企业|公司|单位|地址|项目|办件|事项|姓名|内容)?[0-9]{0,6}"
    r"|(test|testing|demo|dummy|sample)[ _\-]?[0-9]{0,6}|x{2,}|某+|asdf[a-z]*|qwer[a-z]*|abc(def?g?)?|aaa+|foo|bar)$"
)
_RUN = r"^(0?123456(7(8(9(0[0-9]*)?)?)?)?|987654(3(21?0?)?)?)$"
_FAKE_PHONE = r"^(13800138000|1[3-9][0-9](0{8}|12345678)|[0-9]{3,4}-?(12345678?|0{7,8}))$"

_PROSE, _IDENTITY, _REGISTER = 3, 5, 8
"""The shortest repeat that is not believed: in prose 111; in identity numbers and phones 11111; in the numbers of
documents and certificates, which run through all values, only 11111111 (and 12345678)."""

_NUMBER_KINDS = frozenset({"person_number", "person_phone", "credit_code", "certificate_id", "organ", "item_code"})
_NUMBER_COLUMNS = frozenset({"document_number", "number", "other_number", "predecessor"})
_PROSE_KINDS = frozenset({"person_name", "person_address", "person_text"})
_PROSE_COLUMNS = frozenset(
    {"name", "item_name", "document_name", "unit_name", "handler_post", "opinion", "reason", "content", "materials"}
)
_MUST_SAY = frozenset(
    {("credential", "holder_name"), ("item", "name"), ("organ", "name"), ("approval_case", "item_name")}
)


def says_nothing(texts: pa.Array) -> Mask:
    """Say which texts mean that there is no value: 无, 暂无, 不详, －, N/A, …"""
    return _mask(pc.match_substring_regex(texts, _SAYS_NOTHING))


def looks_invented(texts: pa.Array, *, shortest: int = _PROSE, phone: bool = False) -> Mask:
    """Say which texts look typed only to fill the field: 测试, test1, 111111, xxx, 123456.

    Repeats and runs (111, 123456) count from `shortest` characters on; `phone` adds the well-known false numbers.
    """
    found = _mask(pc.match_substring_regex(texts, _INVENTED))
    runs = _mask(pc.match_substring_regex(texts, _RUN))
    if phone:
        found |= _mask(pc.match_substring_regex(texts, _FAKE_PHONE))
    return found | ((runs | _repeats(texts)) & _mask(pc.greater_equal(pc.utf8_length(texts), shortest)))


def _suspects(texts: pa.Array) -> Rows:
    """Find the rows that any of the tests could hit, in one pass over the column."""
    words = _mask(pc.match_substring_regex(texts, f"{_INVENTED}|{_RUN}|{_FAKE_PHONE}|{_SAYS_NOTHING}"))
    return np.flatnonzero(words | _repeats(texts))


def _repeats(texts: pa.Array) -> Mask:
    """Say which texts are one letter, digit or character written three times or more."""
    shifted = pc.equal(pc.utf8_slice_codeunits(texts, 0, -1), pc.utf8_slice_codeunits(texts, 1))
    out = _mask(shifted)
    rows = np.flatnonzero(out)
    if len(rows):
        chosen = texts.take(rows)
        out[rows] = _mask(pc.and_(pc.greater_equal(pc.utf8_length(chosen), _PROSE), pc.utf8_is_alnum(chosen)))
    return out


def placeholder_value(view: View) -> Iterator[Breach]:
    """Flag values that look invented.

    A word for "nothing" (无, －) is a breach only where a value must stand: an identity number or phone that is given
    at all, a document or certificate number, the name of the applicant, the holder, the item. An agent or an opinion
    "无" is an honest answer. A made-up word or number (测试, 111111, 123456) is a breach in every name, address,
    opinion and number. Source: the content rules (内容监察) of running e-supervision systems.
    """
    for column in view.document.columns.values():
        if column.name not in view.frame:
            continue
        register = column.kind == "text" and column.name in _NUMBER_COLUMNS
        number = register or column.kind in _NUMBER_KINDS
        prose = column.kind in _PROSE_KINDS or (column.kind == "text" and column.name in _PROSE_COLUMNS)
        if not (number or prose):
            continue
        texts = view.texts(column.name)
        suspects = _suspects(texts)
        chosen = texts.take(suspects)
        nothing = says_nothing(chosen) & _must_say(view, column, number=number)[suspects]
        shortest = _REGISTER if register else _IDENTITY if number else _PROSE
        invented = looks_invented(chosen, shortest=shortest, phone=column.kind == "person_phone")
        hits = np.flatnonzero(nothing | invented)
        if len(hits):
            reasons = [{"reason": "says nothing" if nothing[hit] else "looks typed to fill the field"} for hit in hits]
            yield Breach(column.name, suspects[hits], reasons)


def _must_say(view: View, column: Column, *, number: bool) -> Mask:
    if number or (view.document.name, column.name) in _MUST_SAY:
        return np.ones(len(view.frame), dtype=np.bool_)
    if (view.document.name, column.name) == ("case_party", "name"):
        return view.equal("role", "applicant")
    return np.zeros(len(view.frame), dtype=np.bool_)


def _mask(found: pa.Array) -> Mask:
    return np.array(pc.fill_null(found, fill_value=False), dtype=np.bool_)
