"""Walks folders that are listed over a wire: finds what a glob fits, listing no folder that it does not name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import translate
from typing import Literal, Protocol

from connectors.kinds.files.locations.place import has_signs, parts_of
from hub.errors import HostileInput

Kind = Literal["file", "folder", "link", "other"]
_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """What a listing says of one name; a file below a linked folder counts as a link: it may lead anywhere."""

    name: str
    kind: Kind
    size: int
    modified_ns: int | None


class Tree(Protocol):
    """Folders that can be listed. Paths are below the root, as the place spells them."""

    def entries(self, folder: str) -> Iterator[Entry]:
        """Yield what lies in a folder; nothing where there is none."""

    def entry(self, path: str) -> Entry:
        """Look at one path, not following a link.

        Raises:
            FileNotFoundError: nothing is there.
        """

    def leads_to_folder(self, path: str) -> bool:
        """Say whether a link leads to a folder."""

    def lie(self, got: str) -> HostileInput:
        """Return the error of a place that tells what no honest one does."""


def walk(tree: Tree, pattern: str) -> Iterator[tuple[str, Entry]]:
    """Yield the path and entry of each file, link and other thing that a glob fits; folders are left out."""
    yield from _walk(tree, "", parts_of(pattern), linked=False, depth=0)


def _walk(tree: Tree, folder: str, parts: list[str], *, linked: bool, depth: int) -> Iterator[tuple[str, Entry]]:
    if not parts:
        return
    if depth > _DEPTH:
        raise tree.lie(f"folders lie in each other deeper than {_DEPTH} times")
    if parts[0] == "**":
        yield from _walk(tree, folder, parts[1:], linked=linked, depth=depth)
        for entry in tree.entries(folder):
            if entry.kind == "folder":  # no link: it might lead back to where we are
                yield from _walk(tree, _join(folder, entry.name), parts, linked=linked, depth=depth + 1)
        return
    for entry in _fitting(tree, folder, parts[0]):
        path = _join(folder, entry.name)
        is_folder = entry.kind == "folder" or (entry.kind == "link" and tree.leads_to_folder(path))
        if len(parts) == 1 and not is_folder:
            yield path, replace(entry, kind="link") if linked else entry
        elif len(parts) > 1 and is_folder:
            below = linked or entry.kind == "link"
            yield from _walk(tree, path, parts[1:], linked=below, depth=depth + 1)


def _fitting(tree: Tree, folder: str, part: str) -> Iterator[Entry]:
    if has_signs(part):
        pattern = re.compile(translate(part))
        yield from (entry for entry in tree.entries(folder) if pattern.match(entry.name))
        return
    try:
        yield replace(tree.entry(_join(folder, part)), name=part)
    except FileNotFoundError:
        return


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
