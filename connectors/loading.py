"""Loads source folders: finds them, joins templates and instances, judges them, and makes `Source` values."""

from __future__ import annotations

import copy
import csv
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.durations import read_duration
from connectors.judging import judge
from connectors.policy import policy_of
from connectors.source import Budget, Cursor, Expect, Owner, Source, StreamSpec
from connectors.versions import bring_up
from connectors.yamlmarks import Marked, Path_, read_marked
from hub.contract import Contract
from hub.errors import ConfigError, Fault
from hub.mends import Replacement

INSTANCE_COLUMNS = {
    "code": ("code",),
    "organ": ("organ",),
    "region": ("region",),
    "connection": ("connection",),
    "title": ("title", "zh"),
    "title_en": ("title", "en"),
    "owner_organ": ("owner", "organ"),
    "owner_name": ("owner", "name"),
    "owner_contact": ("owner", "contact"),
    "owner_division_head": ("owner", "division_head"),
    "owner_leader": ("owner", "leader"),
    "time_zone": ("time_zone",),
    "schedule": ("schedule",),
}
"""Columns of instances.csv and the place in source.yml that each overrides; empty cells override nothing."""

TITLE = "{title}"
"""Stands in a template's title for the instance's own."""


@dataclass(slots=True)
class Declared:
    """One source as written, joined with what it extends, before it is judged."""

    marked: Marked
    folder: Path
    instance: bool = False


def load_sources(paths: Iterable[Path], only: Collection[str] | None = None) -> list[Source]:
    """Load every source folder below `paths`, sorted by code.

    A folder with an `instances.csv` makes one source for each of its rows; one with `template: true` makes none
    and only lends its words to those that `extends:` it. With `only`, sources of other codes are not judged.

    Raises:
        ConfigError: anything is wrong with any of them; every fault is listed with file and line.
    """
    faults: list[Fault] = []
    declared = [found for folder in _folders(paths, faults) for found in _declare(folder, faults)]
    if only is not None:
        declared = [
            one for one in declared if isinstance(one.marked.data, dict) and one.marked.data.get("code") in only
        ]
    sources: list[Source] = []
    first: dict[str, str] = {}
    for entry in declared:
        mapping = judge(entry.marked, entry.folder, instance=entry.instance)
        code = entry.marked.data.get("code") if isinstance(entry.marked.data, dict) else None
        if isinstance(code, str) and (other := first.setdefault(code, ":".join(map(str, entry.marked.place(()))))) != (
            ":".join(map(str, entry.marked.place(())))
        ):
            entry.marked.fault(("code",), f"source {code!r} is declared already at {other}")
        faults.extend(entry.marked.faults)
        if not entry.marked.faults and mapping is not None:
            sources.append(_make(entry, mapping))
    if faults:
        raise ConfigError(sorted(set(faults)))
    return sorted(sources, key=lambda source: source.code)


