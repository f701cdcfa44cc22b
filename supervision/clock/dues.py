"""The day on which a limit ends, for any number of limits at once.

A source of limits is a relation with a key, `case_id`, `calendar`, `start_day` with its `start_ordinal`, `start_at`,
`value` and `unit`. How a limit runs:

- working days: the n-th working day after the start, stopped days left out; the day of the start is not counted
  (民法典 art. 201), rest days and holidays neither (行政许可法 art. 82);
- calendar days, months, years: counted on the plain calendar from the day after the start; a month ends on the day of
  the same number or on its last one (民法典 art. 202). Stopped days are added, and an end that falls on a day without
  work moves to the next working day (民法典 art. 203);
- hours: from the instant on (民法典 art. 201), 24 a day, stopped time added.

A day ends at 24:00, which is written 23:59:59. A pause that begins when the limit is over adds nothing: each united
pause counts where fewer than n days had run before it.
"""

from __future__ import annotations

from typing import Final

from supervision.clock.facts import DAYS

EPOCH: Final = "DATE '2000-01-01'"


def raw(start: str, value: str, unit: str) -> str:
    """Return the expression of the plain calendar day on which a limit ends; NULL for working days and hours."""
    return f"""CASE {unit} WHEN 'calendar_day' THEN {start} + {value}
        WHEN 'month' THEN ({start} + make_interval(months => {value}))::date
        WHEN 'year' THEN ({start} + make_interval(years => {value}))::date END"""


def counted(source: str, keys: str) -> str:
    """Return the query of what united pauses add to each limit, in its own unit (seconds for hours)."""
    by_day = f"""
        SELECT {keys}, n, a - s - coalesce(sum(b - a) OVER w, 0) AS run, b - a AS length FROM (
            SELECT {keys}, s, n, greatest(s, a) AS a, b FROM (
                SELECT {keys},
                    CASE unit WHEN 'working_day' THEN start_ordinal ELSE start_day - {EPOCH} END AS s,
                    CASE unit WHEN 'working_day' THEN value
                        ELSE {raw("start_day", "value", "unit")} - start_day END AS n,
                    CASE unit WHEN 'working_day' THEN p.from_ordinal ELSE p.from_day - {EPOCH} END AS a,
                    CASE unit WHEN 'working_day' THEN p.to_ordinal ELSE p.to_day - {EPOCH} END AS b
                FROM {source} JOIN clock_pause AS p USING (case_id) WHERE unit <> 'hour'
            ) AS placed WHERE b > s
        ) AS clipped
        WINDOW w AS (PARTITION BY {keys} ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"""
    by_second = f"""
        SELECT {keys}, n, a - s - coalesce(sum(b - a) OVER w, 0) AS run, b - a AS length FROM (
            SELECT {keys}, 0 AS s, 3600.0 * value AS n,
                greatest(0, extract(EPOCH FROM p.from_at - start_at)) AS a, extract(EPOCH FROM p.to_at - start_at) AS b
            FROM {source} JOIN clock_pause_hour AS p USING (case_id) WHERE unit = 'hour' AND p.to_at > start_at
        ) AS clipped
        WINDOW w AS (PARTITION BY {keys} ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"""
    return f"""
    SELECT {keys}, sum(length) FILTER (WHERE run < n) AS added
    FROM ({by_day} UNION ALL {by_second}) AS runs GROUP BY {keys}"""


def due(source: str, pauses: str, keys: str, columns: str) -> str:
    """Return the query of when each limit ends; `pauses` is a table made by `counted`, `columns` go through.

    `due_ordinal` is the working days up to the day of the end; `target` the place in the limit's own count at which it
    ends, which tells whether an open pause began in time; `published` whether that day is.
    """
    on = ", ".join(keys.split(", "))
    return f"""
    SELECT {columns},
        CASE WHEN unit = 'hour' THEN hour_at ELSE w.ends_at END AS due_at,
        CASE WHEN unit = 'hour' THEN i.day ELSE w.day END AS due_day,
        CASE WHEN unit = 'hour' THEN i.ordinal ELSE w.ordinal END AS due_ordinal,
        CASE unit WHEN 'working_day' THEN w.ordinal ELSE i.day - {EPOCH} END AS target,
        CASE WHEN unit = 'hour' THEN i.published ELSE w.published END AS published
    FROM (
        SELECT x.*, coalesce(k.added, 0)::float8 AS added,
            CASE unit WHEN 'working_day' THEN start_day
                WHEN 'hour' THEN ((start_at + make_interval(hours => value, secs => coalesce(k.added, 0)::float8))
                    AT TIME ZONE 'Asia/Shanghai')::date
                ELSE {raw("start_day", "value", "unit")} + coalesce(k.added, 0)::int END AS in_day,
            CASE unit WHEN 'hour'
                THEN start_at + make_interval(hours => value, secs => coalesce(k.added, 0)::float8) END AS hour_at
        FROM {source} AS x LEFT JOIN {pauses} AS k USING ({on})
    ) AS x
    LEFT JOIN {DAYS} AS i ON i.calendar = x.calendar AND i.day = x.in_day
    LEFT JOIN {DAYS} AS w ON w.calendar = x.calendar AND w.works
        AND w.ordinal = CASE unit WHEN 'working_day' THEN x.start_ordinal + value + added::int
            ELSE i.ordinal + (NOT i.works)::int END"""
