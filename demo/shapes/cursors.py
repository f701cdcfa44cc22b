"""Systems that the hub reads by a cursor which looks back: what it reads a second time on day 2."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from demo.model import Department, Placed, UnitMark, Work
from demo.shapes.layout import department_folder
from demo.shapes.system import Delivery, System

LOOKBACK = timedelta(minutes=10)
"""As the source folders of these systems say it."""

_FEW = 2_000
_FILE = "tail.json"


@dataclass(slots=True)
class Tail:
    """The records that were written last, stream by stream."""

    seen: dict[str, list[tuple[datetime, str | None, str | None]]] = field(default_factory=dict)

    def note(self, delivery: Delivery) -> None:
        """Remember one record; what is too old is forgotten now and then."""
        entry = delivery.entry
        found = self.seen.setdefault(entry.stream, [])
        found.append((entry.at, entry.key, entry.case))
        if len(found) > _FEW:
            self.seen[entry.stream] = _last(found)

    def save(self, file: Path) -> None:
        """Write the tail down, for the writer of the next day."""
        last = {
            stream: [(at.isoformat(), key, case) for at, key, case in _last(found)]
            for stream, found in self.seen.items()
        }
        file.write_text(json.dumps(last, ensure_ascii=False), encoding="utf-8")

    def read_again(self, department: str, written: set[tuple[str, str | None]]) -> Iterator[Placed]:
        """Yield what day 2 reads again: the tail without what was written anew."""
        for stream, found in self.seen.items():
            for _, key, case in _last(found):
                if (stream, key) not in written:
                    yield Placed(department, stream, key, 2, "unchanged", case)


def load_tail(file: Path) -> Tail | None:
    """Read a tail; None where none was written."""
    if not file.is_file():
        return None
    content = json.loads(file.read_text(encoding="utf-8"))
    tail = Tail()
    for stream, found in content.items():
        tail.seen[stream] = [(datetime.fromisoformat(at), key, case) for at, key, case in found]
    return tail


def _last(found: list[tuple[datetime, str | None, str | None]]) -> list[tuple[datetime, str | None, str | None]]:
    newest = max(at for at, _, _ in found)
    return [one for one in found if one[0] >= newest - LOOKBACK]


class CursorSystem(System):
    """A system whose tables or pages the hub reads from a cursor on."""

    def write(
        self, department: Department, work: Work, home: Path, day: int, *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Write the day, and say on day 2 what the hub reads once more."""
        file = department_folder(home, department.code) / _FILE
        if day == 1:
            tail = Tail()
            for delivery in self._delivered(department, work, home, day, dry=dry):
                tail.note(delivery)
                yield self.placed(department, delivery, day)
            tail.save(file)
        else:
            written: set[tuple[str, str | None]] = set()
            for delivery in self._delivered(department, work, home, day, dry=dry):
                written.add((delivery.entry.stream, delivery.entry.key))
                yield self.placed(department, delivery, day)
            yield from (load_tail(file) or self._remembered(department, work)).read_again(department.code, written)
        plans = {plan.kind: plan for plan in work.plans(department.code, day)}
        yield from self.spoiled_units(department, work, home, day, plans, dry=dry)

    def _delivered(self, department: Department, work: Work, home: Path, day: int, *, dry: bool) -> Iterator[Delivery]:
        if dry:
            yield from self.deliveries(department, work, day)
            return
        with self.sink(department, work, home, day) as sink:
            for delivery in self.deliveries(department, work, day):
                sink.put(delivery.entry, self.stamped(delivery))
                yield delivery

    def _remembered(self, department: Department, work: Work) -> Tail:
        """Find the tail by going through day 1 once more."""
        tail = Tail()
        for delivery in self.deliveries(department, work, 1):
            tail.note(delivery)
        return tail
