"""What a department's page says, before it is written in any form: tables of texts with headings in both languages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.source import Source, StreamSpec
from hub.documents import PERSON_KINDS, Documents
from hub.findings import RULES
from kit.preview import made_from
from kit.subject import Subject
from normalization.model import ColumnMap, StreamMapping, When

_CHANGES = {"new": "新增字段 a new field", "missing": "缺失字段 a missing field", "type": "类型变化 another type"}
_MODES = {
    "evolve": "保留并提示 the records are kept, the change is told",
    "quarantine": "记录待处理 the records wait",
    "freeze": "停止采集 the stream stops",
}
_DELETIONS = {
    "none": "none: nothing is ever taken back",
    "operation": "operation: the record itself says that it is deleted",
    "snapshot": "snapshot: what is absent from a whole delivery is deleted",
}
_SHAPE = ("schema_violation", "missing_key", "unreadable_record", "unknown_field", "missing_field", "changed_type")
_OF_KIND = {
    "credit_code": ("credit_code_invalid",),
    "organ": ("credit_code_invalid",),
    "item_code": ("item_code_invalid",),
    "certificate_id": ("certificate_id_invalid",),
    "person_number": ("resident_id_invalid", "organisation_code_invalid", "credit_code_invalid"),
    "person_phone": ("phone_invalid",),
    "person_name": ("placeholder_value",),
    "person_address": ("placeholder_value",),
    "instant": ("unreadable_value", "future_time"),
    "date": ("unreadable_value",),
    "integer": ("unreadable_value",),
    "decimal": ("unreadable_value",),
    "boolean": ("unreadable_value",),
    "code": ("unknown_code",),
}


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a page: headings in Chinese and English, and rows of text."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Section:
    """One stream of the page."""

    name: str
    tables: list[Table] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """The page of a source."""

    code: str
    title_zh: str
    title_en: str
    facts: Table
    sections: list[Section]
    rules: Table


def page_of(subject: Subject) -> Page:
    """Say all that a source's folder declares; connections and secrets are no part of it."""
    source = subject.source
    streams = [(spec, subject.mapping.streams[name]) for name, spec in source.streams.items()]
    return Page(
        source.code, source.title["zh"], source.title["en"], _facts(source),
        [_section(source, spec, mapped, subject.documents) for spec, mapped in streams],
        _rules(mapped for _, mapped in streams),
    )  # fmt: skip


def _facts(source: Source) -> Table:
    rows = [
        ("归口单位 Owner", f"{source.owner.name} ({source.owner.organ})"),
        ("联系方式 Contact", source.owner.contact),
        ("数据提供依据 Legal basis", source.legal_basis),
        ("数据单位 Organ", source.organ or "由每行数据指明 named by each row"),
        ("行政区划 Region", source.region or "–"),
        ("接入方式 Kind", source.kind),
        ("格式 Profile", source.profile or "自有映射 own mapping"),
        ("连接标识 Connection id", source.connection or "无：由部门推送 none: the department posts"),
        ("时区 Time zone", source.time_zone),
        ("采集时间 Schedule", source.schedule or "人工 by hand"),
    ]
    return Table("基本情况 At a glance", ("项目 What", "内容 Said"), rows)


def _section(source: Source, spec: StreamSpec, mapped: StreamMapping, documents: Documents) -> Section:
    tables = [_declaration(source, spec, mapped), _mapping(mapped, documents), _codes(mapped), _ignored(mapped)]
    return Section(spec.name, [one for one in tables if one.rows])


