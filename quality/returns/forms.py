"""The form of a return: its columns, how a value stands in a cell, and the marks that cannot be made by hand."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.cells import like_formula
from hub.protect import Protector
from normalization.model import StreamMapping
from normalization.values.common import text_of
from quality.worklist.opened import HIDDEN

FORM = "1"
"""Version of the form that returns have; another one is refused."""
STAMP = "hub"
"""The hidden sheet that says for whom a workbook was made."""

SOURCE, ORGAN, STREAM, ENTRY, KEY, TOKEN = (
    f"hub:{name}" for name in ("source", "organ", "stream", "entry", "key", "token")
)
NAMED = (SOURCE, ORGAN, STREAM, ENTRY, KEY, TOKEN)
"""The columns that name a row; they are locked, and the token shows that nobody changed them."""
TOLD = ("hub:wrong_zh", "hub:wrong_en", "hub:hint_zh", "hub:hint_en")
"""What is wrong with a row and how it is mended, in both languages."""
LABELS = {
    SOURCE: "系统 source", ORGAN: "部门 organ", STREAM: "数据流 stream", ENTRY: "编号 entry", KEY: "主键 key",
    TOKEN: "校验码 token", "hub:wrong_zh": "问题", "hub:wrong_en": "What is wrong", "hub:hint_zh": "处理建议",
    "hub:hint_en": "What to do",
}  # fmt: skip

MOST_ROWS = 20_000
"""Rows of one stream in one return; what is more goes into the next, when these are settled."""
LONGEST_CELL = 32_000
"""Excel holds no more than 32,767 characters in a cell."""
TOO_LONG = "(too long for a cell)"

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SCIENTIFIC = re.compile(r"[+-]?\d(\.\d+)?[eE][+-]?\d+")


@dataclass(frozen=True, slots=True)
class Form:
    """The columns of one stream's rows: the source's own fields, in its schema's order, with their labels."""

    source: str
    organ: str
    stream: str
    fields: tuple[str, ...]
    labels: Mapping[str, str]
    shown: frozenset[str]

    @classmethod
    def of(cls, source: str, organ: str, mapping: StreamMapping, shown: frozenset[str]) -> Form:
        """Make the form of a stream; `shown` are the fields that hold nothing of persons."""
        declared: Mapping[str, Any] = mapping.schema.get("properties", {})
        labels = {name: str(said.get("title", "")) for name, said in declared.items()}
        return cls(source, organ, mapping.name, tuple(declared), labels, shown)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return all columns in their order."""
        return (*NAMED, *TOLD, *self.fields)

    def label(self, column: str) -> str:
        """Return what stands above a column for people."""
        return LABELS.get(column) or self.labels.get(column) or column


def cell_of(value: Any) -> str:
    """Write a value as a cell holds it: text, without characters that no sheet can hold."""
    text = text_of(value)
    if text is None:
        return ""
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text if len(text) <= LONGEST_CELL else TOO_LONG


def untouched(cell: str, original: Any) -> bool:
    """Say whether a cell still says what the record says: then it is no correction."""
    said = cell.replace("\r\n", "\n").replace("\r", "\n")
    return said in (cell_of(original), HIDDEN, TOO_LONG) or (not said.strip() and not cell_of(original).strip())


def spoiled(cell: str, original: Any) -> bool:
    """Say whether a spreadsheet program turned a long number into a rounded one (3.3E+17)."""
    return bool(_SCIENTIFIC.fullmatch(cell.strip())) and not _SCIENTIFIC.fullmatch(cell_of(original).strip())


def csv_safe(text: str) -> str:
    """Write a cell of a CSV so that no spreadsheet program takes it for a formula."""
    return f"'{text}" if text.startswith("'") or like_formula(text) else text


def csv_read(text: str) -> str:
    """Read what `csv_safe` wrote; what a person typed without the mark stays as typed."""
    return text.removeprefix("'")


def token(protector: Protector, source: str, organ: str, stream: str, entry: int, key: str, received: bytes) -> str:
    """Return the mark of a row: a keyed hash over all that names it and the record as received (BLAKE2b, 16 bytes)."""
    return _mac(protector, "row", source, organ, stream, str(entry), key, received.hex())


def signature(protector: Protector, source: str, organ: str) -> str:
    """Return the mark of a whole file: for whom it was made."""
    return _mac(protector, "file", FORM, source, organ)


def same(one: str, other: str) -> bool:
    """Compare two marks without telling by the time it takes where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _mac(protector: Protector, *parts: str) -> str:
    # A person's string of its own: no record that a source makes up has a content hash that is a token.
    made = hashlib.blake2b(key=protector.ring.content_key(), digest_size=16, person=b"hub return 1")
    for part in parts:
        said = part.encode("utf-8", "surrogatepass")
        made.update(len(said).to_bytes(8, "big") + said)
    return made.hexdigest()
