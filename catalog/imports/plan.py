"""What an import would do, entry by entry: new, changed (with the fields), unchanged or refused (with every reason)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

import sqlalchemy as sa

from catalog import content as contents
from catalog import store
from catalog.errors import Cycle, Fault
from catalog.imports.entries import Entry
from catalog.prerequisites import graph, must_have_no_cycle
from catalog.store import Standing

Fate = Literal["new", "changed", "unchanged", "refused"]


@dataclass(frozen=True, slots=True)
class Planned:
    """One entry and what becomes of it; `changes` names the fields that differ from what stands.

    An entry that lacks what a version must say before review is taken in all the same: `missing` names what it lacks.
    """

    entry: Entry
    fate: Fate
    changes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    stands: Mapping[str, Any] = field(default_factory=dict)

    @property
    def diff(self) -> list[dict[str, Any]]:
        """Return each field that differs: what stands, and what the entry says."""
        said = {**self.entry.content, "status": self.entry.status, "numbers": dict(self.entry.numbers)}
        if self.entry.cancelled_on is not None:
            said["cancelled_on"] = self.entry.cancelled_on.isoformat()
        return [{"field": one, "before": self.stands.get(one), "after": said.get(one)} for one in self.changes]

    @property
    def missing(self) -> tuple[str, ...]:
        """Name what the entry lacks to be complete."""
        return contents.missing(self.entry.content)

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "place": self.entry.place, "code": self.entry.code, "name": self.entry.content.get("name"),
            "fate": self.fate, "changes": list(self.changes), "diff": self.diff, "missing": list(self.missing),
            "faults": [{"pointer": one.pointer, "rule": one.rule, "said": one.said} for one in self.faults],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do; a cycle of prerequisites refuses it whole."""

    lines: tuple[Planned, ...]
    cycle: tuple[str, ...] = ()
    bases: Mapping[str, str] = field(default_factory=dict)
    """What becomes of the base items that it names, by their code."""

    @property
    def counts(self) -> Counter[str]:
        """Count the entries by what becomes of them."""
        return Counter(one.fate for one in self.lines)


def plan(connection: sa.Connection, entries: Iterable[Entry], *, effective_on: date | None = None) -> Plan:
    """Judge all entries of an import against each other and against the catalogue; nothing is written.

    `effective_on` is the day for entries that name none; without it they are refused, for no day is guessed.
    """
    standing, central = store.all_standing(connection), store.all_central(connection)
    seen: dict[str, str] = {}
    before: dict[str, Standing | Entry] = dict(standing)
    lines = []
    for entry in entries:
        dated = entry if entry.effective_on else replace(entry, effective_on=effective_on)
        one = _judged(dated, before, central, seen)
        lines.append(one)
        if one.fate != "refused":
            before |= dict.fromkeys((dated.code, *dated.numbers.values()), dated)
    return Plan(tuple(lines), _cycle(connection, lines))


def _judged(
    entry: Entry, before: Mapping[str, Standing | Entry], central: Mapping[str, Any], seen: dict[str, str]
) -> Planned:
    known = before.get(entry.code)
    base = entry.base_code or store.base_of(entry.code)
    faults = [
        *entry.faults,
        *store.number_faults(entry.code, entry.organ, entry.base_code),
        *_numbers_taken(entry, known, before, seen),
        *contents.faults(entry.code, entry.content, central=central.get(base or "")),
    ]
    if known is not None and known.organ != entry.organ:
        told = f"the item is of {known.organ}; where another organ takes over, end it and begin anew"
        faults.append(Fault("/organ", "organ_differs", told))
    if _ended_so(entry, known) and not faults:
        return Planned(entry, "unchanged")
    if entry.effective_on is None:
        faults.append(Fault("/effective_on", "day_missing", "no day on which it takes effect, and none was given"))
    elif known is not None and known.effective_on is not None and entry.effective_on < known.effective_on:
        faults.append(Fault("/effective_on", "day_before", f"what stands took effect on {known.effective_on}"))
    if faults:
        return Planned(entry, "refused", faults=tuple(dict.fromkeys(faults)))
    if known is None:
        return Planned(entry, "new")
    changes = _changes(entry, known, before)
    stands = {**(known.content or {}), "status": known.status}
    return Planned(entry, "changed" if changes else "unchanged", changes, stands=stands)


def _ended_so(entry: Entry, known: Standing | Entry | None) -> bool:
    """Say whether what stands is the very end of which an entry tells: it was taken in before."""
    if known is None or entry.cancelled_on is None or entry.status not in ("in_force", "suspended"):
        return False
    ended = (known.status, known.effective_on, dict(known.content or {}))
    return ended == ("abolished", entry.cancelled_on, dict(entry.content))


def _numbers_taken(
    entry: Entry, known: Standing | Entry | None, before: Mapping[str, Standing | Entry], seen: dict[str, str]
) -> Iterable[Fault]:
    """Yield the numbers that stand for another item, in the catalogue or in this import."""
    for number in (entry.code, *entry.numbers.values()):
        holder = seen.setdefault(number, entry.code)
        other = before.get(number)
        if other is not None and other.code != entry.code:
            holder = other.code
        if holder != entry.code:
            yield Fault("/numbers", "number_taken", f"{number!r} stands for item {holder!r}")
    if known is not None and isinstance(known, Standing) and known.under_way is not None:
        yield Fault("/code", "under_way", f"version {known.under_way} is under way: publish or withdraw it first")


def _changes(entry: Entry, known: Standing | Entry, before: Mapping[str, Standing | Entry]) -> tuple[str, ...]:
    content = known.content or {}
    names = sorted(name for name in {*content, *entry.content} if content.get(name) != entry.content.get(name))
    status = ("status",) if known.status != entry.status else ()
    cancelled = ("cancelled_on",) if entry.cancelled_on and known.status == "in_force" else ()
    numbers = ("numbers",) if any(number not in before for number in entry.numbers.values()) else ()
    return (*names, *status, *cancelled, *numbers)


def _cycle(connection: sa.Connection, lines: Iterable[Planned]) -> tuple[str, ...]:
    """Return the cycle of prerequisites that the accepted entries would make; empty where they make none."""
    newest = {code: (code, base, content) for code, base, content in store.newest(connection)}
    for one in lines:
        if one.fate in ("new", "changed") and one.entry.status in ("in_force", "suspended"):
            base = one.entry.base_code or store.base_of(one.entry.code)
            newest[one.entry.code] = (one.entry.code, base, dict(one.entry.content))
    try:
        must_have_no_cycle(graph(newest.values()))
    except Cycle as found:
        return found.codes
    return ()
