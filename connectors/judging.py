"""Judges one source's declaration: its shape by connectors/source.schema.json, then what a schema cannot say."""

from __future__ import annotations

import difflib
import functools
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from connectors.corrections import correction_faults
from connectors.durations import read_duration
from connectors.lookups import look_up_faults
from connectors.source import PROFILES
from connectors.throttle import UNITS
from connectors.yamlmarks import Marked, read_marked
from hub.errors import Fault

SCHEMA = Path(__file__).parent / "source.schema.json"
_OF_FILES = frozenset({"files", "workbook", "xes"})
_CRON_FIELD = re.compile(r"[\d*/,\-A-Za-z#L?]+")
_SECRET = re.compile(r"(?i)^(authorization|cookie|.*(passw|secret|token|api[-_]?key).*)$")


@functools.cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


@functools.lru_cache(maxsize=32)
def _mapping_file(file: Path, _modified: int, _size: int) -> Marked:
    """Read a mapping file; kept while it does not change, since a hundred instances of one folder share it."""
    return read_marked(file)


def judge(marked: Marked, folder: Path, *, instance: bool) -> tuple[Path, dict[str, Any]] | None:
    """Note every fault of a declaration in `marked.faults`; return its mapping file and the streams it maps.

    None where no mapping can be found, which is then one of the faults.
    """
    seen: set[tuple[str, int, str]] = set()
    for error in sorted(_validator().iter_errors(marked.data), key=lambda found: [str(step) for step in found.path]):
        for path, message in _words(error):
            place = marked.place(path)
            if (*place, message) not in seen:
                seen.add((*place, message))
                marked.fault(path, message)
    data = marked.data
    if not isinstance(data, dict):
        return None
    if not instance and isinstance(data.get("code"), str) and data["code"] != folder.name:
        marked.fault(("code",), f"code {data['code']!r} must be the folder's name {folder.name!r}")
    _judge_words(marked, data)
    _judge_shared_dag(marked, data, instance=instance)
    if data.get("kind") == "push" and "connection" in data:
        marked.fault(("connection",), "kind push has no connection: departments come to the hub, each with a token")
    if data.get("kind") == "own" and not (folder / "connector.py").is_file():
        marked.fault(("kind",), "kind 'own' needs a connector.py in this folder")
    mapping = _mapping(marked, data, folder)
    streams = data.get("streams")
    for name, body in streams.items() if isinstance(streams, dict) else ():
        if body is None or isinstance(body, dict):
            _judge_stream(marked, data, name, body or {}, mapping)
    return mapping


