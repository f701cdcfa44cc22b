"""Complaint 12: the tool writes files that the runtime cannot read, and new versions do not take old files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.judging import SCHEMA
from connectors.loading import load_sources
from connectors.source import PROFILES
from connectors.versions import NEWEST
from hub.errors import ConfigError
from normalization.mapping import LANGUAGE
from tests.departments import Department


def test_a_source_file_of_another_version_is_told_with_the_version_that_is_read(tmp_path: Path) -> None:
    department = Department(tmp_path)
    department.declare(version=3)
    with pytest.raises(ConfigError) as told:
        load_sources([tmp_path])
    [fault] = told.value.faults
    assert (fault.file.endswith("labour/source.yml"), fault.line) == (True, 1)
    assert fault.message == "this hub reads source files of version 1 or 2, not 3"


def test_a_source_file_without_a_version_is_told(tmp_path: Path) -> None:
    department = Department(tmp_path)
    file = department.folder / "source.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("version: 1\n", "", 1), encoding="utf-8")
    with pytest.raises(ConfigError, match="version"):
        load_sources([tmp_path])


def test_the_schema_and_every_mapping_that_comes_with_the_hub_are_of_the_version_that_is_read() -> None:
    assert json.loads(Path(SCHEMA).read_text(encoding="utf-8"))["properties"]["version"]["enum"] == [1, NEWEST]
    mappings = list(PROFILES.glob("*/mapping.yml"))
    assert len(mappings) >= 7
    assert all(f"version: {LANGUAGE}\n" in one.read_text(encoding="utf-8") for one in mappings)
