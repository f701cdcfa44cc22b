"""Carries an import out: every accepted entry becomes a published version, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from catalog import base_items, store
from catalog.errors import Cycle, ImportRefused
from catalog.imports.entries import Entry
from catalog.imports.plan import Plan, plan
from catalog.life import Change, Doer, Status
from catalog.prerequisites import must_never_have_a_cycle
from hub.workdays import local_day

_CHANGE: dict[Status, Change] = {
    "in_force": "change", "suspended": "suspend", "abolished": "abolish", "devolved": "devolve",
}  # fmt: skip


def take_in(
    engine: sa.Engine, entries: Iterable[Entry], doer: Doer, *, reason: str, effective_on: date | None = None,
    skip_refused: bool = False, dry_run: bool = False, bases: Mapping[str, Mapping[str, Any]] | None = None,
) -> Plan:  # fmt: skip
    """Judge an import and, unless it is a dry run, publish what is new and what changed; return what was done.

    An import comes from a register that was reviewed elsewhere, so its versions are published at once, with a deed
    `import` that names who did it and why. An item that is cancelled on a later day gets a version for that day, too.
    What the import says of base items is fixed before its items are judged by it.

    Raises:
        ContentRefused: what it says of a base item is wrong; nothing was written.
        ImportRefused: some entries are wrong, and they were not to be left out; nothing was written.
        Cycle: items would require each other; nothing was written.
    """
    with store.deed(engine) as connection:
        tried = connection.begin_nested()
        fates = base_items.take_in(connection, bases or {}, doer, reason=reason or "dry run")
        made = replace(plan(connection, entries, effective_on=effective_on), bases=fates)
        if dry_run:
            tried.rollback()
            return made
        tried.commit()
        if made.cycle:
            raise Cycle(made.cycle)
        if made.counts["refused"] and not skip_refused:
            raise ImportRefused(made.counts["refused"], len(made.lines))
        _publish(connection, [one.entry for one in made.lines if one.fate in ("new", "changed")], doer, reason)
        must_never_have_a_cycle(connection, local_day(datetime.now(UTC)))
        return made


def _publish(connection: sa.Connection, entries: Sequence[Entry], doer: Doer, reason: str) -> None:
    """Write the versions of accepted entries, in their order, a few statements for all of them."""
    standing = store.all_standing(connection)
    known = {one.code: (one.item_id, one.latest, one.status) for one in standing.values()}
    fresh = {one.code: one for one in reversed(entries) if one.code not in known}
    for code, item_id in store.enter_all(connection, list(fresh.values())):
        known[code] = (item_id, 0, None)
    numbers = [(known[one.code][0], scheme, number) for one in entries for scheme, number in one.numbers.items()]
    store.add_numbers(connection, numbers)
    versions: list[dict[str, Any]] = []
    for entry in entries:
        for status, on in _steps(entry):
            item_id, latest, before = known[entry.code]
            known[entry.code] = (item_id, latest + 1, status)
            versions.append({
                "item_id": item_id, "version": latest + 1, "state": "published", "status": status,
                "change": _change(before, status), "reason": reason, "content": dict(entry.content),
                "effective_on": on, "drafted_by": doer.actor, "published_by": doer.actor,
            })  # fmt: skip
    store.publish_all(connection, versions, doer, reason)


def _steps(entry: Entry) -> Iterator[tuple[Status, date | None]]:
    """Yield what an entry says of its item from which day on: an item that is cancelled later ends on that day."""
    yield entry.status, entry.effective_on
    if entry.cancelled_on is not None and entry.status in ("in_force", "suspended"):
        yield "abolished", entry.cancelled_on


def _change(before: Status | None, status: Status) -> Change:
    """Return what a version is proposed for, by what stood before."""
    if before is None:
        return "new"
    if status == "in_force" and before != "in_force":
        return "restore"
    return _CHANGE[status]
