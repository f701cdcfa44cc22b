"""The course of one case through the office: supplements, acceptance, the five stages, special procedures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from demo.model import STAGE_NAMES, Acceptance, Department, Event, Item, Staff, Stage, Supplement, Suspension
from demo.worktime import DAY, HOUR, WorkCalendar

_POST_OF: dict[Stage, str] = {
    "accept": "科员",
    "undertake": "科员",
    "review": "科长",
    "approve": "处长",
    "complete": "科员",
}
_OPINIONS: dict[Stage, tuple[str, ...]] = {
    "accept": ("材料齐全，符合法定形式，予以受理", "申请材料完整，同意受理", "符合受理条件"),
    "undertake": ("经审查，材料真实有效，拟同意", "已现场核查，情况属实", "符合许可条件，建议准予"),
    "review": ("同意承办意见", "审核通过，报请批准", "经复核无误"),
    "approve": ("同意", "批准", "准予许可"),
    "complete": ("已办结，通知申请人", "办结归档", "结果已制作"),
}
_PAUSES: dict[str, tuple[str, int]] = {
    "hearing": ("听证", 20),
    "testing": ("检测", 15),
    "inspection": ("现场检验", 10),
    "appraisal": ("鉴定", 30),
    "expert_review": ("专家评审", 15),
    "extension": ("延长审批", 10),
}
_MAYBE = ("testing", "inspection", "expert_review", "expert_review", "extension", "hearing", "appraisal")
_REFUSALS = ("申请事项不属于本机关职权范围", "不符合法定受理条件", "申请人主体资格不符")
_SLOW = 200 * DAY


@dataclass(slots=True)
class Course:
    """Where the case stands while its story is told: `now` is the working second that was reached."""

    random: Random
    calendar: WorkCalendar
    department: Department
    posts: Mapping[str, Sequence[Staff]]
    item: Item
    prefix: str
    now: int
    applied: datetime
    pace: str | None

    def staff(self, post: str) -> Staff:
        """Return an official of the department with this post."""
        return self.random.choice(self.posts[post])

    def pass_time(self, least: int, most: int) -> datetime:
        """Let a number of working seconds pass and return the instant reached."""
        self.now += self.random.randrange(least, most)
        return self.calendar.at(self.now)

    def report(self, instant: datetime) -> datetime:
        """Return when a step of that instant was written into the department's system: within the hour."""
        return instant + timedelta(seconds=self.random.randrange(60, 2400))


