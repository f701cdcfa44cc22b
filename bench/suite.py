"""The run: one server, one source, every contender once small and then as often as asked, in turns."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from bench import department, ready
from bench.contenders import all_contenders
from bench.contenders.base import CannotRun, Contender, Course, Size
from bench.contenders.hub import TARGET, make_template
from bench.measure import Measure
from bench.server import Server

EVENTS_A_CASE = 5
WARM_UP = Size(400, 400 * EVENTS_A_CASE)
NEEDS_HUB = frozenset({"again", "merge", "copy", "flat"})
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for."""

    size: Size
    runs: int
    slice_size: int
    flat: Size | None
    only: Collection[str]
    cache: Path
    warm_up: bool = True

    def wants(self, name: str) -> bool:
        """Say whether a contender is to be measured, for itself or for one that stands on it."""
        return not self.only or name in self.only or (name == "hub" and bool(NEEDS_HUB & set(self.only)))


@dataclass(slots=True)
class Results:
    """What came out: the runs of each contender in order, and why others were not measured."""

    plan: Plan
    settings: dict[str, str] = field(default_factory=dict)
    load_before: float = 0.0
    titles: dict[str, str] = field(default_factory=dict)
    measures: dict[str, list[Measure]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    flat: Measure | None = None


def run(plan: Plan, folder: Path, say: Say) -> Results:
    """Run the plan in a folder that the caller removes; the server is stopped whatever happens."""
    results = Results(plan, load_before=os.getloadavg()[0])
    server = Server(folder)
    server.start()
    try:
        results.settings = server.settings()
        course = Course(server, folder, plan.cache, plan.slice_size)
        make_template(course)
        contenders = _prepared(plan, course, results, say)
        if plan.warm_up:
            _turn(course, WARM_UP, contenders, None, say, f"warm-up ({WARM_UP.cases} cases)")
        for number in range(plan.runs):
            _turn(course, plan.size, contenders, results, say, f"run {number + 1} of {plan.runs}")
        if plan.flat is not None and plan.wants("flat"):
            results.flat = _flat(course, plan.flat, contenders[0], say)
    finally:
        server.stop()
    return results


def _prepared(plan: Plan, course: Course, results: Results, say: Say) -> list[Contender]:
    chosen = []
    for contender in all_contenders():
        if not plan.wants(contender.name):
            continue
        results.titles[contender.name] = contender.title
        try:
            contender.prepare(course)
            chosen.append(contender)
        except CannotRun as trouble:
            results.missing[contender.name] = str(trouble)
            say(f"{contender.name}: not measured: {trouble}")
    return chosen


def _turn(
    course: Course, size: Size, contenders: list[Contender], results: Results | None, say: Say, title: str
) -> None:
    """Let each contender run once on a source of this size; the figures are kept where there are results to keep."""
    _fill(course, size, say)
    for contender in contenders:
        if contender.name in ("merge", "copy") and course.ready is None:
            course.ready = ready.dump(course.server, TARGET, course.folder / "ready")
        measure = contender.run(course)
        say(f"{title}: {contender.name}: {measure.seconds:.1f} s, {measure.rate:,.0f} records/s")
        if results is not None:
            results.measures.setdefault(contender.name, []).append(measure)
        if contender.name not in ("hub", "again"):
            contender.close(course)
    for contender in contenders:
        contender.close(course)


def _fill(course: Course, size: Size, say: Say) -> None:
    """Make the source, unless it stands in this size; ready rows of another size go."""
    if course.source and course.size == size:
        return
    if course.source:
        course.server.drop(course.source)
    say(f"filling the department: {size.cases:,} cases, {size.events:,} stage events")
    course.source = course.server.create("bench_source")
    course.size = size
    department.fill(
        course.server.url(course.source, driver="psycopg2"), cases=size.cases, events=size.events // size.cases
    )
    course.ready = None
    shutil.rmtree(course.folder / "ready", ignore_errors=True)


def _flat(course: Course, size: Size, hub: Contender, say: Say) -> Measure:
    _fill(course, size, say)
    measure = hub.run(course)
    say(f"flatness ({size.records:,} records): {measure.seconds:.1f} s, {measure.rate:,.0f} records/s")
    hub.close(course)
    return measure
