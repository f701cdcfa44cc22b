"""Charts by Bokeh, as JSON that its own program draws in the browser; a table beside each says the same without it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import orjson

from hub.words import Words
from quality.pages.overview import DIMENSIONS
from quality.scores.service import Point

COLOURS = ("#12406b", "#a4161a", "#1a6b3c", "#8a4b00", "#5b2a86", "#00677f", "#4a5a6a")
"""One for all dimensions together and one each; told apart by their dashes, too."""
DASHES = ("solid", "dashed", "dotted", "dotdash", "dashdot", "4 4", "2 6")
MOST_LABELS = 8
"""So many days are named below the line at most."""
_SPANS = ("milliseconds", "seconds", "minsec", "minutes", "hourmin", "hours", "days", "months", "years")
"""Whatever lies between two of them, a day is written as a day."""
FONT = "Noto Sans CJK SC, Noto Sans SC, PingFang SC, Microsoft YaHei, sans-serif"


def trend(points: Sequence[Point], words: Words) -> str:
    """Return the chart of an organ's scores over time as JSON, safe to stand in a script element."""
    from bokeh.embed import json_item  # noqa: PLC0415  # a second of imports, for pages with a chart only
    from bokeh.models import (  # noqa: PLC0415  # as above
        ColumnDataSource,
        DatetimeTickFormatter,
        FixedTicker,
        HoverTool,
        NumeralTickFormatter,
        Range1d,
    )
    from bokeh.plotting import figure  # noqa: PLC0415  # as above

    plot: Any = figure(
        height=280, sizing_mode="stretch_width", x_axis_type="datetime", tools="", toolbar_location=None,
    )  # fmt: skip
    plot.y_range = Range1d(start=_floor(points), end=1.001)
    for name, colour, dash in zip(("", *DIMENSIONS), COLOURS, DASHES, strict=True):
        counted = [(one.clean, one.records) if not name else one.dimensions.get(name, (0, 0)) for one in points]
        data: dict[str, Any] = {
            "day": [_milliseconds(one.day) for one in points], "said": [one.day.isoformat() for one in points],
            "share": [clean / records if records else None for clean, records in counted],
            "clean": [clean for clean, _ in counted], "records": [records for _, records in counted],
        }  # fmt: skip
        source, label = ColumnDataSource(data), words.or_code("dimension", name or "all")
        style = {"color": colour, "line_dash": dash, "line_width": 3 if not name else 1.5, "legend_label": label}
        plot.line("day", "share", source=source, name=label, **style)
        dots = plot.scatter("day", "share", source=source, name=label, color=colour, size=6 if not name else 4)
        tips = [("", "$name"), ("", "@said"), ("", "@share{0.0%} = @clean{0,0} / @records{0,0}")]
        plot.add_tools(HoverTool(tooltips=tips, renderers=[dots]))
    plot.xaxis.ticker = FixedTicker(ticks=[_milliseconds(day) for day in _labelled([one.day for one in points])])
    written: dict[str, Any] = dict.fromkeys(_SPANS, "%Y-%m-%d")
    plot.xaxis.formatter = DatetimeTickFormatter(**written, strip_leading_zeros=False)
    plot.yaxis.formatter = NumeralTickFormatter(format="0.0%")
    plot.legend.location, plot.legend.click_policy = "bottom_left", "hide"
    plot.legend.label_text_font = plot.xaxis.major_label_text_font = plot.yaxis.major_label_text_font = FONT
    plot.add_layout(plot.legend[0], "right")
    made = orjson.dumps(json_item(plot)).decode()
    return made.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _labelled(days: Sequence[date]) -> Sequence[date]:
    """Return the days that are named below the line: the newest, and back from it in even steps."""
    step = max(1, -(-len(days) // MOST_LABELS))
    return days[::-1][::step][::-1]


def _floor(points: Sequence[Point]) -> float:
    """Return where the axis begins: a little below the lowest share, so that differences near the whole are seen."""
    counted = [pair for one in points for pair in ((one.clean, one.records), *one.dimensions.values())]
    lowest = min((clean / records for clean, records in counted if records), default=1.0)
    return max(0.0, min(lowest - 0.005, 0.98))


def _milliseconds(day: date) -> float:
    """Return a day as a time axis counts it."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000
