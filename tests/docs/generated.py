"""The parts of pages that are made from the code: `python -m tests.docs.generated` writes them, a test compares them.

A part stands between `<!-- made: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from demo.model import KINDS
from hub.documents import Column, Document, Documents
from hub.findings import RULES
from supervision.appraisal import formulas as appraisal_formulas
from supervision.appraisal import rates as appraisal_rates
from supervision.appraisal.terms import MEASURES
from supervision.rules import service as supervised
from supervision.rules.cli import worded
from tests.docs import rulepages
from web.document import text as api_document

DOCS = Path(__file__).resolve().parents[2] / "docs"
SUITES = DOCS.parent / "validation" / "suites"
_PART = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

_SCOPES = {
    "record": "of one record",
    "unit": "of a file, page or feed",
    "case": "of a whole case",
    "set": "of a whole set of records",
    "watch": "of supervision",
}


def rules() -> Iterator[str]:
    """Every rule with its words, by what it speaks about."""
    for scope, title in _SCOPES.items():
        yield f"### Findings {title}\n\n| rule | 中文 | what it says | effect | what to do | more |\n"
        yield "|---|---|---|---|---|---|\n"
        for one in RULES.values():
            if one.scope == scope:
                said = f"{one.title_zh} | {one.title} | {one.effect.value} | {one.hint}"
                yield f"| `{one.code}` | {said} | [page](rules/{one.code}.md) |\n"
        yield "\n"


def documents() -> Iterator[str]:
    """Every canonical document with its columns."""
    for document in Documents.load().values():
        yield f"### {document.title_zh} `core.{document.name}`\n\n{document.description}\n\n"
        yield "| column | 中文 | kind | class | words |\n|---|---|---|---|---|\n"
        for column in document.columns.values():
            cells = (_name(document, column), column.label_zh, column.kind, column.privacy, _words(column))
            yield f"| {' | '.join(cells)} |\n"
        yield "\n"


def defects() -> Iterator[str]:
    """Every kind of defect that the demonstration injects, and the rule that must find it."""
    yield "| defect | what is wrong | rule that must find it |\n|---|---|---|\n"
    for one in KINDS.values():
        yield f"| `{one.code}` | {one.note} | `{one.rule}` |\n"


def suites() -> Iterator[str]:
    """Every suite with what its expectations ask."""
    for document in Documents.load().values():
        said = json.loads((SUITES / f"{document.name}.json").read_text(encoding="utf-8"))
        yield f"### {document.title_zh} `{document.name}`\n\n| rule | field | expectation | column | limits | bound |\n"
        yield "|---|---|---|---|---|---|\n"
        for one in said["expectations"]:
            meta, limits = one["meta"], {name: it for name, it in one["kwargs"].items() if name != "column"}
            words = ", ".join(f"{name} {_short(it)}" for name, it in sorted(limits.items()))
            kind = one["type"].removeprefix("expect_")
            column = one["kwargs"]["column"]
            yield f"| `{meta['rule']}` | `{meta['field']}` | {kind} | `{column}` | {words} | {meta['bound']} |\n"
        yield "\n"


def readers() -> Iterator[str]:
    """Every view for departments that read by SQL, with its columns."""
    with (DOCS.parent / "sql" / "views" / "out" / "columns.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for view in dict.fromkeys(row["view"] for row in rows):
        yield f"### `out.{view}`\n\n| column | 中文 | what it says |\n|---|---|---|\n"
        for row in rows:
            if row["view"] == view:
                zh, _, en = row["comment"].partition(" · ")
                yield f"| `{row['column']}` | {zh} | {en} |\n"
        yield "\n"


def formulas() -> Iterator[str]:
    """Every formula that the hub brings, part by part."""
    for one in appraisal_formulas.brought().values():
        yield f"### `{one.formula.name}`: {one.formula.title.zh}\n\n"
        yield f"{one.formula.title.en}. {one.formula.source.en}.\n\n"
        yield "| part | 中文 | of | expression | ours |\n|---|---|---|---|---|\n"
        for line in appraisal_formulas.lines(one.formula):
            ours = "ours" if line["ours"] == "yes" else ""
            said = f"`{line['expression']}`" if line["expression"] else ""
            yield f"| `{line['part']}` {line['title']} | {line['title_zh']} | {line['of']} | {said} | {ours} |\n"
        yield f"\nRounded half up to {one.formula.places} places; SHA-256 `{one.digest}`.\n\n"


def rates() -> Iterator[str]:
    """Every rate of the appraisal by each definition."""
    yield "| rate | 中文 | | numerator | denominator | definition | cohort |\n|---|---|---|---|---|---|---|\n"
    for rate in appraisal_rates.read(appraisal_rates.own()).rates:
        for letter, one in rate.definitions.items():
            parts = f"`{one.numerator}` | `{one.denominator}` | {one.says.en} ({one.says.zh}) | {one.cohort.en}"
            yield f"| {rate.title.en} `{rate.code}` | {rate.title.zh} | {letter} | {parts} |\n"


def measures() -> Iterator[str]:
    """Every measure of the appraisal."""
    yield "| measure | file | what it counts | 中文 |\n|---|---|---|---|\n"
    for name, one in MEASURES.items():
        yield f"| `{name}` | `{one.file}` | {one.en} | {one.zh} |\n"


def _short(value: object) -> str:
    return " / ".join(map(str, value)) if isinstance(value, list) else str(value)


def _name(document: Document, column: Column) -> str:
    marks = ("★" if column.required else "") + ("!" if column.deciding else "")
    name = f"`{column.name}`{marks}"
    if column.name == "case_number" and document.of_case and document.name != "approval_case":
        return f"{name} (as `case_id`)"
    return name


def _words(column: Column) -> str:
    return ", ".join(column.codes or ())


def supervision_rules() -> Iterator[str]:
    """Every rule of supervision that a hub begins with, and where it was published."""
    words = {"time": "Time 时限", "process": "Process 流程", "content": "Content 内容", "fee": "Fees 收费",
             "item": "Item 事项", "statistical": "Statistics of a month 统计"}  # fmt: skip
    for kind, title in words.items():
        yield f"### {title}\n\n| rule | 中文 | level | basis | told | feedback, repeat | published |\n"
        yield "|---|---|---|---|---|---|---|\n"
        for one in supervised.defaults().values():
            if one.kind == kind:
                days = f"{one.feedback_days}, {one.repeat_days or 'never'}{'' if one.enabled else '; **off**'}"
                cells = (f"`{one.code}`", one.title_zh, one.level, f"{one.scope}: `{worded(one.basis)}`",
                         ", ".join(one.recipients), days, one.source_en)  # fmt: skip
                yield f"| {' | '.join(cells)} |\n"
        yield "\n"


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "rules": rules,
    "documents": documents,
    "defects": defects,
    "suites": suites,
    "supervision_rules": supervision_rules,
    "readers": readers,
    "formulas": formulas,
    "rates": rates,
    "measures": measures,
}


def remade(text: str) -> str:
    """Return a page with its made parts as the code says now."""
    return _PART.sub(lambda found: found[1] + "".join(PARTS[found[2]]()) + found[3], text)


def pages() -> list[Path]:
    """Return every page that has a made part."""
    return [page for page in sorted(DOCS.rglob("*.md")) if _PART.search(page.read_text(encoding="utf-8"))]


if __name__ == "__main__":
    rulepages.write()
    (DOCS / "integrate" / "openapi.json").write_text(api_document(), encoding="utf-8")  # it names the rules, too
    for page in pages():
        page.write_text(remade(page.read_text(encoding="utf-8")), encoding="utf-8")
