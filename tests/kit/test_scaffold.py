"""`hub connector new`: what it writes passes the standard suite at once, and nothing that stands is touched."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from connectors.judging import SCHEMA
from connectors.loading import load_sources
from connectors.source import PROFILES, Kind
from hub.errors import ConfigError
from hub.settings import Settings
from kit.samples import read_samples
from kit.scaffold import write
from kit.suite import Status, run

KINDS = get_args(Kind)
PROFILE_NAMES = sorted(one.parent.name for one in PROFILES.glob("*/mapping.yml"))
LIVE = {"check-succeeds", "full-reads-equal", "paging-stops", "resume-from-each-state", "discover-matches"}
MOST_LINES = 25


def failures(code: str, place: Path) -> list[str]:
    return [
        f"{one.check}: {one.message}" for one in run(code, Settings.load(sources=(place,))) if one.status == "failed"
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_source_of_every_kind_passes(kind: str, tmp_path: Path) -> None:
    write("county-new", kind, None, tmp_path)
    assert failures("county-new", tmp_path) == []


@pytest.mark.parametrize("kind", ["database", "exchange_table", "files", "queue", "rest", "soap", "workbook", "xes"])
def test_its_examples_are_read_as_a_system(kind: str, tmp_path: Path) -> None:
    write("county-new", kind, None, tmp_path)
    done = {one.check: one.status for one in run("county-new", Settings.load(sources=(tmp_path,)))}
    assert {done[name] for name in LIVE} == {Status.PASSED}


@pytest.mark.parametrize("profile", PROFILE_NAMES)
@pytest.mark.parametrize("kind", ["database", "exchange_table", "files"])
def test_a_known_format_needs_no_python_and_few_lines(kind: str, profile: str, tmp_path: Path) -> None:
    made = write("county-known", kind, profile, tmp_path)
    assert [file.suffix for file in made.files if file.suffix not in {".yml", ".jsonl"}] == []
    assert len((made.folder / "source.yml").read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    assert failures("county-known", tmp_path) == []


def test_every_kind_takes_every_profile(tmp_path: Path) -> None:
    for kind in KINDS:
        for profile in PROFILE_NAMES:
            write(f"{kind.replace('_', '-')}-{profile}", kind, profile, tmp_path)
    assert len(load_sources([tmp_path])) == len(KINDS) * len(PROFILE_NAMES)


def test_all_examples_are_marked_as_invented(tmp_path: Path) -> None:
    made = write("county-known", "files", "zhejiang-pre", tmp_path)
    samples = read_samples(load_sources([made.folder])[0])
    assert samples.folder == made.folder / "samples"
    assert samples.found
    assert all(one.invented for one in samples.found)


def test_a_folder_that_stands_is_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "county-old"
    folder.mkdir()
    (folder / "source.yml").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="never overwritten"):
        write("county-old", "files", None, tmp_path)
    assert (folder / "source.yml").read_text(encoding="utf-8") == "mine"
    assert [one.name for one in folder.iterdir()] == ["source.yml"]


@pytest.mark.parametrize(
    ("code", "kind", "profile", "told"),
    [
        ("county-new", "ftp", None, "no kind 'ftp' (known: database, exchange_table, files"),
        ("county-new", "files", "zhejiang", "no profile 'zhejiang' (known: double-publicity"),
        ("../etc", "files", None, "write small letters"),
        ("County", "files", None, "write small letters"),
    ],
)
def test_what_cannot_be_names_what_there_is(
    code: str, kind: str, profile: str | None, told: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as error:
        write(code, kind, profile, tmp_path)
    assert told in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_editors_find_the_schema_of_the_hub_that_made_the_folder(tmp_path: Path) -> None:
    (tmp_path / "source.schema.json").write_text("{}", encoding="utf-8")  # an older hub's
    made = write("county-new", "files", None, tmp_path)
    line = (made.folder / "source.yml").read_text(encoding="utf-8").splitlines()[0]
    named = made.folder / line.removeprefix("# yaml-language-server: $schema=")
    assert named.resolve().read_text(encoding="utf-8") == SCHEMA.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["files", "push", "queue"])
def test_the_batch_envelope_stands_ready_and_is_off(kind: str, tmp_path: Path) -> None:
    made = write("county-new", kind, None, tmp_path)
    file = made.folder / "source.yml"
    text = file.read_text(encoding="utf-8")
    assert "# envelope: {use: required, first: 1}" in text
    assert "docs/integrate/envelope.md" in text
    (source,) = load_sources([made.folder])
    assert {stream.envelope for stream in source.streams.values()} == {None}
    file.write_text(text.replace("# envelope: ", "envelope: "), encoding="utf-8")
    (source,) = load_sources([made.folder])
    assert all(stream.envelope is not None and stream.envelope.required for stream in source.streams.values())


def test_other_kinds_say_nothing_of_envelopes(tmp_path: Path) -> None:
    made = write("county-new", "database", None, tmp_path)
    assert "envelope" not in (made.folder / "source.yml").read_text(encoding="utf-8")
