"""The habits of departments that make data up: what no record of theirs shows alone and all of them show together.

A department has at most one habit. It bends those cases that play no other role; the truth says, from the cases as the
department's system can tell them, which rule over sets the hub must raise for its organ.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from random import Random

from demo import faults
from demo.aftermath import last_written
from demo.model import KINDS, Case, Department, Shape

Bend = Callable[[Case, Random, datetime], Case]

_ONE_IN = 2_500
"""One department for so many cases has a given habit."""
_OFTEN = 0.8
"""The share of its cases that a habit bends where it need not be all."""
FEWEST = 10
"""So many cases at least must show a habit, as the department's system tells them."""
_SITTING = time(16, 30)
_NOTHING = ("无", "暂无")
_SAME_WORDS = "经审查符合规定，同意办理"


@dataclass(frozen=True, slots=True)
class Habit:
    """One habit: whom it can be given to (`carries`: a kind of defect that its system can show), and what it does.

    The closing step of `minute_habit` is told by few systems: others write it down with the decision.
    """

    kind: str
    carries: str
    least: int
    bend: Bend
    shown: Callable[[Case], bool]
    alone: frozenset[str] = frozenset()
    """Rules that its single cases break, too."""
    follows: frozenset[str] = frozenset()
    """Rules over sets that may well be broken in its wake."""


def give(
    seed_dice: Callable[[int], Random], cases: int, sending: Sequence[Department], shapes: Mapping[str, Shape],
    busy: Iterable[str],
) -> dict[str, Habit]:  # fmt: skip
    """Give each habit to departments that are large enough to show it; those with other troubles come last."""
    given: dict[str, Habit] = {}
    troubled = frozenset(busy)
    for place, habit in enumerate(sorted(HABITS.values(), key=lambda one: (-one.least, one.kind))):
        able = [
            one
            for one in sending
            if one.code not in given
            and one.cases >= habit.least
            and len(one.serves) == 1
            and not shapes[one.shape].single
            and habit.carries in shapes[one.shape].carries
        ]
        random = seed_dice(place)
        random.shuffle(able)
        able.sort(key=lambda one: one.code in troubled)
        given |= {one.code: habit for one in able[: max(1, round(cases / _ONE_IN))]}
    return given


def bend(case: Case, habit: Habit, random: Random, cut: datetime) -> Case:
    """Return the case as a department with this habit writes it down."""
    bent = habit.bend(case, random, cut)
    return bent if bent is case else replace(bent, written_at=last_written(bent))


def _closed(case: Case) -> datetime | None:
    moments = [one.decided for one in case.decisions]
    moments += [one.started for one in case.events if one.stage == "complete"]
    return min(moments, default=None)


def _on_the_last_day(case: Case, random: Random, cut: datetime) -> Case:  # noqa: ARG001  # all habits are called alike
    """Say that the case was due on the day on which it was closed."""
    said, closed = case.acceptance, _closed(case)
    if said is None or said.due is None or closed is None:
        return case
    return replace(case, acceptance=replace(said, due=datetime.combine(closed.date(), said.due.timetz())))


def _shift(case: Case, random: Random, cut: datetime) -> Case:  # noqa: ARG001  # all habits are called alike
    """Stamp the acceptance with the application, where both lie on one day: the limit ends as it did."""
    at = case.acceptance.at if case.acceptance else None
    if at is None or at.date() != case.applied.date() or random.random() >= _OFTEN:
        return case
    return faults.bend(case, "time_shifted", random)


def _enter_whole(case: Case, random: Random, cut: datetime) -> Case:
    """Enter the case at one go, days after it was closed; one that would not be in by the first day stays honest."""
    if len(case.events) < 3 or _closed(case) is None or case.certificates or case.suspensions:
        return case
    bent = faults.bend(case, "batch_entered", random)
    return bent if last_written(bent) <= cut else case


def _say_nothing(case: Case, random: Random, cut: datetime) -> Case:  # noqa: ARG001  # all habits are called alike
    events = tuple(
        replace(one, opinion=random.choice(_NOTHING)) if random.random() < _OFTEN else one for one in case.events
    )
    return replace(case, events=events)


def _say_the_same(case: Case, random: Random, cut: datetime) -> Case:  # noqa: ARG001  # all habits are called alike
    return replace(case, events=tuple(replace(one, opinion=_SAME_WORDS) for one in case.events))


def _finish_in_one_sitting(case: Case, random: Random, cut: datetime) -> Case:
    """Finish the closing step in the sitting at the end of the quarter, with all others of that quarter.

    When the case was decided stays as it is: who is slow to file away is not late with the decision.
    """
    last = case.event("complete")
    if last is None or not case.decisions:
        return case
    sitting = _quarter_end(last.finished)
    if sitting + timedelta(hours=2) > cut:
        return case
    finished = sitting + timedelta(seconds=random.randrange(5, 55))
    moved = replace(last, finished=finished, reported_at=finished + timedelta(minutes=5))
    return replace(case, events=tuple(moved if one is last else one for one in case.events))


def _quarter_end(after: datetime) -> datetime:
    """Return the sitting of the quarter: half past four on its last weekday, or of the next one where that is over."""
    month = (after.month + 2) // 3 * 3
    day = datetime(after.year, month, calendar.monthrange(after.year, month)[1], tzinfo=after.tzinfo)
    while day.weekday() > 4:
        day -= timedelta(days=1)
    sitting = datetime.combine(day.date(), _SITTING, after.tzinfo)
    return sitting if sitting > after else _quarter_end(sitting + timedelta(days=7))


def shows(case: Case, habit: Habit) -> bool:
    """Say whether a case, as its system tells it, shows the habit."""
    return habit.shown(case)


def _due_when_closed(case: Case) -> bool:
    closed, due = _closed(case), case.acceptance.due if case.acceptance else None
    return case.kind != "immediate" and closed is not None and due is not None and closed.date() == due.date()


def _accepted_at_once(case: Case) -> bool:
    at = case.acceptance.at if case.acceptance else None
    return at is not None and at - case.applied in {timedelta(seconds=1), timedelta(seconds=2)}


def _says(*words: str) -> Callable[[Case], bool]:
    return lambda case: any(one.opinion in words for one in case.events)


def _in_one_go(case: Case) -> bool:
    return len(case.events) > 2 and len({one.reported_at.replace(second=0) for one in case.events}) == 1


def _in_the_sitting(case: Case) -> bool:
    last = case.event("complete")
    return last is not None and last.finished.time().replace(second=0) == _SITTING


HABITS: Mapping[str, Habit] = {
    one.kind: one
    for one in (
        Habit("limit_habit", "due_before_acceptance", 70, _on_the_last_day, _due_when_closed),
        Habit("shift_habit", "time_shifted", 40, _shift, _accepted_at_once, alone=frozenset({"time_shifted"})),
        Habit(
            "batch_habit",
            "batch_entered",
            60,
            _enter_whole,
            _in_one_go,
            alone=frozenset({"batch_entered"}),
            follows=frozenset({"set_told_late"}),
        ),
        Habit("placeholder_habit", "stage_order", 40, _say_nothing, _says(*_NOTHING)),
        Habit("hard_coded_habit", "stage_order", 40, _say_the_same, _says(_SAME_WORDS)),
        Habit(
            "minute_habit",
            "minute_habit",
            100,
            _finish_in_one_sitting,
            _in_the_sitting,
            follows=frozenset({"set_spread"}),
        ),
    )
}
"""Every habit by its kind (`demo.model.KINDS`, level *set*)."""

assert HABITS.keys() == {one.code for one in KINDS.values() if one.level == "set"}  # noqa: S101  # both are written here
