"""Every profile loads without a fault, and together they feed all canonical documents."""

from __future__ import annotations

import csv

import pytest
from profile_samples import NAMES, PROFILES, mapping, samples, streams

from hub.documents import Documents
from validation.schema_lint import lint_schema

NOT_SAID = {
    ("approval_case", "disclosure"),
    ("credential", "version"),
    ("fee", "paid_at"),
}
"""Columns that none of these formats says. A new line here needs a reason; a line that is fed now must go."""


def test_there_are_as_many_profiles_as_expected() -> None:
    assert NAMES == [
        "double-publicity",
        "guangdong-ex-gdbs",
        "national-up-pro",
        "organ-register",
        "region-register",
        "shenzhen-supervision",
        "zhejiang-pre",
    ]


@pytest.mark.parametrize("profile", NAMES)
def test_a_profile_loads_with_no_fault(profile: str) -> None:
    assert mapping(profile).streams


@pytest.mark.parametrize(("profile", "stream"), streams())
def test_raw_schemas_keep_to_the_restricted_vocabulary(profile: str, stream: str) -> None:
    found = mapping(profile).streams[stream]
    assert found.schema_path.name == f"{stream}.schema.json"
    assert lint_schema(found.schema) == []


@pytest.mark.parametrize("profile", NAMES)
def test_no_raw_schema_is_left_over(profile: str) -> None:
    named = {stream.schema_path.name for stream in mapping(profile).streams.values()}
    assert {file.name for file in (PROFILES / profile).glob("*.schema.json")} == named


@pytest.mark.parametrize("profile", NAMES)
def test_every_code_list_is_used(profile: str) -> None:
    used = {
        column.codes.name
        for stream in mapping(profile).streams.values()
        for made in stream.yields
        for column in made.columns
        if column.codes is not None
    }
    assert {file.stem for file in (PROFILES / profile / "codes").glob("*.csv")} <= used


@pytest.mark.parametrize("profile", NAMES)
def test_every_code_says_where_it_is_from(profile: str) -> None:
    for file in sorted((PROFILES / profile / "codes").glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as lines:
            assert [row["code"] for row in csv.DictReader(lines) if not row["note"] or not row["label_zh"]] == [], file


def test_the_profiles_together_feed_every_document() -> None:
    fed = {made.table for name in NAMES for stream in mapping(name).streams.values() for made in stream.yields}
    assert set(Documents.load()) - fed == set()


def test_the_profiles_together_feed_every_column_that_some_format_says() -> None:
    fed = {
        (made.table, column.column.name)
        for name in NAMES
        for stream in mapping(name).streams.values()
        for made in stream.yields
        for column in made.columns
    }
    wanted = {(document.name, column) for document in Documents.load().values() for column in document.columns}
    assert wanted - fed == NOT_SAID


@pytest.mark.parametrize(("profile", "stream"), streams())
def test_every_stream_has_valid_and_invalid_samples(profile: str, stream: str) -> None:
    for kind in ("valid", "invalid"):
        assert any((sample.profile, sample.stream) == (profile, stream) for sample in samples(kind)), kind