def _words(error: ValidationError) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Say a schema error in words a person can act on, at the line of the key that it speaks about."""
    path = tuple(error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = sorted(error.schema.get("properties", {})) if isinstance(error.schema, dict) else []
        for key in sorted(set(error.instance) - set(known)):
            near = difflib.get_close_matches(key, known, 1)
            yield (
                (*path, key),
                f"unknown key {key!r}"
                + (f"; did you mean {near[0]!r}?" if near else "")
                + (f" (known: {', '.join(known)})"),
            )
    elif error.validator == "required":
        yield path, error.message.replace("is a required property", "is missing")
    elif error.validator == "oneOf" and not path:
        yield path, "name either `profile` or `mapping`, one of the two"
    elif path == ("version",):
        versions: Any = error.validator_value
        read = " or ".join(map(str, versions if isinstance(versions, list) else ["a number"]))
        yield path, f"this hub reads source files of version {read}, not {error.instance!r}"
    elif error.validator in {"oneOf", "anyOf"}:
        forms: Any = error.validator_value
        known_forms = " | ".join(_form(form) for form in forms)
        yield path, f"has none of the known forms: {known_forms}"
    elif error.validator == "pattern":
        if path[-1:] == ("connection",):  # somebody may have written the address with its password here
            yield path, "is no connection id (letters, digits, - _ .); the address belongs into the environment"
            return
        described = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
        yield (
            path,
            f"{error.instance!r} is not of the form {error.validator_value}" + (f" ({described})" if described else ""),
        )
    elif (
        error.validator == "type" and isinstance(error.instance, int | float) and "string" in str(error.validator_value)
    ):
        yield path, f"{error.instance!r} is a number; write it in quotes"
    else:
        yield path, error.message


def _form(form: dict[str, Any]) -> str:
    if "properties" in form:
        style = form["properties"].get("style", {})
        named = f"style: {style['const']}, " if "const" in style else ""
        return "{" + named + ", ".join(key for key in form["properties"] if key != "style" or not named) + "}"
    return str(form.get("const") or form.get("enum") or form.get("type") or form.get("$ref", "").rsplit("/", 1)[-1])


def _judge_words(marked: Marked, data: dict[str, Any]) -> None:
    zone = data.get("time_zone")
    if isinstance(zone, str):
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            marked.fault(("time_zone",), f"{zone!r} is no time zone; write one like Asia/Shanghai")
    schedule = data.get("schedule")
    if isinstance(schedule, str) and not schedule.startswith("@"):
        fields = schedule.split()
        if len(fields) != 5 or not all(map(_CRON_FIELD.fullmatch, fields)):  # noqa: PLR2004  # cron has five fields
            marked.fault(("schedule",), f"{schedule!r} is no cron expression of five fields, such as '0 2 * * *'")


def _judge_shared_dag(marked: Marked, data: dict[str, Any], *, instance: bool) -> None:
    if data.get("one_dag") is True and not instance:
        marked.fault(("one_dag",), "one_dag goes with an instances.csv in this folder")


def _mapping(marked: Marked, data: dict[str, Any], folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """Find the mapping file, and look which streams it maps; normalization judges the rest of it."""
    if isinstance(named := data.get("mapping"), str):
        key, file = "mapping", folder / named
        known = sorted(found.name for found in folder.glob("*.yml"))
    elif isinstance(named := data.get("profile"), str):
        own = named.startswith((".", "/"))
        key, file = "profile", (folder / named if own else PROFILES / named) / "mapping.yml"
        known = sorted(found.parent.name for found in PROFILES.glob("*/mapping.yml"))
        if not own and ("/" in named or "\\" in named):
            marked.fault((key,), f"profile {named!r}: a folder of your own starts with ./, ../ or /")
            return None
    else:
        return None
    if not file.is_file():
        marked.fault((key,), f"{key} {named!r}: no file {file} (there are: {', '.join(known) or 'none'})")
        return None
    stat = file.stat()
    mapped = _mapping_file(file, stat.st_mtime_ns, stat.st_size)
    streams = mapped.data.get("streams") if isinstance(mapped.data, dict) else None
    if mapped.faults or not isinstance(streams, dict):
        marked.faults.extend(mapped.faults or [Fault(mapped.file, 1, "has no `streams`")])
        return None
    return file, {name: body for name, body in streams.items() if isinstance(body, dict)}


def _judge_stream(
    marked: Marked,
    data: dict[str, Any],
    name: str,
    body: dict[str, Any],
    mapping: tuple[Path, dict[str, Any]] | None,
) -> None:
    place, kind = ("streams", name), data.get("kind")
    if mapping is not None:
        _judge_against_mapping(marked, data, name, body, mapping)
    cursor, deletion = body.get("cursor"), body.get("deletion")
    if cursor is not None and kind in _OF_FILES:
        marked.fault((*place, "cursor"), f"kind {kind} has no cursor: it reads each file when it is new or changed")
    if "vanish" in body and deletion != "snapshot":
        marked.fault((*place, "vanish"), "`vanish` goes with deletion 'snapshot' only")
    for path, text in (((*place, "parking"), body.get("parking")), ((*place, "cursor", "lookback"), _lookback(cursor))):
        _judge_duration(marked, path, text)
    rows = body.get("expect", {}).get("rows", {}) if isinstance(body.get("expect"), dict) else {}
    least, most = (rows.get("min"), rows.get("max")) if isinstance(rows, dict) else (None, None)
    if isinstance(least, int) and isinstance(most, int) and least > most:
        marked.fault((*place, "expect", "rows"), f"min {least} is more than max {most}")
    _judge_rate(marked, (*place, "rate"), str(kind), _dict(body.get("rate")))
    if kind == "queue":
        _judge_queue(marked, data, name)
    if kind == "push":
        _judge_push(marked, data, name, body)
    if kind in _OF_FILES:
        _judge_shared_files(marked, data, name)
    options = {**_dict(data.get("options")), **_dict(body.get("options"))}
    _judge_options(marked, place, str(kind), options)
    _judge_by_kind(marked, (*place, "options"), str(kind), options)
    _judge_claims(marked, place, str(kind), body, options)
    _judge_envelope(marked, data, name, body, options)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _lookback(cursor: Any) -> Any:
    return cursor.get("lookback") if isinstance(cursor, dict) else None


def _judge_duration(marked: Marked, path: tuple[str, ...], text: Any) -> None:
    if not isinstance(text, str):
        return
    try:
        read_duration(text)
    except ValueError as error:
        marked.fault(path, str(error))


def _judge_rate(marked: Marked, place: tuple[str, ...], kind: str, rate: dict[str, Any]) -> None:
    unit = UNITS.get(kind)
    for name in rate:
        if kind != "own" and name != unit:
            marked.fault((*place, name), f"kind {kind} has no rate of {name}" + (f"; it has {unit}" if unit else ""))


def _judge_against_mapping(
    marked: Marked, data: dict[str, Any], name: str, body: dict[str, Any], mapping: tuple[Path, dict[str, Any]]
) -> None:
    file, known = mapping
    if name not in known:
        marked.fault(("streams", name), f"stream {name!r} is not mapped by {file} (mapped: {', '.join(known)})")
        return
    if body.get("deletion") == "operation" and "operation" not in known[name]:
        marked.fault(("streams", name, "deletion"), f"deletion 'operation' needs `operation` of {name} in {file}")
    if "organ" not in data and "organ_from" not in known[name]:
        marked.fault(
            ("streams", name), f"no `organ` here and no `organ_from` of {name} in {file}: whose rows are these?"
        )
    said = body.get("corrections")
    for part, message in correction_faults(said if isinstance(said, list) else [], file, known[name]):
        marked.fault(("streams", name, "corrections", *part), message)
    for within, message in look_up_faults(_dict(body.get("look_up")), str(data.get("kind")), file, known[name]):
        marked.fault(("streams", name, "look_up", *within), message)


def _judge_options(marked: Marked, place: tuple[str, ...], kind: str, options: dict[str, Any]) -> None:
    where = (*place, "options")
    if kind in _OF_FILES:
        path = options.get("path")
        if path is None:
            marked.fault(where, "option 'path' is missing: a glob below the connection's folder")
        elif isinstance(path, str) and (path.startswith(("/", "~")) or ".." in path.split("/") or "\\" in path):
            marked.fault((*where, "path"), f"path {path!r} must stay below the connection's folder")
    if kind == "files":
        _judge_file_options(marked, where, options)
    if kind == "rest":
        for group in ("params", "headers"):
            for name in _dict(options.get(group)):
                if _SECRET.match(name):
                    marked.fault((*where, group, name), f"{name!r} looks like a secret; it belongs into the connection")


_OWN_JUDGES = {
    "exchange_table": "connectors.kinds.exchange_table.options",
    "files": "connectors.kinds.files.options",
    "soap": "connectors.kinds.soap.options",
    "workbook": "connectors.kinds.files.options",
    "xes": "connectors.kinds.files.options",
}
"""Modules whose `option_faults` judges the options of their kind; imported where such a source is."""


def _judge_by_kind(marked: Marked, where: tuple[str, ...], kind: str, options: dict[str, Any]) -> None:
    """Let the kind's own package judge its options."""
    if kind in _OWN_JUDGES:
        for within, message in importlib.import_module(_OWN_JUDGES[kind]).option_faults(options):
            marked.fault((*where, *within), message)


