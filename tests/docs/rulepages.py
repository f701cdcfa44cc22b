"""The pages of rules, one a rule: `docs/steward/rules/<code>.md`, made from the register, with words of our own below.

What stands between the marks is made (`python -m tests.docs.generated`); what stands below them is written by hand
and kept. A test compares, and misses no rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hub.findings import RULES, Rule
from quality.issues.terms import STEP, TERM

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "steward" / "rules"
BEGIN, END = "<!-- from the register of rules -->\n", "<!-- written by hand -->\n"

_SCOPES = {
    "record": "one record 单条记录", "unit": "a delivery or a feed 整批数据或数据流", "case": "one case 单个办件",
    "set": "all that is held of an organ's stream 部门数据集合",
    "watch": "what supervision does 电子监察运行",
}  # fmt: skip
_DIMENSIONS = {
    "complete": "complete 完整", "valid": "valid 规范", "unique": "unique 唯一", "consistent": "consistent 一致",
    "timely": "timely 及时", "accurate": "accurate 准确",
}  # fmt: skip
_OWNERS = {
    "department": "the department 报送部门",
    "steward": "the steward 数据管理员",
    "engineer": "the engineer 运维人员",
}
_EFFECTS = {
    "refuse": "refuse 拒绝: what breaks it is not published and waits",
    "flag": "flag 提示: what breaks it is kept as said, with a finding beside it",
}  # fmt: skip


def made(rule: Rule) -> str:
    """Return the made part of a rule's page."""
    severity = rule.severity
    rows = {
        "looks at 检查对象": _SCOPES[rule.scope],
        "effect 处理方式": _EFFECTS[rule.effect.value],
        "severity 严重程度": f"{severity}: due after {TERM[severity]} working days, then silence climbs every "
        f"{STEP[severity]} ([issues](../issues.md#due-dates))",
        "dimension 维度": _DIMENSIONS[rule.dimension],
        "who acts first 责任方": _OWNERS[rule.owner],
        "what to do": rule.hint,
        "处理建议": rule.hint_zh,
    }
    table = "".join(f"| {name} | {words} |\n" for name, words in rows.items())
    return (
        f"{rule.title}. {rule.title_zh}。\n\n| | |\n|---|---|\n{table}\n"
        f"See it: `hub quality issues list --rule {rule.code}`. All rules: [what findings mean](../findings.md).\n"
    )


def remade(rule: Rule, now: str) -> str:
    """Return a rule's page as the register says now; what is written by hand below the marks stays."""
    below = now.partition(END)[2]
    return f"# `{rule.code}` {rule.title_zh}\n\n{BEGIN}{made(rule)}{END}{below}"


def pages() -> Iterator[tuple[Path, str, str]]:
    """Yield each rule's page, what stands there, and what should."""
    for rule in RULES.values():
        page = FOLDER / f"{rule.code}.md"
        now = page.read_text(encoding="utf-8") if page.is_file() else ""
        yield page, now, remade(rule, now)


def strangers() -> list[str]:
    """Return pages of rules that are registered no more."""
    return sorted(page.stem for page in FOLDER.glob("*.md") if page.stem not in RULES)


def write() -> None:
    """Write every page."""
    for page, _, text in pages():
        page.write_text(text, encoding="utf-8")