def source_folders(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the source folders below `paths`, for who loads each by itself; what else lies there is left out."""
    for path in paths:
        if (path / "source.yml").is_file():
            yield path
        elif path.is_dir():
            yield from sorted(inner for inner in path.iterdir() if (inner / "source.yml").is_file())


def _folders(paths: Iterable[Path], faults: list[Fault]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            faults.append(Fault(str(path), 1, "is named in HUB_SOURCES, but there is no such folder"))
            continue
        if (path / "source.yml").is_file():
            yield path
            continue
        for folder in sorted(path.iterdir()):
            if (folder / "source.yml").is_file():
                yield folder
            elif folder.is_dir() and not folder.name.startswith((".", "_")) and _meant(folder):
                faults.append(Fault(str(folder), 1, "looks like a source folder but has no source.yml"))


def _meant(folder: Path) -> bool:
    """Say whether a folder without source.yml was meant as a source."""
    return any((folder / name).exists() for name in ("source.yaml", "mapping.yml", "connector.py", "instances.csv"))


def _declare(folder: Path, faults: list[Fault]) -> Iterator[Declared]:
    """Yield what a folder declares: one source, one for each instance, or none where it is a template."""
    marked = _extended(folder, faults, ())
    if marked is None:
        return
    if isinstance(marked.data, dict) and marked.data.pop("template", False) is True:
        return
    instances = folder / "instances.csv"
    if instances.is_file():
        yield from _instances(marked, instances, faults)
    else:
        yield Declared(marked, folder)


def _extended(folder: Path, faults: list[Fault], chain: tuple[Path, ...]) -> Marked | None:
    """Read a folder's source.yml over the one that it extends."""
    marked = read_marked(folder / "source.yml")
    if marked.faults or not isinstance(marked.data, dict):
        faults.extend(marked.faults or [Fault(marked.file, 1, "must be a mapping of keys to values")])
        return None
    lender = marked.data.pop("extends", None)
    if lender is None:
        bring_up(marked, marked.data.get("version"))
        return marked
    target = (folder / str(lender)).resolve() if "/" in str(lender) else (folder.parent / str(lender)).resolve()
    place = marked.place(("extends",))
    if target == folder.resolve() or target in chain:
        faults.append(Fault(*place, f"extends {lender!r} goes round in a circle"))
        return None
    if not (target / "source.yml").is_file():
        known = ", ".join(sorted(found.parent.name for found in folder.parent.glob("*/source.yml"))) or "none"
        faults.append(Fault(*place, f"extends {lender!r}: no source.yml in {target} (folders beside it: {known})"))
        return None
    base = _extended(target, faults, (*chain, folder.resolve()))
    if base is None:
        return None
    bring_up(marked, marked.data.get("version", base.data.get("version") if isinstance(base.data, dict) else None))
    return _join(base, marked, target, folder)


def _join(base: Marked, over: Marked, lender: Path, folder: Path) -> Marked:
    """Lay one declaration over another: mappings are joined, all else is replaced, null takes away."""
    if not isinstance(base.data, dict):
        return over
    base.data.pop("template", None)
    for key in ("mapping", "profile"):  # paths stay relative to the file that wrote them
        value = base.data.get(key)
        if isinstance(value, str) and (key == "mapping" or value.startswith(".")) and lender != folder:
            base.data[key] = str((lender / value).resolve())
    if any(key in over.data for key in ("mapping", "profile")):
        base.data.pop("mapping", None)
        base.data.pop("profile", None)
    joined = Marked(_lay(base.data, over.data), over.file, {**base.places, **over.places})
    joined.places[()] = over.place(())
    return joined


def _lay(base: Any, over: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    merged = {key: _lay(value, over[key]) if key in over else value for key, value in base.items()}
    merged.update({key: value for key, value in over.items() if key not in base})
    return {key: value for key, value in merged.items() if value is not None}


def _instances(marked: Marked, file: Path, faults: list[Fault]) -> Iterator[Declared]:
    """Yield a declaration for each row of instances.csv; a row's line is the place of what it overrides."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            rows = csv.DictReader(handle, strict=True)
            if unknown := [name for name in rows.fieldnames or [] if name not in INSTANCE_COLUMNS]:
                faults.append(Fault(str(file), 1, f"unknown columns {unknown} (known: {', '.join(INSTANCE_COLUMNS)})"))
            if "code" not in (rows.fieldnames or []):
                faults.append(Fault(str(file), 1, "has no column 'code'"))
                return
            count = 0
            for row in rows:
                count += 1
                yield Declared(_instance(marked, file, rows.line_num, row), file.parent, instance=True)
            if not count:
                faults.append(Fault(str(file), 1, "has no instance"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        faults.append(Fault(str(file), 1, f"cannot be read as UTF-8 CSV: {error}"))


def _instance(marked: Marked, file: Path, line: int, row: dict[str, str | None]) -> Marked:
    one = Marked(copy.deepcopy(marked.data), marked.file, dict(marked.places))
    one.places[()] = (str(file), line)
    for column, path in INSTANCE_COLUMNS.items():
        value = (row.get(column) or "").strip()
        if not value and column != "code":
            continue
        inner: Any = one.data
        for step in path[:-1]:
            inner = inner.setdefault(step, {}) if isinstance(inner, dict) else {}
        if isinstance(inner, dict):
            before = inner.get(path[-1])
            named = isinstance(before, str) and path[0] == "title" and TITLE in before
            inner[path[-1]] = str(before).replace(TITLE, value) if named else value
        marks: Path_ = path
        one.places[marks] = (str(file), line)
    titles: Any = one.data.get("title") if isinstance(one.data, dict) else None
    for language, text in list(titles.items()) if isinstance(titles, dict) else ():
        if isinstance(text, str):
            titles[language] = text.replace(TITLE, (row.get("title_en") or row.get("title") or "").strip())
    shared = isinstance(one.data, dict) and one.data.get("one_dag") is True
    for column in ("schedule", "time_zone") if shared else ():
        _no_own(one, column, row, Fault(str(file), line, f"has a {column} of its own, but `one_dag` gives all one DAG"))
    if None in row or None in row.values():
        one.faults.append(Fault(str(file), line, "has another number of cells than the header"))
    return one


def _no_own(one: Marked, column: str, row: dict[str, str | None], fault: Fault) -> None:
    if (row.get(column) or "").strip():
        one.faults.append(fault)


def _make(entry: Declared, mapping: tuple[Path, dict[str, Any]]) -> Source:
    """Make the value of a declaration that was found faultless."""
    data, (file, known) = entry.marked.data, mapping
    title = data["title"]
    streams = {name: _stream(name, body or {}, data, known.get(name, {})) for name, body in data["streams"].items()}
    return Source(
        code=data["code"],
        title={"zh": title["zh"], "en": title.get("en", title["zh"])},
        owner=Owner(**data["owner"]),
        legal_basis=data["legal_basis"],
        kind=data["kind"],
        connection=data.get("connection", ""),
        mapping=file,
        folder=entry.folder,
        streams=streams,
        organ=data.get("organ"),
        region=data.get("region"),
        profile=data.get("profile"),
        time_zone=data.get("time_zone", "Asia/Shanghai"),
        schedule=data.get("schedule"),
    )


def _stream(name: str, body: dict[str, Any], data: dict[str, Any], mapped: dict[str, Any]) -> StreamSpec:
    options = _lay(data.get("options", {}), body.get("options", {}))
    envelope = envelope_of(data, body)
    cursor = body.get("cursor")
    rows = body.get("expect", {}).get("rows", {})
    key = mapped.get("key", [])
    fields = key.get("fingerprint", []) if isinstance(key, dict) else key
    back = cursor.get("lookback", 0) if cursor else 0
    return StreamSpec(
        name=name,
        options=options,
        cursor=Cursor(cursor["field"], read_duration(back) if isinstance(back, str) else back) if cursor else None,
        contract=Contract.read(body.get("contract")),
        deletion=body.get("deletion", "none"),
        expect=Expect(rows.get("min"), rows.get("max")) if rows else None,
        parking=read_duration(body.get("parking", "P30D")),
        budget=Budget(**body["budget"]) if "budget" in body else None,
        rate=body.get("rate", {}),
        vanish=float(body.get("vanish", 10)),
        corrections=tuple(map(Replacement.of, body.get("corrections", ()))),
        key=tuple(_key_field(part) for part in (fields if isinstance(fields, list) else [fields])),
        envelope=policy_of(envelope, zone=data.get("time_zone", "Asia/Shanghai"), kind=data["kind"], options=options),
        look_up=body.get("look_up", {}),
        organ_from=str(mapped["organ_from"]) if "organ_from" in mapped else None,
    )


def envelope_of(data: dict[str, Any], body: dict[str, Any]) -> dict[str, Any] | None:
    """Lay a stream's `envelope` block over the source's; None where neither stands."""
    if data.get("envelope") is None and body.get("envelope") is None:
        return None
    joined: dict[str, Any] = _lay(data.get("envelope") or {}, body.get("envelope") or {})
    return joined


def _key_field(part: Any) -> str:
    """Return the field that a part of a mapping's key reads: its name, or `{time: FIELD}`."""
    return str(part.get("time", "")) if isinstance(part, dict) else str(part)