def _judge_claims(
    marked: Marked, place: tuple[str, ...], kind: str, body: dict[str, Any], options: dict[str, Any]
) -> None:  # fmt: skip
    """Find a cursor where rows are claimed: it would lead nowhere."""
    if kind == "exchange_table" and body.get("cursor") is not None and options.get("write") is not False:
        marked.fault((*place, "cursor"), "rows are claimed by their flag; a cursor is for `write: false`")


def _judge_envelope(
    marked: Marked, data: dict[str, Any], name: str, body: dict[str, Any], options: dict[str, Any]
) -> None:
    from connectors.policy import policy_faults  # noqa: PLC0415  # only where envelopes come

    if data.get("envelope") is None and body.get("envelope") is None:
        return
    said = {**_dict(data.get("envelope")), **_dict(body.get("envelope"))}
    for other, parts in _dict(data.get("streams")).items():
        path = {**_dict(data.get("options")), **_dict(_dict(parts).get("options"))}.get("path")
        if other != name and path is not None and path == options.get("path"):
            marked.fault(
                ("streams", name), f"its deliveries are stream {other!r}'s too, and an envelope names one stream"
            )
    for path, message in policy_faults(said, str(data.get("kind")), options):
        own = not path or path[0] in _dict(body.get("envelope"))
        place = ("streams", name, "envelope") if own and body.get("envelope") is not None else ("envelope",)
        marked.fault((*place, *path), message)


