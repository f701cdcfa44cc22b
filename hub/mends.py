"""What the hub mended in a record, kept beside what the source said."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from hub import jsontext


@dataclass(frozen=True, slots=True)
class Replacement:
    """A value that a system is known to send wrong, and the one that is meant, as its source.yml declares it.

    `field` is a raw field by name or JSON pointer; both values are JSON scalars, compared as text, None where nothing
    is said. `since` and `until` are the first and the last day, of the source's clock, of the records that are put
    right: the day on which the department wrote them where the mapping reads that, else on which they were read.
    """

    field: str
    was: Any
    to: Any
    reason: str
    since: date | None = None
    until: date | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "field": self.field, "from": self.was, "to": self.to, "reason": self.reason,
            "since": self.since and self.since.isoformat(), "until": self.until and self.until.isoformat(),
        }  # fmt: skip

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Replacement:
        """Read what `as_dict` returned, or what a source.yml says."""
        days = [None if said.get(name) is None else date.fromisoformat(said[name]) for name in ("since", "until")]
        return cls(said["field"], said["from"], said["to"], said["reason"], *days)


@dataclass(frozen=True, slots=True)
class Step:
    """One correction: what the fields said before it, by JSON pointer, why they were changed, and the two who did it.

    Instants are ISO 8601 texts. The values may be personal: a step is only ever written locked.
    """

    was: Mapping[str, Any]
    reason: str
    proposed_by: str
    proposed_at: str
    approved_by: str
    approved_at: str


@dataclass(frozen=True, slots=True)
class Mend:
    """All corrections of one version of a record, oldest first, and the keyed hash of it as it was received.

    Under that hash the source's own record is known again: sent once more as it was, it changes nothing.
    """

    received: bytes
    steps: tuple[Step, ...] = field(default=())

    @property
    def original(self) -> dict[str, Any]:
        """Return what the source said in each field that was changed, by JSON pointer."""
        said: dict[str, Any] = {}
        for step in self.steps:
            said = {**step.was, **said}
        return said

    def with_step(self, step: Step) -> Mend:
        """Return this mend with one more correction."""
        return Mend(self.received, (*self.steps, step))

    def dumps(self) -> bytes:
        """Write it as one line of JSON."""
        steps = [asdict(step) for step in self.steps]
        return jsontext.dumps({"received": base64.b64encode(self.received).decode(), "steps": steps})

    @classmethod
    def loads(cls, text: bytes) -> Mend:
        """Read what `dumps` wrote."""
        said = jsontext.loads(text)
        return cls(base64.b64decode(said["received"]), tuple(Step(**step) for step in said["steps"]))


def taken(record: Any, path: tuple[str, ...]) -> Any:
    """Return what stands at a path of a record; None where it leads nowhere."""
    for part in path:
        if isinstance(record, dict):
            record = record.get(part)
        elif isinstance(record, list) and part.isdigit() and int(part) < len(record):
            record = record[int(part)]
        else:
            return None
    return record


def changed(record: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Return a copy of a record with another value at a path; objects on the way that are missing are made.

    Raises:
        ValueError: the path leads through something that is no object.
    """
    first, *rest = path
    if not rest:
        return {**record, first: value}
    inner = record.get(first)
    if isinstance(inner, list):
        place = int(rest[0]) if rest[0].isdigit() else -1
        if not 0 <= place < len(inner):
            raise ValueError(f"there is no place {rest[0]} in the list {first}")
        at = inner[place]
        other = value if len(rest) == 1 else changed(at if isinstance(at, dict) else {}, tuple(rest[1:]), value)
        return {**record, first: [*inner[:place], other, *inner[place + 1 :]]}
    if inner is not None and not isinstance(inner, dict):
        raise ValueError(f"{first} is no object")
    return {**record, first: changed(inner or {}, tuple(rest), value)}
