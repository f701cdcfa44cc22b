"""Writes a list as PDF: A4 across, the head on every page, Chinese by the fonts that PDF readers bring (STSong-Light).

The font is named and not embedded, as PDF allows for the four Adobe character collections; a reader without Chinese
fonts shows its own. Rows are drawn line by line: ReportLab's own tables take fifty times as long for Chinese text.

No number and no word is ever broken: the letters become smaller where that is enough; where it is not, the columns that
do not fit go onto further pages, each with the first column again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Any, Final

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from supervision.sheets.table import UNFIT, Sheet, counted

MOST_ROWS: Final = 20_000
_FONT: Final = "STSong-Light"
_SIZES: Final = (8.5, 7.5, 6.5)
"""The sizes of letters that are tried, the largest first; smaller ones nobody reads on paper."""
_LEADING: Final = 1.3
_PAD, _EDGE = 3.0, 34.0
_WIDE, _HIGH = landscape(A4)
_ROOM: Final = _WIDE - 2 * _EDGE
_TOTAL, _TOTAL_WIDE = "total", 80.0
"""The drawing that says how many pages there are, and its width."""
_MOST_LINES: Final = 6
_WEIGHED: Final = 300
"""Rows whose widths decide how wide the columns are."""
_TOGETHER: Final = 4
"""So many Chinese characters stay together, in heads and cells: a column of single ones nobody reads."""
_LONGEST: Final = 28
"""So many characters of a cell decide about the width of its column."""
_CHINESE: Final = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_PIECES: Final = re.compile(rf"（[^（）\s]{{1,{_TOGETHER}}}）|[{_CHINESE}]{{1,{_TOGETHER}}}|[^\s{_CHINESE}]+|\s")
"""What a text may be broken into: a short bracket, some Chinese characters, a word, a blank."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a list lies on paper: the size of its letters, and for each run of pages its columns with their widths."""

    size: float
    parts: Sequence[Sequence[tuple[int, float]]]

    @property
    def lead(self) -> float:
        """Return the distance of two lines."""
        return self.size * _LEADING


def write_pdf(sheet: Sheet, out: IO[bytes]) -> int:
    """Write a list; return how many rows there were.

    Raises:
        TooLong: there are more rows than anybody reads on paper.
    """
    rows = list(counted(sheet, MOST_ROWS, "PDF"))
    pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    canvas = Canvas(out, pagesize=(_WIDE, _HIGH), invariant=True, lang="zh-Hans")
    canvas.setTitle(_clean(sheet.title))
    _Paper(canvas, sheet, _laid_out(sheet, rows)).draw(rows)
    canvas.save()
    return len(rows)


class _Paper:
    """Draws a list page by page."""

    def __init__(self, canvas: Canvas, sheet: Sheet, layout: _Layout) -> None:
        self._canvas, self._sheet, self._layout = canvas, sheet, layout
        self._columns: Sequence[tuple[int, float]] = ()
        self._page, self._y = 0, 0.0

    def draw(self, rows: Sequence[Sequence[Any]]) -> None:
        for number, columns in enumerate(self._layout.parts, 1):
            self._columns = columns
            self._begin(part=number)
            for cells in rows:
                self._row([self._lines(str(cells[place]), wide) for place, wide in columns])
        for note in self._sheet.notes:
            lines = self._lines(_clean(note), _ROOM + 2 * _PAD)
            if self._y - len(lines) * self._layout.lead < _EDGE:
                self._begin(head=False)
            for line in lines:
                self._y -= self._layout.lead
                self._canvas.drawString(_EDGE, self._y, line)
            self._y -= _PAD
        self._canvas.showPage()
        self._total()

    def _lines(self, text: str, wide: float) -> list[str]:
        return _lines(text, (wide - 2 * _PAD) / self._layout.size)

    def _total(self) -> None:
        """Say how many pages there are: a drawing that each page has shown before anybody knew."""
        self._canvas.beginForm(_TOTAL)
        self._canvas.setFont(_FONT, _SIZES[0])
        self._canvas.drawString(_WIDE - _EDGE - _TOTAL_WIDE + _PAD, _EDGE / 2, f"/ 共 {self._page} 页  of {self._page}")
        self._canvas.endForm()

    def _begin(self, *, head: bool = True, part: int | None = None) -> None:
        """Begin a page: the title on a part's first, its number on each, the names of the columns where rows follow."""
        if self._page:
            self._canvas.showPage()
        self._page += 1
        self._y = _HIGH - _EDGE
        self._canvas.setFont(_FONT, _SIZES[0])
        self._canvas.drawRightString(
            _WIDE - _EDGE - _TOTAL_WIDE, _EDGE / 2, f"第 {self._page} 页  page {self._page}"
        )  # fmt: skip
        self._canvas.doForm(_TOTAL)
        if part is not None:
            parts = len(self._layout.parts)
            self._canvas.setFont(_FONT, 13)
            self._canvas.drawString(
                _EDGE, self._y, _clean(self._sheet.title) + (f"  ({part}/{parts})" if parts > 1 else "")
            )
            self._y -= 12
        self._canvas.setFont(_FONT, self._layout.size)
        if head:
            titles = [(_clean(self._sheet.columns[place].title), wide) for place, wide in self._columns]
            self._row([self._lines(one, wide) for one, wide in titles], head=True)

    def _row(self, cells: Sequence[Sequence[str]], *, head: bool = False) -> None:
        lead, wide_all = self._layout.lead, sum(wide for _, wide in self._columns)
        high = max(len(lines) for lines in cells) * lead + 2 * _PAD
        if self._y - high < _EDGE and not head:
            self._begin()
        x = _EDGE
        if head:
            self._canvas.setFillGray(0.9)
            self._canvas.rect(_EDGE, self._y - high, wide_all, high, stroke=0, fill=1)
            self._canvas.setFillGray(0)
        for lines, (place, wide) in zip(cells, self._columns, strict=True):
            for number, line in enumerate(lines, 1):
                y = self._y - _PAD - number * lead + 2.5
                if self._sheet.columns[place].number:
                    self._canvas.drawRightString(x + wide - _PAD, y, line)
                else:
                    self._canvas.drawString(x + _PAD, y, line)
            x += wide
        self._y -= high
        self._canvas.setStrokeGray(0.6)
        self._canvas.setLineWidth(0.4)
        self._canvas.line(_EDGE, self._y, _EDGE + wide_all, self._y)