def supplements(way: Course, *, allowed: bool) -> tuple[Supplement, ...]:
    """Tell whether the application had to be supplemented before it was accepted."""
    if not allowed or way.random.random() > 0.08:
        return ()
    told = way.pass_time(900, 2 * HOUR)
    received = way.pass_time(DAY // 2, 3 * DAY)
    missing = way.random.choice(way.item.materials)
    return (
        Supplement(
            id=f"{way.prefix}B1",
            told=told,
            received=received,
            materials=missing,
            reason=f"缺少{missing}",
            handler=way.staff("科员"),
            reported_at=way.report(received),
        ),
    )


def accept(way: Course, *, refused: bool) -> tuple[Acceptance, Event | None]:
    """Tell the answer to the application; the first stage exists only where it was accepted."""
    quick = way.item.kind == "immediate" or way.pace == "swift"
    started = way.pass_time(180, 900) if quick else way.pass_time(600, DAY // 2)
    answered = way.pass_time(120, 600)
    handler, reported = way.staff("科员"), way.report(answered)
    number = f"{way.department.short}受〔{answered:%Y}〕{way.prefix[2:]}号"
    acceptance = Acceptance(
        id=f"{way.prefix}A1",
        outcome="not_accepted" if refused else "accepted",
        answered=answered,
        at=None if refused else answered,
        due=None if refused else _due(way),
        document_number=number,
        reason=way.random.choice(_REFUSALS) if refused else None,
        handler=handler,
        promise_value=way.item.promised_value,
        promise_unit=way.item.promised_unit,
        reported_at=reported,
    )
    if refused:
        return acceptance, None
    return acceptance, _event(way, "accept", started, answered, reported, handler)


def _due(way: Course) -> datetime:
    day, value = way.now // DAY, way.item.promised_value
    if way.item.promised_unit == "calendar_day":
        return way.calendar.end_from(way.calendar.days[day] + timedelta(days=value))
    return way.calendar.end_of(day + value)


def course(way: Course, outcome: str, pause: str | None) -> tuple[tuple[Event, ...], tuple[Suspension, ...]]:
    """Tell the stages after acceptance, with the special procedure (if any) after the undertaking."""
    stages: tuple[Stage, ...] = ("undertake", "review", "approve", "complete")
    if way.item.kind == "immediate" or outcome == "withdrawn":
        stages = ("undertake", "complete")
    elif outcome == "returned":
        stages = ("undertake", "review", "complete")
    length = _length(way, paused=pause is not None)
    first = _stage(way, stages[0], length, outcome)
    suspensions = () if pause is None else (_pause(way, pause),)
    return (first, *(_stage(way, stage, length, outcome) for stage in stages[1:])), suspensions


def pause_by_chance(way: Course) -> str | None:
    """Say which special procedure the case needs; one promised case in seventeen needs one."""
    if way.item.kind == "immediate" or way.random.random() > 0.06:
        return None
    return way.random.choice(_MAYBE)


def _pause(way: Course, kind: str) -> Suspension:
    name, allowed = _PAUSES[kind]
    started = way.pass_time(300, 900)
    ended = way.pass_time(DAY // 2, 6 * DAY)
    reason = "案情复杂，经批准延长办理期限" if kind == "extension" else f"需要{name}，所需时间依法不计入办理期限"
    return Suspension(
        id=f"{way.prefix}S1",
        kind=kind,  # type: ignore[arg-type]  # a key of _PAUSES
        name=name,
        reason=reason,
        approver=way.staff("厅领导"),
        started=started,
        ended=ended,
        allowed_value=allowed,
        allowed_unit="working_day",
        result=f"{name}已完成",
        reported_at=way.report(started),
        ended_reported_at=way.report(ended),
        version=2,
    )


_TO_THE_LAST_DAY = 0.22
"""The share of promised cases that take all the time there is."""
_SHARED, _BETWEEN = 0.9, 3_300
"""The stages before the closing share so much of the length; so many seconds go by around them."""


def _length(way: Course, *, paused: bool) -> int:
    """Draw how long the stages take together: mostly far less than promised, some to the last day, one in eighty more.

    With what is immediate, 87 in 100 cases of the province are decided before their last day.
    """
    if way.item.kind == "immediate" or way.pace == "swift":
        return way.random.randrange(1200, 4000)
    if way.pace == "slow":
        return _SLOW
    promised = way.item.promised_value * DAY
    if way.item.promised_unit == "calendar_day":
        promised = promised * 5 // 7
    chance = way.random.random() if way.pace is None else 1.0
    if chance < 0.0125:
        return int(promised * way.random.uniform(1.1, 1.5))
    if chance < 0.0125 + _TO_THE_LAST_DAY and not paused and way.item.promised_unit == "working_day":
        left = promised - way.now % DAY + way.random.randrange(DAY // 4, 3 * DAY // 4)
        return max(3 * HOUR, int((left - _BETWEEN) / _SHARED))
    return max(3 * HOUR, int(promised * way.random.triangular(0.05, 0.7, 0.15)))


def _stage(way: Course, stage: Stage, length: int, outcome: str) -> Event:
    started = way.pass_time(200, 900)
    share = {"undertake": 0.5, "review": 0.25, "approve": 0.15}.get(stage, 0.0)
    finished = way.pass_time(150 + int(length * share), 400 + int(length * share))
    return _event(way, stage, started, finished, way.report(finished), way.staff(_POST_OF[stage]), outcome)


def _event(
    way: Course,
    stage: Stage,
    started: datetime,
    finished: datetime,
    reported: datetime,
    handler: Staff,
    outcome: str = "granted",
) -> Event:
    place = ("accept", "undertake", "review", "approve", "complete").index(stage) + 1
    turned = (stage, outcome) in {("approve", "refused"), ("review", "returned")}
    return Event(
        id=f"{way.prefix}E{place}",
        stage=stage,
        node=STAGE_NAMES[stage],
        handler=handler,
        started=started,
        finished=finished,
        outcome="returned" if turned else "passed",
        opinion="不符合法定条件" if turned else way.random.choice(_OPINIONS[stage]),
        reported_at=reported,
    )
