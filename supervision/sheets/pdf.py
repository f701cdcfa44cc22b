"""Writes a list as PDF: A4 across, the head on every page, Chinese by the fonts that PDF readers bring (STSong-Light).

The font is named and not embedded, as PDF allows for the four Adobe character collections; a reader without Chinese
fonts shows its own. Rows are drawn line by line: ReportLab's own tables take fifty times as long for Chinese text.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import IO, Any, Final

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from supervision.sheets.table import UNFIT, Sheet, counted

MOST_ROWS: Final = 20_000
_FONT: Final = "STSong-Light"
_SIZE, _LEAD, _PAD, _EDGE = 8.5, 11.0, 3.0, 34.0
_WIDE, _HIGH = landscape(A4)
_TOTAL, _ROOM = "total", 80.0
"""The drawing that says how many pages there are, and its width."""
_MOST_LINES: Final = 6
_WEIGHED: Final = 300
"""Rows whose widths decide how wide the columns are."""


def write_pdf(sheet: Sheet, out: IO[bytes]) -> int:
    """Write a list; return how many rows there were.

    Raises:
        TooLong: there are more rows than anybody reads on paper.
    """
    rows = list(counted(sheet, MOST_ROWS, "PDF"))
    pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    canvas = Canvas(out, pagesize=(_WIDE, _HIGH), invariant=True, lang="zh-Hans")
    canvas.setTitle(_clean(sheet.title))
    _Paper(canvas, sheet, _widths(sheet, rows)).draw(rows)
    canvas.save()
    return len(rows)


class _Paper:
    """Draws a list page by page."""

    def __init__(self, canvas: Canvas, sheet: Sheet, widths: Sequence[float]) -> None:
        self._canvas, self._sheet, self._widths = canvas, sheet, widths
        self._page, self._y = 0, 0.0

    def draw(self, rows: Sequence[Sequence[Any]]) -> None:
        self._begin()
        for cells in rows:
            self._row([_lines(str(one), wide - 2 * _PAD) for one, wide in zip(cells, self._widths, strict=True)])
        for note in self._sheet.notes:
            lines = _lines(_clean(note), _WIDE - 2 * _EDGE)
            if self._y - len(lines) * _LEAD < _EDGE:
                self._begin(head=False)
            for line in lines:
                self._y -= _LEAD
                self._canvas.drawString(_EDGE, self._y, line)
            self._y -= _PAD
        self._canvas.showPage()
        self._total()

    def _total(self) -> None:
        """Say how many pages there are: a drawing that each page has shown before anybody knew."""
        self._canvas.beginForm(_TOTAL)
        self._canvas.setFont(_FONT, _SIZE)
        self._canvas.drawString(_WIDE - _EDGE - _ROOM + _PAD, _EDGE / 2, f"/ 共 {self._page} 页  of {self._page}")
        self._canvas.endForm()

    def _begin(self, *, head: bool = True) -> None:
        """Begin a page: the title on the first, its number on each, the names of the columns where rows follow."""
        if self._page:
            self._canvas.showPage()
        self._page += 1
        self._y = _HIGH - _EDGE
        self._canvas.setFont(_FONT, _SIZE)
        self._canvas.drawRightString(_WIDE - _EDGE - _ROOM, _EDGE / 2, f"第 {self._page} 页  page {self._page}")
        self._canvas.doForm(_TOTAL)
        if self._page == 1:
            self._canvas.setFont(_FONT, 13)
            self._canvas.drawString(_EDGE, self._y, _clean(self._sheet.title))
            self._canvas.setFont(_FONT, _SIZE)
            self._y -= 12
        if head:
            titles = [_clean(one.title) for one in self._sheet.columns]
            lines = [_lines(one, wide - 2 * _PAD) for one, wide in zip(titles, self._widths, strict=True)]
            self._row(lines, head=True)

    def _row(self, cells: Sequence[Sequence[str]], *, head: bool = False) -> None:
        high = max(len(lines) for lines in cells) * _LEAD + 2 * _PAD
        if self._y - high < _EDGE and not head:
            self._begin()
        x = _EDGE
        if head:
            self._canvas.setFillGray(0.9)
            self._canvas.rect(_EDGE, self._y - high, sum(self._widths), high, stroke=0, fill=1)
            self._canvas.setFillGray(0)
        for lines, wide, column in zip(cells, self._widths, self._sheet.columns, strict=True):
            for number, line in enumerate(lines, 1):
                y = self._y - _PAD - number * _LEAD + 2.5
                if column.number:
                    self._canvas.drawRightString(x + wide - _PAD, y, line)
                else:
                    self._canvas.drawString(x + _PAD, y, line)
            x += wide
        self._y -= high
        self._canvas.setStrokeGray(0.6)
        self._canvas.setLineWidth(0.4)
        self._canvas.line(_EDGE, self._y, _EDGE + sum(self._widths), self._y)


def _widths(sheet: Sheet, rows: Sequence[Sequence[Any]]) -> list[float]:
    """Share the width of the page by what the columns hold; the widest get less than they would like."""
    wanted = []
    for place, column in enumerate(sheet.columns):
        texts = [_clean(column.title), *(str(row[place]) for row in rows[:_WEIGHED])]
        longest = max(sum(map(_wide, text[:80])) for text in texts)
        wanted.append(min(max(longest, 3 * _SIZE), 28 * _SIZE) + 2 * _PAD)
    room = _WIDE - 2 * _EDGE
    share = room / sum(wanted)
    return [one * min(share, 1.6) for one in wanted]


def _lines(text: str, room: float) -> list[str]:
    """Break a text into lines that fit; of more than six the rest is cut, and said to be."""
    lines: list[str] = []
    for part in _clean(text).split("\n"):
        line, wide = "", 0.0
        for one in part:
            step = _wide(one)
            if wide + step > room and line:
                lines.append(line)
                line, wide = "", 0.0
            line, wide = line + one, wide + step
        lines.append(line)
    return lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], "…"]


@lru_cache(maxsize=20_000)
def _wide(one: str) -> float:
    return float(pdfmetrics.stringWidth(one, _FONT, _SIZE))


def _clean(text: str) -> str:
    return UNFIT.sub("�", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
