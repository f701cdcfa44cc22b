"""Judges the options of an exchange table, where a schema cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str, ...]


def option_faults(options: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield each fault of a stream's options with its place below them."""
    if options.get("write") is False:
        if "batches" in options:
            yield ("batches",), "batches are reconciled where rows are claimed; with write false they are not"
        return
    flag = options.get("flag")
    if not isinstance(flag, Mapping):
        yield (), "option 'flag' is missing: the flag column and its values; or write: false where it may only be read"
        return
    yield from _values(flag)
    yield from _columns(options)
    if "page_rows" in options:
        yield ("page_rows",), "rows are claimed slice by slice; pages are for write: false"


def _values(flag: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    taken: dict[str, str] = {}
    waiting = flag.get("waiting")
    stated = [("waiting", value) for value in (waiting if isinstance(waiting, list) else ())]
    for name, value in (*stated, *((name, flag.get(name)) for name in ("claimed", "done", "failed"))):
        said = "" if value is None else str(value)  # Oracle takes the one for the other
        if name != "waiting" and said == "" and name in flag:
            yield ("flag", name), f"{name} must be a value that a column can be told by"
        elif taken.setdefault(said, name) != name:
            yield ("flag", name), f"value {value!r} means {taken[said]!r} already"


def _columns(options: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Find columns that were given two roles: what the hub writes can be no part of a key."""
    taken: dict[str, str] = {}
    for path in (("flag", "column"), ("claim", "id"), ("claim", "time"), ("receipt", "time"), ("receipt", "error")):
        group = options.get(path[0])
        name = group.get(path[1]) if isinstance(group, Mapping) else None
        if isinstance(name, str) and taken.setdefault(name.lower(), ".".join(path)) != ".".join(path):
            yield path, f"column {name!r} is that of {taken[name.lower()]} already"
    plain = [("version", options.get("version")), *(("key", name) for name in _list(options.get("key")))]
    for role, name in (*plain, *(("order", name) for name in _list(options.get("order")))):
        if isinstance(name, str) and name.lower() in taken:
            yield (role,), f"column {name!r} is written by the hub ({taken[name.lower()]})"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
