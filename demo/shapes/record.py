"""One record as a department's system holds it, before it is written in the system's own style."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from demo.model import Party

Operation = Literal["I", "U", "D"]
Values = dict[str, Any]

_OF_PHONE = "phone_invalid"
_OF_NAME = "placeholder_value"


@dataclass(frozen=True, slots=True)
class Stream:
    """What a shape must know of one of its streams.

    `key` are the fields that the mapping names as the key (none where it is a fingerprint), `order` the field of the
    version. The others name a field that a defect may spoil: `decides` holds a code that decides what the record
    means, `other` one that does not, `text` a text and its longest length, `moment` a time that is neither key nor
    version, `required` a field that the schema wants filled. `hangs` says that the hub parks the record while its
    case is missing.
    """

    name: str
    fields: tuple[str, ...]
    key: tuple[str, ...]
    case: str | None = None
    order: str | None = None
    hangs: bool = True
    decides: str | None = None
    other: str | None = None
    text: tuple[str, int] | None = None
    moment: str | None = None
    required: str | None = None


@dataclass(slots=True)
class Entry:
    """One record: its stream, what it says, and the version and time with which it was last written.

    `role` names what it holds (`case`, a stage, `decision`, `certificate`, `material`, …); `key` is the hub's source
    key. `values` are the fields without version, time and operation, so that two states can be compared.
    """

    stream: str
    role: str
    key: str | None
    case: str | None
    values: Values
    version: int
    at: datetime
    faults: tuple[str, ...] = ()
    ident: str = ""
    """Tells the records of a stream apart where the hub's key is a fingerprint; else the key does."""
    hangs: bool = True
    """False where this record, other than most of its stream, says nothing that needs its case."""

    @property
    def place(self) -> tuple[str, str | None]:
        """Tell the record from all others of its department."""
        return self.stream, self.ident or self.key


def key_of(stream: Stream, values: Values) -> str | None:
    """Write the key as the hub does: one field as it is, several joined by `|`."""
    parts = [values.get(name) for name in stream.key]
    if not parts or any(part is None for part in parts):
        return None
    if len(parts) == 1:
        return str(parts[0])
    return "|".join(str(part).replace("\\", "\\\\").replace("|", "\\|") for part in parts)


def party_faults(party: Party | None, *, name: bool = True, number: bool = True, phone: bool = True) -> tuple[str, ...]:
    """Return those faults of a party that stand in the fields which the record carries."""
    if party is None or not party.faults:
        return ()
    return tuple(
        fault for fault in party.faults if (phone if fault == _OF_PHONE else name if fault == _OF_NAME else number)
    )


def joined(*faults: Iterable[str]) -> tuple[str, ...]:
    """Put faults together, each once, in order."""
    return tuple(dict.fromkeys(fault for group in faults for fault in group))
