"""Reads of each source folder only what a DAG needs: quickly, and one broken folder hides no other.

The full judgement of a folder (its mapping, schemas, code lists) belongs to the run, where it can fail one source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from connectors.loading import Declared, _declare  # the folder language has one reader; this is its first half
from hub.errors import Fault

DEFAULT_ZONE = "Asia/Shanghai"
PART = 26
"""So many sources of one DAG are pulled by one task: a task costs a second, a small pull a fraction of that."""
PARTS_AT_ONCE = 4
"""So many of these tasks run at once: of a shared platform, more would be felt by those who work there."""


@dataclass(frozen=True, slots=True)
class Header:
    """What source.yml says of a source as a whole; with `faults` when it cannot be run as it stands."""

    code: str
    folder: Path
    title: str = ""
    title_en: str = ""
    owner: str = ""
    owner_organ: str = ""
    contact: str = ""
    legal_basis: str = ""
    organ: str = ""
    region: str = ""
    kind: str = ""
    profile: str = ""
    connection: str = ""
    time_zone: str = DEFAULT_ZONE
    schedule: str = ""
    streams: tuple[str, ...] = ()
    members: tuple[Header, ...] = ()
    """The instances that one DAG pulls (`one_dag`); `code` is then the folder's name, which is no source's."""
    faults: tuple[str, ...] = ()

    @property
    def dag_id(self) -> str:
        """Return the id of this source's DAG."""
        return dag_id(self.code)

    @property
    def pool(self) -> str:
        """Return the name of the pool of this source system."""
        return self.dag_id


def dag_id(code: str) -> str:
    """Return the id of a source's DAG: `hub_source_<code>`, in the letters that Airflow allows."""
    return f"hub_source_{re.sub(r'[^A-Za-z0-9_.-]', '_', code)}"


def sources_of(headers: Iterable[Header]) -> list[Header]:
    """Return the headers of the sources themselves, those that share a DAG one by one."""
    return [one for header in headers for one in (header.members or (header,))]


def read_headers(folders: Iterable[Path], only: str | None = None) -> list[Header]:
    """Return the headers of all sources below `folders`, sorted by code; of one DAG only, when `only` is its id.

    A folder that cannot be read gives one header with its name as code and its faults: a DAG that shows them is
    noticed, one that is missing is not.
    """
    found: dict[str, Header] = {}
    every = _source_folders(folders)
    stamp = _stamp(every)
    for folder in [one for one in every if only == dag_id(one.name) and not _has_instances(one)] or every:
        for header in _read(folder, stamp):
            first = found.setdefault(header.dag_id, header)
            if first is not header:
                message = f"{header.folder}: declares {header.code!r}, which {first.folder} declares already"
                found[header.dag_id] = replace(first, faults=(*first.faults, message))
    return sorted((header for header in found.values() if only in {None, header.dag_id}), key=lambda one: one.code)


def _source_folders(folders: Iterable[Path]) -> list[Path]:
    return [
        inner
        for folder in folders
        if folder.is_dir()
        for inner in ([folder] if (folder / "source.yml").is_file() else sorted(folder.iterdir()))
        if (inner / "source.yml").is_file()
    ]


def _has_instances(folder: Path) -> bool:
    return (folder / "instances.csv").is_file()


Stamp = tuple[tuple[str, int, int], ...]


def _stamp(folders: Iterable[Path]) -> Stamp:
    """Return what changes when any of the files that headers are read from changes (a folder may extend another)."""
    files = [folder / name for folder in folders for name in ("source.yml", "instances.csv")]
    stats = [(str(file), file.stat()) for file in files if file.is_file()]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


@cache
def _read(folder: Path, _stamp: Stamp) -> tuple[Header, ...]:
    """Read one folder; kept while nothing changes, so that tasks, as forks of the scheduler, find it read."""
    faults: list[Fault] = []
    entries = list(_declare(folder, faults))
    headers = tuple(map(_header, entries))
    if faults and not headers:
        return (Header(folder.name, folder, faults=tuple(map(str, sorted(faults)))),)
    if any(entry.instance and entry.marked.data.get("one_dag") is True for entry in entries):
        return (_together(folder, headers),)
    return headers


def _together(folder: Path, members: tuple[Header, ...]) -> Header:
    """Return the header of a folder whose instances are pulled by one DAG; one's fault is told, and stops no other."""
    first, others = members[0], f"等 {len(members)} 家"
    return replace(
        first, code=folder.name, title=f"{first.title} {others}",
        title_en=f"{first.title_en or first.title} and {len(members) - 1} more", owner=f"{first.owner} {others}",
        owner_organ="", organ="", region="", connection="", members=members, faults=(),
    )  # fmt: skip


def _header(entry: Declared) -> Header:
    data: dict[str, Any] = entry.marked.data
    title, owner = _mapping(data, "title"), _mapping(data, "owner")
    plain: Any = {name: _text(data, name) for name in _PLAIN}
    return Header(
        code=_text(data, "code") or entry.folder.name,
        folder=entry.folder,
        title=_text(title, "zh"),
        title_en=_text(title, "en"),
        owner=_text(owner, "name"),
        owner_organ=_text(owner, "organ"),
        contact=_text(owner, "contact"),
        time_zone=_text(data, "time_zone") or DEFAULT_ZONE,
        streams=tuple(map(str, _mapping(data, "streams"))),
        faults=tuple(map(str, sorted(entry.marked.faults))),
        **plain,
    )


_PLAIN = ("legal_basis", "organ", "region", "kind", "profile", "connection", "schedule")


def _mapping(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _text(data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    return "" if value is None else str(value)
