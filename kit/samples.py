"""Reads the example messages of a source: samples/valid and samples/invalid, in its folder or beside its mapping.

A line (or a file of one object, or of an array) is `{"stream": S, "record": {…}, "raises": [rule, …], "excluded": true,
"invented": true}`; a bare record belongs to the stream that its file is named after. The rules that NAME.json must
raise may also stand beside it, as `["rule", …]` in NAME.raises.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.source import Source
from hub.errors import Fault
from hub.findings import RULES
from hub.records import Record

_ENVELOPE = frozenset({"stream", "record", "raises", "excluded", "invented", "note"})
_BESIDE = ".raises.json"


@dataclass(frozen=True, slots=True)
class Sample:
    """One example message, and what it claims."""

    file: Path
    line: int
    stream: str
    record: Record
    valid: bool
    raises: tuple[str, ...] = ()
    invented: bool = False

    @property
    def place(self) -> str:
        """Say where it stands."""
        return f"{self.file.parent.parent.parent.name}/samples/{self.file.parent.name}/{self.file.name}:{self.line}"


@dataclass(slots=True)
class Samples:
    """All examples of a source; what cannot be read of them stands in `faults`."""

    folder: Path | None = None
    found: list[Sample] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def of(self, stream: str, *, valid: bool) -> list[Sample]:
        """Return the examples of a stream."""
        return [one for one in self.found if one.stream == stream and one.valid is valid]


def read_samples(source: Source) -> Samples:
    """Read the source's own examples, else those that lie beside its mapping (a profile brings some)."""
    places = [source.folder / "samples", source.mapping.parent / "samples"]
    folder = next((place for place in places if place.is_dir()), None)
    out = Samples(folder)
    if folder is not None:
        for kind in ("valid", "invalid"):
            for file in sorted([*(folder / kind).glob("*.json"), *(folder / kind).glob("*.jsonl")]):
                if not file.name.endswith(_BESIDE):
                    out.found += _of_file(file, source, out.faults, valid=kind == "valid")
    return out


def _of_file(file: Path, source: Source, faults: list[Fault], *, valid: bool) -> Iterator[Sample]:
    beside = file.with_name(file.name.rpartition(".")[0] + _BESIDE)
    told = _beside(beside, faults) if beside.is_file() else ()
    for line, said in _messages(file, faults):
        if not isinstance(said, dict):
            faults.append(Fault(str(file), line, "is no JSON object"))
            continue
        body = said if isinstance(said.get("record"), dict) and set(said) <= _ENVELOPE else {"record": said}
        stream = str(body.get("stream") or _named(file, source))
        raises = tuple(body.get("raises", told))
        unknown = [rule for rule in raises if rule not in RULES]
        if stream not in source.streams:
            if (
                body.get("stream") is None or source.profile is None
            ):  # a profile brings streams that a source leaves out
                known = ", ".join(source.streams)
                faults.append(
                    Fault(str(file), line, f"belongs to no stream of this source ({stream!r}; known: {known})")
                )
            continue
        if unknown:
            faults.append(Fault(str(file), line, f"names rules that there are not: {', '.join(unknown)}"))
        if not valid and not raises:
            faults.append(
                Fault(str(file), line, f"does not say which rules it raises: write `raises`, or {beside.name}")
            )
        yield Sample(file, line, stream, body["record"], valid, raises, bool(body.get("invented", False)))


def _named(file: Path, source: Source) -> str:
    stem = file.name.partition(".")[0]
    return next((one for one in source.streams if stem == one or stem.startswith((f"{one}-", f"{one}_"))), stem)


def _messages(file: Path, faults: list[Fault]) -> Iterator[tuple[int, Any]]:
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".jsonl":
            for number, line in enumerate(text.splitlines(), 1):
                if line.strip():
                    yield number, json.loads(line)
            return
        document = json.loads(text)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        faults.append(Fault(str(file), 1, f"cannot be read as JSON: {type(error).__name__}"))
        return
    yield from enumerate(document, 1) if isinstance(document, list) else [(1, document)]


def _beside(file: Path, faults: list[Fault]) -> tuple[str, ...]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError):
        said = None
    if not isinstance(said, list) or not all(isinstance(rule, str) for rule in said):
        faults.append(Fault(str(file), 1, 'must be a JSON array of rules, such as ["schema_violation"]'))
        return ()
    return tuple(said)
