"""The sheets of a catalogue in a workbook, made from the contract of items: what the contract gains, they gain.

One sheet has a row an item; each list of an item's content has a sheet of its own, whose rows name the item by its
code. Column names are the paths of the contract (`legal_limit.value`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from catalog.content import CENTRAL
from hub.documents import SCHEMAS
from hub.words import Words
from sharedrepo.models.catalog import STATUSES

Kind = Literal["text", "number", "boolean", "code", "codes"]

HEADINGS, NAMES, FIRST = 1, 2, 3
"""Rows of a sheet: headings for people, the names that are read, and the first row that is filled in."""
CODE, GROUP, EMPTY = "code", "group", "empty_lists"
"""The item's number; the number of a group of prerequisites; lists that hold nothing, and say so (no fee: 无材料)."""
GUIDE = "说明 guide"
_SEPARATOR = "、"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, what stands above it, and how its cells are read; `codes` are the words it takes."""

    name: str
    label: str
    kind: Kind = "text"
    codes: tuple[str, ...] = ()

    @property
    def path(self) -> tuple[str, ...]:
        """Return where its value stands in the content."""
        return tuple(self.name.split("."))

    def worded(self, code: str) -> str:
        """Return a code as a cell shows it: the code, and its meaning behind it."""
        meaning = Words("zh").or_code(f"item.{self.path[-1]}", code)
        return code if meaning == code else f"{code} {meaning}"

    def shown(self, value: Any) -> str:
        """Return a value as its cell shows it."""
        if value is None:
            return ""
        if self.kind == "boolean":
            return "是" if value else "否"
        if self.kind == "codes":
            return _SEPARATOR.join(self.worded(one) for one in value)
        return self.worded(str(value)) if self.kind == "code" else str(value)

    def said(self, text: str) -> Any:
        """Read a cell. What cannot be read stays as it is: the contract of items then says what is wrong with it."""
        if self.kind == "number":
            digits = text.strip()
            return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else text  # noqa: PLR2004  # nothing longer is a limit
        if self.kind == "boolean":
            return {"是": True, "true": True, "否": False, "false": False}.get(text.strip().lower(), text)
        if self.kind == "codes":
            return [self._code(one) for one in text.replace(",", _SEPARATOR).split(_SEPARATOR) if one.strip()]
        return self._code(text) if self.kind == "code" else text

    def _code(self, text: str) -> str:
        plain = text.strip()
        first = plain.split(" ")[0]
        if plain in self.codes or first in self.codes:
            return plain if plain in self.codes else first
        return next((code for code in self.codes if self.worded(code) == f"{code} {plain}"), text)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: the list of the content that it holds (of the items' own sheet: none), and its columns."""

    title: str
    holds: str | None
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of its columns."""
        return tuple(one.name for one in self.columns)


_HEAD = (
    Column(CODE, "事项编码"), Column("organ", "实施主体统一社会信用代码"), Column("base_code", "基本编码"),
    Column("region", "行政区划"), Column("status", "状态", "code", STATUSES), Column("effective_on", "生效日期"),
    Column("cancelled_on", "取消日期"),
)  # fmt: skip
HEAD = tuple(one.name for one in _HEAD)
_ITEM = Column(CODE, "事项编码")
FIELD, VALUE, BASES = "field", "value", "base_items"
_BASES = Sheet(
    "基本目录 base_items", BASES,
    (
        Column("base_code", "基本编码"), Column(FIELD, "统一要素", "code", CENTRAL),
        Column(VALUE, "内容（期限、依据、结果写作 JSON）"),
    ),
)  # fmt: skip
"""What base items fix, a row a field; what is no text stands as JSON."""
_NUMBERS = Sheet("其他编号 numbers", "numbers", (_ITEM, Column("scheme", "编号体系"), Column("number", "编号")))


@cache
def sheets() -> tuple[Sheet, ...]:
    """Return all sheets, that of the items first."""
    own: list[Column] = []
    lists: list[Sheet] = []
    for name, spec in _contract().items():
        inner = spec.get("items", {})
        if spec["type"] != "array" or "enum" in inner:
            own.extend(_columns(name, spec))
        elif inner["type"] == "string":
            lists.append(Sheet(_title(name, spec), name, (_ITEM, Column(name, str(spec["label_zh"])))))
        else:
            lists.append(Sheet(_title(name, spec), name, (_ITEM, *_row_columns(inner["properties"]))))
    empty = Column(EMPTY, "没有内容的清单（如无需材料）", "codes", arrays())
    return (Sheet("事项 items", None, (*_HEAD, *own, empty)), _NUMBERS, _BASES, *lists)


@cache
def arrays() -> tuple[str, ...]:
    """Return the names of the lists that a content has."""
    return tuple(name for name, spec in _contract().items() if spec["type"] == "array")


def _contract() -> Mapping[str, Mapping[str, Any]]:
    text = (SCHEMAS / "catalog" / "item" / "v1" / "schema.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)["properties"]
    return found


def _title(name: str, spec: Mapping[str, Any]) -> str:
    return f"{spec['label_zh']} {name}"


def _row_columns(properties: Mapping[str, Mapping[str, Any]]) -> Iterator[Column]:
    """Yield the columns of a list's rows; groups have a number, so that their options can stand a row each."""
    if "any_of" in properties:
        yield Column(GROUP, "组号（组间为且，组内为或）", "number")
    for name, spec in properties.items():
        if name == "any_of":
            for option, inner in spec["items"]["properties"].items():
                yield from _columns(option, inner)
        else:
            yield from _columns(name, spec)


def _columns(name: str, spec: Mapping[str, Any], above: str = "") -> Iterator[Column]:
    label = f"{above}{spec.get('label_zh', name)}"
    if spec["type"] == "object":
        for inner, one in spec["properties"].items():
            yield from _columns(f"{name}.{inner}", one, f"{label} ")
    elif spec["type"] == "array":
        yield Column(name, label, "codes", tuple(spec["items"]["enum"]))
    elif "enum" in spec:
        yield Column(name, label, "code", tuple(spec["enum"]))
    else:
        yield Column(name, label, {"integer": "number", "boolean": "boolean"}.get(spec["type"], "text"))  # type: ignore[arg-type]  # one of Kind