def _laid_out(sheet: Sheet, rows: Sequence[Sequence[Any]]) -> _Layout:
    """Choose size, columns of each run of pages, and their widths, so that nothing is broken that belongs together."""
    whole, least = [], []
    for place, column in enumerate(sheet.columns):
        texts = [_clean(column.title), *(_clean(str(row[place])) for row in rows[:_WEIGHED])]
        whole.append(min(max(_width(text[:80]) for text in texts), float(_LONGEST)))
        pieces = {piece for text in texts for piece in _PIECES.findall(text[:80])}
        least.append(min(max((_width(piece) for piece in pieces), default=1.0), float(_LONGEST)))
    for size in _SIZES:
        if sum(least) * size + 2 * _PAD * len(least) <= _ROOM:
            return _Layout(size, [_shared(range(len(least)), whole, least, size)])
    size = _SIZES[0]
    return _Layout(size, [_shared(part, whole, least, size) for part in _parted(least, size)])


def _parted(least: Sequence[float], size: float) -> list[list[int]]:
    """Share the columns among runs of pages, the first column on each."""
    parts, room = [[0]], _ROOM - least[0] * size - 2 * _PAD
    left = room
    for place in range(1, len(least)):
        wide = least[place] * size + 2 * _PAD
        if wide > left and len(parts[-1]) > 1:
            parts.append([0])
            left = room
        parts[-1].append(place)
        left -= wide
    return parts


def _shared(
    places: Sequence[int], whole: Sequence[float], least: Sequence[float], size: float
) -> list[tuple[int, float]]:
    """Share the width of the page: what belongs together has its room, the rest goes to those that would like more."""
    narrow = {place: least[place] * size + 2 * _PAD for place in places}
    wanted = {place: max(whole[place] * size + 2 * _PAD, narrow[place]) for place in places}
    if sum(wanted.values()) <= _ROOM:
        share = min(_ROOM / sum(wanted.values()), 1.6)
        return [(place, wanted[place] * share) for place in places]
    more = sum(wanted.values()) - sum(narrow.values())
    share = max(_ROOM - sum(narrow.values()), 0.0) / more if more else 0.0
    return [(place, narrow[place] + (wanted[place] - narrow[place]) * share) for place in places]


def _lines(text: str, room: float) -> list[str]:
    """Break a text into lines that fit into so many sizes; of more than six the rest is cut, and said to be."""
    lines: list[str] = []
    for part in _clean(text).split("\n"):
        line, wide = "", 0.0
        for piece in _fitting(part, room):
            step = _width(piece)
            if wide + step > room + 1e-6 and line:
                lines.append(line.rstrip())
                line, wide = "", 0.0
                if piece.isspace():
                    continue
            line, wide = line + piece, wide + step
        lines.append(line)
    return lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], "…"]


def _fitting(text: str, room: float) -> Iterator[str]:
    """Yield the pieces of a text; one that fits into no line is given character by character."""
    for piece in _PIECES.findall(text):
        if _width(piece) <= room + 1e-6:
            yield piece
        else:
            yield from piece


def _width(text: str) -> float:
    """Return how wide a text is, as a multiple of the size of its letters."""
    return sum(map(_wide, text))


@lru_cache(maxsize=20_000)
def _wide(one: str) -> float:
    return float(pdfmetrics.stringWidth(one, _FONT, 1))


def _clean(text: str) -> str:
    return UNFIT.sub("�", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
