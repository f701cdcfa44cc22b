"""What is left of a case when a system can say less than happened: the parts of `Shape.seen`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from demo.model import Acceptance, Case, Event, Precision, Stage

Element = TypeVar("Element")

_INSTANTS = {
    "acceptance": ("answered", "at"),
    "events": ("started", "finished"),
    "suspensions": ("started", "ended"),
    "supplements": ("told", "received"),
    "fees": ("paid",),
    "deliveries": ("delivered",),
    "decisions": ("decided",),
    "certificates": ("issued",),
}
_GROUPS = (
    "suspensions",
    "supplements",
    "materials",
    "fees",
    "deliveries",
    "decisions",
    "certificates",
    "links",
    "identifiers",
)


def without(case: Case, *groups: str) -> Case:
    """Return the case without these groups of elements (or single parties)."""
    gone: dict[str, Any] = {
        name: () if name in (*_GROUPS, "events") else None for name in groups if getattr(case, name)
    }
    return replace(case, **gone) if gone else case


def cut(moment: datetime, precision: Precision) -> datetime:
    """Return the instant as exactly as the precision allows."""
    if precision == "d":
        return moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment.replace(second=0, microsecond=0) if precision == "m" else moment.replace(microsecond=0)


def coarse(case: Case, precision: Precision) -> Case:
    """Return the case with every instant cut to the precision; the report times stay."""
    if precision == "s":
        return case
    changed: dict[str, Any] = {"applied": cut(case.applied, precision)}
    for name, fields in _INSTANTS.items():
        found = getattr(case, name)
        if isinstance(found, tuple):
            changed[name] = tuple(_cut(one, fields, precision) for one in found)
        elif found is not None:
            changed[name] = _cut(found, fields, precision)
    return replace(case, **changed)


def _cut(element: Element, fields: tuple[str, ...], precision: Precision) -> Element:
    moments = {name: cut(getattr(element, name), precision) for name in fields if getattr(element, name) is not None}
    return replace(element, **moments)  # type: ignore[type-var]  # elements are dataclasses


def due_day(case: Case) -> Case:
    """Return the case with its due date as a day."""
    given = case.acceptance
    if given is None or given.due is None:
        return case
    return replace(case, acceptance=replace(given, due=cut(given.due, "d")))


def one_time_a_stage(case: Case) -> Case:
    """Return the case as a system knows it that writes one time a stage: when it was signed."""
    return replace(case, events=tuple(replace(event, started=event.finished) for event in case.events))


def accept_event_from(case: Case) -> Case:
    """Return the case with its acceptance for an `accept` stage: some systems have no other trace of it."""
    given = case.acceptance
    rest = tuple(event for event in case.events if event.stage != "accept")
    if given is None or given.outcome != "accepted" or given.at is None:
        return replace(case, events=rest)
    return replace(case, events=(_accepting(case, given, given.at), *rest))


def _accepting(case: Case, given: Acceptance, at: datetime) -> Event:
    known = case.event("accept")
    event = known or Event(
        given.id, "accept", "受理", given.handler, at, at, "passed", "", given.reported_at, given.version
    )
    return replace(event, handler=given.handler, started=at, finished=at, reported_at=given.reported_at, faults=())


def complete_event_from(case: Case) -> Case:
    """Return the case with its `complete` stage at the decision: systems that write both in one closing record."""
    rest = tuple(event for event in case.events if event.stage != "complete")
    last = case.event("complete")
    done = tuple(
        replace(last, started=one.decided, finished=one.decided, reported_at=one.reported_at, faults=())
        if last is not None
        else Event(one.id, "complete", "办结", one.handler, one.decided, one.decided, "passed", "", one.reported_at)
        for one in case.decisions
    )
    return replace(case, events=(*rest, *done))


def only_stages(case: Case, *stages: Stage) -> Case:
    """Return the case with the events of these stages only."""
    if all(event.stage in stages for event in case.events):
        return case
    return replace(case, events=tuple(event for event in case.events if event.stage in stages))


def immediate_unsigned(case: Case) -> Case:
    """Return the case without an approval where it is decided at the window (即办件) and nobody reviewed it.

    Systems that do not send the kind of the case do not send such a signature either: the window clerk decides.
    """
    if case.kind != "immediate" or case.event("review") is not None:
        return case
    return only_stages(case, "accept", "undertake", "complete")
