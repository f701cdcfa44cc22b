"""The case messages of the XML shape, asked for instead of sent: a SOAP service with an operation for each kind.

One department has it (source folder `hall-soap-service`). What it answers lies in the store of the department's folder;
the service itself is `demo.services.soap`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from demo.model import Case, Department, Placed, UnitMark, Work
from demo.shapes.case_xml import STREAMS, CaseXmlShape
from demo.shapes.layout import department_folder
from demo.shapes.record import Entry, Values
from demo.shapes.store import STORE, RecordStore
from demo.shapes.system import Deletes, Delivery, System

_MESSAGES = CaseXmlShape()
HALF = "half"
"""Marks a record in the store of which the service sends no more than stands there: its row broke off on the way."""


class SoapShape(System):
    """Messages of a service, kept where `demo.services.soap` finds them."""

    name = "soap"
    carries = (CaseXmlShape.carries - {"truncated_file", "hostile_input"}) | {"half_record"}
    deletes: Deletes = "case"
    streams = STREAMS

    def seen(self, case: Case) -> Case | None:
        """Return the case without what has no message."""
        return _MESSAGES.seen(case)

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the messages of a case."""
        return _MESSAGES.entries(department, case)

    def stamped(self, delivery: Delivery) -> Values:
        """Add version, operation and time."""
        return _MESSAGES.stamped(delivery)

    def write(
        self, department: Department, work: Work, home: Path, day: int, *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Write the day's messages into the store, and yield each with its expectation."""
        halves = any(plan.kind == "half_record" for plan in work.plans(department.code, day))
        last: Delivery | None = None
        with nullcontext() if dry else self._store(department, home, day) as store:
            for delivery in self.deliveries(department, work, day):
                if store is not None:
                    store.put(delivery.entry, self.stamped(delivery))
                last = delivery if delivery.entry.stream == "Process" and not delivery.rules else last
                yield self.placed(department, delivery, day)
            if halves and last is not None:
                half = replace(last.entry, key=f"{last.entry.key}H")
                if store is not None:
                    store.put(half, {HALF: True, **half.values, "Unid": half.key})
                yield Placed(
                    department.code, half.stream, half.key, day, "quarantined", half.case,
                    rules=("unreadable_version",), defect="half_record",
                )  # fmt: skip

    def _store(self, department: Department, home: Path, day: int) -> RecordStore:
        return RecordStore(department_folder(home, department.code) / STORE, fresh=day == 1)
