"""The platform that cities and counties share: a file a day for each of them, one line a case.

11 cities and 90 counties are on it, one source folder (`county-platform`) with a line for each in instances.csv.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from demo.model import Case, Department, Placed, UnitMark, Work
from demo.shapes import trim
from demo.shapes.contracts import SOURCES, by_name, contract
from demo.shapes.layout import department_folder
from demo.shapes.record import Entry, Values, joined, party_faults
from demo.shapes.system import Deletes, Delivery, System

_KIND = {
    "natural": "个人", "enterprise": "企业", "institution": "事业", "social": "社团", "individual_business": "个体"
}  # fmt: skip
_CARD = {"resident_id": "身份证", "credit_code": "信用代码", "organisation_code": "机构代码"}
_WAY = {"window": "窗口", "online": "网上", "post": "邮寄", "mobile": "手机"}
_RESULT = {"granted": "准予", "refused": "不准予", "returned": "退回", "withdrawn": "撤回", "completed": "办结"}
_COLUMNS = {"undertake": "承办", "review": "审核", "approve": "批准"}

STREAMS = by_name(
    contract(
        SOURCES / "county-platform", "cases", key=("办件编号",), case="办件编号", order="版本",
        decides="受理情况", other="申请方式", text="申请内容", moment="承诺时限",
    ),
)  # fmt: skip


class CountyPlatformShape(System):
    """UTF-8 files of one platform."""

    name = "county_platform"
    parks = False
    carries = frozenset({
        "credit_code_check", "resident_id_check", "phone_bad", "placeholder", "item_code_bad",
        "accepted_before_applied", "unknown_code_deciding", "unknown_code_other", "too_long", "missing_key",
        "unreadable_date",
    })  # fmt: skip
    deletes: Deletes = "case"
    streams = STREAMS

    def seen(self, case: Case) -> Case | None:
        """Return the case with its applicant, acceptance, stages and decision alone."""
        known = trim.without(
            case, "agent", "contact", "legal_person", "suspensions", "supplements", "materials", "fees", "deliveries",
            "certificates", "links", "identifiers",
        )  # fmt: skip
        known = replace(known, decisions=known.decisions[:1])
        return trim.complete_event_from(trim.accept_event_from(known))

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the line of a case."""
        del department
        applicant, given = case.applicant, case.acceptance
        values: Values = {
            "办件编号": case.number, "事项编码": case.item.implementation_code, "事项名称": case.item.name,
            "申请内容": case.subject, "办件类型": "即办" if case.kind == "immediate" else "承诺",
            "申请方式": _WAY[case.channel], "申请人": applicant.name, "申请人类别": _KIND[applicant.kind],
            "证件类型": _CARD[applicant.number_kind], "证件号码": applicant.number, "联系电话": applicant.phone,
            "申请时间": _when(case.applied),
        }  # fmt: skip
        faults = joined(case.faults, party_faults(applicant))
        if given is not None:
            values |= {
                "受理情况": "受理" if given.outcome == "accepted" else "不受理", "受理时间": _when(given.at),
                "承诺时限": _when(given.due), "受理人": given.handler.name, "不予受理原因": given.reason,
            }  # fmt: skip
            faults = joined(faults, given.faults)
        for event in case.events:
            if event.stage in _COLUMNS:
                word = _COLUMNS[event.stage]
                values |= {
                    f"{word}人": event.handler.name, f"{word}开始": _when(event.started),
                    f"{word}完成": _when(event.finished), f"{word}意见": event.opinion,
                }  # fmt: skip
                faults = joined(faults, event.faults)
        for decision in case.decisions:
            values |= {
                "办理结果": _RESULT[decision.outcome], "办结时间": _when(decision.decided),
                "文书号": decision.document_number, "结果说明": decision.reason, "办结人": decision.handler.name,
            }  # fmt: skip
            faults = joined(faults, decision.faults)
        yield Entry("cases", "case", case.number, case.number, values, case.revision, case.written_at, faults)

    def stamped(self, delivery: Delivery) -> Values:
        """Add version, operation and time."""
        entry = delivery.entry
        return {
            **entry.values, "版本": delivery.order or entry.version, "操作": delivery.operation,
            "更新时间": _when(entry.at),
        }  # fmt: skip

    def write(
        self, department: Department, work: Work, home: Path, day: int, *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Write the file of the day; a day on which nothing happened has none."""
        rows: list[Values] = []
        for delivery in self.deliveries(department, work, day):
            rows.append(self.stamped(delivery))
            yield self.placed(department, delivery, day)
        if not dry:
            folder = department_folder(home, department.code) / "out"
            folder.mkdir(exist_ok=True)
            cut = work.province.cut if day == 1 else work.province.cut2
            if rows:
                with (folder / f"办件_{cut:%Y%m%d}.csv").open("w", encoding="utf-8", newline="") as handle:
                    lines = csv.DictWriter(handle, STREAMS["cases"].fields)
                    lines.writeheader()
                    lines.writerows(rows)


def _when(moment: datetime | None) -> str | None:
    return None if moment is None else str(moment)