def _judge_queue(marked: Marked, data: dict[str, Any], name: str) -> None:
    from connectors.kinds.queue.options import stream_faults  # noqa: PLC0415  # only where queues are read

    for part, message in stream_faults(name, _dict(data.get("streams")), _dict(data.get("options"))):
        marked.fault(("streams", name, *part.split("/")), message)


def _judge_push(marked: Marked, data: dict[str, Any], name: str, body: dict[str, Any]) -> None:
    from connectors.kinds.push.options import stream_faults  # noqa: PLC0415  # only where departments post

    options = {**_dict(data.get("options")), **_dict(body.get("options"))}
    for part, message in stream_faults(body, options):
        marked.fault(("streams", name, *part.split("/")), message)


def _judge_shared_files(marked: Marked, data: dict[str, Any], name: str) -> None:
    from connectors.kinds.files.options import shared_faults  # noqa: PLC0415  # only where files are read

    for message in shared_faults(name, _dict(data.get("streams")), _dict(data.get("options"))):
        marked.fault(("streams", name), message)


def _judge_file_options(marked: Marked, where: tuple[str, ...], options: dict[str, Any]) -> None:
    form = options.get("format")
    if form is None:
        marked.fault(where, "option 'format' is missing: csv, xlsx, xml, jsonl, json, yaml or singer")
    if "envelope" in options and form not in {"json", "jsonl"}:
        marked.fault((*where, "envelope"), "option 'envelope' is for the formats json and jsonl")
    if form == "xml" and "record" not in options:
        marked.fault(where, "format xml needs option 'record': the XPath of the record element")
    if form == "xml":
        from connectors.kinds.files.xml import option_faults  # noqa: PLC0415  # lxml is heavy; only where XML is read

        for option, message in option_faults(options):
            marked.fault((*where, option), message)
    if options.get("header") == "none" and "columns" not in options:
        marked.fault((*where, "header"), "header 'none' needs option 'columns': the names of the cells")
    if isinstance(pattern := options.get("trailer"), str):
        try:
            re.compile(pattern)
        except re.error as error:
            marked.fault((*where, "trailer"), f"trailer is no regular expression: {error}")
    _judge_aliases(marked, where, options)


def _judge_aliases(marked: Marked, where: tuple[str, ...], options: dict[str, Any]) -> None:
    taken: dict[str, str] = {}
    for name, others in _dict(options.get("aliases")).items():
        for other in others if isinstance(others, list) else ():
            if taken.setdefault(str(other), name) != name:
                marked.fault((*where, "aliases", name), f"alias {other!r} stands for {taken[str(other)]!r} already")
