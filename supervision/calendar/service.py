"""Working days as dated data (法定节假日、调休): filled once, then changed with a source and a reason.

The first filling is the calendar that `hub.workdays` reads from its package; days of years for which the State Council
has published none are weekdays and weekends, and say so (`published` is false). From then on the table is the truth for
legal clocks: a change of a day is a row of `supervision.day_change`, and moves the deadlines that it touches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from typing import Any, Final

import sqlalchemy as sa

from hub import workdays
from hub.workdays import DayKind
from sharedrepo.models import calendar as calendars
from sharedrepo.models import day_change as changes
from supervision.calendar.errors import BadDay, NoSuchCalendar

NATION: Final = ""
"""The code of the nation's calendar."""
FIRST, LAST = date(2000, 1, 1), date(2049, 12, 31)
"""The days that calendars hold: cases of earlier decades are read, and the longest limits end before the last."""
LONGEST_TEXT: Final = 1000
_PACKAGE: Final = "chinesecalendar"
_TITLE: Final = "全国（国务院办公厅）"


@dataclass(frozen=True, slots=True)
class Change:
    """A day as it shall be from now on."""

    day: date
    kind: DayKind
    published: bool = True


@dataclass(frozen=True, slots=True)
class Filled:
    """What a change of a calendar did: its number (None: nothing changed), and how many days it changed."""

    filling: int | None
    changed: int


def ensure(connection: sa.Connection) -> Filled:
    """Fill the nation's calendar where it is empty, and take in years that the package has learned since.

    Days that a person has set are left as they are.
    """
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('supervision.calendar'))"))
    held = connection.execute(sa.select(calendars).where(calendars.c.calendar == NATION)).mappings().first()
    source = f"{_PACKAGE} {version(_PACKAGE)}"
    if held is None:
        connection.execute(sa.insert(calendars).values(calendar=NATION, title=_TITLE, source=source, set_by="hub"))
        filling = list(_first_filling())
        connection.execute(
            sa.text(
                """INSERT INTO supervision.day (calendar, day, works, kind, ordinal, published)
                   SELECT '', day, kind IN ('work', 'make_up'), kind,
                       count(*) FILTER (WHERE kind IN ('work', 'make_up')) OVER (ORDER BY day), published
                   FROM unnest(CAST(:days AS date[]), CAST(:kinds AS text[]), CAST(:published AS boolean[]))
                       AS f (day, kind, published)"""
            ),
            {"days": [one.day for one in filling], "kinds": [one.kind.value for one in filling],
             "published": [one.published for one in filling]},
        )  # fmt: skip
        _counted(connection)
        return Filled(None, (LAST - FIRST).days + 1)
    first, last = workdays.published()
    waiting = connection.execute(
        sa.text(
            """SELECT d.day FROM supervision.day AS d WHERE d.calendar = '' AND NOT d.published
               AND d.day BETWEEN :first AND :last
               AND NOT EXISTS (SELECT FROM supervision.day_change AS c WHERE c.calendar = '' AND c.day = d.day)
               ORDER BY 1"""
        ),
        {"first": date(first, 1, 1), "last": date(last, 12, 31)},
    ).scalars()
    fresh = [Change(one, workdays.kind(one)) for one in waiting]
    return change(connection, NATION, fresh, source=source, reason="newly published year", actor="hub")


def change(
    connection: sa.Connection, calendar: str, wanted: Sequence[Change], *, source: str, reason: str, actor: str
) -> Filled:
    """Set days of a calendar, log each change, and count the ordinals anew from the first on; deadlines are not moved.

    A change of the nation's days is one of each region that has not set that day itself.

    Raises:
        NoSuchCalendar: no calendar has this code.
        BadDay: a day is out of the calendar's reach, named twice, or no source or reason is given.
    """
    _judge(wanted, source, reason)
    known = connection.execute(sa.select(calendars.c.calendar)).scalars().all()
    if calendar not in known:
        raise NoSuchCalendar(calendar, sorted(known))
    if not wanted:
        return Filled(None, 0)
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('supervision.calendar'))"))
    filling = int(connection.execute(sa.text("SELECT nextval('supervision.day_change_change_id_seq')")).scalar_one())
    changed = 0
    for code in [calendar, *(one for one in known if one != calendar and calendar == NATION)]:
        done = connection.execute(
            sa.text(_SET),
            {
                "calendar": code, "filling": filling, "source": source, "reason": reason, "actor": actor,
                "days": [one.day for one in wanted], "kinds": [one.kind.value for one in wanted],
                "published": [one.published for one in wanted], "own": code == calendar,
            },
        )  # fmt: skip
        moved = done.rowcount
        if moved:
            number(connection, code, min(one.day for one in wanted))
        changed += moved
    return Filled(filling if changed else None, changed)


def add(
    connection: sa.Connection, region: str, *, title: str, source: str, actor: str, closes_at: str | None = None
) -> None:
    """Give a region a calendar of its own, which begins as the nation's; its own days are then set by `change`.

    Raises:
        BadDay: the region's code is none, or its calendar is there.
    """
    if not (region.isascii() and region.isdigit() and len(region) == 6):  # noqa: PLR2004  # GB/T 2260
        raise BadDay(f"{region!r} is no region code of six digits (GB/T 2260).")
    if connection.execute(sa.select(calendars).where(calendars.c.calendar == region)).first():
        raise BadDay(f"region {region} has its calendar. Set its days with `hub supervise calendar set`.")
    ensure(connection)
    connection.execute(
        sa.insert(calendars).values(
            calendar=region, title=title, source=source, set_by=actor, **({"closes_at": closes_at} if closes_at else {})
        )
    )
    connection.execute(
        sa.text(
            """INSERT INTO supervision.day (calendar, day, works, kind, ordinal, published)
               SELECT :region, day, works, kind, ordinal, published FROM supervision.day WHERE calendar = ''"""
        ),
        {"region": region},
    )
    _counted(connection)


