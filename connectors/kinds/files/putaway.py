"""Puts files away once what was read of them is committed: moved, marked as taken, or deleted.

Only a file that lies there exactly as the committed state says is touched. One that changed since stays and is read at
the next pull, one that was never read stays. A refused file is moved where `refused_into` says so, and stays otherwise.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable

from connectors.envelopes.document import ENVELOPE
from connectors.kinds.files.folder import DONE, TAKEN, Folder
from connectors.source import StreamSpec
from hub.errors import StopSource
from hub.records import Record

Dealt = Callable[[str, Record], bool]
"""Says whether the other streams that read this file are through with it too, given its entry."""
_MOST_NAMES = 10_000


def is_wanted(stream: StreamSpec) -> bool:
    """Say whether a stream's files are put away at all."""
    options = stream.options
    return options.get("afterwards", "leave") != "leave" or "refused_into" in options


def put_away(folder: Folder, state: Record, others: Dealt) -> None:
    """Put away the files that a committed state says were dealt with.

    Raises:
        SourceTrouble: the place does not let it, or broke off; the next pull begins with the rest.
    """
    files = state.get("files", {})
    names = folder.names()
    marks = _marks(folder)
    for name in names:
        entry = files.get(name)
        marked = f"{name}{TAKEN}" in marks
        if entry is None and not marked:
            continue
        try:
            _one(folder, name, entry, marked=marked, others=others)
        except FileNotFoundError:  # its department took it away in this moment
            continue


def _marks(folder: Folder) -> set[str]:
    if folder.stream.options.get("afterwards") != "mark":
        return set()
    return set(folder.place.names(f"{folder.pattern}{TAKEN}"))


def _one(folder: Folder, name: str, entry: Record | None, *, marked: bool, others: Dealt) -> None:
    dealt = entry is not None and _is_dealt(folder, name, entry) and others(name, entry)
    if entry is not None and dealt and entry.get("is") == "refused":
        if "refused_into" in folder.stream.options:
            _move(folder, name, str(folder.stream.options["refused_into"]), entry)
        return
    way = folder.stream.options.get("afterwards", "leave")
    if way == "mark" and marked != dealt:
        _mark(folder, name, taken=dealt)
    elif way == "move" and entry is not None and dealt:
        _move(folder, name, str(folder.stream.options.get("into", DONE)), entry)
    elif way == "delete" and dealt:
        _without_sign(folder, name)
        if folder.stream.envelope is not None:
            with contextlib.suppress(FileNotFoundError):
                folder.place.delete(f"{name}{ENVELOPE}")
        folder.place.delete(name)


def _is_dealt(folder: Folder, name: str, entry: Record) -> bool:
    """Say whether a file is, right now, the one that was dealt with."""
    folder.place.forget(name)
    found = folder.look(name, entry)
    return found is not None and folder.same(found, entry) is not None


def _mark(folder: Folder, name: str, *, taken: bool) -> None:
    """Set the mark of a file that was taken; take it off one that changed since, lest its department remove that."""
    if taken:
        folder.place.touch(f"{name}{TAKEN}")
    else:
        folder.place.delete(f"{name}{TAKEN}")


def _move(folder: Folder, name: str, into: str, entry: Record) -> None:
    """Move a file, what vouches for it first: neither its sign nor its envelope may speak for the next one."""
    _without_sign(folder, name)
    if folder.stream.envelope is not None:
        with contextlib.suppress(FileNotFoundError):
            _shift(folder, f"{name}{ENVELOPE}", into, entry)
    _shift(folder, name, into, entry)


def _shift(folder: Folder, name: str, into: str, entry: Record) -> None:
    """Give a file its new place; where its name is taken by an earlier one, its time is put behind it."""
    base = f"{into}/{name}"
    stamp = re.sub(r"[^0-9T]", "", str(entry.get("mtime", "")).partition("+")[0])
    for number in range(_MOST_NAMES):
        target = base if number == 0 else f"{base}.{stamp or 'again'}" + (f".{number}" if number > 1 else "")
        try:
            folder.place.move(name, target)
        except FileExistsError:
            continue
        return
    raise StopSource(
        source=folder.source, stream=folder.stream.name, got=f"{into!r} is full of files of one name",
        hint="Clear the folder of files that were read long ago.",
    )  # fmt: skip


def _without_sign(folder: Folder, name: str) -> None:
    """Take away the department's sign that a file is whole, before the file: it must not vouch for the next one."""
    if "done" not in folder.stream.options:
        return
    try:
        folder.place.delete(f"{name}{folder.stream.options['done']}")
    except FileNotFoundError:
        return
