"""Writes a department's page in Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kit.describe.page import Page, Table


def markdown(page: Page) -> str:
    """Return the page as Markdown."""
    parts = [f"# {plain(page.title_zh)}", plain(page.title_en), f"`{page.code}`", _table(page.facts, "##")]
    for section in page.sections:
        parts.append(f"## 数据流 Stream {plain(section.name)}")
        parts += [_table(one, "###") for one in section.tables]
    parts.append(_table(page.rules, "##"))
    return "\n\n".join(parts) + "\n"


def _table(table: Table, level: str) -> str:
    lines = [f"{level} {table.title}", "", _row(table.headings), "|" + "---|" * len(table.headings)]
    return "\n".join(lines + [_row(tuple(map(plain, row))) for row in table.rows])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def plain(text: str) -> str:
    """Keep a folder's words from being read as Markdown, as HTML or as the border of a cell."""
    return re.sub(r"([\\`*_\[\]|#])", r"\\\1", " ".join(text.split())).replace("<", "&lt;").replace(">", "&gt;")
