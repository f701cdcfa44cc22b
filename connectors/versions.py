"""Versions of source.yml: an older one is read as what it meant when it was written. The schema knows them all.

| version | what changed |
|---|---|
| 1 | the first |
| 2 | `contract` speaks of new fields, missing fields and changed types, and `freeze` stops the stream |

In version 1 `contract` was one word on new fields, which `freeze` and `evolve` both flagged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.yamlmarks import Marked
from hub.contract import MODES, Contract

NEWEST = 2


def bring_up(marked: Marked, version: Any) -> None:
    """Turn the words of an older `version` into those of the newest, in place; one that is not known stays as it is."""
    for step, turn in _STEPS.items():
        if isinstance(version, int) and version <= step:
            turn(marked.data)


def _second(data: Any) -> None:
    """Version 2: one word on new fields becomes a contract on all three changes."""
    streams = data.get("streams") if isinstance(data, dict) else None
    for body in streams.values() if isinstance(streams, dict) else ():
        if isinstance(body, dict) and body.get("contract") in MODES:
            body["contract"] = Contract.read_first(body["contract"]).as_dict()


_STEPS: dict[int, Callable[[Any], None]] = {1: _second}
"""What turns a file of this version into one of the next, in order."""
