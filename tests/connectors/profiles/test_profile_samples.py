"""Every sample says what its line claims: valid ones nothing, invalid ones exactly their rules."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest
from profile_samples import Sample, judge, mapping, samples, streams

from hub.documents import Documents

MAY_NAME_PERSONS = {"opinion", "reason", "content", "materials", "result"}
"""Free text that officials write; all other columns must not hold what a person column holds."""


@pytest.mark.parametrize("sample", samples("valid"), ids=str)
def test_a_valid_sample_raises_nothing_and_gives_rows(sample: Sample) -> None:
    judged = judge(mapping(sample.profile).streams[sample.stream], [sample.record])
    assert judged.findings == []
    assert judged.translation is not None
    assert bool(judged.translation.tables) is not sample.excluded
    assert judged.translation.excluded.tolist() == [sample.excluded]


@pytest.mark.parametrize("sample", samples("invalid"), ids=str)
def test_an_invalid_sample_raises_exactly_its_rules(sample: Sample) -> None:
    judged = judge(mapping(sample.profile).streams[sample.stream], [sample.record])
    assert judged.rules == sorted(sample.raises), judged.findings


@pytest.mark.parametrize(("profile", "stream"), streams())
def test_the_valid_samples_of_a_stream_are_read_as_one_slice(profile: str, stream: str) -> None:
    found = mapping(profile).streams[stream]
    records = [sample.record for sample in samples("valid") if (sample.profile, sample.stream) == (profile, stream)]
    judged = judge(found, records)
    assert judged.findings == []
    assert judged.translation is not None
    parts = {int(part) for rows in judged.translation.tables.values() for part in rows.part}
    assert parts == set(range(len(found.yields))), "a yield that no valid sample gives"


@pytest.mark.parametrize("sample", samples("valid"), ids=str)
def test_what_a_person_column_holds_stands_in_no_other_column(sample: Sample) -> None:
    judged = judge(mapping(sample.profile).streams[sample.stream], [sample.record])
    assert judged.translation is not None
    personal, other = _told(judged.translation.tables)
    for table, column, text in other:
        leaked = [value for value in personal if value in text]
        assert not leaked, f"{table}.{column} holds what a person column holds"


def _told(tables: dict[str, Any]) -> tuple[set[str], list[tuple[str, str, str]]]:
    """Part the texts of all rows into those of natural persons' columns and all others."""
    personal: set[str] = set()
    other: list[tuple[str, str, str]] = []
    for table, rows in tables.items():
        columns = Documents.load()[table].columns
        for name in rows.frame.columns:
            for value in rows.frame[name]:
                if pd.isna(value):
                    continue
                if name in columns and columns[name].personal:
                    personal |= {part for part in re.split(r"\s+", str(value)) if len(part) > 1}
                elif name not in MAY_NAME_PERSONS:
                    other.append((table, name, str(value)))
    return personal, other