def _declaration(source: Source, spec: StreamSpec, mapped: StreamMapping) -> Table:
    expect = spec.expect
    cursor = spec.cursor
    between = f"{expect.least or 0} – {expect.most if expect.most is not None else '∞'}" if expect else "–"
    key = ", ".join(one.field.name for one in mapped.key.parts)
    rows = [
        ("读取选项 Options", _options(spec)),
        ("增量字段 Cursor", f"{cursor.field}, lookback {cursor.lookback}" if cursor else "–"),
        ("主键 Key", f"fingerprint of {key}" if mapped.key.fingerprint else key),
        ("办件编号 Case", mapped.case.name if mapped.case else "–"),
        ("先后次序 Order", mapped.order.field.name if mapped.order else "后到为准 the later pull"),
        (
            "结构约定 Contract",
            "; ".join(f"{_CHANGES[of]}: {_MODES[mode]}" for of, mode in spec.contract.as_dict().items()),
        ),
        ("删除方式 Deletion", _DELETIONS.get(spec.deletion, spec.deletion)),
        ("预期数量 Expected records", between),
        (
            "等待办件 Parking",
            f"{spec.parking.days} 天 days" if source.kind and spec.parking.days else str(spec.parking),
        ),
    ]
    return Table("约定 Declaration", ("项目 What", "内容 Said"), rows)


def _options(spec: StreamSpec) -> str:
    """Write a stream's options; loading refuses those that look like a secret."""
    said = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in spec.options.items()]
    return "; ".join(said) or "–"


def _mapping(mapped: StreamMapping, documents: Documents) -> Table:
    rows: list[tuple[str, ...]] = [
        (
            made_from(one),
            f"{documents[made.table].title_zh} {made.table}",
            f"{one.column.label_zh} {one.column.name}",
            _class(one),
            _when(made.when),
        )
        for made in mapped.yields
        for one in made.columns
    ]
    headings = ("来源字段 Source field", "共享表 Table", "共享字段 Column", "数据类别 Class", "条件 When")
    return Table("字段对应 Mapping", headings, rows)


def _class(one: ColumnMap) -> str:
    personal = one.column.kind in PERSON_KINDS
    return f"{one.column.privacy}, 加密保护 protected" if personal else one.column.privacy


def _when(conditions: Sequence[When]) -> str:
    said = []
    for one in conditions:
        if one.among is not None:
            said.append(f"{one.field.name} in {', '.join(sorted(one.among))}")
        else:
            said.append(f"{one.field.name} {'有值 present' if one.present else '为空 absent'}")
    return "; ".join(said) or "总是 always"


def _codes(mapped: StreamMapping) -> Table:
    seen: dict[str, Any] = {}
    for made in mapped.yields:
        for one in made.columns:
            if one.codes is not None:
                seen.setdefault(one.codes.name, one.codes)
    rows = [
        (name, code, value or "–", found.labels.get(code, ""))
        for name, found in seen.items()
        for code, value in found.values.items()
    ]
    return Table("代码表 Code lists", ("代码表 List", "部门代码 Code", "共享值 Value", "名称 Label"), rows)


def _ignored(mapped: StreamMapping) -> Table:
    rows = list(mapped.ignore.items())
    return Table("不采集的字段 Fields that are not read", ("来源字段 Source field", "原因 Reason"), rows)


def _rules(streams: Iterable[StreamMapping]) -> Table:
    """List the rules that can speak about these streams' records."""
    codes: dict[str, None] = dict.fromkeys(_SHAPE)
    for mapped in streams:
        if mapped.order is not None:
            codes |= dict.fromkeys(("unreadable_version", "version_conflict", "stale_version"))
        kinds = {one.column.kind for made in mapped.yields for one in made.columns}
        for kind in sorted(kinds):
            codes |= dict.fromkeys(_OF_KIND.get(kind, ()))
        if mapped.case is not None:
            codes |= dict.fromkeys(one.code for one in RULES.values() if one.scope == "case")
            codes["parent_missing"] = None
    rows = [
        (one.code, f"{one.title_zh} {one.title}", "拒收 refuse" if one.effect == "refuse" else "提示 flag", one.hint)
        for code in codes
        if (one := RULES.get(code)) is not None
    ]
    return Table("适用规则 Rules", ("规则 Rule", "含义 Meaning", "处理 Effect", "怎样改正 How to mend"), rows)
