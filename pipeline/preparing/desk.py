"""What the slices of a stream are prepared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.documents import Documents
from hub.protect import Protector
from normalization.apply import Context, Occurrences
from normalization.mapping import StreamMapping
from validation.structure import StructureJudge


@dataclass(slots=True)
class Desk:
    """Everything that one stream's slices are prepared with, made once a pull."""

    mapping: StreamMapping
    judge: StructureJudge
    documents: Documents
    protector: Protector
    context: Context
    seen: Occurrences
    lock: Callable[[bytes], bytes]
    """Locks the payload of a record that waits, under the data key of its source and month."""
    shown: frozenset[str] = frozenset()
    """The top-level fields whose raw values findings may show: those that go to columns of no person."""
