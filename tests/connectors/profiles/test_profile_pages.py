"""Every stream, field, code list and profile is documented."""

from __future__ import annotations

import re

import pytest
from profile_samples import NAMES, PROFILES, ROOT, mapping, streams

PAGES = ROOT / "docs" / "integrate" / "profiles"


@pytest.mark.parametrize(("profile", "stream"), streams())
def test_the_readme_has_a_line_for_every_field(profile: str, stream: str) -> None:
    section = _section((PROFILES / profile / "README.md").read_text(encoding="utf-8"), stream)
    told = {
        match.group(1): match.group(2)
        for match in re.finditer(r"^\| `([^`]+)`[^|]*\|[^|]*\| (.+) \|$", section, re.MULTILINE)
    }
    found = mapping(profile).streams[stream]
    assert set(told) == set(found.schema["properties"])
    for field, reason in found.ignore.items():
        assert told[field] == f"ignored: {reason}"
    for made in found.yields:
        for column in made.columns:
            if column.column.name == "case_number" and found.case in column.fields:
                continue
            for field in column.fields:
                assert f"{made.table}.{column.column.name}" in told[field.name]


@pytest.mark.parametrize("profile", NAMES)
def test_the_readme_names_every_code_list(profile: str) -> None:
    text = (PROFILES / profile / "README.md").read_text(encoding="utf-8")
    lists = [f"codes/{file.name}" for file in sorted((PROFILES / profile / "codes").glob("*.csv"))]
    assert [name for name in lists if name not in text] == []


@pytest.mark.parametrize("profile", NAMES)
def test_every_profile_has_a_page_that_names_its_streams(profile: str) -> None:
    text = (PAGES / f"{profile}.md").read_text(encoding="utf-8")
    assert [stream for stream in mapping(profile).streams if stream not in text] == []
    assert f"profile: {profile}" in text


def test_the_list_of_profiles_is_complete() -> None:
    text = (PAGES / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| \[([a-z-]+)\]\([a-z-]+\.md\) \|[^|]*\| ([0-9]+) \|", text, re.MULTILINE))
    assert rows == {name: str(len(mapping(name).streams)) for name in NAMES}


def _section(text: str, stream: str) -> str:
    start = text.index(f"### {stream}\n")
    end = text.find("\n### ", start)
    return text[start:] if end < 0 else text[start:end]
