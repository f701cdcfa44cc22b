"""Searches everything that a hub wrote for the personal values that the demonstration put in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from ahocorasick_rs import BytesAhoCorasick

ALL_KINDS = {"name", "number", "phone", "address"}


def injected(home: Path) -> dict[str, str]:
    """Return every personal value that was put in, with its kind."""
    lines = (home / "demo" / "truth-personal.jsonl").read_text(encoding="utf-8").splitlines()
    values = {one["value"]: one["kind"] for one in map(json.loads, lines)}
    assert set(values.values()) >= ALL_KINDS, "nothing of some kind was put in: the search would prove nothing"
    return values


def files_below(home: Path, *folders: str) -> list[tuple[str, bytes]]:
    """Read every file of these folders, by its name below the home."""
    found = [file for folder in folders for file in sorted((home / folder).rglob("*"))]
    return [
        (str(file.relative_to(home)), file.read_bytes()) for file in found if file.is_file() and not file.is_symlink()
    ]


def leaks(values: dict[str, str], places: Iterable[tuple[str, bytes]]) -> set[tuple[str, str]]:
    """Return where a value stands in the clear, with its kind; also as JSON writes characters beyond ASCII."""
    spelled = {value.encode(): kind for value, kind in values.items()}
    spelled |= {json.dumps(value)[1:-1].encode(): kind for value, kind in values.items()}
    sought = list(spelled)
    search = BytesAhoCorasick(sought)
    return {
        (name, spelled[sought[hit[0]]])
        for name, content in places
        for hit in search.find_matches_as_indexes(content, overlapping=True)
    }
