"""Writes a department's page as one HTML file: no script, nothing from elsewhere, readable by keyboard alone."""

from __future__ import annotations

from html import escape

from kit.describe.page import Page, Section, Table

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.6 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;
  margin:0 auto;max-width:76rem;padding:1rem}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:1rem;background:Canvas;padding:.5rem}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;list-style:none}
.scroll{overflow-x:auto}.scroll:focus-visible,a:focus-visible,summary:focus-visible{
  outline:3px solid Highlight;outline-offset:2px}
table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:600;padding:.5rem 0}
th,td{border:1px solid GrayText;padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
thead th{white-space:nowrap}
@media print{nav,.skip{display:none}}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(page: Page) -> str:
    """Return the page as HTML."""
    links = "".join(f'<li><a href="#s{number}">{escape(one.name)}</a></li>' for number, one in enumerate(page.sections))
    sections = "\n".join(_section(number, one) for number, one in enumerate(page.sections))
    return f"""<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(page.title_zh)} · {escape(page.code)}</title>
<style>{_STYLE}</style>
</head>
<body>
<a class="skip" href="#main">跳到正文 <span lang="en">Skip to content</span></a>
<header>
<h1>{escape(page.title_zh)}<br><small lang="en">{escape(page.title_en)}</small></h1>
<p><code>{escape(page.code)}</code></p>
<nav aria-label="数据流 Streams"><ul>{links}<li><a href="#rules">适用规则 Rules</a></li></ul></nav>
</header>
<main id="main">
<section>{_table(page.facts, 2)}</section>
{sections}
<section id="rules">{_table(page.rules, 2)}</section>
</main>
</body>
</html>
"""


def _section(number: int, section: Section) -> str:
    tables = "\n".join(_table(one, 3) for one in section.tables)
    return f'<section id="s{number}">\n<h2>数据流 Stream {escape(section.name)}</h2>\n{tables}\n</section>'


def _table(table: Table, level: int) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in table.headings)
    body = "\n".join(_row(row) for row in table.rows)
    title = escape(table.title)
    return (
        f"<h{level}>{title}</h{level}>\n"
        f'<div class="scroll" role="region" aria-label="{title}" tabindex="0"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _row(cells: tuple[str, ...]) -> str:
    first, *others = cells
    return f'<tr><th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(one)}</td>" for one in others) + "</tr>"
