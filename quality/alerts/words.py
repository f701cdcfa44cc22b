"""What an alert says, in Chinese and English: codes, counts and dates, never a value of a record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from hub.findings import RULES
from quality.issues.terms import LEVELS

MOST = 30
"""So many issues are told one by one; of more, the number."""

_LEVELS_ZH = ("", "联系人", "处室负责人", "分管领导", "月度通报")
_WHAT = {
    "opened": ("新发现", "new"), "reopened": ("再次出现", "back"), "grown": ("超出已接受数量", "more than accepted"),
    "woke": ("暂缓到期", "snooze over"), "escalated": ("已升级", "escalated"),
}  # fmt: skip


def title(name: str, rows: Sequence[dict[str, Any]]) -> str:
    """Return the headline of a department's alert."""
    return f"【数据质量】{name or '未指明单位'}：{len(rows)} 个问题 / {len(rows)} data quality issue(s)"


def body(rows: Sequence[dict[str, Any]]) -> str:
    """Return the text of a department's alert: two lines an issue, the most severe first."""
    lines = [line for row in rows[:MOST] for line in _issue(row)]
    if len(rows) > MOST:
        lines.append(f"…… 另有 {len(rows) - MOST} 个 / and {len(rows) - MOST} more")
    lines.append("查看 / see: hub quality issues list")
    return "\n".join(lines)


def _issue(row: dict[str, Any]) -> tuple[str, str]:
    rule = RULES.get(row["rule"])
    title_zh, title_en = (rule.title_zh, rule.title) if rule else (row["rule"], row["rule"])
    zh, en = _WHAT.get(row["what"], (row["what"], row["what"]))
    if row["what"] == "escalated":
        told = row["told"] or "无人登记 / nobody is known"
        zh, en = f"{zh}至{_LEVELS_ZH[row['level']]}（{told}）", f"{en} to {LEVELS[row['level']]}"
    place = (f"{row['source']}.{row['stream']}" if row["source"] else "监察") + (
        f" {row['field']}" if row["field"] else ""
    )
    count = f"{row['records']}/{row['of_records']}" if row["of_records"] else str(row["records"])
    due = _due(row["due_on"], provisional=row["due_provisional"])
    return (
        f"{row['code']} [{row['severity']}] {zh}：{title_zh}，{place}，{count} 条，期限 {due}",
        f"    {en}: {title_en}",
    )


def _due(day: date | None, *, provisional: bool) -> str:
    return "–" if day is None else f"{day}{'（暂定）' if provisional else ''}"
