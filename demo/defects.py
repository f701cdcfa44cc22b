"""Decides what goes wrong where: which case of which department plays which role, and which feeds are spoiled.

Everything is chosen by the seed, in number proportional to the size, each kind at least once where any shape can
carry it. A case plays at most one role; those that play one lie early enough in the year to be closed on day 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random

from demo import relying
from demo.habits import give
from demo.model import KINDS, Defect, Department, Item, Shape
from demo.people import dice
from demo.roles import Cast, Role

_ROLES = 7
_ONE_IN = 2_500
"""One case in so many carries a given kind of defect."""
_CHANGES_ONE_IN = 500
_DAY_TWO = frozenset({"silent_feed", "field_added", "field_removed"})


def cast(
    seed: int, cases: int, departments: Sequence[Department], shapes: Mapping[str, Shape], items: Sequence[Item] = ()
) -> Cast:
    """Give out all roles and plans."""
    sending = [department for department in departments if department.cases and department.shape in shapes]
    made = Cast(roles={department.code: {} for department in sending})
    _plan_units(seed, sending, shapes, made)
    made.habits = give(lambda place: dice(seed, _ROLES, 3000 + place), cases, sending, shapes, made.plans)
    free = {department.code: _early(seed, department) for department in sending}
    _give_defects(seed, cases, sending, shapes, free, made)
    for department in sending:
        if department.code not in made.silent:
            _give_changes(department, shapes[department.shape], free[department.code], made.roles[department.code])
    relying.give(items, sending, shapes, free, made)
    return made


def _early(seed: int, department: Department) -> list[int]:
    """Return the indices of cases that are surely closed on day 1, in random order."""
    found = list(range(int(department.cases * 0.03), int(department.cases * 0.85)))
    dice(seed, _ROLES, department.index).shuffle(found)
    return found


def _plan_units(seed: int, sending: Sequence[Department], shapes: Mapping[str, Shape], made: Cast) -> None:
    """Give each unit kind to one department, if possible to one that has no other plan; the silent one comes first."""
    kinds = [kind.code for kind in KINDS.values() if kind.level == "unit"]
    for place, kind in enumerate(sorted(kinds, key=lambda code: code != "silent_feed")):
        able = [one for one in sending if kind in shapes[one.shape].carries and one.code not in made.silent]
        if not able:
            continue
        random = dice(seed, _ROLES, 1000 + place)
        chosen = min(able, key=lambda one: (len(made.plans.get(one.code, ())), random.random()))
        day = 2 if kind in _DAY_TWO else 1
        made.plans.setdefault(chosen.code, []).append(Defect(kind, chosen.code, day, note=KINDS[kind].note))
        if kind == "silent_feed":
            made.silent = frozenset({chosen.code})


def _give_defects(
    seed: int,
    cases: int,
    sending: Sequence[Department],
    shapes: Mapping[str, Shape],
    free: Mapping[str, list[int]],
    made: Cast,
) -> None:
    able = {
        kind.code: [one for one in sending if _can(one, shapes[one.shape], kind.code, made.silent)]
        for kind in KINDS.values()
        if kind.level not in {"unit", "set"}
    }
    for place, kind in enumerate(sorted(able, key=lambda code: (len(able[code]), code))):
        chosen = able[kind]
        dice(seed, _ROLES, 2000 + place).shuffle(chosen)
        for department in _taken_in_turn(chosen, free, max(1, round(cases / _ONE_IN))):
            index = free[department.code].pop()
            defect = _defect(kind, department, shapes[department.shape])
            made.roles[department.code][index] = Role(kind, defect)


def _can(department: Department, shape: Shape, kind: str, silent: Iterable[str]) -> bool:
    if kind not in shape.carries or (kind == "approve_without_review" and not department.has_review):
        return False
    return not (KINDS[kind].level == "resend" and department.code in silent)


def _taken_in_turn(
    departments: Sequence[Department], free: Mapping[str, list[int]], count: int
) -> Iterable[Department]:
    """Yield departments one after the other, again and again, as long as they have a free case."""
    while count > 0:
        having = [department for department in departments if free[department.code]]
        if not having:
            return
        yield from having[:count]
        count -= len(having)


def _defect(kind: str, department: Department, shape: Shape) -> Defect:
    level = KINDS[kind].level
    target = ""
    if level == "record":
        target = "case" if shape.single or kind == "unknown_code_other" else "undertake"
    day = 2 if level == "resend" else 1
    return Defect(kind, department.code, day, None, target, KINDS[kind].note)  # type: ignore[arg-type]  # one of its words


def _give_changes(department: Department, shape: Shape, free: list[int], roles: dict[int, Role]) -> None:
    """Give out what happens on day 2 beside new cases: corrections, late records, deletions."""
    size = department.cases
    share = max(1, size // _CHANGES_ONE_IN)
    kinds = ["correct_event", "late_child", "correct_subject"] if not shape.single else []
    if shape.deletes is not None:
        kinds.append(f"delete_{shape.deletes}")
    if shape.parks and not shape.single:
        kinds.append("late_parent")
    for kind in kinds:
        for _ in range(share if size >= 10 else int(len(free) > 1)):
            if free:
                roles[free.pop()] = Role(kind)
    if shape.single and size >= 30:
        roles[size - 1], roles[size - 2] = Role("open_correct"), Role("late_open")


def chance(seed: int, department: Department, index: int) -> Random:
    """Return the random numbers with which the case of this index is bent to its role."""
    return dice(seed, _ROLES, department.index, index)
