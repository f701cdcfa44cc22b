"""The records of the REST shape, told by the department itself instead of asked for; each is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator

from demo.model import Case, Department
from demo.shapes.record import Entry, Values
from demo.shapes.rest import STREAMS, RestShape
from demo.shapes.system import Deletes, Delivery, System

_RECORDS = RestShape()


class ToldShape(System):
    """What the shapes that tell have in common; how a record leaves the department is theirs."""

    carries = RestShape.carries - {"field_added"}
    deletes: Deletes = "case"
    streams = STREAMS
    answered = True

    def seen(self, case: Case) -> Case | None:
        """Return the case without what is not told."""
        return _RECORDS.seen(case)

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the records of a case."""
        return _RECORDS.entries(department, case)

    def stamped(self, delivery: Delivery) -> Values:
        """Build the JSON object, with revision, time and mark of deletion."""
        return _RECORDS.stamped(delivery)

    def written(self, delivery: Delivery) -> str:
        """Write the JSON object as it is sent."""
        return json.dumps(self.stamped(delivery), ensure_ascii=False, separators=(",", ":"))
