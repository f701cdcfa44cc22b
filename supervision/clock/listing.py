"""Cases whose clock cannot be computed, with the reason in words."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

WHY: Final = {
    "no_item_said": ("未报送事项编码", "the case names no item"),
    "not_in_catalogue": ("事项不在目录内", "the item is not in the catalogue"),
    "not_yet_in_force": ("受理时事项版本尚未生效", "no version of the item was in force when it was accepted"),
    "no_day": ("无申请和受理时间", "neither application nor acceptance has a time"),
    "no_limit": ("事项未规定时限", "the item's version sets no limit"),
    "limit_unreadable": ("时限无法识别", "the limit is no whole number of a known unit"),
    "limit_negative": ("时限为负数", "the limit is below zero"),
    "limit_zero": ("承诺件时限为零", "the limit is zero, and the item is not decided at once"),
    "limit_too_long": ("时限超过十年", "the limit is longer than ten years"),
    "accepted_before_applied": ("受理早于申请", "it was accepted before it was applied for"),
    "closed_before_start": ("办结早于计时起点", "it was closed before its clock started"),
    "suspension_reversed": ("特别程序结束早于开始", "a suspension ends before it starts"),
    "suspension_without_start": ("特别程序只有结束没有开始", "a suspension has an end and no start"),
    "suspension_outside_calendar": ("特别程序时间超出日历", "a suspension lies outside the calendar"),
    "extension_length_unknown": ("延期天数不明", "an approved extension does not say for how long"),
    "extension_units_differ": ("多次延期单位不一致", "extensions are given in unlike units"),
    "extension_too_long": ("延期超过十年", "an extension is longer than ten years"),
    "calendar_ends": ("超出日历范围", "it reaches beyond the calendar"),
    "calendar_hole": ("日历缺少日期", "the calendar lacks a day that it needs"),
    "refused": (
        "所存数据自相矛盾，数据库拒绝写入",
        "the database refuses it: what is stored of the case contradicts itself",
    ),
    "stage_ends_before_start": ("环节结束早于开始", "the stage ends before it starts"),
}
"""What each reason says, in Chinese and English."""


def uncomputable(connection: sa.Connection, most: int = 200) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return how many clocks cannot be computed for each reason, and the first `most` of these cases."""
    counted = connection.execute(
        sa.text(
            "SELECT why, count(*) AS cases FROM supervision.clock WHERE why IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
        )
    ).mappings()
    counts = [{**row, "says": WHY[row["why"]][1], "says_zh": WHY[row["why"]][0]} for row in counted]
    rows = connection.execute(
        sa.text(
            """SELECT c.case_id, a.case_number, c.organ, c.item_code, c.why FROM supervision.clock AS c
               JOIN core.approval_case AS a ON a.record_id = c.case_id
               WHERE c.why IS NOT NULL ORDER BY c.why, c.case_id LIMIT :most"""
        ),
        {"most": most},
    ).mappings()
    return counts, [dict(row) for row in rows]