def _counted(connection: sa.Connection) -> None:
    """Tell the planner that there are days of another calendar: one that it never heard of is one row to it.

    With what was true before, counting a new region's days anew took minutes: each of 18,000 days walked all others.
    """
    connection.exec_driver_sql("ANALYZE supervision.day")


def listed(connection: sa.Connection) -> list[dict[str, Any]]:
    """Return the calendars, with the last published day and the changes of each."""
    return [
        dict(row) for row in connection.execute(
            sa.text(
                """SELECT c.calendar, c.title, to_char(c.closes_at, 'HH24:MI') AS closes_at, c.source,
                       (SELECT max(day) FROM supervision.day AS d WHERE d.calendar = c.calendar AND d.published)
                           AS published_through,
                       (SELECT count(*) FROM supervision.day_change AS g WHERE g.calendar = c.calendar) AS changes
                   FROM supervision.calendar AS c ORDER BY c.calendar"""
            )
        ).mappings()
    ]  # fmt: skip


def shown(connection: sa.Connection, calendar: str, first: date, last: date) -> list[dict[str, Any]]:
    """Return the days of a calendar from one to another, both included, with the source of those that were changed."""
    return [
        dict(row) for row in connection.execute(
            sa.text(
                """SELECT d.day, d.works, d.kind, d.ordinal, d.published, g.source, g.reason
                   FROM supervision.day AS d LEFT JOIN LATERAL (
                       SELECT source, reason FROM supervision.day_change AS c
                       WHERE c.calendar = d.calendar AND c.day = d.day ORDER BY change_id DESC LIMIT 1) AS g ON TRUE
                   WHERE d.calendar = :calendar AND d.day BETWEEN :first AND :last ORDER BY d.day"""
            ),
            {"calendar": calendar, "first": first, "last": last},
        ).mappings()
    ]  # fmt: skip


def logged(connection: sa.Connection, calendar: str | None = None) -> list[dict[str, Any]]:
    """Return the changes of days, the newest first: which, from what to what, by whom, from which source, and why."""
    asked = sa.select(changes).order_by(changes.c.change_id.desc())
    if calendar is not None:
        asked = asked.where(changes.c.calendar == calendar)
    return [{str(name): value for name, value in row.items()} for row in connection.execute(asked).mappings()]


def number(connection: sa.Connection, calendar: str, since: date) -> None:
    """Count the working days of a calendar anew from a day on."""
    connection.execute(
        sa.text(
            """UPDATE supervision.day AS d SET ordinal = n.ordinal FROM (
                   SELECT day, coalesce((SELECT o.ordinal FROM supervision.day AS o
                           WHERE o.calendar = :calendar AND o.day < :since ORDER BY o.day DESC LIMIT 1), 0)
                       + count(*) FILTER (WHERE works) OVER (ORDER BY day) AS ordinal
                   FROM supervision.day WHERE calendar = :calendar AND day >= :since) AS n
               WHERE d.calendar = :calendar AND d.day = n.day AND d.ordinal IS DISTINCT FROM n.ordinal"""
        ),
        {"calendar": calendar, "since": since},
    )


def _judge(wanted: Sequence[Change], source: str, reason: str) -> None:
    for what, said in (("source", source), ("reason", reason)):
        if not 0 < len(said.strip()) <= LONGEST_TEXT:
            raise BadDay(f"a change of a day needs its {what}, in 1 to {LONGEST_TEXT} characters.")
    named = [one.day for one in wanted]
    for one in wanted:
        if not FIRST <= one.day <= LAST:
            raise BadDay(f"{one.day} is outside the calendars, which go from {FIRST} to {LAST}.")
        if named.count(one.day) > 1:
            raise BadDay(f"{one.day} is named twice. Name each day once.")


def _first_filling() -> Iterator[Change]:
    for number_ in range(FIRST.toordinal(), LAST.toordinal() + 1):
        one = date.fromordinal(number_)
        yield Change(one, workdays.kind(one), workdays.known(one))


# A region keeps the days that it has set itself; a day that is so already is no change.
_SET = """
WITH wanted AS (
    SELECT * FROM unnest(CAST(:days AS date[]), CAST(:kinds AS text[]), CAST(:published AS boolean[]))
        AS w (day, kind, published)
), changed AS (
    SELECT w.day, d.kind AS kind_before, w.kind, d.published AS published_before, w.published
    FROM wanted AS w LEFT JOIN supervision.day AS d ON d.calendar = :calendar AND d.day = w.day
    WHERE (d.day IS NULL OR d.kind <> w.kind OR d.published <> w.published) AND (:own OR NOT EXISTS (
        SELECT FROM supervision.day_change AS c WHERE c.calendar = :calendar AND c.day = w.day
            AND c.filling NOT IN (SELECT n.filling FROM supervision.day_change AS n WHERE n.calendar = '')))
), logged AS (
    INSERT INTO supervision.day_change
        (filling, calendar, day, kind_before, kind, published_before, published, source, reason, actor)
    SELECT :filling, :calendar, day, kind_before, kind, published_before, published, :source, :reason, :actor
    FROM changed ORDER BY day
)
INSERT INTO supervision.day AS d (calendar, day, works, kind, ordinal, published)
SELECT :calendar, day, kind IN ('work', 'make_up'), kind, 0, published FROM changed
ON CONFLICT (calendar, day) DO UPDATE
    SET works = excluded.works, kind = excluded.kind, published = excluded.published
"""
