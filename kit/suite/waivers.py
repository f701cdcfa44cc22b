"""Waivers: `suite.yml` in a source folder names the checks that are not run, each with a written reason."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connectors.yamlmarks import read_marked
from hub.errors import Fault

FILE = "suite.yml"
_SENTENCE = 20
"""A reason is at least so wide: a Chinese character counts twice."""


@dataclass(slots=True)
class Waivers:
    """The reasons by check, and what is wrong with the file."""

    reasons: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read_waivers(folder: Path, known: Collection[str]) -> Waivers:
    """Read the waivers of a source folder; an unknown check and a waiver without a reason are faults."""
    out, file = Waivers(), folder / FILE
    if not file.is_file():
        return out
    marked = read_marked(file)
    out.faults += marked.faults
    said = marked.data if isinstance(marked.data, Mapping) else {}
    if marked.data is not None and not isinstance(marked.data, Mapping):
        marked.fault((), "is a mapping from the name of a check to the reason why it is waived")
        out.faults += marked.faults[-1:]
    for name, reason in said.items():
        place = marked.place((name,))
        if name not in known:
            out.faults.append(Fault(*place, f"there is no check {name!r} (known: {', '.join(known)})"))
        elif not isinstance(reason, str) or _width(reason) < _SENTENCE:
            out.faults.append(Fault(*place, f"the waiver of {name} needs a written reason: at least a sentence"))
        else:
            out.reasons[name] = " ".join(reason.split())
    return out


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text.strip())
