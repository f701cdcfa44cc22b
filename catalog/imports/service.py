"""Carries an import out: every accepted entry becomes a published version, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

import sqlalchemy as sa

from catalog import store
from catalog.errors import Cycle, ImportRefused
from catalog.imports.entries import Entry
from catalog.imports.plan import Plan, Planned, plan
from catalog.life import Change, Doer, Proposal, Status
from catalog.prerequisites import must_never_have_a_cycle
from hub.workdays import local_day

_CHANGE: dict[Status, Change] = {
    "in_force": "change", "suspended": "suspend", "abolished": "abolish", "devolved": "devolve",
}  # fmt: skip


def take_in(
    engine: sa.Engine, entries: Iterable[Entry], doer: Doer, *, reason: str, effective_on: date | None = None,
    skip_refused: bool = False, dry_run: bool = False,
) -> Plan:  # fmt: skip
    """Judge an import and, unless it is a dry run, publish what is new and what changed; return what was done.

    An import comes from a register that was reviewed elsewhere, so its versions are published at once, with a deed
    `import` that names who did it and why. An item that is cancelled on a later day gets a version for that day, too.

    Raises:
        ImportRefused: some entries are wrong, and they were not to be left out; nothing was written.
        Cycle: items would require each other; nothing was written.
    """
    with store.deed(engine) as connection:
        made = plan(connection, entries, effective_on=effective_on)
        if dry_run:
            return made
        if made.cycle:
            raise Cycle(made.cycle)
        if made.counts["refused"] and not skip_refused:
            raise ImportRefused(made.counts["refused"], len(made.lines))
        for one in made.lines:
            if one.fate in ("new", "changed"):
                _publish(connection, one, doer, reason)
        must_never_have_a_cycle(connection, local_day(datetime.now(UTC)))
        return made


def _publish(connection: sa.Connection, one: Planned, doer: Doer, reason: str) -> None:
    entry = one.entry
    item = store.standing(connection, entry.code)
    change: Change = "new" if item is None else _CHANGE[entry.status]
    said = Proposal(
        entry.code, change, reason, entry.content, entry.organ, entry.base_code, entry.region, entry.numbers
    )
    if item is None:
        item = store.enter(connection, said)
    store.add_numbers(connection, item.item_id, entry.numbers)
    _version(connection, said, entry.status, entry.effective_on, doer, item)
    if entry.cancelled_on is not None and entry.status in ("in_force", "suspended"):
        ends = Proposal(entry.code, "abolish", reason, entry.content)
        _version(connection, ends, "abolished", entry.cancelled_on, doer, store.known(connection, entry.code))


def _version(
    connection: sa.Connection, said: Proposal, status: Status, on: date | None, doer: Doer, item: store.Standing
) -> None:
    version = store.draft(connection, item, said, dict(said.content or {}), status, doer.actor)
    store.change(connection, version, state="published", effective_on=on, published_by=doer.actor)
    store.note(connection, version, doer, "import", said.reason)
