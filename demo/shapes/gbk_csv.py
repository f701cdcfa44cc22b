"""The old window program: GB18030 text files with a title line, Chinese headers and a closing line.

Three departments use it (source folder `gbk-csv-drop`). Dates have two styles: 20260105 where the program fills them
in, 2026/1/5 8:30 where a clerk typed them; the time of the last save, to the second, is the only version.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Any

from demo.model import Case, Certificate, Decision, Defect, Department, Event, Placed, Precision, Suspension, UnitMark
from demo.shapes import trim
from demo.shapes.contracts import SOURCES, by_name, contract
from demo.shapes.folders import Files, FolderSystem
from demo.shapes.record import Entry, Stream, Values, joined, party_faults
from demo.shapes.system import Delivery

_KIND = {
    "natural": "个人",
    "enterprise": "企业",
    "institution": "事业单位",
    "social": "社会组织",
    "individual_business": "个体户",
}
_CARD = {"resident_id": "身份证", "credit_code": "信用代码", "organisation_code": "机构代码"}
_WAY = {"window": "窗口", "online": "网上", "post": "邮寄", "mobile": "手机"}
_NODE = {
    "accept": "窗口受理",
    "undertake": "经办人承办",
    "review": "处室审核",
    "approve": "局领导签发",
    "complete": "窗口办结",
}
_SPECIAL = {
    "hearing": "听证", "testing": "检测", "inspection": "检验", "appraisal": "鉴定", "expert_review": "专家评审",
    "extension": "延期",
}  # fmt: skip
_RESULT = {"granted": "准予许可", "refused": "不予许可", "returned": "退回", "withdrawn": "撤回", "completed": "办结"}
_STATE = {"valid": "有效", "suspended": "暂扣", "revoked": "撤销", "cancelled": "注销"}

_HERE = SOURCES / "gbk-csv-drop"
_ROW: dict[str, Any] = {"case": "办件编号", "order": "更新时间"}
STREAMS = by_name(
    contract(
        _HERE, "办件登记表", key=("办件编号",), **_ROW,
        decides="受理结果", other="申请方式", text="申请内容", moment="承诺办结日期", required="事项编码",
    ),

    contract(
        _HERE, "审批过程", key=("过程编号",), **_ROW,
        decides="环节", other="办理结果", text="办理意见", moment="结束时间", required="办理人",
    ),
    contract(_HERE, "特别程序", key=("特别程序编号",), **_ROW, other="种类", text="理由"),
    contract(_HERE, "审批结果", key=("结果编号",), **_ROW, hangs=False, decides="审批结果", text="理由"),
)  # fmt: skip
_TITLES = {
    "办件登记表": "行政审批办件登记表",
    "审批过程": "审批过程登记表",
    "特别程序": "特别程序登记表",
    "审批结果": "审批结果登记表",
}


def _typed(moment: datetime | None) -> str | None:
    """Write an instant as a clerk types it."""
    if moment is None:
        return None
    return f"{moment.year}/{moment.month}/{moment.day} {moment.hour}:{moment.minute:02d}"


def _filled(day: date | None) -> str | None:
    """Write a day as the program fills it in."""
    return None if day is None else f"{day:%Y%m%d}"


class GbkCsvShape(FolderSystem):
    """GB18030 files of an old window program."""

    name = "gbk_csv"
    precision: Precision = "m"
    carries = frozenset({
        "credit_code_check", "resident_id_check", "organisation_code_check", "item_code_bad", "phone_bad",
        "placeholder", "future_date", "ended_before_started", "validity_reversed", "minute_habit",
        "stage_order", "closed_before_accepted", "approve_without_review", "pause_end_without_start",
        "pause_not_ended", "due_before_acceptance", "accepted_before_applied", "batch_entered",
        "refusal_without_reason", "extension_without_approver", "granted_without_credential", "closed_twice",
        "unknown_code_deciding", "unknown_code_other", "required_missing", "too_long", "missing_key",
        "unreadable_version", "unreadable_date", "orphan",
        "wrong_encoding", "broken_row", "field_added", "field_removed", "total_mismatch", "volume_below",
        "truncated_file",
    })  # fmt: skip
    streams = STREAMS

    def seen(self, case: Case) -> Case | None:
        """Return the case to the minute, with a day as its due date."""
        known = trim.without(
            case, "agent", "contact", "legal_person", "supplements", "materials", "fees", "deliveries", "links",
            "identifiers",
        )  # fmt: skip
        return trim.due_day(trim.coarse(known, "m"))

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the rows of a case."""
        del department
        yield _registered(case)
        for event in case.events:
            yield _step(case, event)
        for pause in case.suspensions:
            yield _special(case, pause)
        certificates = {one.document_number: one for one in case.certificates}
        for decision in case.decisions:
            yield _result(case, decision, certificates.get(decision.document_number or ""))

    def stamped(self, delivery: Delivery) -> Values:
        """Add the time of the last save."""
        return {**delivery.entry.values, "更新时间": delivery.order or f"{delivery.entry.at:%Y-%m-%d %H:%M:%S}"}

    def files(
        self, folder: Path, name: str, department: Department, day: date, plans: Mapping[str, Defect]
    ) -> AbstractContextManager[Files]:
        """Open the four files of one part; a file without rows is not written."""
        return _Sheets(folder, name, f"{department.name} {day:%Y年%m月%d日}", plans)

    def cut_short(self, folder: Path, name: str) -> None:
        """Cut off the end of the process file and of the result file, closing line and all."""
        for file in folder.glob(f"*_{name}.csv"):
            content = file.read_bytes().splitlines(keepends=True)
            file.write_bytes(b"".join(content[: max(3, len(content) * 2 // 3)][:-1]))

    def spoiled_file(
        self, kind: str, folder: Path, name: str, department: Department, copies: list[Delivery], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Deliver a file that Excel saved as UTF-8, or one that holds nothing but its header."""
        file = folder / f"办件登记表_{name}_补.csv" if kind == "volume_below" else folder / f"审批过程_{name}_补.csv"
        stream = file.name.partition("_")[0]
        if not dry:
            with _Sheet(file, STREAMS[stream], "补报", "utf-8-sig" if kind == "wrong_encoding" else "gb18030") as sheet:
                for copy in copies if kind == "wrong_encoding" else []:
                    if copy.entry.stream == stream:
                        sheet.put(self.stamped(copy))
        yield UnitMark(department.code, stream, file.name, 1, kind, kind)

    def spoiled_units(
        self, department: Department, work: Any, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Name the findings of what `files` spoiled in the honest files."""
        yield from super().spoiled_units(department, work, home, day, plans, dry=dry)
        if "broken_row" in plans:
            yield Placed(
                department.code, "审批过程", None, day, "quarantined", None, None, ("unreadable_record",), "broken_row"
            )
        for kind, rule in (
            ("field_added", "unknown_field"), ("field_removed", "missing_field"), ("total_mismatch", "total_mismatch")
        ):  # fmt: skip
            if kind in plans:
                yield UnitMark(department.code, "审批过程", None, day, rule, kind)


class _Sheet:
    """One text file: title, header, rows, closing line. Rows are numbered as they are printed."""

    def __init__(self, file: Path, stream: Stream, title: str, encoding: str, **spoils: bool) -> None:
        self._stream, self._spoils = stream, spoils
        self._fields = [*stream.fields, *(["风险等级"] if spoils.get("added") else [])]
        if spoils.get("removed"):
            self._fields.remove("序号")
        self._handle: TextIOWrapper = file.open("w", encoding=encoding, newline="")
        self._lines = csv.writer(self._handle)
        self._lines.writerow([f"{title}{_TITLES[stream.name]}"])
        self._lines.writerow(self._fields)
        self._rows = 0

    def __enter__(self) -> _Sheet:
        return self

    def put(self, values: Values) -> None:
        """Write one row."""
        self._rows += 1
        self._lines.writerow([self._cell(values, field) for field in self._fields])
        if self._rows == 1 and self._spoils.get("broken"):
            self._rows += 1
            self._lines.writerow([*(self._cell(values, field) for field in self._fields), "误录", "一列"])

    def _cell(self, values: Values, field: str) -> Any:
        return self._rows if field == "序号" else "低" if field == "风险等级" else values.get(field)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.writerow([f"合计：{self._rows + (3 if self._spoils.get('total') else 0)}条"])
        self._handle.close()


class _Sheets:
    """The files of one part, each opened with its first row."""

    def __init__(self, folder: Path, name: str, title: str, plans: Mapping[str, Defect]) -> None:
        self._folder, self._name, self._title, self._plans = folder, name, title, plans
        self._open: dict[str, _Sheet] = {}

    def __enter__(self) -> _Sheets:
        return self

    def put(self, entry: Entry, values: Values) -> None:
        """Write one row into its file."""
        sheet = self._open.get(entry.stream)
        if sheet is None:
            sheet = self._open[entry.stream] = self._opened(entry.stream)
        sheet.put(values)

    def _opened(self, stream: str) -> _Sheet:
        file = self._folder / f"{stream}_{self._name}.csv"
        if stream != "审批过程":
            return _Sheet(file, STREAMS[stream], self._title, "gb18030")
        first = self._name.endswith("_01")
        spoils = {
            "added": "field_added" in self._plans, "removed": "field_removed" in self._plans,
            "broken": first and "broken_row" in self._plans, "total": first and "total_mismatch" in self._plans,
        }  # fmt: skip
        return _Sheet(file, STREAMS[stream], self._title, "gb18030", **spoils)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sheet in self._open.values():
            sheet.__exit__(kind, error, trace)


def _entry(stream: str, role: str, case: Case, values: Values, at: datetime, faults: tuple[str, ...]) -> Entry:
    return Entry(stream, role, values[STREAMS[stream].key[0]], case.number, values, 1, at, faults)


def _registered(case: Case) -> Entry:
    applicant, given = case.applicant, case.acceptance
    values: Values = {
        "办件编号": case.number, "事项编码": case.item.implementation_code, "事项名称": case.item.name,
        "申请内容": case.subject, "申请人": applicant.name, "申请人类别": _KIND[applicant.kind],
        "证件类型": _CARD[applicant.number_kind], "证件号码": applicant.number, "联系电话": applicant.phone,
        "地址": applicant.address, "办件类型": "即办件" if case.kind == "immediate" else "承诺件",
        "申请方式": _WAY[case.channel], "补录": "是" if case.entry_mode == "batch" else "否",
        "申请时间": _typed(case.applied),
    }  # fmt: skip
    at, faults = case.reported_at, joined(case.faults, party_faults(applicant))
    if given is not None:
        values |= {
            "受理结果": "受理" if given.outcome == "accepted" else "不予受理", "受理时间": _typed(given.at),
            "承诺办结日期": _filled(given.due), "受理人": given.handler.name, "不予受理原因": given.reason,
        }  # fmt: skip
        at, faults = max(at, given.reported_at), joined(faults, given.faults)
    return _entry("办件登记表", "case", case, values, at, faults)


def _step(case: Case, event: Event) -> Entry:
    values = {
        "过程编号": event.id, "办件编号": case.number, "环节": _NODE[event.stage], "办理人": event.handler.name,
        "职务": event.handler.post, "开始时间": _typed(event.started), "结束时间": _typed(event.finished),
        "办理结果": "通过" if event.outcome == "passed" else "退回", "办理意见": event.opinion,
    }  # fmt: skip
    return _entry("审批过程", event.stage, case, values, event.reported_at, event.faults)


def _special(case: Case, pause: Suspension) -> Entry:
    values = {
        "特别程序编号": pause.id, "办件编号": case.number, "种类": _SPECIAL[pause.kind], "理由": pause.reason,
        "批准人": pause.approver.name if pause.approver else None, "开始时间": _typed(pause.started),
        "结束时间": _typed(pause.ended),
    }  # fmt: skip
    return _entry("特别程序", "suspension", case, values, pause.ended_reported_at or pause.reported_at, pause.faults)


def _result(case: Case, decision: Decision, certificate: Certificate | None) -> Entry:
    values: Values = {
        "结果编号": decision.id, "办件编号": case.number, "审批结果": _RESULT[decision.outcome],
        "决定时间": _typed(decision.decided), "决定书文号": decision.document_number, "理由": decision.reason,
        "决定人": decision.handler.name,
    }  # fmt: skip
    at, faults = decision.reported_at, decision.faults
    if certificate is not None:
        status, holder = certificate.statuses[-1], certificate.holder
        values |= {
            "证照名称": certificate.type, "证照编号": certificate.number, "持证人": holder.name,
            "持证人证件类型": _CARD[holder.number_kind], "持证人证件号码": holder.number,
            "有效期自": _filled(certificate.valid_from),
            "有效期至": _filled(certificate.valid_to) or "20991231", "证照状态": _STATE[status.status],
        }  # fmt: skip
        at = max(at, certificate.reported_at, status.reported_at)
        faults = joined(
            faults, (one for one in certificate.faults if one != "certificate_id_invalid"),
            party_faults(holder, phone=False),
        )  # fmt: skip
    return _entry("审批结果", "decision", case, values, at, faults)
