"""Judges `look_up` of a stream: by which field its system may be asked for one record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from connectors.corrections import declared_fields

KINDS: Final = ("database", "own")
"""The kinds that can be asked for one record; a source's own connector where it is a `connectors.seam.LooksUp`."""
_OF_CREDENTIALS: Final = frozenset({"credential", "credential_number"})


def look_up_faults(
    said: dict[str, Any], kind: str, mapping: Path, mapped: dict[str, Any]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is wrong with a stream's `look_up` that its schema cannot say, each with its place.

    `mapping` is the mapping's file, `mapped` what it says of the stream.
    """
    if not said:
        return
    if kind not in KINDS:
        yield (), f"kind {kind} cannot be asked for one record (can: {', '.join(KINDS)})"
    tables = {one.get("table") for one in mapped.get("yields") or () if isinstance(one, dict)}
    if not tables & _OF_CREDENTIALS:
        yield (), f"{mapping} makes no credential of this stream, so that there is nothing to ask for"
    if isinstance(mapped.get("key"), dict):
        yield (
            (),
            "its records are told apart by fingerprints, which are counted within a pull: one alone cannot be told",
        )
    declared = declared_fields(mapping, mapped)
    for name, field in said.items():
        if declared is not None and field not in declared:
            yield (name,), f"stream has no field {field!r} (known: {', '.join(declared)})"
