"""The case messages of the XML shape, asked for instead of sent: a SOAP service with an operation for each kind.

One department has it (source folder `hall-soap-service`). What it answers lies in the store of the department's folder;
the service itself is `demo.services.soap`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from demo.model import Case, Department, Placed, UnitMark, Work
from demo.shapes.case_xml import STREAMS, CaseXmlShape
from demo.shapes.layout import department_folder
from demo.shapes.record import Entry, Values
from demo.shapes.store import STORE, RecordStore
from demo.shapes.system import Deletes, Delivery, System

_MESSAGES = CaseXmlShape()


class SoapShape(System):
    """Messages of a service, kept where `demo.services.soap` finds them."""

    name = "soap"
    carries = CaseXmlShape.carries - {"truncated_file", "hostile_input"}
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
        if dry:
            for delivery in self.deliveries(department, work, day):
                yield self.placed(department, delivery, day)
            return
        with RecordStore(department_folder(home, department.code) / STORE, fresh=day == 1) as store:
            for delivery in self.deliveries(department, work, day):
                store.put(delivery.entry, self.stamped(delivery))
                yield self.placed(department, delivery, day)
