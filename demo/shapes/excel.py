"""A workbook kept by hand: one row a case, a column for each step, days only.

Two departments with few cases work so (source folder `hand-kept-sheets`). Titles stand above the header, some dates
are Excel dates and others text, and numbers are now and then in full-width characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from demo.model import STAGES, Case, Certificate, Defect, Department, Event, Placed, Precision, Suspension, UnitMark
from demo.shapes import trim
from demo.shapes.contracts import SOURCES, by_name, contract
from demo.shapes.folders import Files, FolderSystem
from demo.shapes.record import Entry, Values, joined, party_faults
from demo.shapes.system import Delivery

_KIND = {
    "natural": "个人",
    "enterprise": "企业",
    "institution": "事业",
    "social": "社团",
    "individual_business": "个体",
}
_CARD = {"resident_id": "身份证", "credit_code": "信用代码", "organisation_code": "机构代码"}
_WAY = {"window": "来窗口", "online": "网上", "post": "快递", "mobile": "手机"}
_SPECIAL = {
    "hearing": "听证", "testing": "检测", "inspection": "检验", "appraisal": "鉴定", "expert_review": "专家评审",
    "extension": "延期",
}  # fmt: skip
_RESULT = {"granted": "准予", "refused": "不准予", "returned": "退回", "withdrawn": "撤回", "completed": "办结"}
_STATE = {"valid": "有效", "suspended": "暂扣", "revoked": "撤销", "cancelled": "注销"}
_COLUMNS = {"undertake": "承办", "review": "审核", "approve": "批准"}
_WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})

_HERE = SOURCES / "hand-kept-sheets"
_ROW: dict[str, Any] = {"case": "登记号", "order": "修订"}
STREAMS = by_name(
    contract(
        _HERE, "办件台账", key=("登记号",), **_ROW,
        decides="结果", other="来件方式", text="批准意见", moment="承办完成日期", required="事项编码",
    ),
    contract(_HERE, "特别程序", key=("编号",), **_ROW, other="种类", text="理由", moment="结束日期"),
    contract(_HERE, "证照台账", key=("编号",), **_ROW, hangs=False, decides="状态", text="证照名称"),
)  # fmt: skip


class ExcelShape(FolderSystem):
    """A workbook with three sheets, saved under the name of the day."""

    name = "excel"
    precision: Precision = "d"
    carries = frozenset({
        "credit_code_check", "resident_id_check", "organisation_code_check", "item_code_bad", "phone_bad",
        "placeholder", "future_date", "validity_reversed",
        "closed_before_accepted", "approve_without_review", "pause_end_without_start",
        "pause_not_ended", "due_before_acceptance", "accepted_before_applied", "refusal_without_reason",
        "extension_without_approver", "granted_without_credential",
        "unknown_code_deciding", "unknown_code_other", "required_missing", "too_long", "missing_key",
        "unreadable_version", "unreadable_date", "duplicate_changed", "older_version",
        "hostile_input", "truncated_file", "field_added",
    })  # fmt: skip
    streams = STREAMS

    def seen(self, case: Case) -> Case | None:
        """Return the case to the day, with one event a stage and one decision."""
        known = trim.without(
            case, "agent", "contact", "legal_person", "supplements", "materials", "fees", "deliveries", "links",
            "identifiers",
        )  # fmt: skip
        firsts = tuple(event for stage in STAGES if (event := known.event(stage)) is not None)
        known = replace(known, events=firsts, decisions=known.decisions[:1])
        return trim.coarse(trim.complete_event_from(trim.accept_event_from(known)), "d")

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the row of a case, its special procedures and its certificates."""
        del department
        yield _ledger(case)
        for pause in case.suspensions:
            yield _special(case, pause)
        for certificate in case.certificates:
            yield _licence(case, certificate)

    def stamped(self, delivery: Delivery) -> Values:
        """Add the count of changes."""
        return {**delivery.entry.values, "修订": delivery.order or delivery.entry.version}

    def files(
        self, folder: Path, name: str, department: Department, day: date, plans: Mapping[str, Defect]
    ) -> AbstractContextManager[Files]:
        """Open the workbook of one part."""
        added = ("风险等级",) if "field_added" in plans else ()
        return self.book(folder / f"审批台账_{name}.xlsx", department, f"审批台账（{day:%Y年%m月}）", added)

    def book(self, file: Path, department: Department, title: str, added: tuple[str, ...] = ()) -> Book:
        """Open a workbook."""
        return _Sheets(file, f"{department.name}{title}", added)

    def cut_short(self, folder: Path, name: str) -> None:
        """Cut the workbook in two."""
        file = folder / f"审批台账_{name}.xlsx"
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])

    def spoiled_file(
        self, kind: str, folder: Path, name: str, department: Department, copies: list[Delivery], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Deliver a workbook in which somebody counts with formulas."""
        del copies
        file = folder / f"审批台账_{name}.xlsx"
        if not dry:
            with self.book(file, department, "试算表") as book:
                for stream in STREAMS:
                    book.row(stream, ["=1+1"])
        yield UnitMark(department.code, None, file.name, 1, "hostile_input", kind)

    def spoiled_units(
        self, department: Department, work: Any, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Name the finding of the column that was added to the sheet of cases."""
        yield from super().spoiled_units(department, work, home, day, plans, dry=dry)
        if "field_added" in plans:
            yield UnitMark(department.code, "办件台账", None, day, "unknown_field", "field_added")


class Book(Protocol):
    """A workbook that is written."""

    def __enter__(self) -> Book:
        """Begin."""

    def put(self, entry: Entry, values: Values) -> None:
        """Write one row, numbered."""

    def row(self, stream: str, cells: list[Any]) -> None:
        """Write cells as they are."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Save it."""


class _Sheets:
    """One workbook: every sheet has a title, a line on who fills it in, and a header in row 3."""

    def __init__(self, file: Path, title: str, added: tuple[str, ...]) -> None:
        self._file, self._added = file, added
        self._book = Workbook(write_only=True)
        self._rows = dict.fromkeys(STREAMS, 0)
        self._sheets = {}
        for name, stream in STREAMS.items():
            sheet = self._book.create_sheet(name)
            heading = WriteOnlyCell(sheet, value=title)
            heading.font = Font(bold=True, size=16)
            fields = [*stream.fields, *(added if name == "办件台账" else ())]
            sheet.append([heading])
            sheet.append(["填报单位（盖章）：", None, None, "填报人：", None, "单位：件"])
            sheet.append(fields)
            self._sheets[name] = sheet

    def __enter__(self) -> _Sheets:
        return self

    def put(self, entry: Entry, values: Values) -> None:
        """Write one row, numbered."""
        self._rows[entry.stream] += 1
        number = self._rows[entry.stream]
        cells = [number if field == "序号" else values.get(field) for field in STREAMS[entry.stream].fields]
        self.row(entry.stream, [*cells, *("低" for _ in self._added if entry.stream == "办件台账")])

    def row(self, stream: str, cells: list[Any]) -> None:
        """Write cells as they are."""
        self._sheets[stream].append(cells)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._book.save(self._file)


def _day(moment: datetime | date | None, style: int) -> Any:
    """Write a day in one of the styles that are found in such sheets, always the same for the same case."""
    if moment is None:
        return None
    if style % 4 == 0:
        return date(moment.year, moment.month, moment.day)
    if style % 4 == 1:
        return f"{moment.year}年{moment.month}月{moment.day}日"
    return f"{moment.year}.{moment.month}.{moment.day}" if style % 4 == 2 else f"{moment:%Y-%m-%d}"


def _style(case: Case) -> int:
    return sum(map(ord, case.number[-3:]))


def _ledger(case: Case) -> Entry:
    style, applicant, given = _style(case), case.applicant, case.acceptance
    wide = style % 7 == 0
    values: Values = {
        "登记号": case.number, "事项编码": case.item.implementation_code, "事项名称": case.item.name,
        "类型": "即办" if case.kind == "immediate" else "承诺", "来件方式": _WAY[case.channel],
        "申请人": applicant.name, "申请人性质": _KIND[applicant.kind], "证件": _CARD[applicant.number_kind],
        "证件号": applicant.number.translate(_WIDE) if wide else applicant.number,
        "电话": applicant.phone.translate(_WIDE) if wide else applicant.phone,
        "收件日期": _day(case.applied, style),
    }  # fmt: skip
    faults = joined(case.faults, party_faults(applicant))
    if given is not None:
        values |= {
            "受理情况": "已受理" if given.outcome == "accepted" else "不受理", "受理日期": _day(given.at, style + 1),
            "应办结日期": _day(given.due, style + 1), "受理人": given.handler.name, "不受理原因": given.reason,
        }  # fmt: skip
        faults = joined(faults, given.faults)
    for event in case.events:
        if event.stage in _COLUMNS:
            values |= _step(event, style)
            faults = joined(faults, event.faults)
    for decision in case.decisions:
        values |= {
            "办结人": decision.handler.name, "办结日期": _day(decision.decided, style + 2),
            "结果": _RESULT[decision.outcome], "文号": decision.document_number, "原因": decision.reason,
        }  # fmt: skip
        faults = joined(faults, decision.faults)
    return Entry("办件台账", "case", case.number, case.number, values, case.revision, case.written_at, faults)


def _step(event: Event, style: int) -> Values:
    word = _COLUMNS[event.stage]
    return {
        f"{word}人": event.handler.name, f"{word}日期": _day(event.started, style),
        f"{word}完成日期": _day(event.finished, style), f"{word}意见": event.opinion,
    }  # fmt: skip


def _special(case: Case, pause: Suspension) -> Entry:
    style = _style(case)
    values = {
        "编号": pause.id, "登记号": case.number, "种类": _SPECIAL[pause.kind], "理由": pause.reason,
        "批准人": pause.approver.name if pause.approver else None, "开始日期": _day(pause.started, style),
        "结束日期": _day(pause.ended, style),
    }  # fmt: skip
    return Entry(
        "特别程序", "suspension", pause.id, case.number, values, pause.version, pause.reported_at, pause.faults
    )


def _licence(case: Case, made: Certificate) -> Entry:
    style, status = _style(case), made.statuses[-1]
    values = {
        "编号": made.id, "登记号": case.number, "证照名称": made.type, "证照编号": made.number,
        "文号": made.document_number,
        "持证人": made.holder.name, "持证人证件": _CARD[made.holder.number_kind], "持证人证件号": made.holder.number,
        "有效期起": _day(made.valid_from, style), "有效期止": _day(made.valid_to, style) or "2099-12-31",
        "状态": _STATE[status.status], "状态日期": _day(status.since, style),
    }  # fmt: skip
    kept = (fault for fault in made.faults if fault != "certificate_id_invalid")
    faults = joined(kept, party_faults(made.holder, phone=False))
    return Entry("证照台账", "certificate", made.id, case.number, values, made.version, made.reported_at, faults)
