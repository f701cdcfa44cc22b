"""Load and trends as lists, for files and pages: columns in both languages, the definitions of the rates under them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from supervision.logs.files import whole_file
from supervision.logs.load import By, Load
from supervision.logs.rates import definition
from supervision.logs.scope import BadScope
from supervision.logs.trends import VOLUMES, Month
from supervision.sheets import FORMS, WRITERS, Column, Sheet

_VOLUMES: Final = {
    "received": "收件 received", "accepted": "受理 accepted", "closed": "办结 closed", "closed_early": "提前 early",
    "closed_on_time": "按时 on time", "closed_late": "超期 late", "closed_without_verdict": "期限无法计算 no verdict",
    "suspended": "有特别程序 suspended", "due": "应办结 due", "due_closed": "其中已办结 of these closed",
    "open_overdue": "月末逾期未办结 open past the limit",
}  # fmt: skip
_LOAD: Final = (
    Column("organ", "单位 Department"), Column("stage", "环节 Stage"), Column("name", "经办人或岗位 Handler or post"),
    Column("who", "代号 Pseudonym"), Column("finished", "完成环节 Finished", number=True),
    Column("early", "提前 Early", number=True), Column("on_time", "按时 On time", number=True),
    Column("late", "超期 Late", number=True), Column("time_used", "时限使用率 Time used %", number=True),
    Column("in_time", "环节按时率 In time %", number=True), Column("open", "在办件 Open", number=True),
    Column("overdue", "其中超期 Overdue", number=True),
)  # fmt: skip


def load_sheet(rows: Sequence[Load], by: By) -> Sheet:
    """Return the load as a list; columns that a handler or a post has not are left out."""
    unused = "stage" if by == "staff" else "who"
    cells = (
        {**one.as_values(), "time_used": one.time_used.percent, "in_time": one.stage_on_time.percent} for one in rows
    )  # fmt: skip
    columns = [one for one in _LOAD if one.name != unused]
    return Sheet("办理负荷 Load", columns, cells, _defined("time_used", "stage_on_time"))


def trends_sheet(months: Sequence[Month]) -> Sheet:
    """Return trends as a list: volumes, and each rate with its numerator and denominator beside it."""
    codes = [one.code for one in months[0].rates] if months else []
    columns = [Column("month", "月份 Month"), *(Column(one, _VOLUMES[one], number=True) for one in VOLUMES)]
    for code in codes:
        said = definition(code)
        columns += [
            Column(code, f"{said.zh} {said.en} %", number=True), Column(f"{code}:n", "分子 numerator", number=True),
            Column(f"{code}:d", "分母 denominator", number=True),
        ]  # fmt: skip
    return Sheet("趋势 Trends", columns, map(_month, months), _defined(*codes))


def _month(one: Month) -> dict[str, Any]:
    row: dict[str, Any] = {"month": f"{one.month:%Y-%m}", **one.volumes}
    for rate in one.rates:
        row |= {rate.code: rate.percent, f"{rate.code}:n": rate.numerator, f"{rate.code}:d": rate.denominator}
    return row


def _defined(*codes: str) -> list[str]:
    found = [definition(code) for code in codes]
    return [
        f"{one.zh} {one.en}：{one.formula_zh}（{one.cohort_zh}）; {one.formula_en} ({one.cohort_en})." for one in found
    ]


def write_list(sheet: Sheet, to: Path) -> int:
    """Write a list into a new file, in the form that its name ends in; return how many rows there were.

    Raises:
        BadScope: the name ends in no form that there is.
        CannotWrite: the file is there already, or cannot be made.
        TooLong: there are more rows than the form holds.
    """
    form = to.suffix.removeprefix(".")
    writer = next((WRITERS[one] for one in FORMS if one == form), None)
    if writer is None:
        raise BadScope(f"{to.name} ends in no form of lists; there are {', '.join(f'.{one}' for one in FORMS)}.")
    with whole_file(to) as out:
        return writer(sheet, out)
