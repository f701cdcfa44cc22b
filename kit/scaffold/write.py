"""Writes the files of a new source folder; what stands there already is never touched."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from connectors.judging import SCHEMA
from connectors.loading import load_sources
from connectors.source import PROFILES, Kind
from hub.documents import Documents
from hub.errors import ConfigError, Fault
from kit.scaffold import text
from normalization.mapping import load_mapping

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What was written."""

    code: str
    folder: Path
    files: tuple[Path, ...]


def write(code: str, kind: str, profile: str | None, place: Path) -> Scaffold:
    """Write the folder `place`/`code`; it loads without a fault and passes the standard suite.

    Raises:
        ConfigError: code, kind or profile cannot be, or the folder stands already; nothing was written.
    """
    folder = place / code
    _refuse(code, kind, profile, folder)
    content = _of_profile(code, kind, profile) if profile else _of_own(code, kind)
    if kind == "own":
        content["connector.py"] = text.CONNECTOR
    for name, words in content.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as handle:
            handle.write(words)
    load_sources([folder])
    _lend_schema(place)
    return Scaffold(code, folder, tuple(folder / name for name in content))


def _lend_schema(place: Path) -> None:
    """Put the schema of source.yml where the editors of all sources in a folder find it, as this hub has it."""
    lent, words = place / text.SCHEMA_FILE, SCHEMA.read_text(encoding="utf-8")
    if not lent.is_file() or lent.read_text(encoding="utf-8") != words:
        lent.write_text(words, encoding="utf-8")


def _refuse(code: str, kind: str, profile: str | None, folder: Path) -> None:
    file, faults = str(folder / "source.yml"), []
    if not _CODE.fullmatch(code):
        faults.append(Fault(file, 1, f"code {code!r}: write small letters, digits and -, at most 50 of them"))
    if kind not in get_args(Kind):
        faults.append(Fault(file, 1, f"there is no kind {kind!r} (known: {', '.join(get_args(Kind))})"))
    profiles = sorted(one.parent.name for one in PROFILES.glob("*/mapping.yml"))
    if profile is not None and profile not in profiles:
        faults.append(Fault(file, 1, f"there is no profile {profile!r} (known: {', '.join(profiles)})"))
    if folder.exists():
        faults.append(
            Fault(file, 1, "the folder stands already and is never overwritten: choose another code or --folder")
        )
    if faults:
        raise ConfigError(faults)


def _of_profile(code: str, kind: str, profile: str) -> dict[str, str]:
    """Return the files of a source whose format the hub knows; the profile's examples come along, marked."""
    mapping = load_mapping(PROFILES / profile / "mapping.yml", Documents.load())
    streams = {name: text.stream_body(kind, name, mapped) for name, mapped in mapping.streams.items()}
    out = {"source.yml": text.source_yml(code, kind, profile, streams)}
    for file in sorted((PROFILES / profile / "samples").glob("*/*.jsonl")):
        said: list[dict[str, Any]] = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        out[f"samples/{file.parent.name}/{file.name}"] = text.json_lines({**one, "invented": True} for one in said)
    return out


def _of_own(code: str, kind: str) -> dict[str, str]:
    """Return the files of a source with a mapping of its own: one stream to begin with."""
    good, bad = text.examples(kind)
    return {
        "source.yml": text.source_yml(code, kind, None, {text.STREAM: text.stream_body(kind, text.STREAM, None)}),
        f"{text.STREAM}.schema.json": text.raw_schema(kind),
        "mapping.yml": text.mapping_yml(kind),
        "codes/kind.csv": text.CODES,
        f"samples/valid/{text.STREAM}.jsonl": text.json_lines(good),
        f"samples/invalid/{text.STREAM}.jsonl": text.json_lines(bad),
    }
