"""E-supervision's clock: days of the calendar, the clock of each case and stage, and what a run did."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from sharedrepo.models.base import column, instant, metadata
from sharedrepo.models.overview import STAGES

SCHEMA = "supervision"
CLOCK_STATES = ("applied", "running", "paused", "waiting_applicant", "closed", "not_accepted", "not_computable")
"""已申请, 计时中, 暂停, 待补正, 办结, 不予受理, 无法计算: how the clock of a case stands."""
VERDICTS = ("early", "on_time", "late")
"""提前, 按时, 超期: how a case or a stage ended."""
DAY_KINDS = ("work", "make_up", "rest", "holiday")
"""工作日, 调休上班, 休息日, 节假日."""


def _one_of(name: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{name} IN ({', '.join(repr(one) for one in words)})", name=name)


def _limit(name: str) -> tuple[sa.Column[int], sa.Column[str]]:
    return (
        column(f"{name}_value", sa.Integer(), privacy="public"),
        column(f"{name}_unit", sa.Text(), privacy="public"),
    )


def _stopped(which: str) -> tuple[sa.Column[Any], ...]:
    """Make the columns of what an open pause stops: the term in which it began, and what follows that term."""
    return (
        column(f"{which}stop_unit", sa.Text(), privacy="public"),
        instant(f"{which}stop_from"),
        instant(f"{which}stop_end"),
        column(f"{which}then_value", sa.Integer()),
        column(f"{which}then_unit", sa.Text(), privacy="public"),
    )


def _places() -> tuple[sa.Column[int], ...]:
    """Make the places in the calendar that the views count from: working days up to the day of each."""
    return tuple(column(f"{name}_ordinal", sa.Integer()) for name in ("started", "paused", "due"))


calendar = sa.Table(
    "calendar",
    metadata,
    column("calendar", sa.Text(), primary_key=True, privacy="public"),
    column("title", sa.Text(), nullable=False, privacy="public"),
    column("closes_at", sa.Time(), nullable=False, server_default="17:30", privacy="public"),
    column("source", sa.Text(), nullable=False, privacy="public"),
    column("set_by", sa.Text(), nullable=False),
    instant("set_at", nullable=False, server_default=sa.text("now()")),
    schema=SCHEMA,
    comment="日历: the nation's calendar (the empty code) and those of regions that have days of their own.",
)

day = sa.Table(
    "day",
    metadata,
    column("calendar", sa.Text(), primary_key=True, privacy="public"),
    column("day", sa.Date(), primary_key=True, privacy="public"),
    column("works", sa.Boolean(), nullable=False, privacy="public"),
    column("kind", sa.Text(), nullable=False, privacy="public"),
    column("ordinal", sa.Integer(), nullable=False, privacy="public"),
    column("published", sa.Boolean(), nullable=False, privacy="public"),
    _one_of("kind", DAY_KINDS),
    sa.CheckConstraint("works = (kind IN ('work', 'make_up'))", name="works"),
    sa.Index("ix_day_working", "calendar", "ordinal", postgresql_where=sa.text("works")),
    schema=SCHEMA,
    comment="工作日: each day of each calendar; its ordinal counts the working days up to it, itself included.",
)

day_change = sa.Table(
    "day_change",
    metadata,
    column("change_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("filling", sa.BigInteger(), nullable=False, index=True),
    column("calendar", sa.Text(), nullable=False, privacy="public"),
    column("day", sa.Date(), nullable=False, privacy="public"),
    column("kind_before", sa.Text(), privacy="public"),
    column("kind", sa.Text(), nullable=False, privacy="public"),
    column("published_before", sa.Boolean(), privacy="public"),
    column("published", sa.Boolean(), nullable=False, privacy="public"),
    column("source", sa.Text(), nullable=False, privacy="public"),
    column("reason", sa.Text(), nullable=False, privacy="public"),
    column("actor", sa.Text(), nullable=False),
    instant("at", nullable=False, server_default=sa.text("now()")),
    sa.Index("ix_day_change_calendar_day", "calendar", "day", "change_id"),
    schema=SCHEMA,
    comment="日历变更: each change of a day, with its source, reason and who made it; rows are only added.",
)

due_move = sa.Table(
    "due_move",
    metadata,
    column("move_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("case_id", sa.BigInteger(), nullable=False, index=True),
    column("cause", sa.Text(), nullable=False),
    column("filling", sa.BigInteger()),
    instant("due_before"),
    instant("due_at"),
    column("provisional_before", sa.Boolean()),
    column("provisional", sa.Boolean(), nullable=False),
    instant("at", nullable=False, server_default=sa.text("now()")),
    _one_of("cause", ("calendar", "case")),
    schema=SCHEMA,
    comment="期限变动: each deadline that a change of the calendar or of the case moved; rows are only added.",
)

clock = sa.Table(
    "clock",
    metadata,
    column("case_id", sa.BigInteger(), primary_key=True, autoincrement=False),
    column("organ", sa.Text(), privacy="public"),
    column("region", sa.Text(), privacy="public"),
    column("item_code", sa.Text(), privacy="public"),
    column("version_id", sa.BigInteger()),
    column("kind", sa.Text(), privacy="public"),
    column("state", sa.Text(), nullable=False),
    column("why", sa.Text()),
    column("notes", ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")),
    column("basis", sa.Text(), privacy="public"),
    column("deemed", sa.Boolean(), nullable=False, server_default=sa.false()),
    instant("applied_at"),
    instant("accepted_at"),
    instant("notice_due_at"),
    column("notice_verdict", sa.Text()),
    instant("started_at"),
    *_limit("promised"),
    *_limit("legal"),
    column("paused_days", sa.Integer()),
    instant("paused_since"),
    column("extended_days", sa.Integer()),
    column("limit_days", sa.Integer()),
    instant("due_at"),
    instant("legal_due_at"),
    column("provisional", sa.Boolean(), nullable=False, server_default=sa.false()),
    instant("declared_due_at"),
    column("declared_verdict", sa.Text()),
    instant("waiting_since"),
    instant("closed_at"),
    column("used_days", sa.Integer()),
    column("verdict", sa.Text()),
    column("legal_verdict", sa.Text()),
    instant("delivery_due_at"),
    instant("delivered_at"),
    column("delivery_verdict", sa.Text()),
    column("calendar", sa.Text(), nullable=False, privacy="public"),
    *_places(),
    *_stopped(""),
    *_stopped("legal_"),
    instant("computed_at", nullable=False, server_default=sa.text("now()")),
    _one_of("kind", ("immediate", "promised")),
    _one_of("state", CLOCK_STATES),
    sa.CheckConstraint("(state = 'not_computable') = (why IS NOT NULL)", name="why"),
    _one_of("basis", ("acceptance", "receipt")),
    _one_of("verdict", VERDICTS),
    _one_of("legal_verdict", VERDICTS),
    *(_one_of(f"{name}_verdict", VERDICTS[1:]) for name in ("declared", "notice", "delivery")),
    sa.Index("ix_clock_open", "organ", "state", postgresql_where=sa.text("closed_at IS NULL")),
    sa.Index("ix_clock_closed_at", "closed_at", postgresql_where=sa.text("closed_at IS NOT NULL")),
    sa.Index("ix_clock_calendar_due_at", "calendar", "due_at"),
    sa.Index("ix_clock_why", "why", postgresql_where=sa.text("why IS NOT NULL")),
    schema=SCHEMA,
    comment="时限: the legal clock of each case, as far as it does not depend on the present moment.",
)

clock_stage = sa.Table(
    "clock_stage",
    metadata,
    column("case_id", sa.BigInteger(), primary_key=True, autoincrement=False),
    column("stage", sa.Text(), primary_key=True, privacy="public"),
    column("round", sa.Integer(), primary_key=True, autoincrement=False),
    column("organ", sa.Text(), privacy="public"),
    column("why", sa.Text()),
    instant("started_at"),
    instant("finished_at"),
    *_limit("limit"),
    column("limit_days", sa.Integer(), privacy="public"),
    column("paused_days", sa.Integer()),
    instant("paused_since"),
    instant("due_at"),
    column("used_days", sa.Integer()),
    column("verdict", sa.Text()),
    column("calendar", sa.Text(), nullable=False, privacy="public"),
    *_places(),
    instant("stop_end"),
    _one_of("stage", STAGES),
    _one_of("verdict", VERDICTS),
    sa.Index("ix_clock_stage_open", "stage", "organ", postgresql_where=sa.text("finished_at IS NULL")),
    schema=SCHEMA,
    comment="环节时限: the clock of each round of a stage; a stage gone through again after a return is a new round.",
)

touched = sa.Table(
    "touched",
    metadata,
    column("touched_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("case_id", sa.BigInteger(), nullable=False),
    instant("at", nullable=False, server_default=sa.text("now()")),
    schema=SCHEMA,
    comment="Cases that a batch or a new item version touched since their clocks were last computed.",
)

run = sa.Table(
    "run",
    metadata,
    column("run_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("kind", sa.Text(), nullable=False),
    instant("as_of"),
    instant("began_at", nullable=False),
    instant("ended_at", nullable=False, server_default=sa.text("clock_timestamp()"), index=True),
    column("counts", JSONB(), nullable=False),
    _one_of("kind", ("full", "touched")),
    schema=SCHEMA,
    comment="监察运行: each run of supervision: what it looked at, what it changed, how far a recount differed.",
)

reminder_step = sa.Table(
    "reminder_step",
    metadata,
    column("after_days", sa.Integer(), primary_key=True, autoincrement=False),
    column("words", sa.Text(), nullable=False),
    column("source", sa.Text(), nullable=False),
    sa.CheckConstraint("after_days > 0", name="days"),
    schema=SCHEMA,
    comment="催办规则: after how many working days of waiting an applicant is reminded, and by which words.",
)

reminder = sa.Table(
    "reminder",
    metadata,
    column("reminder_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("case_id", sa.BigInteger(), nullable=False),
    instant("waiting_since", nullable=False),
    column("after_days", sa.Integer(), nullable=False),
    column("due_on", sa.Date(), nullable=False),
    column("words", sa.Text(), nullable=False),
    instant("made_at", nullable=False, server_default=sa.text("now()")),
    sa.UniqueConstraint("case_id", "waiting_since", "after_days", name="uq_reminder_once"),
    schema=SCHEMA,
    comment="催材料: reminders to applicants that fell due, once for each time of waiting and step.",
)
