"""The book of worked clock cases: what a department says, and what was computed by hand from it.

The years that it uses, as the State Council published them. 2025: Spring Festival 28 January to 4 February (26 January
and 8 February worked), National Day 1 to 8 October (28 September, 11 October worked). 2026: New Year 1 to 3 January
(4 January worked), Spring Festival 15 to 23 February (14 and 28 February worked), Qingming 4 to 6 April, Labour Day
1 to 5 May (9 May worked), Dragon Boat 19 to 21 June, Mid-Autumn 25 to 27 September, National Day 1 to 7 October
(20 September, 10 October worked). 2 March 2026 is a Monday. 2027 is not published.

`wd` is working days, `cd` calendar days. Where nothing else is said, the item promises 10 wd, the case is applied for
and accepted on Monday 2 March 2026 at 10:00, and its tenth working day is Monday 16 March (3-6 March are four, 9-13
nine, the 16th the tenth).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MONDAY = "2026-03-02 10:00"


@dataclass(frozen=True)
class Worked:
    """One case: its sentence, what the item and the department say, and what must come of it."""

    sentence: str
    item: dict[str, Any]
    case: dict[str, Any]
    want: dict[str, Any]


def _due(sentence: str, limit: str, accepted: str, due: str, **case: Any) -> Worked:
    """A case of which the due day is worked out; `applied` is the day of acceptance where nothing is said."""
    said = {"applied": case.pop("applied", accepted), "accepted": accepted}
    want = {"due": due, "why": None, **case.pop("want", {})}
    return Worked(sentence, {"promised": limit, "legal": None, **case.pop("item", {})}, {**said, **case}, want)


def _stopped(sentence: str, due: str, *pauses: tuple[str | None, str | None], **more: Any) -> Worked:
    return _due(sentence, more.pop("limit", "10 wd"), MONDAY, due, pauses=pauses, **more)


def _bad(sentence: str, why: str, *, item: dict[str, Any] | None = None, **case: Any) -> Worked:
    return Worked(sentence, {"promised": "10 wd", "legal": None, **(item or {})},
                  {"applied": MONDAY, "accepted": MONDAY, **case},
                  {"due": None, "why": why, "state": "not_computable", "verdict": None})  # fmt: skip


PLAIN = [
    _due("one working day from a Monday is the Tuesday", "1 wd", MONDAY, "2026-03-03"),
    _due("one working day from a Friday is the Monday", "1 wd", "2026-03-06 10:00", "2026-03-09"),
    _due("five: 3, 4, 5, 6 and then the 9th", "5 wd", MONDAY, "2026-03-09"),
    _due("ten: four in the first week, five in the second, the 16th", "10 wd", MONDAY, "2026-03-16"),
    _due(
        "twenty: 4 + 5 + 5 + 5 end on Friday the 27th with 19, the 30th is the twentieth", "20 wd", MONDAY, "2026-03-30"
    ),
    _due("accepted on a Saturday, the first day is the Monday", "1 wd", "2026-03-07 10:00", "2026-03-09"),
    _due("accepted on a Sunday, five days end on the Friday", "5 wd", "2026-03-08 10:00", "2026-03-13"),
    # July: 2, 3 (2), 6-10 (7), 13-17 (12), 20-24 (17), 27-31 (22); August: 3-7 (27), 10-14 (32), 17-21 (37),
    # 24-28 (42), 31 (43); 1 September (44), 2 September (45)
    _due("45 working days of a summer without holidays", "45 wd", "2026-07-01 10:00", "2026-09-02"),
    # Wednesday 28 February 2024; the 29th is one, Friday 1 March two
    _due("a leap day counts", "2 wd", "2024-02-28 10:00", "2024-03-01"),
]

HOLIDAYS = [
    # 1-3 January are free, Sunday the 4th is worked
    _due("over New Year to a make-up Sunday", "1 wd", "2025-12-31 10:00", "2026-01-04"),
    _due("the day after that Sunday is the second", "2 wd", "2025-12-31 10:00", "2026-01-05"),
    _due("the make-up Saturday before Spring Festival counts", "1 wd", "2026-02-13 10:00", "2026-02-14"),
    # 14 (1), 15-23 free, 24 (2)
    _due("over Spring Festival: nine free days", "2 wd", "2026-02-13 10:00", "2026-02-24"),
    # 14, 24, 25, 26, 27
    _due("five days around Spring Festival", "5 wd", "2026-02-13 10:00", "2026-02-27"),
    _due("the make-up Saturday after Spring Festival counts, too", "6 wd", "2026-02-13 10:00", "2026-02-28"),
    _due("and Sunday 1 March does not", "7 wd", "2026-02-13 10:00", "2026-03-02"),
    _due("accepted within the festival, the first day is the 24th", "1 wd", "2026-02-18 10:00", "2026-02-24"),
    # 4-6 April: Saturday, Sunday, Monday
    _due("over Qingming", "1 wd", "2026-04-03 10:00", "2026-04-07"),
    _due("over Labour Day", "1 wd", "2026-04-30 10:00", "2026-05-06"),
    # 6, 7, 8, and Saturday the 9th
    _due("to the make-up Saturday after Labour Day", "4 wd", "2026-04-30 10:00", "2026-05-09"),
    _due("and past it to the Monday", "5 wd", "2026-04-30 10:00", "2026-05-11"),
    # Friday 19 June is free
    _due("over Dragon Boat", "1 wd", "2026-06-18 10:00", "2026-06-22"),
    # Friday 25 September is free
    _due("over Mid-Autumn", "1 wd", "2026-09-24 10:00", "2026-09-28"),
    _due("a make-up Sunday ten days before its holiday", "1 wd", "2026-09-18 10:00", "2026-09-20"),
    # 20, 21, 22, 23, 24 (5), 25-27 free, 28, 29, 30 (8), 1-7 free, 8 (9), 9 (10)
    _due("over two holidays with one make-up Sunday", "10 wd", "2026-09-18 10:00", "2026-10-09"),
    _due("the eleventh is the make-up Saturday after National Day", "11 wd", "2026-09-18 10:00", "2026-10-10"),
    _due("over National Day 2026: seven days", "1 wd", "2026-09-30 10:00", "2026-10-08"),
    _due("over National Day 2025: eight days", "1 wd", "2025-09-30 10:00", "2025-10-09"),
    # 9, 10, Saturday 11
    _due("to its make-up Saturday", "3 wd", "2025-09-30 10:00", "2025-10-11"),
    # the festival of 2020 was prolonged in its course to Sunday 2 February
    _due("a holiday that was prolonged in January 2020", "1 wd", "2020-01-23 10:00", "2020-02-03"),
    # 27, 28 January free days of the festival 2025 begin on the 28th: 27 is worked (Monday), then 5 February
    _due("over Spring Festival 2025", "2 wd", "2025-01-26 10:00", "2025-02-05"),
]

MIDNIGHT = [
    _due("accepted in the last second of a day, that day is the start", "1 wd", "2026-03-02 23:59:59", "2026-03-03"),
    _due("accepted in the first second of a day, that day is", "1 wd", "2026-03-03 00:00", "2026-03-04"),
    # 16:30 UTC is 00:30 of the next day in the province
    _due("a day is the province's, whatever zone the instant is told in", "1 wd", "2026-03-02T16:30:00+00:00", "2026-03-04"),
    _due("closed in the last second of the last day: on time", "10 wd", MONDAY, "2026-03-16", closed="2026-03-16 23:59:59",
         want={"verdict": "on_time", "used": 10}),
    _due("closed at the midnight after it: late", "10 wd", MONDAY, "2026-03-16", closed="2026-03-17 00:00",
         want={"verdict": "late", "used": 11}),
    _due("closed on the evening before it: early", "10 wd", MONDAY, "2026-03-16", closed="2026-03-15 23:59:59",
         want={"verdict": "early", "used": 9}),
    _due("closed on the Saturday before a Monday's due: early", "5 wd", MONDAY, "2026-03-09", closed="2026-03-07 12:00",
         want={"verdict": "early", "used": 4}),
    # the limit ended on Friday at 24:00, though no further working day was used
    _due("closed on the Saturday after a Friday's due: late", "4 wd", MONDAY, "2026-03-06", closed="2026-03-07 12:00",
         want={"verdict": "late", "used": 4}),
    _due("closed on the day of acceptance: no day used", "10 wd", MONDAY, "2026-03-16", closed="2026-03-02 16:00",
         want={"verdict": "early", "used": 0}),
]  # fmt: skip

UNITS = [
    _due("four calendar days: the Friday", "4 cd", MONDAY, "2026-03-06"),
    _due("five calendar days end on a Saturday and move to the Monday", "5 cd", MONDAY, "2026-03-09"),
    # 20 January + 30 = 19 February, within the festival that ends on the 23rd
    _due("thirty calendar days that end in Spring Festival", "30 cd", "2026-01-20 10:00", "2026-02-24"),
    # 25 March + 11 = 5 April
    _due("calendar days that end in Qingming", "11 cd", "2026-03-25 10:00", "2026-04-07"),
    _due("calendar days that end on a make-up Sunday stay there", "10 cd", "2026-09-10 10:00", "2026-09-20"),
    _due("a month ends on the day of the same number", "1 month", MONDAY, "2026-04-02"),
    # February has 28 days; Saturday the 28th is worked
    _due("a month from the 31st of January ends on the last of February", "1 month", "2026-01-31 10:00", "2026-02-28"),
    # Saturday 31 January is free
    _due("a month from New Year's Eve", "1 month", "2025-12-31 10:00", "2026-02-02"),
    _due("two months that end on the first day of Spring Festival", "2 month", "2025-12-15 10:00", "2026-02-24"),
    _due("six months from the 31st of March end on the 30th of September", "6 month", "2026-03-31 10:00", "2026-09-30"),
    _due("a month in a leap year", "1 month", "2024-01-31 10:00", "2024-02-29"),
    _due("a month that ends on Labour Day", "1 month", "2026-04-01 10:00", "2026-05-06"),
    _due("a year from a leap day", "1 year", "2024-02-29 10:00", "2025-02-28"),
    _due("a year", "1 year", "2025-03-02 10:00", "2026-03-02"),
    _due("three years", "3 year", "2020-06-01 10:00", "2023-06-01"),
    _due("24 hours from the minute", "24 hour", MONDAY, "2026-03-03", want={"due_at": "2026-03-03 10:00"}),
    _due("72 hours run over the weekend", "72 hour", "2026-03-06 17:00", "2026-03-09", want={"due_at": "2026-03-09 17:00"}),
    # 6 hours stand still: 48 h from 10:00 on the 2nd is 10:00 on the 4th, and six more
    _due("hours stand still in a pause", "48 hour", MONDAY, "2026-03-04", pauses=[("2026-03-02 12:00", "2026-03-02 18:00")],
         want={"due_at": "2026-03-04 16:00"}),
    _due("a minute after the last hour is late", "24 hour", MONDAY, "2026-03-03", closed="2026-03-03 10:01",
         want={"verdict": "late"}),
    _due("the last minute is on time", "24 hour", MONDAY, "2026-03-03", closed="2026-03-03 10:00",
         want={"verdict": "on_time"}),
]  # fmt: skip

BEGINNING = [
    _due("counted from receipt on the 2nd, not from acceptance on the 4th", "5 wd", "2026-03-04 10:00", "2026-03-09",
         applied=MONDAY, item={"counted_from": "receipt"}, want={"basis": "receipt"}),
    # 5, 6, 9, 10, 11
    _due("counted from acceptance on the 4th", "5 wd", "2026-03-04 10:00", "2026-03-11", applied=MONDAY,
         want={"basis": "acceptance"}),
    # everything was received on Tuesday the 10th: 11, 12, 13, 16, 17
    _due("receipt is when what was missing came", "5 wd", "2026-03-11 10:00", "2026-03-17", applied=MONDAY,
         supplements=[("2026-03-03 10:00", "2026-03-10 10:00")], item={"counted_from": "receipt"}),
    # the notice was due within five working days: 3, 4, 5, 6, 9 March. It came on the 12th (art. 32)
    _due("accepted too late: deemed accepted on receipt", "10 wd", "2026-03-12 10:00", "2026-03-16", applied=MONDAY,
         want={"basis": "receipt", "deemed": True, "notice_due": "2026-03-09"}),
    # from the 9th: 10-13 (4), 16-20 (9), 23 (10)
    _due("accepted on the fifth working day: in time", "10 wd", "2026-03-09 23:00", "2026-03-23", applied=MONDAY,
         want={"basis": "acceptance", "deemed": False}),
    # the answer came on the 16th, five days from there end on the 23rd; accepted on the 18th: 19, 20, 23, 24, 25
    _due("asked in time for what was missing, accepted after the answer", "5 wd", "2026-03-18 10:00", "2026-03-25",
         applied=MONDAY, supplements=[("2026-03-05 10:00", "2026-03-16 10:00")],
         want={"deemed": False, "notice_due": "2026-03-23"}),
    # asked on the 10th, one day after the notice was due: deemed accepted on the 2nd
    _due("asked too late for what was missing", "10 wd", "2026-03-20 10:00", "2026-03-16", applied=MONDAY,
         supplements=[("2026-03-10 10:00", "2026-03-12 10:00")], want={"deemed": True}),
    # the fifth working day is Friday the 6th (from Friday 27 February: 28 February, 2, 3, 4, 5 March): the 5th
    _due("the notice's days count make-up Saturdays", "10 wd", "2026-03-06 10:00", "2026-03-12", applied="2026-02-27 10:00",
         want={"deemed": True, "notice_due": "2026-03-05"}),
    Worked("nobody answered the application: its clock counts from receipt", {"promised": "10 wd", "legal": None},
           {"applied": MONDAY, "accepted": None},
           {"due": "2026-03-16", "why": None, "state": "applied", "deemed": True, "notice_due": "2026-03-09"}),
    Worked("what is missing was asked for in time: no clock runs", {"promised": "10 wd", "legal": None},
           {"applied": MONDAY, "accepted": None, "supplements": [("2026-03-04 10:00", None)]},
           {"due": None, "why": None, "state": "waiting_applicant", "deemed": False}),
    Worked("an application that is not accepted has no clock", {"promised": "10 wd", "legal": None},
           {"applied": MONDAY, "accepted": None, "not_accepted": True}, {"due": None, "why": None, "state": "not_accepted"}),
    Worked("withdrawn on the third day, before anything was due", {"promised": "10 wd", "legal": None},
           {"applied": MONDAY, "accepted": None, "closed": "2026-03-04 10:00", "outcome": "withdrawn"},
           {"due": None, "why": None, "state": "closed", "verdict": None}),
    Worked("the legal limit governs where nothing is promised", {"promised": None, "legal": "20 wd"},
           {"applied": MONDAY, "accepted": MONDAY}, {"due": "2026-03-30", "legal_due": "2026-03-30", "why": None}),
    Worked("both limits run side by side", {"promised": "10 wd", "legal": "1 month"},
           {"applied": MONDAY, "accepted": MONDAY, "closed": "2026-03-20 10:00"},
           {"due": "2026-03-16", "legal_due": "2026-04-02", "verdict": "late", "legal_verdict": "early"}),
]  # fmt: skip

_AT_ONCE: dict[str, Any] = {"kind": "immediate"}

IMMEDIATE = [
    _due("decided at once is due on its day", None, MONDAY, "2026-03-02", item=_AT_ONCE),  # type: ignore[arg-type]  # no limit
    _due("received after hours: the next working day", None, "2026-03-02 17:31", "2026-03-03", item=_AT_ONCE),  # type: ignore[arg-type]  # no limit
    _due("received as the office closes: the same day", None, "2026-03-02 17:30", "2026-03-02", item=_AT_ONCE),  # type: ignore[arg-type]  # no limit
    _due("received on a Saturday: the Monday", None, "2026-03-07 10:00", "2026-03-09", item=_AT_ONCE),  # type: ignore[arg-type]  # no limit
    _due("Friday evening before a make-up Saturday: the Saturday", None, "2026-02-13 18:00", "2026-02-14", item=_AT_ONCE),  # type: ignore[arg-type]  # no limit
    _due("the evening before Spring Festival: the day after it", None, "2026-02-14 18:00", "2026-02-24", item=_AT_ONCE),  # type: ignore[arg-type]  # no limit
    _due("zero days of what is decided at once is that day", "0 wd", MONDAY, "2026-03-02", item=_AT_ONCE),
    # Friday evening counts as Monday the 9th; one working day from there
    _due("a day's promise from Friday evening", "1 wd", "2026-03-06 18:00", "2026-03-10", item=_AT_ONCE),
    _due("closed on its day: on time", None, MONDAY, "2026-03-02", item=_AT_ONCE, closed="2026-03-02 10:30",  # type: ignore[arg-type]  # no limit
         want={"verdict": "on_time"}),
    _due("closed on the next day: late", None, MONDAY, "2026-03-02", item=_AT_ONCE, closed="2026-03-03 09:00",  # type: ignore[arg-type]  # no limit
         want={"verdict": "late"}),
    _due("the case says the kind where the item does not", None, "2026-03-07 10:00", "2026-03-09", kind="immediate",  # type: ignore[arg-type]  # no limit
         item={"kind": None}),
]  # fmt: skip

PAUSES = [
    # the 5th, 6th, 9th, 10th and 11th stand still: five more days after the 16th: 17, 18, 19, 20, 23
    _stopped("a pause of five working days", "2026-03-23", ("2026-03-04 10:00", "2026-03-11 10:00"), want={"paused": 5}),
    _stopped("a pause within a day stops no day", "2026-03-16", ("2026-03-04 09:00", "2026-03-04 17:00"), want={"paused": 0}),
    _stopped("a pause over a weekend stops no working day", "2026-03-16", ("2026-03-06 18:00", "2026-03-08 20:00")),
    # from Tuesday 10 February the ten are 11-14 (4), 24-28 (9), 2 March; 14, 24 and 25 stand still: 3, 4, 5 March
    _due("a pause over Spring Festival stops its working days only", "10 wd", "2026-02-10 10:00", "2026-03-05",
         pauses=[("2026-02-13 10:00", "2026-02-25 10:00")], want={"paused": 3}),
    # the union stops 5, 6, 9, 10
    _stopped("two that overlap stop each day once", "2026-03-20", ("2026-03-04 10:00", "2026-03-06 10:00"),
             ("2026-03-05 10:00", "2026-03-10 10:00"), want={"paused": 4}),
    # 5, 6, 9-13: seven; 17-20 (4), 23, 24, 25
    _stopped("one within the other", "2026-03-25", ("2026-03-04 10:00", "2026-03-13 10:00"),
             ("2026-03-05 10:00", "2026-03-06 10:00"), want={"paused": 7}),
    # 4, 5, 6 March
    _stopped("twenty of the same time stop three days", "2026-03-19",
             *[("2026-03-03 10:00", f"2026-03-06 {hour:02d}:00") for hour in range(1, 21)], want={"paused": 3}),
    _stopped("one that begins on the day on which the other ends", "2026-03-20", ("2026-03-04 10:00", "2026-03-06 10:00"),
             ("2026-03-06 11:00", "2026-03-10 10:00"), want={"paused": 4}),
    # the 4th and the 11th
    _stopped("two apart", "2026-03-18", ("2026-03-03 10:00", "2026-03-04 10:00"), ("2026-03-10 10:00", "2026-03-11 10:00")),
    _stopped("one that begins on the last day adds nothing", "2026-03-16", ("2026-03-16 10:00", "2026-03-20 10:00"),
             want={"notes": ["pause_after_due"]}),
    _stopped("one that begins after the limit heals nothing", "2026-03-16", ("2026-03-18 10:00", "2026-03-25 10:00"),
             closed="2026-03-26 10:00", want={"verdict": "late", "notes": ["pause_after_due"]}),
    # 3 and 4 March
    _stopped("one that began before acceptance counts from there", "2026-03-18", ("2026-02-26 10:00", "2026-03-04 10:00")),
    _stopped("start and end in two rows are one pause", "2026-03-23", ("2026-03-04 10:00", None), (None, "2026-03-11 10:00")),
    _stopped("two pauses in four rows", "2026-03-18", ("2026-03-10 10:00", None), (None, "2026-03-04 10:00"),
             ("2026-03-03 10:00", None), (None, "2026-03-11 10:00")),
    # the first pause makes the 16th the 23rd: the second one, from the 17th, is in time: 18, 19 stand still, too
    _stopped("a pause that only another one brings into the limit", "2026-03-25", ("2026-03-04 10:00", "2026-03-11 10:00"),
             ("2026-03-17 10:00", "2026-03-19 10:00"), want={"paused": 7}),
    _stopped("an open one moves nothing yet; the view counts it", "2026-03-16", ("2026-03-04 10:00", None),
             want={"state": "paused", "now": {"2026-03-11 09:00": ("2026-03-23", 8), "2026-03-05 09:00": ("2026-03-17", 8)}}),
    # open from the 4th to the closing on the 12th: 5, 6, 9-12 stand still; the days used are 3 and 4 March
    _stopped("an open one ends with the case", "2026-03-24", ("2026-03-04 10:00", None), closed="2026-03-12 10:00",
             want={"verdict": "early", "used": 2, "paused": 6}),
    # 12 March and three days: Sunday the 15th, moved to the Monday
    _stopped("calendar days stand still, too", "2026-03-16", ("2026-03-04 10:00", "2026-03-07 10:00"), limit="10 cd"),
    # 12 March is the tenth; open from the 4th, a day comes on top for each that goes by: on Wednesday the 11th seven,
    # the 19th
    _stopped("an open one moves calendar days, too", "2026-03-12", ("2026-03-04 10:00", None), limit="10 cd",
             want={"paused_since": "2026-03-04 10:00", "notes": [], "now": {"2026-03-11 09:00": ("2026-03-19", 6)}}),
    # five calendar days run out with Saturday the 7th, and the end moves to the Monday. Open from the 4th, one day more is
    # Sunday the 8th, two are Monday the 9th, three Tuesday the 10th: the move to a working day is not added again
    _stopped("an open one moves the day on which calendar days run out, not the Monday to which the end moves", "2026-03-09",
             ("2026-03-04 10:00", None), limit="5 cd", want={"now": {"2026-03-05 09:00": ("2026-03-09", 2),
             "2026-03-06 09:00": ("2026-03-09", 1), "2026-03-07 09:00": ("2026-03-10", 2)}}),
    # five calendar days have run with Saturday the 7th; only the end moves to the Monday (民法典 203)
    _stopped("one that begins between the last calendar day and the Monday to which the end moves stops nothing",
             "2026-03-09", ("2026-03-08 10:00", "2026-03-12 10:00"), limit="5 cd", want={"notes": ["pause_after_due"]}),
    _stopped("an open one that begins there neither", "2026-03-09", ("2026-03-08 10:00", None), limit="5 cd",
             want={"paused_since": None, "notes": ["pause_after_due"], "now": {"2026-03-12 09:00": ("2026-03-09", -3)}}),
    # the promise of five calendar days is over with the 7th, whatever the longer limit of the law still allows
    _stopped("an open one after the promised calendar days, within those of the law", "2026-03-09", ("2026-03-11 10:00", None),
             limit="5 cd", item={"legal": "30 cd"}, want={"paused_since": None, "notes": ["pause_after_due"],
             "legal_due": "2026-04-01", "now": {"2026-03-18 09:00": ("2026-03-09", -7, "2026-04-08")}}),
    # five working days are Monday the 9th; on the 11th five have stood still (5, 6, 9-11), the 16th. The law's month stands
    # still for seven days of the plain calendar, 9 April
    _stopped("an open one moves both limits, each by its own unit", "2026-03-09", ("2026-03-04 10:00", None), limit="5 wd",
             item={"legal": "1 month"}, want={"legal_due": "2026-04-02",
             "now": {"2026-03-11 09:00": ("2026-03-16", 3, "2026-04-09")}}),
    # 2 April and three days is the 5th, in Qingming
    _stopped("a month with three days of pause", "2026-04-07", ("2026-03-04 10:00", "2026-03-07 10:00"), limit="1 month"),
]  # fmt: skip


def _longer(sentence: str, due: str, *extensions: dict[str, Any], **more: Any) -> Worked:
    return _due(sentence, more.pop("limit", "10 wd"), MONDAY, due, extensions=extensions, **more)


_TENTH = {"started_at": "2026-03-10 10:00"}

EXTENSIONS = [
    # 17, 18, 19, 20, 23
    _longer("five approved days", "2026-03-23", {**_TENTH, "allowed_value": 5}, want={"extended": 5}),
    _longer("nobody approved it: it does not count", "2026-03-16", {**_TENTH, "approver_hash": None},
            want={"extended": 0, "notes": ["extension_without_approver"]}),
    # until Friday the 20th four more (17 to 20), until the 27th nine, and Monday the 30th
    _longer("twelve days count ten: the head of an organ may give no more", "2026-03-30", {**_TENTH, "allowed_value": 12},
            want={"extended": 10, "notes": ["extension_over_maximum"]}),
    # as above, then 31 March, 1, 2, 3 April (14), Qingming, the 7th
    _longer("fifteen days of a joint case", "2026-04-07", {**_TENTH, "allowed_value": 15}, parallel=True,
            want={"extended": 15, "notes": []}),
    _longer("given on the day after the limit: too late", "2026-03-16", {"started_at": "2026-03-17 09:00", "allowed_value": 5},
            want={"extended": 0, "notes": ["extension_after_due"]}),
    _longer("given on the last day: in time", "2026-03-23", {"started_at": "2026-03-16 17:00", "allowed_value": 5}),
    # 17, 18, then 19 and 20 stand still, 23, 24, 25
    _longer("a pause within the extension", "2026-03-25", {**_TENTH, "allowed_value": 5},
            pauses=[("2026-03-18 10:00", "2026-03-20 10:00")]),
    # 17-20, 23-26
    _longer("two of four days each", "2026-03-26", {**_TENTH, "allowed_value": 4},
            {"started_at": "2026-03-12 10:00", "allowed_value": 4}, want={"extended": 8}),
    _longer("a unit that is not said is working days, as the law counts", "2026-03-23",
            {**_TENTH, "allowed_value": 5, "allowed_unit": None}),
    # the month ends on Thursday 2 April: the 3rd, then after Qingming the 7th and 8th
    _longer("three working days on top of a month", "2026-04-08", {**_TENTH, "allowed_value": 3}, limit="1 month"),
    # open from the 4th: on the 11th the month has stood still for seven days and ends on Thursday 9 April; three working
    # days from there are the 10th, the 13th and the 14th (left on the 11th: 12, 13, 16-20, 23-27, 30, 31, 1-3, 7-10, 13, 14)
    _longer("an open pause in the month moves the month, and the working days run after it", "2026-04-08",
            {**_TENTH, "allowed_value": 3}, limit="1 month", pauses=[("2026-03-04 10:00", None)],
            want={"state": "paused", "now": {"2026-03-11 09:00": ("2026-04-14", 23)}}),
    # open from Friday 3 April, the first of the three: on the 9th, the 7th, 8th and 9th have stood still, so that the two
    # that are left are the 10th and the 13th
    _longer("an open pause in the extension moves by the extension's working days", "2026-04-08",
            {**_TENTH, "allowed_value": 3}, limit="1 month", pauses=[("2026-04-03 10:00", None)],
            want={"now": {"2026-04-07 09:00": ("2026-04-09", 2), "2026-04-09 09:00": ("2026-04-13", 2)}}),
    # ten working days end on the 16th; 4 calendar days more on Friday the 20th. Open from the 18th: on Monday the 23rd five
    # days have stood still, the 25th
    _longer("an open pause in an extension of calendar days moves by calendar days", "2026-03-20",
            {**_TENTH, "allowed_value": 4, "allowed_unit": "calendar_day"}, pauses=[("2026-03-18 10:00", None)],
            want={"now": {"2026-03-23 09:00": ("2026-03-25", 2)}}),
    # open from the 4th: on the 11th five working days have stood still, the 23rd; four calendar days from there are the 27th
    _longer("an open pause in working days, with calendar days after them", "2026-03-20",
            {**_TENTH, "allowed_value": 4, "allowed_unit": "calendar_day"}, pauses=[("2026-03-04 10:00", None)],
            want={"now": {"2026-03-11 09:00": ("2026-03-27", 12)}}),
    # 5, 6, 9, 10 and 11 March have stood still: the 16th becomes the 23rd
    _longer("an extension that nobody approved counts neither while the clock stands still", "2026-03-16",
            {**_TENTH, "approver_hash": None}, pauses=[("2026-03-04 10:00", None)],
            want={"extended": 0, "notes": ["extension_without_approver"], "now": {"2026-03-11 09:00": ("2026-03-23", 8)}}),
    # the tenth day is the 16th; it stands still since the 12th, so that on the 20th two days of it are left: in time
    _longer("an extension that is given while the clock stands still is in time", "2026-03-20",
            {"started_at": "2026-03-18 09:00", "allowed_value": 4}, pauses=[("2026-03-12 10:00", None)],
            want={"extended": 4, "notes": [], "now": {"2026-03-20 09:00": ("2026-03-30", 6)}}),
]  # fmt: skip

PROVISIONAL = [
    # 29, 30, 31 December (3); 2027 is not published: 1 January is a Friday (4), 4-8 (9), 11 (10)
    _due("a limit that runs into a year that is not published", "10 wd", "2026-12-28 10:00", "2027-01-11",
         want={"provisional": True}),
    _due("one that ends on the last published day", "2 wd", "2026-12-29 10:00", "2026-12-31", want={"provisional": False}),
    _due("years of months ago are known", "1 month", "2004-03-02 10:00", "2004-04-02", want={"provisional": False}),
    # had it been accepted, 5 to 8 January and 11 to 18 would count; nothing is due, so nothing can move
    Worked("an application of a year that is not published, not accepted: nothing is provisional",
           {"promised": "10 wd", "legal": None, "counted_from": "receipt"},
           {"applied": "2027-01-04 10:00", "accepted": None, "not_accepted": True,
            "extensions": [{"started_at": "2027-01-05 10:00", "allowed_value": 0}]},
           {"due": None, "why": None, "state": "not_accepted", "provisional": False}),
    _due("what began before the first published year", "1 wd", "2003-03-03 10:00", "2003-03-04", want={"provisional": True}),
]  # fmt: skip

BAD = [
    _bad("a case that names no item", "no_item_said", item=None, item_code=None),
    _bad("an item that is not in the catalogue", "not_in_catalogue", item_code="nowhere"),
    _bad("an item that was not in force yet", "not_yet_in_force", item={"since": "2026-03-03"}),
    _bad("a limit of zero for what is not decided at once", "limit_zero", item={"promised": "0 wd"}),
    _bad("a limit below zero", "limit_negative", item={"promised": "-3 wd"}),
    _bad("a limit of ten thousand days", "limit_too_long", item={"promised": "10000 wd"}),
    _bad("a limit in a unit that nobody knows", "limit_unreadable", item={"promised": "5 fortnight"}),
    _bad("a limit that is no number", "limit_unreadable", item={"promised_limit": {"value": "ten", "unit": "working_day"}}),
    _bad("a limit with half a day", "limit_unreadable", item={"promised_limit": {"value": 2.5, "unit": "working_day"}}),
    _bad("a limit that is a text", "limit_unreadable", item={"promised_limit": "十个工作日"}),
    _bad("a number that no whole number holds", "limit_too_long", item={"promised_limit": {"value": 1e30, "unit": "month"}}),
    _bad("an item without any limit", "no_limit", item={"promised": None}),
    _bad("accepted before it was applied for", "accepted_before_applied", accepted="2026-03-01 10:00"),
    _bad("closed before its clock started", "closed_before_start", closed="2026-02-27 10:00"),
    _bad("a suspension that ends before it starts", "suspension_reversed", pauses=[("2026-03-06 10:00", "2026-03-04 10:00")]),
    _bad("an end of a suspension without a start", "suspension_without_start", pauses=[(None, "2026-03-04 10:00")]),
    _bad("a suspension of another century", "suspension_outside_calendar", pauses=[("1926-03-06 10:00", "2026-03-04 10:00")]),
    _bad("an approved extension of unknown length", "extension_length_unknown", extensions=[{**_TENTH, "allowed_value": None}]),
    _bad("extensions in unlike units", "extension_units_differ",
         extensions=[_TENTH, {**_TENTH, "allowed_unit": "calendar_day"}]),
    _bad("extensions of more days than a number holds", "extension_too_long",
         extensions=2 * [{**_TENTH, "allowed_value": 2_000_000_000, "allowed_unit": "calendar_day"}]),
    _bad("a limit that goes beyond the calendar", "calendar_ends", accepted="2049-12-20 10:00", applied="2049-12-20 09:00"),
    _bad("a case before the calendar", "calendar_ends", accepted="1999-03-02 10:00", applied=None),
    _bad("neither application nor acceptance has a time", "no_day", accepted=None, applied=None),
]  # fmt: skip

BOOK = [*PLAIN, *HOLIDAYS, *MIDNIGHT, *UNITS, *BEGINNING, *IMMEDIATE, *PAUSES, *EXTENSIONS, *PROVISIONAL, *BAD]
